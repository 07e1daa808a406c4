"""A morning at XC, made by the real services: what arrived, what was found, what was shared and what came back.

XA and XB exist as keys only; their messages are sealed and signed by hand and received as any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from comity.agreements import parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.agreements.services import adopt
from comity.common import Actor, ActorKind, new_id
from comity.enforcement import FindingFacts, SeizureFacts, Upload
from comity.exchange.envelope import Contents, messages_root, seal_envelope, sign_contents
from comity.exchange.inbox import Receiver, process_due
from comity.exchange.invitation import write_invitation
from comity.exchange.message import Message
from comity.exchange.services import introduce_partner
from comity.intake import selectors as intake
from comity.journeys.arrive import arrive
from comity.journeys.inspect import complete_inspection, order_inspection, release
from comity.journeys.receive import JOURNEYS, VALIDATORS
from comity.journeys.share import share_alert
from comity.ledger.services import open_log
from comity.risk import Lane, TargetState
from comity.risk import selectors as risk
from comity.risk.profiles import ProfileDraft
from comity.risk.services import approve_profile, draft_profile
from comity.staff import Role
from comity.staff.models import Officer
from comity.staff.services import create_officer, issue_token
from comity.trade import (
    Alert,
    AlertCategory,
    Finding,
    FindingResult,
    Handling,
    Quantity,
    RiskType,
    Route,
    Subject,
    SubjectRole,
    SuggestedAction,
)
from comity.trade.encoding import alert_to_body, finding_to_body
from comity.trade.formats.wco_xml import write_wco_xml
from comity.training import Day, day_of_trade, photo
from comity.trust import Keyring, make_keyring, sign_statement

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long and quiet river"
NAMES = {"XA": "Customs of Alfa", "XB": "Customs of Bravo", "XC": "Customs of Charlie"}
PEOPLE = {
    "ana": ("Ana Alvarez", ("officer", "liaison", "analyst")),
    "boris": ("Boris Brandt", ("supervisor",)),
    "chipo": ("Chipo Chanda", ("administrator", "auditor")),
}
TERMINAL = Actor(ActorKind.SYSTEM, "terminal", "XC", frozenset(role.value for role in Role))


@dataclass(frozen=True)
class World:
    """What tests look for: ids of records, messages and proposals."""

    at: datetime
    day: Day
    inspected: UUID
    finding_ref: str
    photo_sha256: str
    open_inspection: UUID
    ordered: UUID
    untouched: UUID
    alert_message: str
    received_alert: str
    received_finding: str
    agreement_id: str
    proposal_id: UUID


def agreement_yaml() -> bytes:
    """The agreement of the demo."""
    places = (ROOT / "src" / "comity" / "training" / "agreement",)
    return next(place / "agreement.yaml" for place in places if place.is_dir()).read_bytes()


@lru_cache
def keys_of(code: str, born: datetime) -> Keyring:
    """The keys of an administration of the world."""
    host = f"node.{code.lower()}.example"
    return make_keyring(code, NAMES[code], f"https://{host}:8443", [host], born)


def live_at_xc(target: Any, at: datetime) -> None:
    """Let the settings be those of XC; `target` is pytest's settings fixture or django.conf.settings."""
    target.COMITY_ADMINISTRATION = "XC"
    target.COMITY_NAME = NAMES["XC"]
    target.COMITY_TIME_ZONE = "Africa/Lusaka"
    target.COMITY_KEYRING = keys_of("XC", at - timedelta(days=30))


def build(at: datetime, *, size: int = 30) -> World:
    """Fill the database. at: now, in UTC; everything happened in the hours before."""
    born, ana, boris = at - timedelta(days=30), _person("ana"), _person("boris")
    open_log(signer=settings.COMITY_KEYRING.log, at=born)
    _people(born)
    agreement_id = _partners_and_agreement(born)
    _profiles(ana, boris, born)
    received_alert = _receive(_safety_alert(at), at - timedelta(hours=6), number=1)
    day = _arrivals(at, size)
    inspected, finding_ref, sha256 = _inspect(ana, day, at - timedelta(hours=2))
    alert = _counterfeit_alert(day, at - timedelta(hours=1))
    posted = share_alert(
        ana, alert=alert, recipients=["XA", "XB"], purpose="risk_assessment", at=at - timedelta(hours=1)
    ).posted
    alert_message = dict(posted)["XA"]
    received_finding = _receive(_answer(alert.ref, alert_message, at), at - timedelta(minutes=20), number=2)
    secret = replace(
        alert, ref=f"{alert.ref}-2", handling=Handling.RESTRICTED, title="The same consignor, a second route"
    )
    proposal = share_alert(ana, alert=secret, recipients=["XA"], purpose="control", at=at - timedelta(minutes=10))
    ordered, untouched = _more_decisions(ana, at)
    assert proposal.proposal_id is not None
    return World(
        at=at,
        day=day,
        inspected=inspected,
        finding_ref=finding_ref,
        photo_sha256=sha256,
        open_inspection=ordered[1],
        ordered=ordered[0],
        untouched=untouched,
        alert_message=alert_message,
        received_alert=received_alert,
        received_finding=received_finding,
        agreement_id=agreement_id,
        proposal_id=proposal.proposal_id,
    )


def _person(username: str) -> Actor:
    return Actor(ActorKind.OFFICER, username, "XC", frozenset(PEOPLE[username][1]))


def _people(at: datetime) -> None:
    for username, (full_name, roles) in PEOPLE.items():
        if not Officer.objects.filter(username=username).exists():
            create_officer(TERMINAL, username=username, full_name=full_name, roles=roles, password=PASSWORD, at=at)
    issue_token(TERMINAL, name="declaration-system", roles=["system"], officer=None, at=at)


def _partners_and_agreement(at: datetime) -> str:
    for code in ("XA", "XB"):
        introduce_partner(TERMINAL, key_statement=write_invitation(keys_of(code, at)), at=at)
    return adopt_signed(agreement_yaml(), born=at, at=at)


def adopt_signed(text: bytes, *, born: datetime, at: datetime) -> str:
    """The id of an agreement, signed by all three and adopted here. born: of the keys."""
    agreement = parse_agreement(text)
    rings = {code: keys_of(code, born) for code in NAMES}
    signed = sign_statement(PAYLOAD_TYPE, agreement.to_bytes(), *(ring.signing for ring in rings.values()))
    keys = {code: [ring.signing.verify_key] for code, ring in rings.items()}
    return adopt(TERMINAL, signed=signed.to_bytes(), verify_keys=keys, at=at).id


def _profiles(ana: Actor, boris: Actor, at: datetime) -> None:
    draft = ProfileDraft(
        ref="P-001",
        title="Footwear priced far below its mass",
        owner="Risk unit",
        legal_basis="Customs Act s. 41",
        expression="hs_chapter = '64' and unit_price_per_kg < 12",
        weight=65,
        risk_type=RiskType.COUNTERFEIT,
        lane=Lane.RED,
        valid_from=at,
        valid_until=None,
    )
    draft_profile(ana, draft=draft, at=at)
    approve_profile(boris, ref="P-001", at=at)
    low = replace(
        draft,
        ref="P-002",
        title="Watches without an AEO, from XA",
        expression="hs_heading = '9102' and origin = 'XA' and not has_aeo_authorisation",
        weight=35,
        risk_type=RiskType.UNDERVALUATION,
        lane=Lane.YELLOW,
    )
    draft_profile(ana, draft=low, at=at)
    approve_profile(boris, ref="P-002", at=at)
    draft_profile(ana, draft=replace(low, ref="P-003", title="Coffee above the usual price"), at=at)


def _safety_alert(at: datetime) -> Message:
    issued = at - timedelta(hours=7)
    alert = Alert(
        ref="XA-A-2026-0042",
        issuer="XA",
        category=AlertCategory.COMMODITIES,
        title="Toys with lead in the paint",
        risk_type=RiskType.SAFETY,
        issued_at=issued,
        valid_from=issued,
        valid_until=at + timedelta(days=60),
        hs_codes=("950300",),
        route=Route(origin="XA"),
        modus_operandi="Tests of three deliveries found lead above the limit.",
        reliability="A",
        credibility="2",
        suggested_action=SuggestedAction.SELECT_FOR_CONTROL,
    )
    body = alert_to_body(alert)
    return _message("alert/1", "4", body, issued, purpose="control")


def _answer(alert_ref: str, message_id: str, at: datetime) -> Message:
    finding = Finding(
        ref="XA-F-2026-0003",
        administration="XA",
        found_at=at - timedelta(minutes=30),
        result=FindingResult.IRREGULAR,
        risk_type=RiskType.COUNTERFEIT,
        alert_ref=alert_ref,
        description="Sports shoes of the same imitation, found before departure.",
    )
    at_xa = at - timedelta(minutes=25)
    return _message("finding/1", "3", finding_to_body(finding), at_xa, purpose="control", in_reply_to=message_id)


def _message(
    kind: str, article: str, body: dict[str, object], at: datetime, *, purpose: str, in_reply_to: str = ""
) -> Message:
    return Message(
        kind=kind,
        id=str(new_id(at)),
        origin="XA",
        sender="XA",
        recipient="XC",
        agreement=parse_agreement(agreement_yaml()).id,
        article=article,
        purpose=purpose,
        handling="official",
        created=at,
        body=body,
        in_reply_to=in_reply_to,
    )


def _receive(message: Message, at: datetime, *, number: int) -> str:
    """XA's envelope, sealed for us and taken in by the real receiver; then its journey."""
    ring = keys_of("XA", settings.COMITY_KEYRING.key_document.issued_at)
    data = message.to_bytes()
    contents = Contents(
        sender="XA",
        recipient="XC",
        envelope=str(new_id(at)),
        first_sequence=number,
        count=1,
        root=messages_root([data]),
        created=message.created,
    )
    statement = sign_contents(contents, ring.signing).to_bytes()
    sealed = seal_envelope(contents, statement, [data], settings.COMITY_KEYRING.encryption.public)
    reply = Receiver(settings.COMITY_KEYRING, VALIDATORS).answer([sealed], at)[0]
    assert reply.is_receipt, reply.body
    assert process_due(JOURNEYS, at) == 1
    return message.id


def _arrivals(at: datetime, size: int) -> Day:
    day = day_of_trade(7, size)
    system = Actor(ActorKind.SYSTEM, "declaration-system", "XC", frozenset({"system"}))
    for number, declaration in enumerate(day.imports):
        then = at - timedelta(hours=5) + timedelta(minutes=number)
        name = f"inbox/{declaration.lrn}.xml"
        arrive(system, source="folder", name=name, data=write_wco_xml(declaration), mapping=None, at=then)
    for manifest in day.arrivals[:2]:
        name = f"inbox/{manifest.report_ref}.xml"
        arrive(system, source="api", name=name, data=write_wco_xml(manifest), mapping=None, at=at - timedelta(hours=4))
    amended = replace(day.imports[0], office="XC000302")
    later = at - timedelta(hours=3)
    arrive(system, source="api", name="amended.xml", data=write_wco_xml(amended), mapping=None, at=later)
    return day


def _inspect(ana: Actor, day: Day, at: datetime) -> tuple[UUID, str, str]:
    record = intake.versions(day.story.first_import_lrn)[0]
    inspection = order_inspection(ana, record_id=record.record_id, at=at, place="Cove Quay, shed 4")
    facts = FindingFacts(
        result=FindingResult.IRREGULAR,
        risk_type=RiskType.COUNTERFEIT,
        description=day.story.finding_text,
        hs_code="640411",
        quantity=Quantity(Decimal(1200), "NMB"),
        detection_method="physical",
        exhibits=(Upload("carton-label.png", photo()),),
    )
    seizure = SeizureFacts(legal_basis="Customs Act s. 88", goods="1,200 pairs of sports shoes", hs_code="640411")
    done = complete_inspection(
        ana, inspection_id=inspection.inspection_id, facts=facts, at=at + timedelta(minutes=20), seizure=seizure
    )
    return record.record_id, done.finding.ref, done.finding.exhibits[0].sha256


def _counterfeit_alert(day: Day, at: datetime) -> Alert:
    alert = day.story.alert.issue(issuer="XC", at=at)
    box = Subject(SubjectRole.CONTAINER, "XALU1234568")
    return replace(alert, subjects=(*alert.subjects, box))


def _more_decisions(ana: Actor, at: datetime) -> tuple[tuple[UUID, UUID], UUID]:
    """One more inspection is ordered and one consignment released; the rest waits."""
    waiting = risk.queue(risk.QueueFilter(states=(TargetState.SELECTED, TargetState.NEW), page_size=20)).rows
    first, second, third = waiting[0], waiting[-1], waiting[1]
    inspection = order_inspection(ana, record_id=first.record_id, at=at - timedelta(minutes=8), remark="Seals differ")
    release(ana, record_id=second.record_id, reason="Documents agree with the goods", at=at - timedelta(minutes=5))
    return (first.record_id, inspection.inspection_id), third.record_id
