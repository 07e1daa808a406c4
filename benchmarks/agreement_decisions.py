"""Agreement decisions a second at 2,000 articles, beside a linear scan of the same semantics and, where found, Cedar.

    .venv/bin/python benchmarks/agreement_decisions.py [--articles 2000] [--requests 10000] [--rounds 5]

permitted, refused, mixed: `Engine.decide`, one call for each question. A permit comes with its fields and reasons; a
refusal is put into words when somebody first reads it. explained: `Engine.explain`, and every word of it is read: the
reasons, the near misses, what else applies.

These four speak of questions like earlier ones: alike in all that some article asks for (here who, to whom, what kind,
what for, which handling, goods, category) and in the fields of the body, among the last 16,384 and of the same day.
Every request is an object of its own with parts of its own, made anew for each round before the clock starts; the
engine never meets the same object twice. new: what an engine that has served as many questions does with others,
of which hardly one is like an earlier one: the conditions of the route are asked, and the verdict is kept. cold: the
same by an engine that has served none. The memory of the machine sets the pace: ten thousand questions with what is
remembered of them do not fit its nearer caches, and one question again and again takes two thirds of the time.

linear: the same conditions without the index, yes or no alone. limit: the one dictionary look-up that any index needs,
with its key made from the request. cedar: the same yes or no by cedarpy over the policies of `to_cedar`, parsed before
the clock starts, where it can be imported (put it into an environment of its own). CPU time of one core, rounds
alternate, the best of each counts; 300 answers are compared with the scan's first.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from types import ModuleType

from comity.agreements import Agreement, Article, Effect, Engine, Onward, Period, SharingRequest, Wording
from comity.agreements.cedar import cedar_question, to_cedar
from comity.agreements.conditions import Test, conditions_of
from comity.agreements.vocabulary import CATEGORIES, PURPOSES, fields_of_kind
from comity.trade import Handling

try:
    import cedarpy
except ImportError:
    cedarpy = None

KINDS = ("alert/1", "finding/1", "evidence/1", "step/1")
PARTIES = tuple(f"X{letter}" for letter in "ABCDEFGHIJKLMNOPQRST")
GOODS = tuple(f"{chapter:02d}" for chapter in range(1, 98))
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
GOALS = {"mixed": 900_000, "explained": 500_000}
SCANNED = 300
WORDS = Wording((("en", "An article"),))
CEDAR_REQUESTS = 20


def main() -> int:
    """Print the figures; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    agreement = make_agreement(random.Random(7), asked.articles)
    engine, scan = Engine([agreement]), LinearScan(agreement)
    requests = make_requests(asked.requests)
    verdicts = [engine.decide(request).is_permitted for request in requests]
    if [scan.permits(request) for request in requests[:SCANNED]] != verdicts[:SCANNED]:
        print("the engine and the scan disagree")
        return 1
    best = unlike(agreement, asked.requests)
    for request in requests:
        engine.explain(request)
    for _ in range(asked.rounds):
        for name, figure in measure(engine, scan, verdicts):
            best[name] = max(best.get(name, 0.0), figure)
    share = sum(verdicts) / len(verdicts)
    print(f"{asked.articles} articles, {len(PARTIES)} parties, {asked.requests} requests, {share:.0%} permitted")
    for name, figure in best.items():
        print(f"{name:16}{figure:12,.0f} decisions/s of CPU")
    if cedarpy is not None:
        print_cedar(cedarpy, agreement, requests[:CEDAR_REQUESTS], verdicts)
    missed = [name for name, goal in GOALS.items() if best[name] < goal]
    print(
        "; ".join(f"{name}: goal {goal:,}, {'missed' if name in missed else 'reached'}" for name, goal in GOALS.items())
    )
    return 1 if missed else 0


def unlike(agreement: Agreement, count: int) -> dict[str, float]:
    """The figures of questions that are not like earlier ones, each measured once."""
    decide, explain = Engine([agreement]).decide, reading(Engine([agreement]))
    first, second = make_requests(count), make_requests(count, seed=12)
    return {
        "cold": rate(decide, first),
        "new": rate(decide, second),
        "explained, cold": rate(explain, first),
        "explained, new": rate(explain, second),
    }


def measure(engine: Engine, scan: LinearScan, verdicts: Sequence[bool]) -> Iterator[tuple[str, float]]:
    """One round of every figure, each over requests that no engine has met."""
    for name, decide in (("permitted", engine.decide), ("refused", engine.decide), ("mixed", engine.decide)):
        requests = make_requests(len(verdicts))
        wanted = {"permitted": (True,), "refused": (False,), "mixed": (True, False)}[name]
        yield name, rate(decide, [each for each, verdict in zip(requests, verdicts, strict=True) if verdict in wanted])
    yield "explained", rate(reading(engine), make_requests(len(verdicts)))
    yield "linear", rate(scan.permits, make_requests(SCANNED))
    index = {(sender, receiver, kind): 1 for sender in PARTIES for receiver in PARTIES for kind in KINDS}
    yield "limit", rate(lambda q: index.get((q.sender, q.receiver, q.kind)), make_requests(len(verdicts)))


def reading(engine: Engine) -> Callable[[SharingRequest], object]:
    """An explanation of which every word is read."""

    def read(request: SharingRequest) -> object:
        explanation = engine.explain(request)
        decision = explanation.decision
        return (
            decision.reasons,
            decision.near_misses,
            decision.fields_withheld,
            explanation.near_misses,
            explanation.also,
        )

    return read


def make_requests(count: int, *, seed: int = 11) -> list[SharingRequest]:
    """The requests, each an object of its own with fields of its own."""
    chance = random.Random(seed)
    return [make_request(chance) for _ in range(count)]


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
        fields=frozenset(list(SHAPES[kind][chance.randrange(4)])),
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
    policies = cedar.PolicySet.from_str(to_cedar(agreement))
    asked = [cedar_question(request) for request in requests]
    start = time.process_time()
    answers = [cedar.is_authorized(request, policies, []).allowed for request in asked]
    figure = len(asked) / (time.process_time() - start)
    agreeing = sum(answer == verdict for answer, verdict in zip(answers, verdicts, strict=False))
    print(f"{'cedar':16}{figure:12,.0f} decisions/s of CPU; {agreeing} of {len(asked)} verdicts alike")


if __name__ == "__main__":
    raise SystemExit(main())
