"""Bodies of recall/1, holding/1, consent/1: what is signed is what is said; their schemas are published and agree."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.agreements import DUTY_KINDS
from comity.custody import (
    ConsentAsked,
    ConsentNotice,
    DutyFormError,
    HoldingNotice,
    Mode,
    RecallOrder,
    Signed,
    Status,
    consent_from_body,
    holding_from_body,
    recall_from_body,
)
from comity.custody.notices import CONSENT_TYPE, HOLDING_TYPE, RECALL_TYPE, sign_consent, sign_holding, sign_recall
from comity.custody.schemas import schema_text
from comity.exchange import duties, onward
from comity.trust import SigningKey
from tests.federation import AT

KEY = SigningKey.from_seed(b"k" * 32)
ONE, TWO = "019cade2-11c0-71e0-af38-016dbe936163", "019cade2-1990-716d-b08c-f5c74824d7eb"
SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"
RECALL = RecallOrder(ONE, "XA", (ONE, TWO), Mode.RECALL, "breach", AT, AT + timedelta(days=1))
TIGHTER = replace(RECALL, mode=Mode.TIGHTEN, keep_until=AT + timedelta(days=3), handling="restricted")
BETTER = replace(RECALL, mode=Mode.CORRECT, replacement=((ONE, TWO),))
HOLDING = HoldingNotice(ONE, "XA", "XC", "XC", Status.PURGED, "recalled", AT, via="XB", recall=TWO, sha256="0" * 64)
KEPT = replace(HOLDING, status=Status.RETAINED, ground="court_order", until=AT, keep_until=AT, handling="official")
TOLD = replace(HOLDING, status=Status.HELD, told_by="XB", ground="", recall="", sha256="")
GIVEN = ConsentNotice(ONE, TWO, "XA", "XB", ("XC",), AT, is_given=True, until=AT)
REFUSED = replace(GIVEN, is_given=False, until=None)
QUESTION = ConsentAsked(ONE, TWO, "XA", ("XC", "XD"), "They load it")
Read = Callable[[Mapping[str, object]], object]

BODIES: list[tuple[str, Read, dict[str, Any]]] = [
    *(("recall/1", recall_from_body, sign_recall(each, KEY).to_body()) for each in (RECALL, TIGHTER, BETTER)),
    *(("holding/1", holding_from_body, sign_holding(each, KEY).to_body()) for each in (HOLDING, KEPT, TOLD)),
    *(("consent/1", consent_from_body, sign_consent(each, KEY).to_body()) for each in (GIVEN, REFUSED)),
    ("consent/1", consent_from_body, QUESTION.to_body()),
]
VALUES = [RECALL, TIGHTER, BETTER, HOLDING, KEPT, TOLD, GIVEN, REFUSED, QUESTION]


@pytest.mark.parametrize(("kind", "read", "body"), BODIES)
def test_each_body_is_read_as_it_was_meant_and_fits_its_schema(kind: str, read: Read, body: dict[str, Any]) -> None:
    found = read(body)
    value = found.notice if isinstance(found, Signed) else found
    assert value in VALUES
    assert jsonschema_rs.is_valid(json.loads(schema_text(kind)), body)


@pytest.mark.parametrize("kind", ["recall/1", "holding/1", "consent/1"])
def test_each_kind_is_published_and_is_a_duty(kind: str) -> None:
    assert (SCHEMAS / f"{kind.replace('/', '-')}.json").read_text() == schema_text(kind)
    assert kind in DUTY_KINDS
    page = (SCHEMAS.parent / "protocol.md").read_text()
    assert f"`{kind}`" in page


def test_the_types_of_the_statements_are_the_same_in_both_rooms() -> None:
    assert (duties.RECALL_TYPE, duties.HOLDING_TYPE, onward.CONSENT_TYPE) == (RECALL_TYPE, HOLDING_TYPE, CONSENT_TYPE)


@pytest.mark.parametrize(("kind", "read", "body"), BODIES)
@pytest.mark.parametrize("wrong", [None, 7, "", "nonsense", [], {}, ["XA"]])
def test_a_changed_member_is_refused(kind: str, read: Read, body: dict[str, Any], wrong: object) -> None:
    for name, right in body.items():
        if right == wrong or (name == "reason" and isinstance(wrong, str)):
            continue
        if name == "recipients" and wrong == ["XA"] and kind == "consent/1" and "ask" in body:
            continue
        with pytest.raises(DutyFormError):
            read(body | {name: wrong})


@pytest.mark.parametrize(("kind", "read", "body"), BODIES[:-1])
def test_more_than_was_signed_is_refused(kind: str, read: Read, body: dict[str, Any]) -> None:
    with pytest.raises(DutyFormError):
        read(body | {"more": "words"})


@pytest.mark.parametrize(
    "lie",
    [
        replace(HOLDING, told_by="XB"),
        replace(KEPT, told_by="XB"),
        replace(KEPT, ground="because"),
        replace(HOLDING, status=Status.RECALLED),
        replace(HOLDING, ground="Not a word"),
        replace(HOLDING, sha256="xyz"),
    ],
)
def test_what_nobody_may_say_is_refused_whoever_signs_it(lie: HoldingNotice) -> None:
    with pytest.raises(DutyFormError):
        holding_from_body(sign_holding(lie, KEY).to_body())


@pytest.mark.parametrize(
    "order",
    [
        replace(RECALL, mode=Mode.TIGHTEN),
        replace(RECALL, ground="whim"),
        replace(RECALL, messages=()),
        replace(RECALL, messages=(ONE, ONE)),
        replace(RECALL, messages=("7",)),
        replace(BETTER, replacement=((ONE, "new"),)),
        replace(TIGHTER, handling="cosmic"),
    ],
)
def test_an_order_out_of_form_is_refused(order: RecallOrder) -> None:
    with pytest.raises(DutyFormError):
        recall_from_body(sign_recall(order, KEY).to_body())


def test_a_consent_covers_what_it_names_and_no_more() -> None:
    assert GIVEN.covers(TWO, "XC", AT)
    assert not GIVEN.covers(ONE, "XC", AT)
    assert not GIVEN.covers(TWO, "XD", AT)
    assert not GIVEN.covers(TWO, "XC", AT + timedelta(seconds=1))
    assert not REFUSED.covers(TWO, "XC", AT)


NAMES = st.sampled_from(sorted({name for _, _, body in BODIES for name in body}))
PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=20)


@given(st.dictionaries(NAMES | st.text(max_size=12), st.recursive(PLAIN, st.lists, max_leaves=5), max_size=6))
def test_garbage_is_refused_and_never_crashes(body: dict[str, Any]) -> None:
    for read in (recall_from_body, holding_from_body, consent_from_body):
        with pytest.raises(DutyFormError):
            read(body)
