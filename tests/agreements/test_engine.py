"""The engine: default deny, prohibition wins, silence never opens, and reasons that say what would be needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreements import Agreement, Article, Decision, Engine, Onward, Period, SharingRequest
from comity.agreements.conditions import conditions_of
from comity.agreements.cutting import FieldSet
from comity.agreements.parsing import agreement_from_bytes
from comity.agreements.vocabulary import KINDS
from comity.trade import Handling
from tests.agreements.cast import AT, agreement_of, permit_article, prohibition
from tests.agreements.strategies import agreements, requests
from tests.scale import scaled

FIELDS = frozenset({"ref", "issuer", "case_ref"})
ASKED = SharingRequest("XC", "XA", "alert/1", "control", Handling.RESTRICTED, AT, fields=FIELDS)


def decide(*articles: Article, **changes: object) -> Decision:
    return Engine([agreement_of(*articles)]).decide(replace(ASKED, **changes))  # type: ignore[arg-type]


def failed(*articles: Article, **changes: object) -> list[str]:
    decision = decide(*articles, **changes)
    assert not decision.is_permitted
    return [reason.code for miss in decision.near_misses for reason in miss.failed]


def test_a_permit() -> None:
    decision = decide(permit_article(retention_days=30, onward=Onward.PARTIES, use_limits=("strict_confidence",)))
    assert decision.is_permitted
    assert decision.article_id == "1"
    assert decision.fields_released == ("issuer", "ref")
    assert decision.fields_withheld == ("case_ref",)
    assert decision.valid_until(AT) == AT + timedelta(days=30)
    assert decision.onward is Onward.PARTIES
    assert decision.use_limits == ("strict_confidence",)
    assert decision.reasons[0].clause == "article 1 (Clause 1)"
    assert decide(permit_article()).valid_until(AT) is None


def test_nothing_is_permitted_by_default() -> None:
    decision = Engine([]).decide(ASKED)
    assert not decision.is_permitted
    assert decision.reasons[0].code == "no_article"
    assert decision.fields_withheld == ("case_ref", "issuer", "ref")


@pytest.mark.parametrize(
    ("article", "changes", "codes"),
    [
        ({}, {"purpose": "statistics"}, ["purpose"]),
        ({}, {"purpose": ""}, ["purpose"]),
        ({}, {"handling": Handling.CONFIDENTIAL}, ["handling"]),
        ({"handling_at_least": Handling.RESTRICTED}, {"handling": Handling.OPEN}, ["handling"]),
        ({"goods": ("30",)}, {}, ["goods"]),
        ({"goods": ("30",)}, {"hs_codes": ("300490", "640411")}, ["goods"]),
        ({"goods": ("3004",)}, {"hs_codes": ("30",)}, ["goods"]),
        ({"origins": ("XA",)}, {}, ["origin"]),
        ({"origins": ("XA",)}, {"origin": "XB"}, ["origin"]),
        ({"categories": ("businesses",)}, {"attributes": {"category": "persons"}}, ["category"]),
        ({"risk_types": ("safety",)}, {}, ["risk_type"]),
        ({"valid": Period(date(2026, 4, 1), None)}, {}, ["valid"]),
        ({"valid": Period(None, date(2026, 3, 1))}, {}, ["valid"]),
        ({}, {"onward_from": "XA", "owner_consents": True}, ["onward"]),
        ({"onward": Onward.WITH_CONSENT}, {"onward_from": "XA"}, ["onward"]),
        ({"onward": Onward.PARTIES}, {"onward_from": "XD"}, ["onward"]),
        ({"onward": Onward.PARTIES}, {"onward_from": ""}, ["onward"]),
        ({}, {"at": datetime(2027, 1, 1, tzinfo=UTC)}, ["in_force"]),
    ],
)
def test_a_near_miss_names_the_condition(
    article: dict[str, object], changes: dict[str, object], codes: list[str]
) -> None:
    assert failed(permit_article(**article), **changes) == codes


@pytest.mark.parametrize(
    ("article", "changes"),
    [
        ({"goods": ("30",)}, {"hs_codes": ("300490", "30")}),
        ({"origins": ("XA",)}, {"origin": "XA"}),
        ({"categories": ("businesses",)}, {"attributes": {"category": "businesses"}}),
        ({"valid": Period(date(2026, 3, 2), date(2026, 3, 2))}, {}),
        ({"onward": Onward.WITH_CONSENT}, {"onward_from": "XA", "owner_consents": True}),
        ({"onward": Onward.PARTIES}, {"onward_from": "XB"}),
        ({"onward": Onward.PARTIES}, {"onward_from": "XD", "owner_consents": True}),
        ({}, {"onward_from": "XC"}),
        ({"handling_at_least": Handling.RESTRICTED}, {}),
    ],
)
def test_conditions_that_hold(article: dict[str, object], changes: dict[str, object]) -> None:
    assert decide(permit_article(**article), **changes).is_permitted


@pytest.mark.parametrize(
    ("article", "changes", "is_prohibited"),
    [
        ({}, {}, True),
        ({"purposes": ("control",)}, {}, True),
        ({"purposes": ("evidence",)}, {}, False),
        ({"handling_at_least": Handling.RESTRICTED}, {}, True),
        ({"handling_at_least": Handling.CONFIDENTIAL}, {}, False),
        ({"handling_at_most": Handling.OPEN}, {}, False),
        ({"goods": ("93",)}, {"hs_codes": ("640411",)}, False),
        ({"goods": ("93",)}, {"hs_codes": ("640411", "930200")}, True),
        ({"goods": ("9302",)}, {"hs_codes": ("93",)}, True),
        ({"goods": ("93",)}, {}, True),
        ({"categories": ("persons",)}, {"attributes": {"category": "persons"}}, True),
        ({"categories": ("persons",)}, {"attributes": {"category": "businesses"}}, False),
        ({"categories": ("persons",)}, {}, True),
        ({"kinds": ("finding/1",)}, {}, False),
        ({"valid": Period(date(2026, 4, 1), None)}, {}, False),
    ],
)
def test_a_prohibition_wins_unless_it_is_known_not_to_apply(
    article: dict[str, object], changes: dict[str, object], is_prohibited: bool
) -> None:
    decision = decide(permit_article(), prohibition(**article), **changes)
    assert decision.is_permitted is not is_prohibited
    assert (decision.reasons[0].code == "prohibited") is is_prohibited


def test_an_owner_that_nobody_names_is_said_to_be_missing() -> None:
    decision = decide(permit_article(onward=Onward.PARTIES), onward_from="")
    assert decision.near_misses[0].failed[0].text.startswith("It is not stated whose information it is")


def test_a_prohibition_says_what_brought_it_to_bear() -> None:
    decision = decide(
        permit_article(),
        prohibition("7", handling_at_least=Handling.RESTRICTED),
        prohibition("8", purposes=("control",), goods=("64",)),
        hs_codes=("640411",),
    )
    assert decision.article_id == "7"
    assert [reason.code for reason in decision.reasons] == ["prohibited", "handling", "prohibited", "purpose", "goods"]
    assert "restricted and above" in decision.reasons[1].text
    missing = decide(permit_article(), prohibition(categories=("persons",)))
    assert missing.reasons[1].text == "The category is not stated; it must be, since persons is prohibited."
    named = decide(permit_article(), prohibition(categories=("persons",)), attributes={"category": "persons"})
    assert named.reasons[1].text == "The category is persons; prohibited is persons."


def test_a_prohibition_of_fields_takes_them_out_and_lets_the_rest_pass() -> None:
    decision = decide(permit_article(), prohibition(fields=("ref",)))
    assert decision.fields_released == ("issuer",)
    assert decide(permit_article(), prohibition(fields=("ref",), purposes=("evidence",))).fields_withheld == (
        "case_ref",
    )


def test_of_several_permits_the_strictest_answers() -> None:
    loose = permit_article("1", onward=Onward.PARTIES)
    wide = permit_article("2", fields=("ref", "issuer", "title", "case_ref", "route"))
    narrow = permit_article("3")
    decision = decide(loose, wide, narrow)
    assert decision.article_id == "3"
    explanation = Engine([agreement_of(loose, wide, narrow)]).explain(ASKED)
    assert [article for _, article in explanation.also] == ["2", "1"]
    assert explanation.strictest_onward is Onward.NONE


def test_of_several_agreements_the_named_one_answers_else_the_lowest_id() -> None:
    first, second = sorted(
        (agreement_of(permit_article(), version=version) for version in ("1", "2")), key=lambda each: each.id
    )
    engine = Engine([second, first, second])
    assert engine.agreements == (first, second)
    assert engine.decide(ASKED).agreement_id == first.id
    assert engine.decide(ASKED, agreement_id=second.id).agreement_id == second.id
    assert engine.decide(ASKED, agreement_id=second.id, article_id="1").is_permitted
    other = engine.decide(ASKED, agreement_id=second.id, article_id="2")
    assert other.reasons[0].code == "no_article"
    assert "Article 2 of agreement" in other.reasons[0].text
    assert "No article of agreement" in engine.decide(ASKED, agreement_id="0" * 64).reasons[0].text


def test_a_prohibition_of_one_agreement_counts_for_every_permit() -> None:
    permits = agreement_of(permit_article())
    prohibits = agreement_of(prohibition())
    decision = Engine([permits, prohibits]).decide(ASKED, agreement_id=permits.id)
    assert decision.agreement_id == prohibits.id
    assert Engine([permits]).decide(ASKED, agreement_id=permits.id).is_permitted


def test_when_only_the_days_are_wrong_the_refusal_says_so() -> None:
    expired = permit_article(valid=Period(date(2026, 1, 5), date(2026, 2, 1)))
    decision = decide(expired)
    assert decision.reasons[0].code == "not_in_force"
    assert "in force from 2026-01-05 until 2026-02-01" in decision.reasons[0].text
    assert decide(expired, purpose="evidence").reasons[0].code == "not_permitted"


def test_an_explanation_without_any_permit_on_the_route_names_those_of_others() -> None:
    explanation = Engine([agreement_of(permit_article())]).explain(replace(ASKED, receiver="XB", kind="finding/1"))
    (miss,) = explanation.near_misses
    assert [reason.code for reason in miss.failed] == ["receiver", "kind"]
    assert "for XA as recipient" in miss.failed[0].text
    away = Engine([agreement_of(permit_article(senders=("XB", "XC")))]).explain(replace(ASKED, sender="XD"))
    assert "XB or XC as sender" in away.near_misses[0].failed[0].text


def test_untitled_and_unsourced_articles_are_named_by_their_id() -> None:
    bare = permit_article(source="", title=replace(permit_article().title, texts=()))
    decision = decide(bare)
    assert decision.reasons[0].text == "Article 1 permits it."
    assert decision.reasons[0].clause == "article 1"


def _plain(agreement: Agreement, request: SharingRequest) -> tuple[bool, bool]:
    """The same semantics written down a second time, without index: (is permitted, is prohibited)."""

    def applies(article: Article) -> bool:
        on_route = request.sender in article.senders and request.receiver in article.receivers
        right_kind = request.kind in (article.kinds or KINDS)
        holds = all(condition.holds(request) for condition in conditions_of(agreement, article))
        return on_route and right_kind and request.sender != request.receiver and holds

    permits = [article for article in agreement.articles if article.is_permit and applies(article)]
    bars = [each for each in agreement.articles if not each.is_permit and not each.fields and applies(each)]
    return bool(permits) and not bars, bool(bars)


@settings(max_examples=scaled(50, 150), deadline=None)
@given(agreements(), requests)
def test_default_deny_and_prohibition_wins(agreement: Agreement, request: SharingRequest) -> None:
    decision = Engine([agreement]).decide(request)
    is_permitted, is_prohibited = _plain(agreement, request)
    assert decision.is_permitted is is_permitted
    assert (decision.reasons[0].code == "prohibited") is is_prohibited
    assert {*decision.fields_released, *decision.fields_withheld} == request.fields
    if not decision.is_permitted:
        assert decision.fields_released == ()
    else:
        article = agreement.article(decision.article_id)
        assert article is not None
        assert set(decision.fields_released) <= set(FieldSet(article.fields).split(request.fields)[0])


@settings(max_examples=scaled(20, 60), deadline=None)
@given(agreements(), requests, st.sampled_from(["hs_codes", "origin", "purpose", "attributes"]))
def test_silence_never_opens(agreement: Agreement, request: SharingRequest, attribute: str) -> None:
    empty: dict[str, object] = {"hs_codes": (), "origin": "", "purpose": "", "attributes": {}}
    silent = replace(request, **{attribute: empty[attribute]})  # type: ignore[arg-type]
    engine = Engine([agreement])
    if engine.decide(silent).is_permitted:
        asked = [article for article in agreement.articles if not article.is_permit and not article.fields]
        assert not any(_plain(agreement_of(article), silent)[1] for article in asked)
        assert attribute != "purpose"


@settings(max_examples=scaled(20, 60), deadline=None)
@given(agreements(), requests)
def test_both_nodes_decide_alike_from_the_same_bytes(agreement: Agreement, request: SharingRequest) -> None:
    ours, theirs = Engine([agreement]), Engine([agreement_from_bytes(agreement.to_bytes())])
    assert ours.explain(request) == theirs.explain(request)
