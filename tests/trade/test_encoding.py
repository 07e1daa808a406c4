"""The JSON forms: what is said survives, what is wrong is named."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.trade import (
    Alert,
    AlertCategory,
    Exhibit,
    Handling,
    NoticeError,
    RecordError,
    RiskType,
    Subject,
    SubjectRole,
)
from comity.trade.codec import codec_of
from comity.trade.encoding import (
    alert_from_body,
    alert_to_body,
    declaration_from_json,
    declaration_to_json,
    finding_from_body,
    finding_to_body,
    manifest_from_json,
    manifest_to_json,
)
from comity.trade.notices import EvidenceNotice, Finding, FindingResult, Route
from comity.trade.values import Quantity
from tests.trade.nouns import declarations, manifests, patient

ISSUED = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
ALERT = Alert(
    ref="XC-2026-0001",
    issuer="XC",
    category=AlertCategory.COMMODITIES,
    title="Counterfeit headphones",
    risk_type=RiskType.COUNTERFEIT,
    issued_at=ISSUED,
    valid_from=ISSUED,
    valid_until=ISSUED + timedelta(days=90),
    handling=Handling.OPEN,
    subjects=(Subject(SubjectRole.CONSIGNOR, id="XA1", name="Alfa Sound", country="XA"),),
    hs_codes=("851830",),
    route=Route(origin="XA", transit=("XB",)),
    exhibits=(Exhibit("photo.jpg", "0" * 64, "image/jpeg", 12),),
)
EVIDENCE = EvidenceNotice(
    administration="XC",
    sha256="ab" * 32,
    name="scan.dcm",
    media_type="application/dicom",
    size_bytes=200_000_000,
    chunk_bytes=1024 * 1024,
    chunks=191,
    root="cd" * 32,
    key="A" * 43 + "=",
)
FINDING = Finding(
    ref="XA-F-1",
    administration="XA",
    found_at=ISSUED,
    result=FindingResult.IRREGULAR,
    risk_type=RiskType.COUNTERFEIT,
    quantity=Quantity(Decimal("12.50"), "NAR"),
    hs_code="851830",
)


def changed(body: dict[str, object], path: str, value: object) -> dict[str, object]:
    """The body with one dotted field set; None takes it out."""
    body = json.loads(json.dumps(body))
    spot: Any = body
    *way, last = path.split(".")
    for step in way:
        spot = spot[int(step)] if step.isdigit() else spot.setdefault(step, {})
    if value is None:
        del spot[last]
    else:
        spot[last] = value
    return body


def test_an_alert_survives_json() -> None:
    body = json.loads(json.dumps(alert_to_body(ALERT)))
    assert alert_from_body(body) == ALERT
    assert body["handling"] == "open"
    assert body["issued_at"] == "2026-03-01T08:00:00Z"
    assert "modus_operandi" not in body


def test_a_finding_survives_json() -> None:
    body = json.loads(json.dumps(finding_to_body(FINDING)))
    assert finding_from_body(body) == FINDING
    assert body["quantity"] == {"value": "12.50", "unit": "NAR"}


def test_an_empty_text_whose_default_is_not_empty_is_kept() -> None:
    assert alert_to_body(replace(ALERT, reliability=""))["reliability"] == ""


@pytest.mark.parametrize(
    ("path", "value"),
    [("priority", 1), ("priority", 5), ("valid_until", alert_to_body(ALERT)["valid_from"]), ("hs_codes", ["85"])],
)
def test_an_alert_at_its_bounds_is_read(path: str, value: object) -> None:
    assert alert_to_body(alert_from_body(changed(alert_to_body(ALERT), path, value)))[path] == value


def test_keys_that_no_noun_names_are_tolerated() -> None:
    body = alert_to_body(ALERT) | {"from_the_future": {"deep": [1]}}
    assert alert_from_body(body) == ALERT


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("ref", None, "ref"),
        ("ref", " ", "ref"),
        ("issuer", "", "issuer"),
        ("title", 7, "title"),
        ("title", "x" * 100_001, "title"),
        ("category", "gossip", "category"),
        ("handling", "secret", "handling"),
        ("issued_at", "yesterday", "issued_at"),
        ("issued_at", "2026-03-01T08:00:00", "issued_at"),
        ("issued_at", "0001-01-01T00:00:00+14:00", "issued_at"),
        ("issued_at", 5, "issued_at"),
        ("valid_until", "2020-01-01T00:00:00Z", "valid_until"),
        ("reliability", "G", "reliability"),
        ("credibility", "", "credibility"),
        ("priority", 0, "priority"),
        ("priority", 6, "priority"),
        ("priority", True, "priority"),
        ("hs_codes", "851830", "hs_codes"),
        ("hs_codes", ["85", "x"], "hs_codes[1]"),
        ("hs_codes", ["85"] * 10_001, "hs_codes"),
        ("subjects.0.country", "Alfa", "subjects[0].country"),
        ("subjects.0.role", None, "subjects[0].role"),
        ("subjects", ["Alfa"], "subjects[0]"),
        ("route", "XA-XC", "route"),
        ("route.destination", "xc", "route.destination"),
        ("exhibits.0.sha256", "abc", "exhibits[0].sha256"),
        ("exhibits.0.size_bytes", -1, "exhibits[0].size_bytes"),
    ],
)
def test_a_wrong_alert_is_refused_by_the_name_of_its_field(path: str, value: object, field: str) -> None:
    with pytest.raises(NoticeError) as caught:
        alert_from_body(changed(alert_to_body(ALERT), path, value))
    assert caught.value.where == field


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("quantity.value", "many", "quantity.value"),
        ("quantity.value", "-1", "quantity.value"),
        ("quantity.value", 1.5, "quantity.value"),
        ("hs_code", "85a", "hs_code"),
        ("result", "maybe", "result"),
        ("administration", "", "administration"),
    ],
)
def test_a_wrong_finding_is_refused_by_the_name_of_its_field(path: str, value: object, field: str) -> None:
    with pytest.raises(NoticeError) as caught:
        finding_from_body(changed(finding_to_body(FINDING), path, value))
    assert caught.value.where == field


def test_only_what_json_carries_has_a_form() -> None:
    with pytest.raises(TypeError):
        codec_of(bytes)


def test_a_body_that_is_no_object_is_refused() -> None:
    with pytest.raises(NoticeError):
        alert_from_body([])  # type: ignore[arg-type]  # what a hostile partner may send


@patient
@given(declarations())
def test_declarations_survive_json(declaration: Any) -> None:
    assert declaration_from_json(json.loads(json.dumps(declaration_to_json(declaration)))) == declaration


@patient
@given(manifests())
def test_manifests_survive_json(manifest: Any) -> None:
    assert manifest_from_json(json.loads(json.dumps(manifest_to_json(manifest)))) == manifest


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["ref", "items", "lrn"]), inner),
    max_leaves=20,
)


@patient
@given(st.dictionaries(st.sampled_from([*alert_to_body(ALERT), "lrn", "items", "consignment"]), JSON))
def test_garbage_is_refused_and_never_crashes(body: dict[str, object]) -> None:
    with pytest.raises(NoticeError):
        alert_from_body(body | {"ref": ""})
    with contextlib.suppress(RecordError):
        declaration_from_json(body)
