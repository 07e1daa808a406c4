"""Requests at XC: XA asked us and waits since long, we asked XA and it has a question, a dispute, a breach, one closed.

XA exists as keys only: its steps are made and signed with them, and received as any other message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from comity.agreements import parse_agreement
from comity.agreements.procedures import procedure
from comity.common import new_id
from comity.exchange.message import Message
from comity.insight.services import remind_due
from comity.journeys import assist
from comity.ledger.services import open_log
from comity.operations import Move, Party, compose
from comity.operations.models import Case
from comity.operations.selectors import steps_of, terms_of
from comity.operations.services import Opening
from tests.console import world as made
from tests.console.custody_world import take

AGREEMENT = (Path(__file__).parent / "requests.yaml").read_bytes()
BETWEEN = {"XA": "asker", "XC": "asked"}
REQUEST: dict[str, Any] = {
    "matter_at_issue": "Shoes declared at a third of the usual price.",
    "export_declaration_no": "24XB0000000001",
    "purpose": "To establish the customs value.",
    "persons": ["Jan Novak, Praha"],
    "own_verification_confirmed": True,
    "own_verification": "The importer was audited and has no other papers.",
    "items_requested": ["declaration_data", "commercial_invoice"],
    "originating_office": "XC100",
    "domestic_law_refs": ["Customs Code Art. 12"],
}
QUESTION = "Which of the two invoices is meant?"
DISPUTE = {"agreement_id": "a1", "articles": ["1"], "question": "Does “shoes” cover slippers?"}
BREACH = {"agreement_id": "a1", "discovered_on": "2026-03-02", "kind": "loss", "details": "A laptop was stolen."}


@dataclass
class Requests:
    """asked: XA's request, overdue; ours: our request with XA's question; number: of XA's next envelope."""

    at: datetime
    agreement_id: str
    number: int = 1
    asked: str = ""
    ours: str = ""
    dispute: str = ""
    breach: str = ""
    closed: str = ""
    secret: str = ""
    proposal: str = ""

    def open_by_xa(self, name: str, fields: dict[str, Any], at: datetime, handling: str = "official") -> str:
        """XA opens a case with us."""
        kind, case_id = procedure(name), str(new_id(at))
        parties = tuple(Party(code, role) for code, role in sorted(BETWEEN.items()))
        move = Move(case_id, self.agreement_id, kind.openings[0].name, "XA", parties, fields)
        self._send(move, [], at, handling)
        return case_id

    def step_of_xa(
        self, case_id: str, event: str, at: datetime, fields: dict[str, Any] | None = None, *, unseen: str = ""
    ) -> None:
        """XA takes a step in a case. unseen: an event of ours that it had not heard of."""
        row = Case.objects.get(case_id=case_id)
        parties = tuple(Party(code, role) for code, role in sorted(row.parties.items()))
        move = Move(case_id, self.agreement_id, event, "XA", parties, fields or {})
        self._send(move, steps_of(row.steps.exclude(event=unseen)), at, row.handling)

    def open_by_us(self, name: str, fields: dict[str, Any], at: datetime, *, event: str = "") -> str:
        """We open a case with XA."""
        parties = (Party("XA", "asked"), Party("XC", "asker"))
        opening = Opening(name, self.agreement_id, parties, fields, "control", "official", event)
        return assist.open_case(made._person("ana"), opening=opening, at=at).step.case

    def _send(self, move: Move, known: list[Any], at: datetime, handling: str) -> None:
        kind = procedure(self._procedure_of(move))
        terms = terms_of(self.agreement_id, kind.name)
        ring = made.keys_of("XA", settings.COMITY_KEYRING.key_document.issued_at)
        step = compose(kind, known, move, terms, at=at, salt=lambda: "0" * 32).signed(ring.signing)
        message = Message(
            kind="step/1",
            id=str(new_id(at)),
            origin="XA",
            sender="XA",
            recipient="XC",
            agreement=self.agreement_id,
            article="1",
            purpose="control",
            handling=handling,
            created=max(at, self.at - timedelta(days=20)).replace(microsecond=0),
            body=step.to_body(),
        )
        take(message, self.at, number=self.number)
        self.number += 1

    def _procedure_of(self, move: Move) -> str:
        row = Case.objects.filter(case_id=move.case).first()
        if row is not None:
            return row.procedure
        return next(name for name in ("tfa12", "dispute", "breach") if procedure(name).openings[0].name == move.event)


def alone(at: datetime) -> Requests:
    """XC with its officers, partners and this agreement, and nothing else."""
    born = at - timedelta(days=30)
    open_log(signer=settings.COMITY_KEYRING.log, at=born)
    made._people(born)
    made._partners_and_agreement(born)
    return extend(at, number=1)


def extend(at: datetime, *, number: int) -> Requests:
    """The agreement on requests, and what was asked under it. number: of XA's next envelope."""
    first = f"{at.year - 1}-01-01".encode()
    agreement_id = made.adopt_signed(
        AGREEMENT.replace(b"2024-01-01", first), born=at - timedelta(days=30), at=at - timedelta(days=30)
    )
    assert agreement_id == parse_agreement(AGREEMENT.replace(b"2024-01-01", first)).id
    known = Requests(at, agreement_id, number)
    before = at - timedelta(days=70)
    known.asked = known.open_by_xa("tfa12", {**REQUEST, "originating_office": "XA100"}, before)
    known.ours = known.open_by_us("tfa12", REQUEST, at - timedelta(hours=5))
    known.step_of_xa(known.ours, "receive", at - timedelta(hours=4))
    known.step_of_xa(known.ours, "ask_clarification", at - timedelta(hours=3), {"clarification_question": QUESTION})
    known.dispute = known.open_by_us("dispute", DISPUTE, at - timedelta(days=2))
    known.breach = known.open_by_us("breach", BREACH, at - timedelta(days=1), event="discover")
    known.closed = known.open_by_us("tfa12", REQUEST, at - timedelta(days=9))
    assist.take_step(made._person("ana"), case_id=known.closed, event="withdraw", fields={}, at=at - timedelta(days=8))
    known.secret = known.open_by_xa("tfa12", REQUEST, at - timedelta(hours=30), handling="restricted")
    proposal = assist.propose_step(
        made._person("ana"),
        case_id=known.secret,
        event="ask_clarification",
        fields={"clarification_question": "Whose shoes?"},
        at=at,
    )
    known.proposal = str(proposal.proposal_id)
    remind_due(at)
    return known
