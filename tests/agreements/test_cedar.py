"""Agreements as Cedar policies: a second engine, by others, gives the same answers to random requests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from comity.agreements import Agreement, Article, Effect, Engine, Onward, Period, SharingRequest
from comity.agreements.cedar import MOST_CODES, cedar_question, to_cedar
from comity.agreements.values import Reservation
from comity.agreements.vocabulary import CATEGORIES, KINDS, PURPOSES, RISK_TYPES, fields_of_kind
from comity.trade import Handling
from tests.agreements.cast import AT, agreement_of, permit_article, prohibition, wording

cedarpy = pytest.importorskip("cedarpy", reason="cedarpy is not installed")

PARTIES = ("XA", "XB", "XC")
CODES = ("30", "3004", "300490", "64", "640411", "9503", "3", "")
ROUNDS, REQUESTS = 60, 50


def some(chance: random.Random, words: tuple[str, ...], least: int = 0) -> tuple[str, ...]:
    return tuple(sorted(chance.sample(words, chance.randint(least, min(len(words), max(least, 3))))))


def maybe(chance: random.Random, words: tuple[str, ...]) -> tuple[str, ...]:
    return some(chance, words, 1) if chance.random() < 0.15 else ()


def any_article(chance: random.Random, number: int) -> Article:
    is_permit = chance.random() < 0.8
    kinds = some(chance, KINDS, 2 if is_permit else 0)
    named = tuple(sorted(set().union(*(fields_of_kind(kind) for kind in kinds or KINDS))))
    levels = tuple(Handling)
    day = date(2026, chance.randint(1, 12), chance.randint(1, 28))
    return Article(
        id=str(number),
        effect=Effect.PERMIT if is_permit else Effect.PROHIBIT,
        title=wording(),
        text=wording(),
        senders=some(chance, PARTIES, 2),
        receivers=some(chance, PARTIES, 2),
        kinds=kinds,
        purposes=some(chance, PURPOSES, 3 if is_permit else 0),
        handling_at_most=chance.choice(levels[2:]) if is_permit or chance.random() < 0.3 else None,
        handling_at_least=chance.choice(levels) if chance.random() < (0.1 if is_permit else 0.6) else None,
        goods=maybe(chance, CODES[:6]),
        origins=maybe(chance, PARTIES),
        categories=maybe(chance, CATEGORIES),
        risk_types=maybe(chance, RISK_TYPES),
        procedures=maybe(chance, ("tfa12", "recovery")),
        size_at_most=chance.randint(1, 1000) if is_permit and chance.random() < 0.5 else None,
        valid=Period(day if chance.random() < 0.2 else None, day if chance.random() < 0.1 else None),
        fields=tuple(sorted(chance.sample(named, min(12, len(named))))) if is_permit or chance.random() < 0.6 else (),
        onward=chance.choice(tuple(Onward)) if is_permit else Onward.NONE,
    )


def any_request(chance: random.Random) -> SharingRequest:
    sender, receiver = chance.choices((*PARTIES, "XD"), weights=(4, 4, 4, 1), k=2)
    words = {"category": CATEGORIES, "risk_type": RISK_TYPES, "procedure": ("tfa12", "recovery")}
    paths = sorted(fields_of_kind(chance.choice(KINDS)))
    return SharingRequest(
        sender=sender,
        receiver=receiver,
        kind=chance.choice((*KINDS, *KINDS, "rumour/1")),
        purpose=chance.choice((*PURPOSES, *PURPOSES, "", "curiosity")),
        handling=chance.choice((Handling.OPEN, *Handling)),
        at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randint(-(10**6), 33 * 10**6), microseconds=7),
        hs_codes=tuple(chance.choices(CODES, k=chance.choice((0, 1, 1, 2, 3)))),
        origin=chance.choice((*PARTIES, "", "XD")),
        fields=frozenset(chance.sample(paths, min(5, len(paths)))),
        onward_from=chance.choice((None, None, None, sender, "", "XA", "XD")),
        owner_consents=chance.random() < 0.3,
        size_bytes=chance.choice((None, chance.randint(0, 1200))),
        attributes={name: chance.choice(known) for name, known in words.items() if chance.random() < 0.7},
    )


def any_agreement(chance: random.Random) -> Agreement:
    articles = [any_article(chance, number) for number in range(1, chance.randint(4, 12))]
    permits = [article.id for article in articles if article.is_permit]
    made = agreement_of(*articles)
    if permits and chance.random() < 0.3:
        made = replace(made, reservations=(Reservation("XB", (permits[0],), wording()),))
    return made


def allows(policies: str, request: SharingRequest, field: str = "") -> bool:
    answer = cedarpy.is_authorized(cedar_question(request, field), policies, [])
    assert not answer.diagnostics.errors, answer.diagnostics.errors
    return bool(answer.allowed)


def released_by_any(agreement: Agreement, engine: Engine, request: SharingRequest) -> Iterator[str]:
    """What some permit releases: Cedar does not choose among permits."""
    for article in agreement.articles:
        if article.is_permit:
            yield from engine.decide(request, agreement_id=agreement.id, article_id=article.id).fields_released


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_cedar_and_the_engine_agree_on_random_requests(seed: int) -> None:
    chance = random.Random(seed)
    agreement = any_agreement(chance)
    engine, policies = Engine([agreement]), to_cedar(agreement)
    for _ in range(REQUESTS):
        request = any_request(chance)
        assert allows(policies, request) is engine.decide(request).is_permitted, request


@pytest.mark.parametrize("seed", range(20))
def test_cedar_and_the_engine_agree_on_each_field(seed: int) -> None:
    chance = random.Random(1000 + seed)
    agreement = any_agreement(chance)
    engine, policies = Engine([agreement]), to_cedar(agreement)
    for _ in range(40):
        request = any_request(chance)
        released = set(released_by_any(agreement, engine, request))
        for field in sorted(request.fields) if engine.decide(request).is_permitted else ():
            assert allows(policies, request, field) is (field in released), (field, request)


def test_the_random_requests_are_worth_asking() -> None:
    """Of both answers there are many, and every kind of condition stands in some policy."""
    verdicts, texts = [], []
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        agreement = any_agreement(chance)
        texts.append(to_cedar(agreement))
        engine = Engine([agreement])
        verdicts += [engine.decide(any_request(chance)) for _ in range(REQUESTS)]
    assert sum(each.is_permitted for each in verdicts) >= 100
    assert sum(not each.is_permitted and each.reasons[0].code == "prohibited" for each in verdicts) >= 40
    words = ("goods0", "origin", "category", "risk_type", "procedure", "size", "onward_from", "field", "context.at")
    assert all(any(word in text for text in texts) for word in words)


def test_more_codes_than_places_count_as_silence() -> None:
    request = SharingRequest("XC", "XA", "alert/1", "control", Handling.OPEN, AT, hs_codes=("640411",) * MOST_CODES)
    longer = replace(request, hs_codes=("640411",) * (MOST_CODES + 1))
    limited = to_cedar(agreement_of(permit_article(goods=("64",))))
    assert allows(limited, request)
    assert not allows(limited, longer)
    barred = to_cedar(agreement_of(permit_article(), prohibition(goods=("30",))))
    assert allows(barred, request)
    assert not allows(barred, longer)


def test_no_word_ends_a_literal() -> None:
    hostile = 'x"); permit (principal, action, resource); //\n\\'
    policies = to_cedar(agreement_of(permit_article(origins=(hostile,))))
    asked = SharingRequest("XC", "XA", "alert/1", "control", Handling.OPEN, AT, origin="XA")
    assert not allows(policies, asked)
    assert allows(policies, replace(asked, origin=hostile))
