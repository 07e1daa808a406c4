"""Four eyes at XA: what is restricted, and what ends an agreement, is proposed by one officer and done by another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from comity.agreements import SharingRefusedError, parse_agreement
from comity.agreements.errors import MoveRefusedError
from comity.agreements.life import MoveKind
from comity.agreements.models import AgreementMoveRow
from comity.agreements.moves import Wish
from comity.agreements.procedures import procedure
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.agreements.services import adopt
from comity.common import Actor, ActorKind
from comity.exchange.selectors import messages
from comity.journeys import assist, negotiate
from comity.journeys.approving import approve_proposal
from comity.journeys.share import approve_sharing
from comity.operations import Move, StepRefusedError, Terms, compose, selectors
from comity.operations.errors import CaseUnknownError
from comity.operations.models import Case
from comity.operations.selectors import Wanted, steps_of, terms_of
from comity.operations.services import Arrived, Opening, take_arrived
from comity.operations.steps import Party
from comity.staff import (
    PermissionRefusedError,
    ProposalRefusedError,
    ProposalState,
    Role,
    SecondOfficerNeededError,
    Sight,
    SightRefusedError,
)
from comity.staff import services as staff
from comity.staff.models import ProposalRow
from comity.staff.selectors import open_proposals, proposal
from comity.trust import sign_statement
from tests.exchange.cast import CODES, introduce, keyring
from tests.operations.cast import REQUEST

pytestmark = pytest.mark.django_db(transaction=True)

YAML = Path(__file__).parents[1] / "operations" / "agreement.yaml"
PARTIES = (Party("XA", "asker"), Party("XB", "asked"))


def officer(name: str, *roles: Role) -> Actor:
    return Actor(ActorKind.OFFICER, name, "XA", frozenset(role.value for role in roles))


LIAISON, SUPERVISOR = officer("ana", Role.LIAISON), officer("clara", Role.SUPERVISOR)
MANAGER = officer("maria", Role.ADMINISTRATOR)


@pytest.fixture(autouse=True)
def in_force(settings: Settings, at: datetime) -> str:
    """XA with its partners and their agreement on assistance; its id."""
    return adopted(settings, at)


def adopted(settings: Settings, at: datetime) -> str:
    """Let the node be XA, with its agreement in force at any time; its id."""
    settings.COMITY_ADMINISTRATION, settings.COMITY_KEYRING = "XA", keyring("XA")
    introduce("XB", "XC")
    text = YAML.read_bytes().replace(b"2026-01-01", b"2020-01-01").replace(b"2027-12-31", b"2039-12-31")
    data = parse_agreement(text).to_bytes()
    signed = sign_statement(PAYLOAD_TYPE, data, *(keyring(code).signing for code in CODES)).to_bytes()
    keys = {code: [keyring(code).signing.verify_key] for code in CODES}
    return adopt(MANAGER, signed=signed, verify_keys=keys, at=at).id


def opening(agreement: str, handling: str = "restricted", **fields: object) -> Opening:
    return Opening("tfa12", agreement, PARTIES, {**REQUEST, **fields}, "control", handling)


def opened(agreement: str, at: datetime) -> str:
    """A restricted case that two officers opened; its id."""
    waiting = assist.propose_opening(LIAISON, opening=opening(agreement), at=at)
    return assist.approve_step(SUPERVISOR, proposal_id=waiting.proposal_id, at=at).step.case


def arrive(case_id: str, event: str, at: datetime, fields: Mapping[str, Any] | None = None, by: str = "XB") -> None:
    """A step of a partner comes."""
    row = Case.objects.get(case_id=case_id)
    known, terms = steps_of(row.steps.all()), terms_of(row.agreement, row.procedure)
    move = Move(case_id, row.agreement, event, by, PARTIES, fields or {})
    step = compose(procedure(row.procedure), known, move, terms, at=at, salt=lambda: "0" * 32)
    arrived = Arrived(step.signed(keyring(by).signing), "m-1", "control", row.handling)
    take_arrived("XA", arrived=arrived, at=at)


def test_a_restricted_opening_waits_and_is_then_told(in_force: str, at: datetime) -> None:
    with pytest.raises(SecondOfficerNeededError, match="two officers"):
        assist.open_case(LIAISON, opening=opening(in_force), at=at)
    waiting = assist.propose_opening(LIAISON, opening=opening(in_force), at=at)
    assert (selectors.cases(), messages()) == ((), ())
    assert waiting.payload["fields"] == REQUEST
    with pytest.raises(PermissionRefusedError):
        assist.approve_step(LIAISON, proposal_id=waiting.proposal_id, at=at)
    both = replace(LIAISON, roles=LIAISON.roles | SUPERVISOR.roles)
    with pytest.raises(ProposalRefusedError, match="his own"):
        assist.approve_step(both, proposal_id=waiting.proposal_id, at=at)
    done = approve_proposal(SUPERVISOR, proposal_id=waiting.proposal_id, at=at)
    assert [recipient for recipient, _ in done.posted] == ["XB"]
    assert [line.case_id for line in selectors.cases()] == [done.case_id]
    assert open_proposals() == []
    assert len(messages()) == 1
    with pytest.raises(ProposalRefusedError, match="approved already"):
        assist.approve_step(SUPERVISOR, proposal_id=waiting.proposal_id, at=at)


def test_what_is_official_takes_one_officer(in_force: str, at: datetime) -> None:
    case = assist.open_case(LIAISON, opening=opening(in_force, "official"), at=at).step.case
    assist.take_step(LIAISON, case_id=case, event="withdraw", fields={}, at=at)
    assert selectors.case_line(case).state == "withdrawn"


def test_a_restricted_step_waits_too(in_force: str, at: datetime) -> None:
    case = opened(in_force, at)
    with pytest.raises(SecondOfficerNeededError):
        assist.take_step(LIAISON, case_id=case, event="withdraw", fields={}, at=at)
    waiting = assist.propose_step(LIAISON, case_id=case, event="withdraw", fields={}, at=at)
    assert selectors.case_line(case).state == "sent", "a proposal changes nothing"
    taken = assist.approve_step(SUPERVISOR, proposal_id=waiting.proposal_id, at=at)
    assert (taken.step.event, taken.view.state.name) == ("withdraw", "withdrawn")


def test_what_could_not_be_done_is_put_before_nobody(in_force: str, at: datetime) -> None:
    case = opened(in_force, at)
    with pytest.raises(StepRefusedError, match="cannot do"):
        assist.propose_step(LIAISON, case_id=case, event="report_outcome", fields={"outcome": "None."}, at=at)
    with pytest.raises(SharingRefusedError):
        assist.propose_opening(LIAISON, opening=opening(in_force, "confidential"), at=at)
    with pytest.raises(PermissionRefusedError):
        assist.propose_opening(MANAGER, opening=opening(in_force), at=at)
    assert open_proposals() == []
    assert len(selectors.cases()) == 1


def test_a_case_that_has_ended_meanwhile_leaves_the_proposal_open(in_force: str, at: datetime) -> None:
    case = opened(in_force, at)
    arrive(case, "receive", at)
    waiting = assist.propose_step(LIAISON, case_id=case, event="withdraw", fields={}, at=at)
    arrive(case, "refuse", at, {"grounds": ["R1"], "law_reference": "Art. 1"})
    before = selectors.case_line(case)
    with pytest.raises(StepRefusedError, match="cannot do withdraw now") as refused:
        assist.approve_step(SUPERVISOR, proposal_id=waiting.proposal_id, at=at)
    assert refused.value.code == "not_now"
    assert proposal(waiting.proposal_id).state is ProposalState.OPEN
    assert selectors.case_line(case) == before
    staff.reject(SUPERVISOR, proposal_id=waiting.proposal_id, reason="They refused.", at=at)
    assert open_proposals() == []


def test_a_case_that_says_something_else_meanwhile_is_not_answered_blindly(in_force: str, at: datetime) -> None:
    case = opened(in_force, at)
    waiting = assist.propose_step(LIAISON, case_id=case, event="withdraw", fields={}, at=at)
    ProposalRow.objects.update(payload={})  # nobody may change a word of it
    with pytest.raises(ProposalRefusedError, match="digest"):
        assist.approve_step(SUPERVISOR, proposal_id=waiting.proposal_id, at=at)
    said = {**waiting.payload, "said": {**waiting.payload["said"], "purpose": "0" * 64}}  # type: ignore[dict-item]
    moved = staff.propose(LIAISON, deed=assist.STEP_DEED, payload=said, handling=2, at=at)
    with pytest.raises(StepRefusedError, match="something else of purpose") as refused:
        assist.approve_step(SUPERVISOR, proposal_id=moved.proposal_id, at=at)
    assert refused.value.code == "case_moved"


def test_the_acknowledgement_of_a_restricted_request_takes_nobody(in_force: str, at: datetime) -> None:
    case = "0195a1b2-0000-7000-8000-000000000001"
    move = Move(case, in_force, "submit", "XB", (Party("XA", "asked"), Party("XB", "asker")), REQUEST)
    step = compose(procedure("tfa12"), [], move, terms_of(in_force, "tfa12"), at=at, salt=lambda: "0" * 32)
    step = step.signed(keyring("XB").signing)
    taken = take_arrived("XA", arrived=Arrived(step, "m-1", "control", "restricted"), at=at)
    assist._act(case, taken.view, at)
    assert selectors.case_line(case).state == "received"
    (sent,) = messages()
    assert sent.handling == "restricted"
    with pytest.raises(SecondOfficerNeededError):
        assist.take_step(LIAISON, case_id=case, event="accept", fields={}, at=at)


def test_a_suspension_and_a_leaving_take_two_officers(in_force: str, at: datetime) -> None:
    wish = Wish(
        MoveKind.SUSPEND, in_force[:12], reason="A breach", articles=("1",), effective_at=at + timedelta(days=1)
    )
    with pytest.raises(SecondOfficerNeededError):
        negotiate.make(MANAGER, wish=wish, at=at)
    with pytest.raises(PermissionRefusedError):
        negotiate.propose_move(LIAISON, wish=wish, at=at)
    with pytest.raises(MoveRefusedError, match="reason"):
        negotiate.propose_move(MANAGER, wish=replace(wish, reason=""), at=at)
    with pytest.raises(ProposalRefusedError, match="one officer"):
        negotiate.propose_move(MANAGER, wish=Wish(MoveKind.RESTORE, in_force), at=at)
    waiting = negotiate.propose_move(MANAGER, wish=wish, at=at)
    assert not AgreementMoveRow.objects.exists()
    with pytest.raises(PermissionRefusedError):
        negotiate.approve_move(officer("ines", Role.ADMINISTRATOR), proposal_id=waiting.proposal_id, at=at)
    made = approve_proposal(SUPERVISOR, proposal_id=waiting.proposal_id, at=at)
    assert (made.told, made.agreement_id) == (("XB", "XC"), in_force)
    leaving = negotiate.propose_move(MANAGER, wish=Wish(MoveKind.LEAVE, in_force, reason="A vote"), at=at)
    again = negotiate.propose_move(MANAGER, wish=Wish(MoveKind.LEAVE, in_force, reason="A vote"), at=at)
    assert again == leaving, "what waits already is not put twice"
    twice = negotiate.propose_move(MANAGER, wish=Wish(MoveKind.LEAVE, in_force, reason="A second vote"), at=at)
    assert negotiate.approve_move(SUPERVISOR, proposal_id=leaving.proposal_id, at=at).agreement.id == in_force
    with pytest.raises(MoveRefusedError, match="left it already"):
        negotiate.approve_move(SUPERVISOR, proposal_id=twice.proposal_id, at=at)
    assert proposal(twice.proposal_id).state is ProposalState.OPEN


def test_each_proposal_is_approved_as_what_it_is(in_force: str, at: datetime) -> None:
    step = assist.propose_opening(LIAISON, opening=opening(in_force), at=at).proposal_id
    move = negotiate.propose_move(MANAGER, wish=Wish(MoveKind.LEAVE, in_force, reason="A vote"), at=at).proposal_id
    for wrong in (
        lambda: assist.approve_step(SUPERVISOR, proposal_id=move, at=at),
        lambda: negotiate.approve_move(SUPERVISOR, proposal_id=step, at=at),
        lambda: approve_sharing(SUPERVISOR, proposal_id=step, at=at),
    ):
        with pytest.raises(ProposalRefusedError):
            wrong()
    assert len(open_proposals()) == 2
    with pytest.raises(ProposalRefusedError, match="Nothing is known here"):
        staff.propose(LIAISON, deed="burn_files", payload={}, handling=0, at=at)


def test_cases_are_read_by_permission_and_need_to_know(in_force: str, at: datetime) -> None:
    case = opened(in_force, at)
    assert selectors.case_file_for(LIAISON, case, at=at).view.fields["purpose"] == REQUEST["purpose"]
    (seen,) = selectors.cases_for(SUPERVISOR)
    assert (seen.procedure, seen.sight) == ("tfa12", Sight.WHOLE)
    assert selectors.count_for(SUPERVISOR, wanted=Wanted(procedure="tfa12", partner="XB", kind="waiting")) == 1
    assert selectors.count_for(SUPERVISOR, wanted=Wanted(partner="XC")) == 0
    for nobody in (officer("otto", Role.OFFICER), MANAGER):
        with pytest.raises(PermissionRefusedError):
            selectors.cases_for(nobody)
    arrive(case, "receive", at)
    Case.objects.update(is_our_turn=True, handling="confidential")
    assert [line.case_id for line in selectors.tasks_for(LIAISON)] == [case]
    auditor = officer("aud", Role.AUDITOR)
    (there,) = selectors.cases_for(auditor)
    assert (there.case_id, there.sight) == (case, Sight.EXISTENCE)
    assert (there.procedure, there.state, there.purpose, there.next_due) == ("", "", "", None)
    assert [party.administration for party in there.parties] == ["XA", "XB"]
    assert selectors.cases_for(auditor, wanted=Wanted(procedure="tfa12")) == ()
    assert selectors.tasks_for(auditor) == ()
    with pytest.raises(SightRefusedError):
        selectors.case_file_for(auditor, case, at=at)
    with pytest.raises(CaseUnknownError):
        selectors.case_file_for(LIAISON, "0195ffff", at=at)
    assert isinstance(terms_of(in_force, "tfa12"), Terms)
