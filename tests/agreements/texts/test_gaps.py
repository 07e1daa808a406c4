"""What an agreement leaves out, and the articles that never answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreements import KINDS, Agreement, Article, Engine, Onward, SharingRequest
from comity.agreements.texts import Gap, GapKind, Shadow, ShadowKind, gaps, shadowed
from comity.trade import Handling
from tests.agreements.cast import agreement_of, demo, permit_article, prohibition
from tests.agreements.strategies import agreements, requests
from tests.scale import scaled


def of(kind: GapKind, *articles: Article) -> list[Gap]:
    return [gap for gap in gaps(agreement_of(*articles)) if gap.what is kind]


def test_what_nobody_may_do() -> None:
    back = permit_article("2", senders=("XA",), receivers=("XC",), kinds=("finding/1",), fields=("ref",))
    article = permit_article()
    assert of(GapKind.KIND, article) == [Gap(GapKind.KIND, tuple(kind for kind in KINDS if kind != "alert/1"))]
    assert ("XC", "XB") in of(GapKind.ROUTE, article)[0].routes
    assert ("XC", "XA") not in of(GapKind.ROUTE, article)[0].routes
    assert of(GapKind.ONE_WAY, article, back) == [
        Gap(GapKind.ONE_WAY, kind="alert/1", routes=(("XA", "XC"),)),
        Gap(GapKind.ONE_WAY, kind="finding/1", routes=(("XC", "XA"),)),
    ]
    (purposes,) = of(GapKind.PURPOSE, article)
    assert "control" not in purposes.words
    assert "evidence" in purposes.words
    assert of(GapKind.HANDLING, article)[0].words == ("confidential",)
    (fields,) = of(GapKind.FIELD, article)
    assert {"route", "exhibits", "subjects.id"} <= set(fields.words)
    assert not {"subjects", "route.origin"} & set(fields.words)


def test_a_kind_that_is_missing_both_ways() -> None:
    other = permit_article("2", senders=("XB",), kinds=("finding/1",), fields=("ref",))
    assert Gap(GapKind.KIND_ON_ROUTE, kind="finding/1", routes=(("XC", "XA"),)) in gaps(
        agreement_of(permit_article(), other)
    )


def test_what_is_prohibited_is_a_gap_too() -> None:
    bar = prohibition(handling_at_least=Handling.RESTRICTED)
    assert of(GapKind.HANDLING, permit_article(), bar)[0].words == ("restricted", "confidential")
    mask = prohibition(fields=("issuer",))
    assert "issuer" in of(GapKind.FIELD, permit_article(), mask)[0].words


@settings(max_examples=scaled(13, 40), deadline=None)
@given(agreements(5), st.lists(requests, min_size=20, max_size=30))
def test_what_is_permitted_lies_in_no_gap(agreement: Agreement, asked: list[SharingRequest]) -> None:
    found, engine = gaps(agreement), Engine([agreement])
    for request in asked:
        decision = engine.decide(request)
        route = (request.sender, request.receiver)
        for gap in found if decision.is_permitted else ():
            is_here = gap.kind in ("", request.kind) and (not gap.routes or route in gap.routes)
            told = {request.purpose, request.handling.word, request.kind, *decision.fields_released}
            assert not is_here or (bool(gap.words) and not told & set(gap.words)), (gap, request)


@pytest.mark.parametrize(
    ("articles", "expected"),
    [
        ((permit_article(handling_at_least=Handling.CONFIDENTIAL),), Shadow("1", ShadowKind.EMPTY)),
        ((permit_article(), prohibition()), Shadow("1", ShadowKind.PROHIBITED, ("9",))),
        ((permit_article(), permit_article("2")), Shadow("2", ShadowKind.OUTRANKED, ("1",))),
        ((permit_article(), permit_article("2", onward=Onward.PARTIES)), None),
        ((prohibition("8"), prohibition()), Shadow("9", ShadowKind.REPEATED, ("8",))),
        ((prohibition("8", goods=("3004",)), prohibition()), Shadow("8", ShadowKind.REPEATED, ("9",))),
        ((permit_article(), prohibition(fields=("title",))), Shadow("9", ShadowKind.IDLE)),
        ((permit_article(), prohibition(fields=("ref",), senders=("XB",))), Shadow("9", ShadowKind.IDLE)),
        ((permit_article(), prohibition(fields=("ref",))), None),
    ],
)
def test_articles_that_never_answer(articles: tuple[Article, ...], expected: Shadow | None) -> None:
    assert shadowed(agreement_of(*articles)) == (() if expected is None else (expected,))


def test_several_articles_together_shadow_one() -> None:
    low = prohibition("7", handling_at_most=Handling.OFFICIAL)
    high = prohibition("8", handling_at_least=Handling.RESTRICTED)
    idle = prohibition("9", goods=("64",), origins=("XA",))
    assert Shadow("1", ShadowKind.PROHIBITED, ("7", "8")) in shadowed(agreement_of(permit_article(), low, high, idle))


@settings(max_examples=scaled(13, 40), deadline=None)
@given(agreements(6))
def test_a_shadowed_article_can_go(agreement: Agreement) -> None:
    """Without it every permit answers as before, and what is said to answer does so for some request."""
    gone = {each.article_id for each in shadowed(agreement)}
    rest = replace(agreement, articles=tuple(each for each in agreement.articles if each.id not in gone))
    assert {each.id for each in rest.articles} | gone == {each.id for each in agreement.articles}
    again = {each.article_id for each in shadowed(rest) if each.what is not ShadowKind.IDLE}
    assert again == set()


def test_the_demo_has_no_shadows() -> None:
    assert shadowed(demo()) == ()
    assert {gap.what for gap in gaps(demo())} >= {GapKind.PURPOSE, GapKind.HANDLING}
