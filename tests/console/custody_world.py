"""What XA and XC owe each other: an alert of XC that XA handed on, one of XA here with a file, a question for consent.

XA exists as keys only; what it says is signed by them and received as any other.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

from django.conf import settings

from comity.agreements import parse_agreement
from comity.common import new_id
from comity.custody import ConsentAsked, HoldingNotice, Limits, Mode, RecallOrder, Status, recall_from_body
from comity.custody import selectors as custody
from comity.custody import services as keeping
from comity.custody.notices import sign_holding, sign_recall
from comity.custody.services import HandedOn
from comity.exchange import selectors as exchange
from comity.exchange.envelope import Contents, messages_root, seal_envelope, sign_contents
from comity.exchange.inbox import Receiver, process_due
from comity.exchange.message import Message
from comity.journeys.forget import Wish, recall
from comity.journeys.share import share_alert
from comity.node.wiring import JOURNEYS, VALIDATORS
from comity.trade import (
    Alert,
    AlertCategory,
    EvidenceNotice,
    Exhibit,
    Handling,
    RiskType,
    Route,
    Subject,
    SubjectRole,
    SuggestedAction,
)
from comity.trade.encoding import alert_to_body, evidence_to_body
from comity.training import photo
from comity.trust import KEY_BYTES, measure, seal_file, sha256_hex
from tests.console import world as made
from tests.console.world import World, keys_of

AGREEMENT = (Path(__file__).parent / "custody.yaml").read_bytes()
FIRST_NUMBER = 3  # the world itself received two messages of XA
SCAN = b"scan " * 2000


@dataclass
class Custody:
    """sent: (XA, XB) ids of XC's alert; received: XA's alert here; offer: the message that offers its scan."""

    at: datetime
    agreement_id: str
    sent_xa: str
    sent_xb: str
    received: str
    offer: str
    consent: str
    number: int = FIRST_NUMBER

    def receive(self, kind: str, body: dict[str, object], **changes: object) -> str:
        """A message of XA arrives and is acted on. Returns its id."""
        message = Message(
            kind=kind,
            id=str(new_id(self.at)),
            origin="XA",
            sender="XA",
            recipient="XC",
            agreement=self.agreement_id,
            article="duty",
            purpose="duty",
            handling="official",
            created=self.at,
            body=body,
        )
        message = replace(message, **changes)  # type: ignore[arg-type]  # fields of the message
        take(message, self.at, number=self.number)
        self.number += 1
        return message.id

    def answer(self, message_id: str, holder: str, status: Status, ground: str = "", **words: object) -> str:
        """XA tells of a copy of one of our messages, signed by XA."""
        notice = HoldingNotice(message_id, "XC", holder, "XA", status, ground, self.at, **words)  # type: ignore[arg-type]
        return self.receive("holding/1", sign_holding(notice, _ring("XA").signing).to_body())

    def recall(self, *names: str, mode: Mode = Mode.RECALL, **limits: object) -> str:
        """XA takes messages of its own back. Returns the id of the order."""
        due = self.at + timedelta(days=1)
        order = RecallOrder(str(new_id(self.at)), "XA", names, mode, "information_wrong", self.at, due, **limits)  # type: ignore[arg-type]
        body = sign_recall(order, _ring("XA").signing).to_body()
        assert recall_from_body(body).notice == order
        self.receive("recall/1", body)
        return order.id


def extend(world: World) -> Custody:
    """Add to the morning at XC what it shares under an agreement with recall, consent and files."""
    at, born = world.at, world.at - timedelta(days=30)
    agreement_id = made.adopt_signed(AGREEMENT, born=born, at=born)
    assert agreement_id == parse_agreement(AGREEMENT).id
    alert = counterfeit(at)
    posted = share_alert(
        made._person("ana"), alert=alert, recipients=["XA", "XB"], purpose="control", agreement_id=agreement_id, at=at
    ).posted
    ids = dict(posted)
    world_of = Custody(at, agreement_id, ids["XA"], ids["XB"], received="", offer="", consent=str(new_id(at)))
    world_of.received = world_of.receive(
        "alert/1", alert_to_body(lead(at)), article="1", purpose="control", valid_until=at + timedelta(days=60)
    )
    world_of.offer = world_of.receive(
        "evidence/1", _scan(world_of.received), article="2", purpose="evidence", valid_until=at + timedelta(days=60)
    )
    world_of.answer(ids["XA"], "XB", Status.HELD, via="XA")
    question = ConsentAsked(world_of.consent, ids["XA"], "XC", ("XB",), "The goods are loaded there")
    world_of.receive("consent/1", question.to_body())
    assert custody.consents_waiting("XC")
    return world_of


def stir(held: Custody) -> str:
    """XC tightens its alert and XA answers; XA takes another alert of its own back. Returns the id of that one."""
    wish = Wish(Mode.TIGHTEN, "level_raised", handling="restricted")
    recall(made._person("ana"), message_ids=[held.sent_xb], wish=wish, at=held.at)
    recall(made._person("ana"), message_ids=[held.sent_xa], wish=Wish(Mode.RECALL, "information_wrong"), at=held.at)
    asked = custody.holding_of("XC", held.sent_xa, "XA")
    assert asked is not None
    held.answer(held.sent_xa, "XA", Status.RETAINED, "court_order", recall=asked.recall_id)
    gone = another(held)
    held.recall(gone)
    return gone


def another(held: Custody) -> str:
    """One more alert of XA. Returns its id."""
    body = alert_to_body(replace(lead(held.at), ref=f"XA-A-2026-{100 + held.number:04}"))
    return held.receive("alert/1", body, article="1", purpose="control", valid_until=held.at + timedelta(days=60))


def correct(held: Custody, old: str) -> str:
    """XA corrects an alert of its own that XC had handed on to XB with its consent. Returns the id of the new one."""
    copy = custody.held_as(old, holder="XC")
    assert copy is not None
    to = HandedOn(
        "XB", str(new_id(held.at)), held.agreement_id, "1", str(new_id(held.at)), Limits(None, Handling.OFFICIAL.word)
    )
    keeping.note_hand_on(made._person("ana"), copy, to, at=held.at)
    until, body = held.at + timedelta(days=60), alert_to_body(lead(held.at))
    new = held.receive("alert/1", body, article="1", purpose="control", valid_until=until)
    held.recall(old, mode=Mode.CORRECT, replacement=((old, new),))
    return new


def take(message: Message, at: datetime, *, number: int) -> None:
    """XA's envelope, sealed for us, taken in by the real receiver; then its journey, as the node runs it."""
    ring, data = _ring("XA"), message.to_bytes()
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
    arrived = exchange.message(message.id)
    assert arrived.line.state != "refused", arrived.line.error
    assert process_due(JOURNEYS, at) == 1, exchange.message(message.id).line.error


def counterfeit(at: datetime) -> Alert:
    """XC's own alert. Its exhibit is named and here nowhere."""
    return Alert(
        ref="XC-A-2026-0777",
        issuer="XC",
        category=AlertCategory.BUSINESSES,
        title="Counterfeit sports shoes, a third route",
        risk_type=RiskType.COUNTERFEIT,
        issued_at=at,
        valid_from=at,
        valid_until=at + timedelta(days=60),
        handling=Handling.OFFICIAL,
        subjects=(
            Subject(SubjectRole.CONSIGNOR, "LK-9", "Larkfield Trading"),
            Subject(SubjectRole.CONTAINER, "XALU1234568"),
        ),
        hs_codes=("640411",),
        route=Route(origin="XA", dispatch="XA", destination="XC"),
        reliability="B",
        credibility="2",
        suggested_action=SuggestedAction.SELECT_FOR_CONTROL,
        exhibits=(Exhibit("carton.png", sha256_hex(photo(9)), "image/png", len(photo(9))),),
    )


def lead(at: datetime) -> Alert:
    """XA's alert that is here."""
    return replace(
        counterfeit(at),
        ref="XA-A-2026-0099",
        issuer="XA",
        title="Toys with lead in the paint, from Larkfield",
        risk_type=RiskType.SAFETY,
        exhibits=(Exhibit("test-report.pdf", "ab" * 32, "application/pdf", 8_000_000),),
    )


def _scan(about: str) -> dict[str, object]:
    """A file of three chunks that XA offers and nobody has fetched."""
    shape = replace(measure(BytesIO(SCAN)), chunk_bytes=4096)
    key = bytes(KEY_BYTES)
    sealed = seal_file(BytesIO(SCAN), shape=shape, key=key)
    notice = EvidenceNotice(
        administration="XA",
        sha256=shape.sha256,
        name="scan.dcm",
        media_type="application/dicom",
        size_bytes=shape.size_bytes,
        chunk_bytes=shape.chunk_bytes,
        chunks=shape.chunks,
        root=sealed.root.hex(),
        key=base64.b64encode(key).decode(),
        about=about,
    )
    return evidence_to_body(notice)


def _ring(code: str) -> made.Keyring:
    return keys_of(code, settings.COMITY_KEYRING.key_document.issued_at)
