"""The cast of these tests: the demo's agreement, small agreements, bodies and officers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from comity.agreements import Agreement, Article, Asking, Effect, Period, Wording
from comity.agreements.parsing import parse_agreement
from comity.common import Actor, ActorKind
from comity.staff import Role
from comity.trade import (
    Alert,
    AlertCategory,
    EvidenceNotice,
    Exhibit,
    Finding,
    FindingResult,
    Handling,
    Quantity,
    RiskType,
    Route,
    Subject,
    SubjectRole,
)
from comity.trade.encoding import alert_to_body, evidence_to_body, finding_to_body

DEMO = Path(__file__).resolve().parents[2] / "src" / "comity" / "training" / "agreement"
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

CHIPO = Actor(ActorKind.OFFICER, "chipo", "XC", frozenset({Role.LIAISON.value}))
ANA = Actor(ActorKind.OFFICER, "ana", "XA", frozenset({Role.ADMINISTRATOR.value}))
BORIS = Actor(ActorKind.OFFICER, "boris", "XB", frozenset({Role.OFFICER.value}))
CHIEF_OF_XC = Actor(ActorKind.OFFICER, "chief", "XC", frozenset({Role.ADMINISTRATOR.value}))


def demo_bytes() -> bytes:
    """The YAML of the demo's agreement."""
    return (DEMO / "agreement.yaml").read_bytes()


@lru_cache
def demo() -> Agreement:
    """The demo's agreement."""
    return parse_agreement(demo_bytes())


def wording(text: str = "Words") -> Wording:
    """The same text in English alone."""
    return Wording((("en", text),))


def permit_article(article_id: str = "1", **changes: object) -> Article:
    """An article that lets XC send alerts to XA for control, up to restricted, with four fields."""
    article = Article(
        id=article_id,
        effect=Effect.PERMIT,
        title=wording(f"Title {article_id}"),
        text=wording(),
        senders=("XC",),
        receivers=("XA",),
        kinds=("alert/1",),
        purposes=("control",),
        handling_at_most=Handling.RESTRICTED,
        fields=("issuer", "ref", "subjects[consignor].name", "subjects.role"),
        source="Clause 1",
    )
    return replace(article, **changes)  # type: ignore[arg-type]  # the tests name fields of Article


def prohibition(article_id: str = "9", **changes: object) -> Article:
    """An article that prohibits everything from XC to XA."""
    article = Article(article_id, Effect.PROHIBIT, wording(f"Title {article_id}"), wording(), ("XC",), ("XA",))
    return replace(article, **changes)  # type: ignore[arg-type]  # the tests name fields of Article


def agreement_of(*articles: Article, version: str = "1", parties: tuple[str, ...] = ("XA", "XB", "XC")) -> Agreement:
    """An agreement of these articles, in force for the year 2026."""
    period = Period(date(2026, 1, 1), date(2026, 12, 31))
    return Agreement(wording("An agreement"), version, parties, ("en",), period, (), articles)


def asking(**changes: object) -> Asking:
    """XC asks to send an alert to XA for control, restricted."""
    return replace(Asking("XC", "XA", "alert/1", "control", Handling.RESTRICTED, AT), **changes)  # type: ignore[arg-type]


def alert(**changes: object) -> Alert:
    """A full alert of XC about counterfeit shoes."""
    value = Alert(
        ref="XC-2026-0007",
        issuer="XC",
        category=AlertCategory.COMMODITIES,
        title="Counterfeit sports shoes",
        risk_type=RiskType.COUNTERFEIT,
        issued_at=AT,
        valid_from=AT,
        valid_until=datetime(2026, 9, 1, tzinfo=UTC),
        handling=Handling.RESTRICTED,
        subjects=(
            Subject(SubjectRole.CONSIGNOR, "XA123", "Blue Heron Trading", "XA"),
            Subject(SubjectRole.CONSIGNEE, "XC987", "Grey Otter Imports", "XC"),
            Subject(SubjectRole.CONTAINER, "CSQU3054383"),
        ),
        hs_codes=("640411", "640299"),
        route=Route("XA", "XA", ("XB",), "XC", "XAPRT"),
        modus_operandi="Declared as unbranded canvas shoes",
        concealment="Behind genuine goods",
        feedback_due=datetime(2026, 4, 1, tzinfo=UTC),
        case_ref="CASE-55",
        exhibits=(Exhibit("shoe.jpg", "ab" * 32, "image/jpeg", 1000),),
    )
    return replace(value, **changes)  # type: ignore[arg-type]  # the tests name fields of Alert


def alert_body(**changes: object) -> dict[str, object]:
    """The body of that alert."""
    return alert_to_body(alert(**changes))


def finding_body(**changes: object) -> dict[str, object]:
    """The body of a full finding of XA."""
    value = Finding(
        ref="XA-F-1",
        administration="XA",
        found_at=AT,
        result=FindingResult.IRREGULAR,
        risk_type=RiskType.COUNTERFEIT,
        office="XA001",
        ucr="6XA123",
        declaration_ref="LRN1",
        alert_ref="XC-2026-0007",
        hs_code="640411",
        description="1,200 pairs",
        quantity=Quantity(Decimal(1200), "PR"),
        consignor=Subject(SubjectRole.CONSIGNOR, "XA123", "Blue Heron Trading", "XA"),
        consignee=Subject(SubjectRole.CONSIGNEE, "XC987", "Grey Otter Imports", "XC"),
        detection_method="risk profile",
        seizure_ref="SZ-1",
        exhibits=(Exhibit("shoe.jpg", "ab" * 32),),
    )
    return finding_to_body(replace(value, **changes))  # type: ignore[arg-type]  # the tests name fields of Finding


def evidence_body(**changes: object) -> dict[str, object]:
    """The body of an offer by XC of an X-ray image of 200,000,000 bytes."""
    value = EvidenceNotice(
        administration="XC",
        sha256="ab" * 32,
        name="scan.dcm",
        media_type="application/dicom",
        size_bytes=200_000_000,
        chunk_bytes=1_000_000,
        chunks=200,
        root="cd" * 32,
        key="A" * 43 + "=",
        about="0195d3a8-6c00-7000-8000-000000000001",
        handling=Handling.RESTRICTED,
        description="The container from the left",
    )
    return evidence_to_body(replace(value, **changes))  # type: ignore[arg-type]  # the tests name fields of EvidenceNotice
