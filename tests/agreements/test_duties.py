"""Duties travel between parties without an article, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from comity.agreements import DUTY_KINDS, FOUNDING_KINDS, PROTOCOL, Agreement, Asking, DutyAsked, Period, judge_duty
from comity.agreements.values import Wording
from comity.trade import Handling

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
WORDS = Wording((("en", "Pilot"),))
PILOT = Agreement(WORDS, "1", ("XA", "XB"), ("en",), Period(), (), ())


def judge(kind: str, agreement: Agreement | None = PILOT, agreement_id: str = PILOT.id, receiver: str = "XB") -> str:
    asking = Asking("XA", receiver, kind, "duty", Handling.OFFICIAL, AT)
    _, decision = judge_duty(DutyAsked(asking, agreement_id, agreement, {"message": "m"}))
    assert bool(decision.fields_released) == decision.is_permitted == (not decision.fields_withheld)
    return "" if decision.is_permitted else decision.reasons[0].code


@pytest.mark.parametrize("kind", sorted(DUTY_KINDS))
def test_every_duty_travels_between_parties(kind: str) -> None:
    assert judge(kind) == ""


@pytest.mark.parametrize("kind", sorted(DUTY_KINDS))
def test_under_the_protocol_only_what_is_owed_from_the_introduction_on(kind: str) -> None:
    assert judge(kind, None, PROTOCOL) == ("" if kind in FOUNDING_KINDS else "unknown_agreement")


def test_what_an_article_must_judge_is_no_duty() -> None:
    assert judge("alert/1") == "not_a_duty"
    assert judge("alert/1", None, PROTOCOL) == "not_a_duty"


def test_who_is_no_party_owes_nothing_under_an_agreement() -> None:
    assert judge("recall/1", receiver="XC") == "not_a_party"
    assert judge("recall/1", None, "0" * 64) == "unknown_agreement"
