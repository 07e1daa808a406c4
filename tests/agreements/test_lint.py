"""Looking an agreement over: what can never work is an error, with the other article's id."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreements import Agreement, Article, Asking, Engine, Gravity, Period, cut, look_over, request_for
from comity.agreements.incoming import Incoming, judge_incoming
from comity.agreements.release import release_under
from comity.agreements.vocabulary import required_fields
from comity.trade import Handling
from tests.agreements.cast import AT, agreement_of, alert_body, asking, demo, finding_body, permit_article, prohibition
from tests.agreements.strategies import agreements
from tests.scale import scaled

READABLE = (*required_fields("alert/1")[""], "hs_codes", "route.origin")


def readable(**changes: object) -> Article:
    return permit_article(**{"fields": tuple(sorted(READABLE)), "is_verified": True, **changes})


def codes(*articles: Article) -> list[tuple[str, str]]:
    return [(remark.article_id, remark.code) for remark in look_over(agreement_of(*articles))]


def text_of(code: str, *articles: Article) -> str:
    return next(remark.text for remark in look_over(agreement_of(*articles)) if remark.code == code)


def test_the_demo_has_notes_alone() -> None:
    remarks = look_over(demo())
    assert {remark.gravity for remark in remarks} == {Gravity.NOTE}
    assert [remark.article_id for remark in remarks] == ["1", "2", "3", "4", "6", "7", "8"]
    assert "tag P" in remarks[5].text


def test_a_sound_article_has_no_remark() -> None:
    assert codes(readable()) == []
    assert "no source is named" in text_of("not_verified", readable(is_verified=False, source=""))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"senders": ("XA",)}, "Its only sender, XA, is its only receiver"),
        ({"handling_at_least": Handling.CONFIDENTIAL}, "at least confidential and at most restricted"),
        ({"valid": Period(date(2027, 1, 1), None)}, "outside of the days"),
        ({"valid": Period(None, date(2025, 12, 31))}, "outside of the days"),
    ],
)
def test_an_article_that_never_fires(changes: dict[str, object], words: str) -> None:
    assert words in text_of("never_fires", readable(**changes))


def test_a_condition_on_what_the_kind_does_not_carry_never_holds() -> None:
    finding = permit_article(kinds=("finding/1",), categories=("persons",))
    assert "asks for the category, which a message of finding/1 does not carry" in text_of("never_fires", finding)
    bar = prohibition(kinds=("finding/1",), categories=("persons",), is_verified=True)
    assert codes(bar) == []


def test_messages_that_no_receiver_can_read() -> None:
    remarks = look_over(agreement_of(permit_article(is_verified=True)))
    assert {remark.code for remark in remarks} == {"unreadable"}
    assert {"It does not release risk_type, without which no receiver can read a message of alert/1."} <= {
        remark.text for remark in remarks
    }
    partial = readable(fields=(*READABLE, "exhibits.sha256"))
    assert "It does not release exhibits.name" in text_of("unreadable", partial)
    assert codes(readable(fields=(*READABLE, "exhibits"))) == []
    hidden = prohibition(fields=("exhibits.name",), is_verified=True)
    assert "It does not release exhibits.name" in text_of(
        "unreadable", readable(fields=(*READABLE, "exhibits")), hidden
    )


def test_conditions_that_no_receiver_can_check() -> None:
    narrow = tuple(field for field in READABLE if field not in ("hs_codes", "issuer"))
    remarks = look_over(
        agreement_of(readable(fields=narrow, goods=("30",)), prohibition(origins=("XB",), is_verified=True))
    )
    uncheckable = [remark.text for remark in remarks if remark.code == "uncheckable"]
    assert len(uncheckable) == 2
    assert "hs_codes, by which article 1 judges" in uncheckable[0]
    blind = tuple(field for field in READABLE if field != "route.origin")
    text = text_of("uncheckable", readable(fields=blind), prohibition(origins=("XB",)))
    assert "route.origin, by which article 9 judges" in text


@pytest.mark.parametrize(
    ("permit", "bar"),
    [
        ({}, {}),
        ({}, {"purposes": ("control", "evidence")}),
        ({}, {"handling_at_most": Handling.RESTRICTED}),
        ({"handling_at_least": Handling.RESTRICTED}, {"handling_at_least": Handling.RESTRICTED}),
        ({"goods": ("3004",)}, {"goods": ("30", "64")}),
        ({"categories": ("persons",)}, {"categories": ("persons", "businesses")}),
        ({}, {"valid": Period(date(2026, 1, 1), date(2026, 12, 31))}),
    ],
)
def test_a_permit_in_the_shadow_of_a_prohibition(permit: dict[str, object], bar: dict[str, object]) -> None:
    article = readable(**permit)
    assert ("1", "shadowed") in codes(article, prohibition(**bar))
    assert "Article 9 prohibits everything" in text_of("shadowed", article, prohibition(**bar))


@pytest.mark.parametrize(
    ("permit", "bar"),
    [
        ({}, {"purposes": ("evidence",)}),
        ({}, {"handling_at_least": Handling.RESTRICTED}),
        ({}, {"handling_at_most": Handling.OFFICIAL}),
        ({"goods": ("30",)}, {"goods": ("3004",)}),
        ({}, {"goods": ("30",)}),
        ({}, {"categories": ("persons",)}),
        ({"categories": ("persons", "businesses")}, {"categories": ("persons",)}),
        ({}, {"valid": Period(date(2026, 2, 1), None)}),
        ({}, {"valid": Period(None, date(2026, 2, 1))}),
        ({}, {"kinds": ("finding/1",)}),
        ({}, {"receivers": ("XB",)}),
        ({}, {"fields": ("title",)}),
    ],
)
def test_a_permit_of_which_something_is_left(permit: dict[str, object], bar: dict[str, object]) -> None:
    found = {code for _, code in codes(readable(**permit), prohibition(**bar))}
    assert not found & {"shadowed", "partly_shadowed"}


def test_a_permit_partly_in_the_shadow() -> None:
    article = readable(receivers=("XA", "XB"))
    text = text_of("partly_shadowed", article, prohibition())
    assert text == "Article 9 prohibits part of it, such as alert/1 from XC to XA."


def test_what_a_kind_does_not_carry_is_prohibited_for_it() -> None:
    fields = tuple(required_fields("finding/1")[""])
    article = permit_article(kinds=("finding/1",), fields=fields, is_verified=True)
    assert ("1", "shadowed") in codes(article, prohibition(categories=("persons",), is_verified=True))


def test_codes_that_do_not_exist_are_worth_a_second_look() -> None:
    article = readable(goods=("3004", "77"), origins=("XA", "QA", "ZQ"))
    texts = [remark.text for remark in look_over(agreement_of(article)) if remark.code == "unknown_code"]
    assert len(texts) == 2
    assert texts[0].startswith("'ZQ'")
    assert "77" in texts[1]
    (stranger,) = look_over(agreement_of(readable(), parties=("XA", "XC", "ZQ")))
    assert (stranger.article_id, stranger.gravity) == ("", Gravity.WARNING)


BODIES = {"alert/1": alert_body(), "finding/1": finding_body(administration="XC")}


@settings(max_examples=scaled(20, 60), deadline=None)
@given(agreements(), st.sampled_from(["XA", "XB"]), st.sampled_from(sorted(BODIES)), st.sampled_from(Handling))
def test_what_a_sound_agreement_lets_out_the_receiver_takes(
    agreement: Agreement, receiver: str, kind: str, handling: Handling
) -> None:
    """The sender decides on the whole body, the receiver on the cut one."""
    engine = Engine([agreement])
    if any(remark.code == "uncheckable" for remark in look_over(agreement)):
        return
    for purpose in ("control", "evidence", "risk_assessment"):
        wanted = Asking("XC", receiver, kind, purpose, handling, AT)
        answer = release_under(engine, wanted, BODIES[kind])
        if answer.release is not None:
            release = answer.release
            arrived = Asking(release.sender, release.recipient, release.kind, purpose, release.handling, AT)
            incoming = Incoming(arrived, release.agreement_id, release.article_id, release.body)
            _, decision = judge_incoming(engine, incoming)
            assert decision.is_permitted, decision.reasons
            assert decision.article_id == release.article_id


def test_the_demo_lets_out_what_its_receivers_take() -> None:
    engine = Engine([demo()])
    answer = release_under(engine, asking(), alert_body())
    assert answer.release is not None
    request = request_for(asking(handling=answer.release.handling), answer.release.body)
    assert engine.decide(request, agreement_id=answer.release.agreement_id, article_id="1").fields_withheld == ()
    assert cut(answer.release.body, demo().articles[0].fields) == answer.release.body
