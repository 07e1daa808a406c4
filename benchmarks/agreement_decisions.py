"""Agreement decisions a second at 2,000 articles, beside a linear scan of the same semantics and, where found, Cedar.

    .venv/bin/python benchmarks/agreement_decisions.py [--articles 2000] [--requests 20000] [--rounds 5]

permitted, refused, mixed: `Engine.decide`, whole decisions with their reasons; a refusal also words its near misses.
linear: the same compiled conditions without the index, yes or no alone. limit: the one dictionary look-up that any
index needs, with its key made from the request. cedar: the same yes or no by cedarpy, where it can be imported (put
it into an environment of its own); a few requests only, it takes milliseconds for each. CPU time of one core, rounds
alternate, the best of each counts. Before the clock starts every answer of the engine is compared with the scan's;
so the clock meets an engine that has served a while and remembers what each article releases of each shape of body.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from types import ModuleType

from comity.agreements import Agreement, Article, Effect, Engine, Onward, Period, SharingRequest, Wording
from comity.agreements.conditions import Test, conditions_of
from comity.agreements.vocabulary import CATEGORIES, KINDS, PURPOSES, fields_of_kind
from comity.trade import Handling

try:
    import cedarpy
except ImportError:
    cedarpy = None

PARTIES = tuple(f"X{letter}" for letter in "ABCDEFGHIJKLMNOPQRST")
GOODS = tuple(f"{chapter:02d}" for chapter in range(1, 98))
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
GOAL = 30
WORDS = Wording((("en", "An article"),))
CEDAR_REQUESTS = 100


def main() -> int:
    """Print the figures; 1 where permits are not 30 times as fast as the scan."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    chance = random.Random(7)
    agreement = make_agreement(chance, asked.articles)
    engine, scan = Engine([agreement]), LinearScan(agreement)
    requests = [make_request(chance) for _ in range(asked.requests)]
    verdicts = [engine.decide(request).is_permitted for request in requests]
    sample = requests[:500]
    if [scan.permits(request) for request in requests] != verdicts:
        print("the engine and the scan disagree")
        return 1
    permitted = [request for request, verdict in zip(requests, verdicts, strict=True) if verdict]
    refused = [request for request, verdict in zip(requests, verdicts, strict=True) if not verdict]
    index = {(sender, receiver, kind): 1 for sender in PARTIES for receiver in PARTIES for kind in KINDS}
    runs: dict[str, tuple[Callable[[SharingRequest], object], Sequence[SharingRequest]]] = {
        "permitted": (engine.decide, permitted),
        "refused": (engine.decide, refused),
        "mixed": (engine.decide, requests),
        "linear": (scan.permits, sample),
        "limit": (lambda q: index.get((q.sender, q.receiver, q.kind)), requests),
    }
    best = dict.fromkeys(runs, 0.0)
    for _ in range(asked.rounds):
        for name, (decide, asked_for) in runs.items():
            best[name] = max(best[name], rate(decide, asked_for))
    share = len(permitted) / len(requests)
    print(f"{asked.articles} articles, {len(PARTIES)} parties, {asked.requests} requests, {share:.0%} permitted")
    for name, figure in best.items():
        print(f"{name:10}{figure:12,.0f} decisions/s of CPU")
    print(f"mixed / linear {best['mixed'] / best['linear']:.0f}, mixed / limit {best['mixed'] / best['limit']:.2f}")
    if cedarpy is not None:
        print_cedar(cedarpy, agreement, requests[:CEDAR_REQUESTS], verdicts)
    ratio = best["permitted"] / best["linear"]
    print(f"permitted / linear {ratio:.0f}, goal {GOAL}: {'reached' if ratio >= GOAL else 'missed'}")
    return 0 if ratio >= GOAL else 1


def make_agreement(chance: random.Random, count: int) -> Agreement:
    """An agreement of 20 parties; one article in ten prohibits."""
    articles = tuple(make_article(chance, number) for number in range(1, count + 1))
    return Agreement(WORDS, "1", PARTIES, ("en",), Period(date(2026, 1, 1), date(2026, 12, 31)), (), articles)


def make_article(chance: random.Random, number: int) -> Article:
    """One article with a few conditions."""
    kind = chance.choice(KINDS)
    is_permit = chance.random() < 0.9
    return Article(
        id=str(number),
        effect=Effect.PERMIT if is_permit else Effect.PROHIBIT,
        title=WORDS,
        text=WORDS,
        senders=tuple(sorted(chance.sample(PARTIES, 2))),
        receivers=tuple(sorted(chance.sample(PARTIES, 3))),
        kinds=(kind,),
        purposes=tuple(sorted(chance.sample(PURPOSES, chance.randint(2, 4)))),
        handling_at_most=chance.choice((Handling.OFFICIAL, Handling.RESTRICTED)) if is_permit else None,
        handling_at_least=None if is_permit else Handling.CONFIDENTIAL,
        goods=tuple(sorted(chance.sample(GOODS, 30))) if chance.random() < 0.3 else (),
        categories=tuple(sorted(chance.sample(CATEGORIES, 4))) if kind == "alert/1" and chance.random() < 0.3 else (),
        fields=tuple(sorted(chance.sample(sorted(fields_of_kind(kind)), 12))) if is_permit else (),
        onward=chance.choice(tuple(Onward)) if is_permit else Onward.NONE,
        retention_days=365 if is_permit else None,
    )


def make_request(chance: random.Random) -> SharingRequest:
    """One request with the fields of one of a few shapes of body."""
    sender, receiver = chance.sample(PARTIES, 2)
    kind = chance.choice(KINDS)
    return SharingRequest(
        sender=sender,
        receiver=receiver,
        kind=kind,
        purpose=chance.choice(PURPOSES[:4]),
        handling=chance.choice((Handling.OPEN, Handling.OPEN, Handling.OFFICIAL, Handling.RESTRICTED)),
        at=AT,
        hs_codes=(chance.choice(GOODS) + "0411",),
        fields=SHAPES[kind][chance.randrange(4)],
        attributes={"category": chance.choice(CATEGORIES), "risk_type": "counterfeit"},
    )


def _shapes(kind: str) -> tuple[frozenset[str], ...]:
    known = sorted(fields_of_kind(kind))
    return tuple(frozenset(known[start::4]) for start in range(4))


SHAPES = {kind: _shapes(kind) for kind in KINDS}


class LinearScan:
    """The same semantics without an index: every article is asked."""

    def __init__(self, agreement: Agreement) -> None:
        self._rules: list[tuple[Article, tuple[Test, ...]]] = [
            (article, tuple(condition.holds for condition in conditions_of(agreement, article)))
            for article in agreement.articles
        ]

    def permits(self, request: SharingRequest) -> bool:
        """Yes or no."""
        is_permitted = False
        for article, tests in self._rules:
            if request.sender not in article.senders or request.receiver not in article.receivers:
                continue
            if request.kind in article.kinds and all(test(request) for test in tests):
                if not article.is_permit:
                    return False
                is_permitted = True
        return is_permitted


def rate(decide: Callable[[SharingRequest], object], requests: Sequence[SharingRequest]) -> float:
    """Calls for each second of CPU."""
    start = time.process_time()
    for request in requests:
        decide(request)
    return len(requests) / (time.process_time() - start)


def print_cedar(
    cedar: ModuleType, agreement: Agreement, requests: Sequence[SharingRequest], verdicts: Sequence[bool]
) -> None:
    """The same yes or no by Cedar, and how often it agrees."""
    policies = "\n".join(cedar_policy(article) for article in agreement.articles)
    asked = [cedar_request(request) for request in requests]
    start = time.process_time()
    answers = [cedar.is_authorized(request, policies, []).allowed for request in asked]
    figure = len(asked) / (time.process_time() - start)
    agreeing = sum(answer == verdict for answer, verdict in zip(answers, verdicts, strict=False))
    print(f"{'cedar':10}{figure:12,.0f} decisions/s of CPU; {agreeing} of {len(asked)} verdicts alike")


def cedar_policy(article: Article) -> str:
    """One article as a Cedar policy."""
    conditions = [
        _either("principal", article.senders),
        _either("resource", article.receivers),
        _either("action", article.kinds, "Action"),
        "(" + " || ".join(f'context.purpose == "{purpose}"' for purpose in article.purposes) + ")",
    ]
    if article.handling_at_most is not None:
        conditions.append(f"context.handling <= {int(article.handling_at_most)}")
    if article.handling_at_least is not None:
        conditions.append(f"context.handling >= {int(article.handling_at_least)}")
    if article.goods:
        conditions.append("(" + " || ".join(f'context.hs like "{prefix}*"' for prefix in article.goods) + ")")
    if article.categories:
        conditions.append("(" + " || ".join(f'context.category == "{word}"' for word in article.categories) + ")")
    effect = "permit" if article.is_permit else "forbid"
    return f"{effect} (principal, action, resource) when {{ {' && '.join(conditions)} }};"


def cedar_request(request: SharingRequest) -> dict[str, object]:
    """One request in Cedar's words."""
    return {
        "principal": f'Party::"{request.sender}"',
        "action": f'Action::"{request.kind}"',
        "resource": f'Party::"{request.receiver}"',
        "context": {
            "purpose": request.purpose,
            "handling": int(request.handling),
            "hs": request.hs_codes[0],
            "category": request.attributes["category"],
        },
    }


def _either(variable: str, words: tuple[str, ...], kind: str = "Party") -> str:
    return "(" + " || ".join(f'{variable} == {kind}::"{word}"' for word in words) + ")"


if __name__ == "__main__":
    raise SystemExit(main())
