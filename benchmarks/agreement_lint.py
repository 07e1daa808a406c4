"""Looking over an agreement of 200 permits against 200 prohibitions: `look_over`, in seconds of CPU.

    .venv/bin/python benchmarks/agreement_lint.py [--articles 200] [--rounds 3]

Twenty parties; every article has senders, receivers, purposes, a handling and a third of them goods, as in
`agreement_decisions.py`. The agreement is made anew for each round: nothing is remembered.
The best round counts.
"""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import replace
from datetime import date

from agreement_decisions import PARTIES, WORDS, make_article

from comity.agreements import Agreement, Article, Effect, Onward, Period, look_over

GOAL_S = 2.0


def main() -> int:
    """Print the figure; 1 where it is not below two seconds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--articles", type=int, default=200, help="of each: permits and prohibitions")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    best, remarks = float("inf"), 0
    for number in range(asked.rounds):
        agreement = make_agreement(random.Random(number), asked.articles)
        start = time.process_time()
        found = look_over(agreement)
        spent = time.process_time() - start
        if spent < best:
            best, remarks = spent, len(found)
    print(f"{asked.articles} permits against {asked.articles} prohibitions: {best:.2f} s of CPU, {remarks:,} remarks")
    print(f"goal {GOAL_S} s: {'reached' if best < GOAL_S else 'missed'}")
    return 0 if best < GOAL_S else 1


def make_agreement(chance: random.Random, count: int) -> Agreement:
    """So many permits and so many prohibitions, a third of which take out fields alone."""
    permits: list[Article] = []
    while len(permits) < count:
        article = make_article(chance, len(permits) + 1)
        permits += [article] if article.is_permit else []
    bars = tuple(_bar(chance, article, count + place) for place, article in enumerate(permits, 1))
    period = Period(date(2026, 1, 1), date(2026, 12, 31))
    return Agreement(WORDS, "1", PARTIES, ("en",), period, (), (*permits, *bars))


def _bar(chance: random.Random, permit: Article, number: int) -> Article:
    """A prohibition on other routes and of other fields than this permit, so that both meet where chance has it."""
    return replace(
        permit,
        id=str(number),
        effect=Effect.PROHIBIT,
        senders=tuple(sorted(chance.sample(PARTIES, 6))),
        receivers=tuple(sorted(chance.sample(PARTIES, 6))),
        fields=permit.fields[:3] if chance.random() < 0.33 else (),
        onward=Onward.NONE,
        retention_days=None,
    )


if __name__ == "__main__":
    raise SystemExit(main())
