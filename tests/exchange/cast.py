"""The cast: Ana of XA, Boris of XB, Chipo of XC, their keys, their agreement, and envelopes made by hand.

One process has one database, so the nodes of the cast share it, and with it one log: the keyrings differ in
everything but the log's key. What needs two databases starts real processes (tests/exchange/child.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from comity.agreements import Agreement, Release, parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.agreements.services import adopt, permit
from comity.common import Actor, ActorKind
from comity.exchange.checking import Parcel
from comity.exchange.directory import Peer
from comity.exchange.envelope import Contents, messages_root, seal_envelope, sign_contents
from comity.exchange.inbox import Receiver
from comity.exchange.invitation import write_invitation
from comity.exchange.message import Message
from comity.exchange.models import OutboxMessage
from comity.exchange.outcomes import Outcome
from comity.exchange.position import Position
from comity.exchange.selectors import reception_of
from comity.exchange.services import introduce_partner
from comity.exchange.transports.base import Done, Told
from comity.exchange.underway import open_runs, word_of
from comity.staff import Role
from comity.trade import Alert, AlertCategory, Finding, FindingResult, Handling, RiskType, Subject, SubjectRole
from comity.trade.encoding import alert_from_body, alert_to_body, finding_from_body, finding_to_body
from comity.trust import Keyring, LogSigner, SigningKey, make_keyring, sign_key_document, sign_statement

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BORN = datetime(2026, 1, 1, tzinfo=UTC)
CODES = ("XA", "XB", "XC")
LOG = LogSigner("comity.cast/log", SigningKey.from_seed(b"the log of the cast, 32 bytes..."))
DEMO = Path(__file__).resolve().parents[2] / "src" / "comity" / "training" / "agreement" / "agreement.yaml"
VALIDATORS = {"alert/1": alert_from_body, "finding/1": finding_from_body}

EVERY_ROLE = frozenset(role.value for role in Role)
ANA = Actor(ActorKind.OFFICER, "ana", "XA", EVERY_ROLE)
CHIPO = Actor(ActorKind.OFFICER, "chipo", "XC", EVERY_ROLE)
NODE_XC = Actor(ActorKind.NODE, "node", "XC", EVERY_ROLE)


@lru_cache
def keyring(code: str, *, generation: int = 1) -> Keyring:
    """The keys of a node of the cast; another generation has other keys."""
    made = make_keyring(code, f"Customs of {code}", "https://127.0.0.1:1", ["127.0.0.1"], BORN)
    document = replace(made.key_document, version=generation, log_origin=LOG.name, log_vkey=LOG.vkey)
    statement = sign_key_document(document, made.signing)
    return replace(made, log=LOG, key_document=document, key_statement=statement)


def introduce(*codes: str) -> None:
    """Let these be partners of whoever lives in this database."""
    for code in codes:
        actor = ANA if code != "XA" else CHIPO
        introduce_partner(actor, key_statement=write_invitation(keyring(code)), at=AT)


@lru_cache
def demo_agreement() -> Agreement:
    """The demo's agreement, read once."""
    return parse_agreement(DEMO.read_bytes())


def adopt_demo() -> str:
    """Bring the demo's agreement into force; returns its id."""
    agreement = demo_agreement()
    signed = sign_statement(PAYLOAD_TYPE, agreement.to_bytes(), *(keyring(code).signing for code in CODES))
    keys = {code: [keyring(code).signing.verify_key] for code in CODES}
    return adopt(ANA, signed=signed.to_bytes(), verify_keys=keys, at=AT).id


def agreement_id() -> str:
    """The id of the demo's agreement."""
    return demo_agreement().id


def alert(**changes: object) -> Alert:
    """XC's alert about shoes of a consignor in XA."""
    value = Alert(
        ref="XC-2026-0007",
        issuer="XC",
        category=AlertCategory.COMMODITIES,
        title="Counterfeit sports shoes",
        risk_type=RiskType.COUNTERFEIT,
        issued_at=AT,
        valid_from=AT,
        valid_until=datetime(2026, 9, 1, tzinfo=UTC),
        subjects=(Subject(SubjectRole.CONSIGNOR, "XA123", "Blue Heron Trading", "XA"),),
        hs_codes=("640411",),
        modus_operandi="Déclarées comme espadrilles",
    )
    return replace(value, **changes)  # type: ignore[arg-type]  # the tests name fields of Alert


def finding() -> Finding:
    """XA's finding after that alert."""
    return Finding("XA-F-1", "XA", AT, FindingResult.IRREGULAR, RiskType.COUNTERFEIT, alert_ref="XC-2026-0007")


def release(recipient: str = "XA", *, at: datetime = AT, **changes: object) -> Release:
    """Chipo may share the alert with this recipient."""
    return permit(
        CHIPO,
        kind="alert/1",
        recipient=recipient,
        purpose="control",
        handling=Handling.OFFICIAL,
        body=alert_to_body(alert(**changes)),
        at=at,
    )


def message(number: int = 1, **changes: object) -> Message:
    """A message of XC to XA with the alert, as the agreement permits it."""
    value = Message(
        kind="alert/1",
        id=str(UUID(int=0x0195_0000_0000_7000_8000_000000000000 + number)),
        origin="XC",
        sender="XC",
        recipient="XA",
        agreement=agreement_id(),
        article="1",
        purpose="control",
        handling="official",
        created=AT,
        body=alert_to_body(alert()),
    )
    return replace(value, **changes)  # type: ignore[arg-type]  # the tests name fields of Message


def finding_message(number: int = 1) -> Message:
    """A message of XC to XA with a finding."""
    return message(number, kind="finding/1", article="3", body=finding_to_body(replace(finding(), administration="XC")))


@dataclass(frozen=True)
class Wrapping:
    """How a test makes an envelope; by default rightly, from XC to XA."""

    sender: str = "XC"
    recipient: str = "XA"
    signer: str = "XC"
    sealed_for: str = "XA"
    number: int = 1
    first_sequence: int = 1
    changes: dict[str, object] = field(default_factory=dict)


def wrap(*messages: Message | bytes, how: Wrapping | None = None) -> bytes:
    """An envelope of these messages."""
    how = how or Wrapping()
    parts = [each if isinstance(each, bytes) else each.to_bytes() for each in messages]
    contents = Contents(
        sender=how.sender,
        recipient=how.recipient,
        envelope=str(UUID(int=0x0195_1111_0000_7000_8000_000000000000 + how.number)),
        first_sequence=how.first_sequence,
        count=len(parts),
        root=messages_root(parts),
        created=AT,
    )
    signed = replace(contents, **how.changes)  # type: ignore[arg-type]  # the tests name fields of Contents
    statement = sign_contents(signed, keyring(how.signer).signing).to_bytes()
    return seal_envelope(contents, statement, parts, keyring(how.sealed_for).encryption.public)


def states() -> list[str]:
    """The state of each message as people read it, by recipient and sequence."""
    runs = open_runs()
    rows = OutboxMessage.objects.order_by("partner__administration", "sequence")
    return [word_of(row, runs) for row in rows]


def receiver(code: str = "XA") -> Receiver:
    """The receiving end of a node of the cast."""
    return Receiver(keyring(code), VALIDATORS)


@dataclass
class Loop:
    """A transport within this process: the partner's receiver answers at once. A test may bend what comes back."""

    at: datetime = AT
    is_down: bool = False
    bend: Callable[[Parcel, Outcome], Outcome] = lambda _parcel, outcome: outcome
    carried: list[Parcel] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    position: Callable[[Peer], Position | None] = lambda _peer: reception_of("XC")

    def send(self, parcels: Sequence[Parcel], done: Done) -> None:
        """Let each partner answer."""
        for parcel in parcels:
            self.carried.append(parcel)
            if self.is_down:
                done(parcel, Outcome(failure="The line is dead"))
                continue
            reply = receiver(parcel.peer.administration).answer([parcel.data], self.at)[0]
            done(parcel, self.bend(parcel, Outcome(reply.body, is_receipt=reply.is_receipt)))

    def ask_position(self, peer: Peer, told: Told) -> None:
        """How far XC's sequence has arrived here."""
        self.asked.append(peer.administration)
        told(peer, None if self.is_down else self.position(peer))

    def close(self) -> None:
        """Nothing to give up."""
