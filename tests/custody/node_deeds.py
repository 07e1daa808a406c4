"""What a driven node can do; imported once Django is set up."""

from __future__ import annotations

import base64
import dataclasses
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from comity.agreements.services import adopt
from comity.common import Actor, ActorKind, ComityError, parse_instant, show_instant
from comity.custody import Mode
from comity.custody import selectors as custody
from comity.custody import successors as succeeding
from comity.exchange import purging
from comity.exchange.collecting import hand_out, take_answers
from comity.exchange.directory import load_peer
from comity.exchange.inbox import Receiver, process_due
from comity.exchange.models import InboxMessage, OutboxMessage
from comity.exchange.services import introduce_partner, suspend_partner
from comity.journeys import forget, forward, succeed
from comity.journeys.remind import custody_due
from comity.journeys.share import share_alert
from comity.journeys.tell import tell
from comity.ledger.selectors import entry
from comity.ledger.services import open_log
from comity.node.wiring import JOURNEYS, VALIDATORS
from comity.risk import selectors as risk
from comity.staff import Role
from comity.trade import Handling
from comity.trust import VerifyKey, keyring_from_files
from tests.exchange.cast import alert


def show(value: object) -> object:
    """What JSON does not know."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return show_instant(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def decode(text: str) -> bytes:
    """Bytes of a JSON text."""
    return base64.b64decode(text)


class NodeDeeds:
    """One node; each deed has its time."""

    def __init__(self, home: Path) -> None:
        self.home = home
        files = {path.name: path.read_bytes() for path in (home / "keys").iterdir()}
        self.keyring = keyring_from_files(files)
        self.us = self.keyring.administration
        settings.COMITY_KEYRING, settings.COMITY_ADMINISTRATION = self.keyring, self.us
        settings.COMITY_EVIDENCE = home / "evidence"
        self.officer = Actor(ActorKind.OFFICER, "ana", self.us, frozenset(role.value for role in Role))
        self.receiver = Receiver(self.keyring, VALIDATORS)

    def do(self, name: str, words: dict[str, Any]) -> object:
        """Do it; an error that Comity raises is told by its code."""
        words["at"] = parse_instant(words["at"])
        try:
            return getattr(self, name)(**words)
        except ComityError as error:
            return {"error": error.code, "what": str(error)}

    def meet(self, invitations: list[str], agreement: str, at: datetime) -> None:
        """Introduce partners and adopt the agreement."""
        open_log(signer=self.keyring.log, at=at)
        names = [introduce_partner(self.officer, key_statement=decode(each), at=at) for each in invitations]
        # The keys of the other parties were read out by telephone.
        keys = {file.stem: [VerifyKey.from_raw(bytes.fromhex(file.read_text()))] for file in self.home.glob("*.key")}
        keys |= {name: load_peer(name).signing_keys(at) for name in names}
        self.adopted = adopt(self.officer, signed=decode(agreement), verify_keys=keys, at=at).id

    def share(self, recipients: list[str], at: datetime, purpose: str = "control", **changes: Any) -> list[str]:
        """Share an alert of our own; the ids."""
        if "handling" in changes:
            changes["handling"] = Handling.from_word(changes["handling"])
        if "valid_until" in changes:
            changes["valid_until"] = parse_instant(changes["valid_until"])
        ours = alert(issuer=self.us, ref=changes.pop("ref", f"{self.us}-1"), issued_at=at, valid_from=at, **changes)
        result = share_alert(self.officer, alert=ours, recipients=recipients, purpose=purpose, at=at)
        return [message_id for _, message_id in result.posted]

    def forward(self, message_id: str, recipients: list[str], at: datetime, purpose: str = "control") -> list[str]:
        """Hand on; the ids of the copies."""
        to = forward.HandingOn(tuple(recipients), purpose)
        return [copy for _, copy in forward.forward(self.officer, message_id=message_id, to=to, at=at)]

    def recall(self, ids: list[str], at: datetime, mode: str = "recall", **wish: Any) -> object:
        """Recall, correct or tighten."""
        if "keep_until" in wish:
            wish["keep_until"] = parse_instant(wish["keep_until"])
        wish["replacement"] = tuple(wish.get("replacement", {}).items())
        made = forget.Wish(Mode(mode), wish.pop("ground", "issued_in_error"), **wish)
        return forget.recall(self.officer, message_ids=ids, wish=made, at=at)

    def correct(self, ids: list[str], at: datetime, **changes: Any) -> object:
        """Share a corrected alert in place of another."""
        ours = alert(issuer=self.us, issued_at=at, valid_from=at, **changes)
        return forget.correct_alert(self.officer, message_ids=ids, alert=ours, ground="information_wrong", at=at)

    def reminders(self, at: datetime) -> object:
        """What is to be handed on in the place of something else, and the next step of each."""
        return [
            [each.view.message_id, each.view.recipient, each.step.value, each.copy_id, each.purpose]
            for each in succeed.reminders(at)
        ]

    def expected(self, message_id: str, at: datetime) -> object:
        """What a holder of a corrected message waits for."""
        held = custody.held_as(message_id, holder=self.us)
        return held and succeed.expected(held, at)

    def put_aside(self, message_id: str, recipient: str, why: str, at: datetime) -> object:
        """Do not hand the new one on."""
        return succeeding.put_aside(self.officer, message_id=message_id, recipient=recipient, why=why, at=at)

    def retain(self, message_id: str, at: datetime, ground: str = "court_order", until: str = "") -> object:
        """Object to purging."""
        end = parse_instant(until) if until else None
        return forget.retain(self.officer, message_id=message_id, ground=ground, until=end, at=at)

    def let_go(self, message_id: str, at: datetime) -> object:
        """Take the objection back."""
        return forget.let_go(self.officer, message_id=message_id, at=at)

    def ask_consent(self, message_id: str, recipients: list[str], at: datetime) -> object:
        """Ask the owner."""
        return forward.ask_consent(
            self.officer, message_id=message_id, recipients=recipients, reason="They load it", at=at
        )

    def give_consent(self, consent_id: str, until: str, at: datetime) -> object:
        """Consent."""
        return forward.give_consent(self.officer, consent_id=consent_id, until=parse_instant(until), at=at)

    def refuse_consent(self, consent_id: str, at: datetime) -> object:
        """Do not consent."""
        return forward.refuse_consent(self.officer, consent_id=consent_id, at=at)

    def waiting_consents(self, at: datetime) -> object:
        """What waits for an officer."""
        return custody.consents_waiting(self.us)

    def consents(self, message_id: str, at: datetime) -> object:
        """Consents about a message."""
        return custody.consents(message_id)

    def suspend(self, partner: str, at: datetime) -> None:
        """Suspend a partner."""
        suspend_partner(self.officer, administration=partner, reason="test", at=at)

    def send(self, partner: str, at: datetime) -> list[str]:
        """The envelopes that wait for a partner."""
        return [base64.b64encode(each).decode() for each in hand_out(self.keyring, partner, at, limit=64)]

    def accept(self, envelopes: list[str], at: datetime) -> list[list[object]]:
        """Take envelopes: for each its id, the answer, whether it is a receipt."""
        data = [decode(each) for each in envelopes]
        names = [json.loads(each.partition(b"\n")[0])["envelope"] for each in data]
        replies = self.receiver.answer(data, at)
        return [
            [name, base64.b64encode(reply.body).decode(), reply.is_receipt]
            for name, reply in zip(names, replies, strict=True)
        ]

    def answered(self, partner: str, replies: list[list[Any]], at: datetime) -> object:
        """Record what a partner answered."""
        return take_answers(self.keyring, partner, [(name, decode(body), is_r) for name, body, is_r in replies], at)

    def process(self, at: datetime) -> int:
        """Run the journeys that are due."""
        return process_due(JOURNEYS, at, 1000)

    def purge_due(self, at: datetime) -> int:
        """The retention job."""
        return forget.purge_due(at)

    def custody_due(self, at: datetime) -> int:
        """The job of what waits."""
        return custody_due(at)

    def tell(self, partner: str, kind: str, body: dict[str, object], agreement: str, at: datetime) -> str:
        """Post any duty, also a lie."""
        return tell(partner, body, kind=kind, agreement=agreement, at=at)

    def holders(self, message_id: str, at: datetime) -> object:
        """Who holds a message, by holder."""
        return {each.holder: each for each in custody.holders_of(message_id)}

    def recalls(self, at: datetime) -> object:
        """Recalls by us and by others."""
        return [custody.recalls(origin=self.us), custody.received_recalls(self.us)]

    def signals(self, at: datetime) -> list[list[str]]:
        """The alerts that target here."""
        known = risk.signals(at)
        return [[each.issuer, each.ref, each.state, show_instant(each.valid_until)] for each in known]

    def inbox(self, at: datetime) -> list[dict[str, object]]:
        """What arrived."""
        return [
            {
                "id": row.message_id,
                "kind": row.kind,
                "size": len(bytes(row.data)),
                "accepted": row.is_accepted,
                "answer": json.loads(row.answer),
                "purge_ground": row.purge_ground,
                "keep_until": row.keep_until,
                "handling": row.handling,
                "error": row.last_error,
                "processed": row.processed_at is not None,
            }
            for row in InboxMessage.objects.order_by("id")
        ]

    def outbox(self, at: datetime) -> list[dict[str, object]]:
        """What was sent."""
        return [
            {"id": row.message_id, "kind": row.kind, "state": row.state, "answer": row.answer, "data": bytes(row.data)}
            for row in OutboxMessage.objects.order_by("id")
        ]

    def agreement(self, at: datetime) -> str:
        """The agreement in force."""
        return OutboxMessage.objects.order_by("id").values_list("agreement", flat=True)[0]

    def log_entry(self, index: int, at: datetime) -> dict[str, str]:
        """An entry of our log."""
        return dict(json.loads(entry(index)))

    def due(self, at: datetime) -> int:
        """How many copies have run out."""
        return len(purging.due_copies(at))
