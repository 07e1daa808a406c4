"""The published JSON Schemas are current, and say what the readers of bodies do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.trade import Alert, Exhibit, NoticeError, Subject
from comity.trade.encoding import (
    alert_from_body,
    alert_to_body,
    evidence_from_body,
    evidence_to_body,
    finding_from_body,
    finding_to_body,
)
from comity.trade.notices import EvidenceNotice, Finding, Route
from comity.trade.schemas import main, notice_kinds, notice_schema, schema_text
from comity.trade.values import Quantity
from tests.trade.nouns import masses, moments, patient, refs, words
from tests.trade.test_encoding import ALERT, EVIDENCE, FINDING, changed

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas"
codes = st.sampled_from(["", "XA", "XB"])
exhibits = st.builds(Exhibit, words, st.just("0" * 64), words, st.integers(0, 9))
alerts = st.builds(
    Alert,
    ref=refs,
    issuer=refs,
    valid_from=st.just(datetime.fromisoformat("2000-01-01T00:00:00Z")),
    valid_until=moments,
    issued_at=moments,
    subjects=st.lists(st.builds(Subject, country=codes), max_size=2).map(tuple),
    hs_codes=st.lists(st.sampled_from(["85", "851830"]), max_size=2).map(tuple),
    route=st.builds(Route, codes, codes, st.just(()), codes),
    reliability=st.sampled_from("ABCDEF"),
    credibility=st.sampled_from("123456"),
    priority=st.integers(1, 5),
    feedback_due=st.none() | moments,
    exhibits=st.lists(exhibits, max_size=2).map(tuple),
)
findings = st.builds(
    Finding,
    ref=refs,
    administration=refs,
    found_at=moments,
    hs_code=st.sampled_from(["", "8518"]),
    quantity=st.none() | st.builds(Quantity, masses),
    consignor=st.none() | st.builds(Subject, country=codes),
    consignee=st.none() | st.builds(Subject, country=codes),
    exhibits=st.lists(exhibits, max_size=2).map(tuple),
)


evidence = st.builds(
    lambda size, chunk, about, description: replace(
        EVIDENCE,
        size_bytes=size,
        chunk_bytes=chunk,
        chunks=-(-size // chunk),
        about=about,
        description=description,
    ),
    st.integers(1, 4096 * 1024 * 1024),
    st.integers(4096, 4 * 1024 * 1024),
    st.sampled_from(["", "0195d3a8-6c00-7000-8000-000000000001"]),
    words,
)


def validator(kind: str) -> Any:
    return jsonschema_rs.Draft202012Validator(notice_schema(kind))


@pytest.mark.parametrize("kind", notice_kinds())
def test_the_published_schema_is_current(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    published = (PUBLISHED / f"{kind.replace('/', '-')}.json").read_text()
    assert published == schema_text(kind), f"run: python -m comity.trade.schemas {kind}"
    main([kind])
    assert capsys.readouterr().out == published


@patient
@given(alerts)
def test_every_alert_fits_its_schema_and_survives(alert: Alert) -> None:
    body = alert_to_body(alert)
    validator("alert/1").validate(body)
    assert alert_from_body(body) == alert


@patient
@given(findings)
def test_every_finding_fits_its_schema_and_survives(finding: Finding) -> None:
    body = finding_to_body(finding)
    validator("finding/1").validate(body)
    assert finding_from_body(body) == finding


@patient
@given(evidence)
def test_every_offer_of_a_file_fits_its_schema_and_survives(notice: EvidenceNotice) -> None:
    body = evidence_to_body(notice)
    validator("evidence/1").validate(body)
    assert evidence_from_body(body) == notice


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ref", " "),
        ("issuer", None),
        ("category", "gossip"),
        ("reliability", "G"),
        ("credibility", "7"),
        ("priority", 0),
        ("hs_codes", ["8x"]),
        ("subjects.0.country", "Alfa"),
        ("route.origin", "xa"),
        ("exhibits.0.sha256", "00"),
        ("exhibits.0.size_bytes", -1),
    ],
)
def test_what_the_schema_of_alerts_refuses_is_refused(path: str, value: object) -> None:
    body = changed(alert_to_body(ALERT), path, value)
    assert not validator("alert/1").is_valid(body)
    with pytest.raises(NoticeError):
        alert_from_body(body)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("administration", " "),
        ("sha256", "AB" * 32),
        ("name", "../../etc/passwd"),
        ("name", "a\\b"),
        ("name", ".."),
        ("name", "line\nbreak"),
        ("name", "x" * 201),
        ("name", ""),
        ("media_type", "image"),
        ("media_type", "image/" + "x" * 100),
        ("media_type", "text/html; charset=utf-8"),
        ("size_bytes", 0),
        ("size_bytes", 1.5),
        ("chunk_bytes", 4095),
        ("chunk_bytes", 4 * 1024 * 1024 + 1),
        ("chunks", 0),
        ("chunks", 1024 * 1024 + 1),
        ("root", "cd"),
        ("key", "short"),
        ("key", "A" * 44),
        ("key", "é" + "A" * 42 + "="),
        ("about", "1"),
        ("handling", "secret"),
    ],
)
def test_what_the_schema_of_files_refuses_is_refused(path: str, value: object) -> None:
    body = changed(evidence_to_body(EVIDENCE), path, value)
    assert not validator("evidence/1").is_valid(body)
    with pytest.raises(NoticeError):
        evidence_from_body(body)


def test_chunks_that_the_size_does_not_make_are_refused() -> None:
    with pytest.raises(NoticeError, match="as many as"):
        evidence_from_body(evidence_to_body(replace(EVIDENCE, chunks=EVIDENCE.chunks + 1)))


@pytest.mark.parametrize(
    ("path", "value"),
    [("quantity.value", "-1"), ("quantity.value", 1), ("hs_code", "8"), ("administration", ""), ("result", "maybe")],
)
def test_what_the_schema_of_findings_refuses_is_refused(path: str, value: object) -> None:
    body = changed(finding_to_body(FINDING), path, value)
    assert not validator("finding/1").is_valid(body)
    with pytest.raises(NoticeError):
        finding_from_body(body)
