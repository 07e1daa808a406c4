"""Invented messages that hold every field of their kind, for trying an agreement out. Nobody is named in them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal

from comity.agreements import EVIDENCE_KIND
from comity.agreements.vocabulary import STEP_KIND
from comity.trade import (
    Alert,
    AlertCategory,
    Exhibit,
    Finding,
    FindingResult,
    Handling,
    Money,
    Quantity,
    RiskType,
    Route,
    Subject,
    SubjectRole,
)
from comity.trade.encoding import alert_to_body, finding_to_body
from comity.trade.knowledge import (
    HIT_QUESTION_KIND,
    KNOWLEDGE_KINDS,
    PROFILE_KIND,
    RULE_LANGUAGE,
    SIGNAL_REPORT_KIND,
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
    knowledge_to_body,
)
from comity.trade.mirror import (
    MIRROR_FIELDS,
    MIRROR_KINDS,
    MIRROR_REQUEST_KIND,
    MIRROR_VALUES_KIND,
    MirrorCommitments,
    MirrorFigures,
    MirrorLock,
    MirrorOffer,
    MirrorRequest,
    MirrorValues,
    mirror_to_body,
)

_DIGEST = "00" * 32


@dataclass(frozen=True, slots=True)
class Sampled:
    """What the sample is about; what is empty is not stated in it."""

    sender: str
    at: datetime
    handling: Handling
    hs_codes: tuple[str, ...] = ()
    origin: str = ""
    category: str = ""
    risk_type: str = ""
    procedure: str = ""
    size_bytes: int | None = None


def sample(kind: str, asked: Sampled) -> dict[str, object]:
    """A body of this kind with every field that the kind may have."""
    if kind == "alert/1":
        return _stated(alert_to_body(_alert(asked)), category=asked.category, risk_type=asked.risk_type)
    if kind == "finding/1":
        return _stated(finding_to_body(_finding(asked)), risk_type=asked.risk_type)
    if kind == EVIDENCE_KIND:
        return _file(asked)
    if kind in MIRROR_KINDS:
        return mirror_to_body(_mirrored(kind, asked))
    if kind in KNOWLEDGE_KINDS:
        return knowledge_to_body(_learned(kind, asked))
    return _step(asked) if kind == STEP_KIND else {}


def _learned(kind: str, asked: Sampled) -> SharedProfile | HitQuestion | HitDecision | SignalReport:
    message_id = "00000000-0000-7000-8000-000000000000"
    risk_type = RiskType(asked.risk_type or RiskType.OTHER)
    if kind == PROFILE_KIND:
        return SharedProfile(
            issuer=asked.sender,
            ref="SAMPLE",
            title="A sample",
            legal_basis="A sample",
            language=RULE_LANGUAGE,
            expression="origin = 'XA'",
            weight=1,
            lane="yellow",
            risk_type=risk_type,
            digest=_DIGEST,
            valid_from=asked.at,
            valid_until=asked.at + timedelta(days=90),
            expected_hit_rate=Decimal("0.01"),
            owner="A sample",
            handling=asked.handling,
        )
    if kind == SIGNAL_REPORT_KIND:
        kinds = (FoundKind(risk_type, 1),)
        return SignalReport(
            asked.sender, Told.ALERT, "SAMPLE", message_id, 1, 1, asked.at, 1, kinds, handling=asked.handling
        )
    listed = (asked.sender, "un", "Sample", "SAMPLE", _DIGEST, (HitTag(TagBy.NAME, _DIGEST),))
    if kind == HIT_QUESTION_KIND:
        return HitQuestion(*listed, handling=asked.handling)
    verdict, ground = HitVerdict.NOT_SAME, HitGround.OTHER
    return HitDecision(*listed, verdict, ground, asked.at, "2026-01-01", "A sample", asked.handling)


def _mirrored(kind: str, asked: Sampled) -> MirrorOffer | MirrorRequest | MirrorValues:
    message_id = "00000000-0000-7000-8000-000000000000"
    if kind == MIRROR_REQUEST_KIND:
        return MirrorRequest(asked.sender, message_id, MIRROR_FIELDS, _DIGEST, asked.handling)
    if kind == MIRROR_VALUES_KIND:
        amount = Decimal(1)
        figures = MirrorFigures(Money(amount, "EUR"), amount, amount, 1, ("640411",), (asked.sender,))
        return MirrorValues(asked.sender, message_id, figures, "SAMPLE", asked.handling)
    commitments = MirrorCommitments(**{each.name: _DIGEST for each in fields(MirrorCommitments)})
    lock = MirrorLock(_DIGEST, _DIGEST + _DIGEST[:32])
    return MirrorOffer(asked.sender, "2026-Q1", _DIGEST, (lock,), commitments, message_id, asked.handling)


def _stated(body: dict[str, object], **words: str) -> dict[str, object]:
    """The body without the words that were left open."""
    return {name: value for name, value in body.items() if words.get(name, "stated")}


def _alert(asked: Sampled) -> Alert:
    places = dict.fromkeys(("dispatch", "destination"), asked.sender)
    return Alert(
        ref="SAMPLE-1",
        issuer=asked.sender,
        category=AlertCategory(asked.category or AlertCategory.COMMODITIES),
        title="A sample",
        risk_type=RiskType(asked.risk_type or RiskType.OTHER),
        issued_at=asked.at,
        valid_from=asked.at,
        valid_until=asked.at + timedelta(days=90),
        handling=asked.handling,
        subjects=tuple(Subject(role, id="1", name="Sample", country=asked.sender) for role in SubjectRole),
        hs_codes=asked.hs_codes,
        route=Route(origin=asked.origin, transit=(asked.sender,), place_loading="Sample", **places),
        modus_operandi="A sample",
        concealment="A sample",
        feedback_due=asked.at + timedelta(days=30),
        case_ref="SAMPLE",
        exhibits=(Exhibit("sample.jpg", _DIGEST, "image/jpeg"),),
    )


def _finding(asked: Sampled) -> Finding:
    return Finding(
        ref="SAMPLE-2",
        administration=asked.sender,
        found_at=asked.at,
        result=FindingResult.IRREGULAR,
        risk_type=RiskType(asked.risk_type or RiskType.OTHER),
        office="SAMPLE",
        ucr="SAMPLE",
        declaration_ref="SAMPLE",
        alert_ref="SAMPLE-1",
        hs_code=asked.hs_codes[0] if asked.hs_codes else "",
        description="A sample",
        quantity=Quantity(Decimal(1), "KGM"),
        consignor=Subject(SubjectRole.CONSIGNOR, "1", "Sample", asked.sender),
        consignee=Subject(SubjectRole.CONSIGNEE, "1", "Sample", asked.sender),
        detection_method="A sample",
        seizure_ref="SAMPLE",
        handling=asked.handling,
        exhibits=(Exhibit("sample.jpg", _DIGEST, "image/jpeg"),),
    )


def _file(asked: Sampled) -> dict[str, object]:
    size = {} if asked.size_bytes is None else {"size_bytes": asked.size_bytes}
    words = ("sha256", "name", "media_type", "root", "key", "about", "description")
    return {
        "administration": asked.sender,
        **dict.fromkeys(words, "sample"),
        **size,
        "chunk_bytes": 1,
        "chunks": 1,
        "handling": asked.handling.word,
    }


def _step(asked: Sampled) -> dict[str, object]:
    words = ("case", "agreement", "edition", "event", "at")
    stated = {"procedure": asked.procedure} if asked.procedure else {}
    return {
        **dict.fromkeys(words, "sample"),
        **stated,
        "by": asked.sender,
        "number": 1,
        "after": [_DIGEST],
        "parties": {"asker": asked.sender},
        "deadlines": [],
        "commitments": {},
        "signatures": [],
        "fields": {"subject": {"value": "sample"}},
    }
