"""What partners may tell of what they learned: bodies that are read again as they were, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from comity.trade import NoticeError, RiskType
from comity.trade.knowledge import (
    RULE_LANGUAGE,
    FoundKind,
    HitDecision,
    HitGround,
    HitQuestion,
    HitTag,
    HitVerdict,
    SharedProfile,
    SignalReport,
    TagBy,
    Told,
    decision_from_body,
    knowledge_to_body,
    profile_from_body,
    question_from_body,
    report_from_body,
)

pytestmark = pytest.mark.once
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
KEY = "ab" * 32
MESSAGE = "00000000-0000-7000-8000-00000000000a"
PROFILE = SharedProfile(
    issuer="XA",
    ref="P-1",
    title="Cheap shoes",
    legal_basis="Act s. 4",
    language=RULE_LANGUAGE,
    expression="origin = 'XA'",
    weight=40,
    lane="orange",
    risk_type=RiskType.UNDERVALUATION,
    digest=KEY,
    valid_from=AT,
    valid_until=AT + timedelta(days=9),
    expected_hit_rate=Decimal("0.01"),
)
TAGS = (HitTag(TagBy.NUMBER, KEY), HitTag(TagBy.NAME, KEY))
QUESTION = HitQuestion("XA", "un", "United Nations", "QDi.001", KEY, TAGS)
DECISION = HitDecision(
    "XA", "un", "United Nations", "QDi.001", KEY, TAGS, HitVerdict.NOT_SAME, HitGround.COUNTRY, AT, "2026-03-01"
)
_KINDS = (FoundKind(RiskType.SAFETY, 1), FoundKind(RiskType.OTHER, 2))
REPORT = SignalReport("XC", Told.ALERT, "XA-1", MESSAGE, 4, 3, AT, 9, _KINDS, is_closed=True)


def test_what_is_told_is_read_again() -> None:
    assert profile_from_body(knowledge_to_body(PROFILE) | {"new": 1}) == PROFILE
    assert question_from_body(knowledge_to_body(QUESTION)) == QUESTION
    assert decision_from_body(knowledge_to_body(DECISION)) == DECISION
    assert report_from_body(knowledge_to_body(REPORT)) == REPORT
    bare = replace(REPORT, fired=None, kinds=(), is_closed=False)
    assert report_from_body(knowledge_to_body(bare)) == bare


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"issuer": "xa"}, "issuer"),
        ({"ref": " "}, "ref"),
        ({"title": "x" * 201}, "title"),
        ({"legal_basis": ""}, "legal_basis"),
        ({"expression": "x" * 4001}, "expression"),
        ({"language": "comity-rules/2"}, "language"),
        ({"lane": "purple"}, "lane"),
        ({"weight": 0}, "weight"),
        ({"priority": 10}, "priority"),
        ({"digest": "AB" * 32}, "digest"),
        ({"expected_hit_rate": Decimal(2)}, "expected_hit_rate"),
        ({"valid_until": AT}, "valid_until"),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused_by_its_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(NoticeError) as caught:
        profile_from_body(knowledge_to_body(replace(PROFILE, **changes)))  # type: ignore[arg-type]
    assert caught.value.where == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"administration": ""}, "administration"),
        ({"list_code": ""}, "list_code"),
        ({"publisher": "x" * 201}, "publisher"),
        ({"entry": " "}, "entry"),
        ({"key": "00"}, "key"),
        ({"tags": ()}, "tags"),
        ({"tags": TAGS * 9}, "tags"),
        ({"tags": (HitTag(TagBy.NAME, "name"),)}, "tags[0].tag"),
        ({"list_of": "March"}, "list_of"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused_by_its_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(NoticeError) as caught:
        decision_from_body(knowledge_to_body(replace(DECISION, **changes)))  # type: ignore[arg-type]
    assert caught.value.where == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"administration": "X1"}, "administration"),
        ({"about": "here"}, "about"),
        ({"ref": ""}, "ref"),
        ({"fired": -1}, "fired"),
        ({"examined": 2**31}, "examined"),
        ({"found": 5}, "found"),
        ({"kinds": (FoundKind(RiskType.OTHER, 1),) * 2}, "kinds"),
        ({"kinds": (FoundKind(RiskType.OTHER, 4),)}, "kinds"),
    ],
)
def test_a_report_that_makes_no_sense_is_refused_by_its_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(NoticeError) as caught:
        report_from_body(knowledge_to_body(replace(REPORT, **changes)))  # type: ignore[arg-type]
    assert caught.value.where == field


def test_a_truth_is_a_truth_and_no_number() -> None:
    with pytest.raises(NoticeError, match="true or false"):
        report_from_body(knowledge_to_body(REPORT) | {"is_closed": 1})
