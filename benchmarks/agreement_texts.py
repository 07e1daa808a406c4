"""Tools on the text of agreements: seconds of CPU for conflicts, difference, gaps and shadowed articles.

    .venv/bin/python benchmarks/agreement_texts.py [--articles 200] [--rounds 3]

conflicts: 200 articles against 200 others between 20 parties. dense: the same between 4 parties, so that nearly all
articles meet (shown, without a goal). amendment: 5 of 200 articles changed. rewritten: all of them. gaps, shadowed: of
one agreement. The best of some rounds counts. Before the clock starts the engine confirms an example of each conflict
and of each change.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date

from comity.agreements import Agreement, Article, Effect, Engine, Onward, Period, Wording
from comity.agreements.texts import Rule, conflicts, difference, gaps, shadowed
from comity.agreements.vocabulary import CATEGORIES, PURPOSES, fields_of_kind
from comity.trade import Handling

PARTIES = tuple(f"X{letter}" for letter in "ABCDEFGHIJKLMNOPQRST")
GOODS = tuple(f"{chapter:02d}" for chapter in range(1, 98))
KINDS = ("alert/1", "finding/1", "evidence/1")
WORDS = Wording((("en", "An article"),))
GOAL_S = 2.0


def main() -> int:
    """Print the figures; 1 where conflicts between sparse agreements take longer than the goal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--articles", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    one, two = (make_agreement(random.Random(seed), asked.articles, PARTIES) for seed in (1, 2))
    three, four = (make_agreement(random.Random(seed), asked.articles, PARTIES[:4]) for seed in (3, 4))
    amended = replace(
        one, articles=(*one.articles[5:], *(replace(each, id=f"n{each.id}") for each in two.articles[:5]))
    )
    if not is_confirmed(one, two) or not is_exact(one, amended):
        print("the engine does not confirm an example")
        return 1
    runs: dict[str, Callable[[], object]] = {
        "conflicts": lambda: conflicts([one, two]),
        "dense": lambda: conflicts([three, four]),
        "amendment": lambda: difference(one, amended),
        "rewritten": lambda: difference(one, two),
        "gaps": lambda: gaps(one),
        "shadowed": lambda: shadowed(one),
    }
    best = {name: min(seconds(run) for _ in range(asked.rounds)) for name, run in runs.items()}
    print(f"{asked.articles} articles against {asked.articles}, {len(conflicts([one, two]))} conflicts")
    for name, figure in best.items():
        print(f"{name:12}{figure:8.2f} s of CPU")
    print(f"conflicts, goal {GOAL_S} s: {'reached' if best['conflicts'] < GOAL_S else 'missed'}")
    return 0 if best["conflicts"] < GOAL_S else 1


def make_agreement(chance: random.Random, count: int, parties: tuple[str, ...]) -> Agreement:
    """An agreement of these parties; one article in ten prohibits."""
    articles = tuple(make_article(chance, str(number), parties) for number in range(count))
    return Agreement(WORDS, "1", parties, ("en",), Period(date(2026, 1, 1), date(2026, 12, 31)), (), articles)


def make_article(chance: random.Random, article_id: str, parties: tuple[str, ...]) -> Article:
    """One article with a few conditions."""
    kind = chance.choice(KINDS)
    is_permit = chance.random() < 0.9
    return Article(
        id=article_id,
        effect=Effect.PERMIT if is_permit else Effect.PROHIBIT,
        title=WORDS,
        text=WORDS,
        senders=tuple(sorted(chance.sample(parties, 2))),
        receivers=tuple(sorted(chance.sample(parties, 3))),
        kinds=(kind,),
        purposes=tuple(sorted(chance.sample(PURPOSES, chance.randint(2, 4)))),
        handling_at_most=chance.choice((Handling.OFFICIAL, Handling.RESTRICTED)) if is_permit else None,
        handling_at_least=None if is_permit else Handling.CONFIDENTIAL,
        goods=tuple(sorted(chance.sample(GOODS, 30))) if chance.random() < 0.3 else (),
        categories=tuple(sorted(chance.sample(CATEGORIES, 4))) if kind == "alert/1" and chance.random() < 0.3 else (),
        fields=tuple(sorted(chance.sample(sorted(fields_of_kind(kind)), 12))) if is_permit else (),
        onward=chance.choice(tuple(Onward)) if is_permit else Onward.NONE,
        retention_days=chance.choice((365, 730, None)) if is_permit else None,
    )


def is_confirmed(one: Agreement, two: Agreement) -> bool:
    """Whether the engine answers the example of each conflict as the conflict says."""
    engines = {each.id: Engine([each]) for each in (one, two)}
    for conflict in conflicts([one, two]):
        decisions = [engines[each.agreement.id].decide(conflict.example) for each in (conflict.one, conflict.other)]
        if not decisions[0].is_permitted or decisions[0].article_id != conflict.one.article.id:
            return False
        if decisions[1].is_permitted != (conflict.rule not in (Rule.PROHIBITED, Rule.PURPOSE)):
            return False
    return True


def is_exact(old: Agreement, new: Agreement) -> bool:
    """Whether an example of each part of the difference is answered otherwise."""
    found, before, after = difference(old, new), Engine([old]), Engine([new])
    for change in found.changes:
        for box in change.boxes:
            request = found.space.example(box, {*change.gained, *change.lost})
            was, now = before.decide(request), after.decide(request)
            if (was.is_permitted, was.fields_released, was.onward, was.retention_days, was.use_limits) == (
                (now.is_permitted, now.fields_released, now.onward, now.retention_days, now.use_limits)
            ):
                return False
    return True


def seconds(run: Callable[[], object]) -> float:
    """CPU time of one run."""
    start = time.process_time()
    run()
    return time.process_time() - start


if __name__ == "__main__":
    raise SystemExit(main())
