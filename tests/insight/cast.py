"""The cast of these tests: an agreement that obliges, requests between XA and XB, and a finding shared with XC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from comity.agreements import Agreement, parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.agreements.services import adopt, permit
from comity.common import Actor, ActorKind
from comity.exchange.services import post
from comity.operations import Party
from comity.operations import services as operations
from comity.trade import Handling
from comity.trade.encoding import finding_to_body
from comity.trust import sign_statement
from tests.exchange.cast import ANA, CODES, DEMO, EVERY_ROLE, LOG, finding, keyring

BORIS = Actor(ActorKind.OFFICER, "boris", "XB", EVERY_ROLE)
OBLIGATIONS = b"""
obligations:
  - {id: o1, what: answer, after: request.received, within: 30 calendar_days, tag: M, verified: false}
  - {id: o2, what: outcome_report, after: finding.shared, within: 60 calendar_days, tag: M, verified: false}
  - {id: o3, what: statistics, owed_by: [XB], owed_to: [XA], every: quarter, tag: M, verified: false}
  - {id: o4, what: notification, after: breach.known, within: 3 working_days, tag: M, verified: false}
calendars:
  XA: {country: FR}
  XB: {country: AE}
"""
REQUEST: Mapping[str, object] = {
    "matter_at_issue": "Shoes declared at a third of the usual price.",
    "export_declaration_no": "24XB0000000001",
    "purpose": "To establish the customs value.",
    "own_verification_confirmed": True,
    "own_verification": "The importer was audited and has no other papers.",
    "items_requested": ["declaration_data", "commercial_invoice"],
    "originating_office": "XA100",
    "domestic_law_refs": ["Customs Code Art. 12"],
}
ANSWER: Mapping[str, object] = {
    "items_given": ["declaration_data"],
    "protection_level": "restricted",
    "true_copy_confirmed": True,
}


def day(text: str) -> datetime:
    """Nine in the morning, UTC."""
    return datetime.fromisoformat(f"{text}T09:00:00").replace(tzinfo=UTC)


@lru_cache
def agreement() -> Agreement:
    """The demo's agreement with obligations, in force from March 2026."""
    text = DEMO.read_bytes()
    old, new = b"in_force: {from: 2024-01-01, until: 2044-12-31}", b"in_force: {from: 2026-03-01, until: 2028-12-31}"
    assert old in text
    return parse_agreement(text.replace(old, new) + OBLIGATIONS)


def bind() -> str:
    """Bring the agreement into force; returns its id."""
    signed = sign_statement(PAYLOAD_TYPE, agreement().to_bytes(), *(keyring(code).signing for code in CODES))
    keys = {code: [keyring(code).signing.verify_key] for code in CODES}
    return adopt(ANA, signed=signed.to_bytes(), verify_keys=keys, at=day("2026-03-01")).id


def ask(on: str, *, by: Actor = ANA, procedure: str = "tfa12", fields: Mapping[str, object] = REQUEST) -> str:
    """A case that one side opens towards the other; returns its id."""
    roles = {"asker": by.administration, "asked": "XB" if by.administration == "XA" else "XA"}
    opening = operations.Opening(
        procedure=procedure,
        agreement=agreement().id,
        parties=tuple(
            sorted((Party(code, role) for role, code in roles.items()), key=lambda each: each.administration)
        ),
        fields=fields,
        purpose="control",
        handling="official",
    )
    return operations.open_case(by, opening=opening, key=keyring(by.administration).signing, at=day(on)).step.case


def step(case: str, on: str, event: str, *, by: Actor, fields: Mapping[str, object] | None = None) -> None:
    """One more step of a case."""
    key = keyring(by.administration).signing
    operations.take_step(by, case_id=case, event=event, fields=fields or {}, key=key, at=day(on))


def answer(case: str, on: str, *, by: Actor = BORIS) -> None:
    """Acknowledge, take up and answer a request on one day."""
    step(case, on, "receive", by=by)
    step(case, on, "accept", by=by)
    step(case, on, "reply", by=by, fields=ANSWER)


def refuse(case: str, on: str, *, by: Actor = BORIS) -> None:
    """Refuse a request on two grounds."""
    step(case, on, "receive", by=by)
    step(case, on, "refuse", by=by, fields={"grounds": ["R1", "R3"], "law_reference": "Customs Code Art. 9"})


def share_finding(on: str) -> str:
    """XA shares a finding with XC; returns the message's id."""
    release = permit(
        ANA,
        kind="finding/1",
        recipient="XC",
        purpose="control",
        handling=Handling.OFFICIAL,
        body=finding_to_body(finding()),
        at=day(on),
    )
    return post(ANA, release, signer=LOG, at=day(on))
