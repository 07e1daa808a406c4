"""Steps of procedures between nodes: each travels under an article as a step/1, arrives, is checked and folded.

An automatic step, such as the acknowledgement of a request, the node takes by itself when a person's step has arrived.
From the level restricted upwards a step that says something takes two officers: one proposes it, another approves it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import transaction

from comity.agreements import Asking, Decision, Release, SharingRefusedError, request_for
from comity.agreements.procedures import procedure
from comity.agreements.selectors import engine
from comity.agreements.services import permit
from comity.common import Actor
from comity.exchange import Message, ReceivedMessage
from comity.exchange.duties import is_proved
from comity.exchange.errors import PartnerStateError, PartnerUnknownError
from comity.exchange.services import Posting
from comity.journeys.actors import standing_rule
from comity.journeys.hold import post_held
from comity.journeys.share import SECOND_OFFICER_FROM
from comity.operations import (
    STEP_KIND,
    STEP_TYPE,
    CaseView,
    Effect,
    Party,
    Step,
    StepRefusedError,
    step_from_body,
)
from comity.operations import selectors as operations
from comity.operations import services as cases
from comity.operations.checking import check_shown
from comity.staff import (
    Permission,
    ProposalRefusedError,
    Role,
    SecondOfficerNeededError,
    require,
    require_sight,
)
from comity.staff.selectors import Proposal
from comity.staff.services import approve, propose
from comity.trade import Handling

log = logging.getLogger("comity.operations")
_RULE = "acknowledge-steps"
OPEN_DEED, STEP_DEED = "open_case", "take_step"


@dataclass(frozen=True, slots=True)
class Showing:
    """Who would see what of a step: the decision for each recipient, and the fields withheld from it."""

    recipient: str
    decision: Decision
    withheld: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assisted:
    """A step that was taken and told: the case as it stands, the message ids by recipient."""

    step: Step
    view: CaseView
    posted: tuple[tuple[str, str], ...]


def needs_second_officer(handling: str) -> bool:
    """Whether what is said in cases of this level takes two officers."""
    return Handling.from_word(handling) >= SECOND_OFFICER_FROM


def open_case(actor: Actor, *, opening: cases.Opening, at: datetime) -> Assisted:
    """Open a case, and tell every other party.

    All of it or nothing; a refusal by the agreement is kept with its reasons before it is raised.
    Raises: PermissionRefusedError, SecondOfficerNeededError, StepRefusedError, SharingRefusedError,
    PartnerUnknownError, PartnerStateError.
    """
    _refuse_alone(opening.handling, where=opening.procedure)
    return _assist(actor, lambda: _opened(actor, opening, at), at)


def take_step(actor: Actor, *, case_id: str, event: str, fields: Mapping[str, object], at: datetime) -> Assisted:
    """Take a step in a case, and tell every other party.

    Raises: as `open_case`, and CaseUnknownError.
    """
    line = operations.case_line(case_id)
    if fields or not _is_automatic(line.procedure, event):
        _refuse_alone(line.handling, where=line.case_id)
    return _assist(actor, lambda: _stepped(actor, case_id, event, fields, at), at)


def propose_opening(actor: Actor, *, opening: cases.Opening, at: datetime) -> Proposal:
    """Put the opening of a case before a second officer. What could not be opened now is refused now.

    Raises: as `open_case`, but for SecondOfficerNeededError.
    """
    _rehearse(actor, lambda: _opened(actor, opening, at), at)
    payload: dict[str, object] = {
        "procedure": opening.procedure,
        "agreement": opening.agreement,
        "parties": {each.administration: each.role for each in opening.parties},
        "fields": dict(opening.fields),
        "purpose": opening.purpose,
        "handling": opening.handling,
        "event": opening.event,
        "case": opening.case_id,
    }
    return propose(actor, deed=OPEN_DEED, payload=payload, handling=int(Handling.from_word(opening.handling)), at=at)


def propose_step(actor: Actor, *, case_id: str, event: str, fields: Mapping[str, object], at: datetime) -> Proposal:
    """Put a step before a second officer, with what the case says now. What could not be taken now is refused now.

    Raises: as `take_step`, but for SecondOfficerNeededError.
    """
    _rehearse(actor, lambda: _stepped(actor, case_id, event, fields, at), at)
    file = operations.case_file(case_id, at=at)
    payload: dict[str, object] = {
        "case": file.line.case_id,
        "procedure": file.line.procedure,
        "agreement": file.line.agreement,
        "event": event,
        "fields": dict(fields),
        "handling": file.line.handling,
        "said": _said(file.view),
    }
    return propose(actor, deed=STEP_DEED, payload=payload, handling=int(Handling.from_word(file.line.handling)), at=at)


def approve_step(actor: Actor, *, proposal_id: UUID, at: datetime) -> Assisted:
    """Agree to the opening or step that another officer proposed; it is taken and told in the same transaction.

    A refusal undoes the approval too: the proposal stays open, to be rejected or taken back.
    Raises: PermissionRefusedError, ProposalRefusedError; as `take_step`; StepRefusedError (not_now, case_moved) where
    the case has moved meanwhile.
    """
    # The approval is the leave of the second officer to say this one thing.
    officer = replace(actor, roles=actor.roles | {Role.LIAISON.value})
    return _assist(officer, lambda: _approved(actor, officer, proposal_id, at), at)


def preview_opening(actor: Actor, *, opening: cases.Opening, at: datetime) -> tuple[Showing, ...]:
    """Who would see what of the first step of a case; nothing is kept and nothing is sent.

    Raises: PermissionRefusedError, StepRefusedError.
    """
    return _preview(actor, lambda: _opened(actor, opening, at), at)


def preview_step(
    actor: Actor, *, case_id: str, event: str, fields: Mapping[str, object], at: datetime
) -> tuple[Showing, ...]:
    """Who would see what of this step; nothing is kept and nothing is sent.

    Raises: PermissionRefusedError, CaseUnknownError, StepRefusedError.
    """
    return _preview(actor, lambda: _stepped(actor, case_id, event, fields, at), at)


def take_step_message(received: ReceivedMessage) -> None:
    """Fold a partner's step into its case, and do what a node does by itself.

    What is not its sender's own, or not signed by it, is left in the messages.
    """
    taken = take_in(received.message, received.received_at)
    if taken is not None and taken.is_new and not _is_automatic(taken.step.procedure, taken.step.event):
        _act(taken.step.case, taken.view, received.received_at)


def take_in(message: Message, at: datetime) -> cases.Taken | None:
    """Keep the step in a partner's message, and fold its case anew; None where it is not its sender's own."""
    step = replace(step_from_body(message.body), article=message.article)
    if _trouble(step, message) or is_proved(step.to_statement(), STEP_TYPE, step.by, at) is not True:
        log.warning("step %s of %s does not belong to its message", message.id, message.sender)
        return None
    arrived = cases.Arrived(step, message.id, message.purpose, message.handling)
    try:
        return cases.take_arrived(_us(), arrived=arrived, at=at)
    except StepRefusedError as error:
        log.warning("step %s of %s could not be kept: %s", message.id, message.sender, error)
        return None


def step_validator(body: Mapping[str, object]) -> Step:
    """What raises on a step that could never be right; its refusal goes back in the signed receipt.

    Raises: CaseFormError, UnknownProcedureError, StepRefusedError, among them deadline_differs.
    """
    step = step_from_body(body)
    cases.check_arrival(step)
    return step


def overdue_turn(at: datetime) -> int:
    """The job: fold anew where a clock has run down. Returns how many cases changed."""
    changed = cases.refold_due(_us(), at=at)
    for seen in changed:
        log.warning("%s is %s: %s", seen.procedure.name, seen.state.name, ", ".join(seen.flags) or "no flag")
    return len(changed)


def _assist(actor: Actor, take: Callable[[], cases.Taken], at: datetime) -> Assisted:
    """Take the step and tell it in one transaction. A refusal by the agreement is recorded once that is undone."""
    try:
        with transaction.atomic():
            taken = take()
            return Assisted(taken.step, taken.view, _tell(actor, taken.step, at))
    except _RefusedError as refused:
        refused.record()
        raise refused.error from None


class _RefusedError(Exception):
    """The agreement refuses: everything is undone, then the refusal is asked for again, and so kept."""

    def __init__(self, error: SharingRefusedError, record: Callable[[], object]) -> None:
        super().__init__(str(error))
        self.error = error
        self._record = record

    def record(self) -> None:
        try:
            self._record()
        except SharingRefusedError as error:
            self.error = error


def _rehearse(actor: Actor, take: Callable[[], cases.Taken], at: datetime) -> None:
    """Everything but the sending, then all of it undone: what would be refused is put before nobody."""
    try:
        with transaction.atomic():
            _releases(actor, take().step, at)
            transaction.set_rollback(True)
    except _RefusedError as refused:
        refused.record()
        raise refused.error from None


def _opened(actor: Actor, opening: cases.Opening, at: datetime) -> cases.Taken:
    return cases.open_case(actor, opening=opening, key=settings.COMITY_KEYRING.signing, at=at)


def _stepped(actor: Actor, case_id: str, event: str, fields: Mapping[str, object], at: datetime) -> cases.Taken:
    key = settings.COMITY_KEYRING.signing
    return cases.take_step(actor, case_id=case_id, event=event, fields=fields, key=key, at=at)


def _approved(actor: Actor, officer: Actor, proposal_id: UUID, at: datetime) -> cases.Taken:
    """What was proposed, word for word: its digest is checked as it is approved."""
    proposal = approve(actor, proposal_id=proposal_id, at=at)
    require_sight(actor, proposal.handling, where=str(proposal_id))
    payload = proposal.payload
    fields = cast(dict[str, object], payload.get("fields", {}))
    if proposal.deed == OPEN_DEED:
        return _opened(officer, _proposed_opening(payload, fields), at)
    if proposal.deed == STEP_DEED:
        _check_unmoved(payload, at)
        return _stepped(officer, str(payload["case"]), str(payload["event"]), fields, at)
    raise ProposalRefusedError("This is no step of a case", where=str(proposal_id), remedy=f"It is {proposal.deed}.")


def _proposed_opening(payload: Mapping[str, object], fields: Mapping[str, object]) -> cases.Opening:
    roles = cast(dict[str, str], payload["parties"])
    return cases.Opening(
        procedure=str(payload["procedure"]),
        agreement=str(payload["agreement"]),
        parties=tuple(Party(code, roles[code]) for code in sorted(roles)),
        fields=fields,
        purpose=str(payload["purpose"]),
        handling=str(payload["handling"]),
        event=str(payload["event"]),
        case_id=str(payload["case"]),
    )


def _check_unmoved(payload: Mapping[str, object], at: datetime) -> None:
    """Whether the case still says what it said when the step was proposed: else it would answer something else."""
    case_id, said = str(payload["case"]), cast(dict[str, str], payload["said"])
    now = _said(operations.case_file(case_id, at=at).view)
    changed = sorted(name for name, commitment in said.items() if now.get(name) != commitment)
    if changed:
        raise StepRefusedError(
            "case_moved",
            f"Since this was proposed, the case says something else of {', '.join(changed)}",
            where=case_id,
            remedy="Look at the case; reject the proposal, or have it taken back and made anew.",
        )


def _said(view: CaseView) -> dict[str, str]:
    """The commitment to the newest value of each field of a case."""
    said: dict[str, str] = {}
    for entry in view.history:
        if entry.step is not None and entry.effect in (Effect.TAKEN, Effect.CONSENT):
            said |= entry.step.commitments
    return said


def _refuse_alone(handling: str, *, where: str) -> None:
    if needs_second_officer(handling):
        raise SecondOfficerNeededError(
            f"What is handled as {handling} takes two officers",
            where=where,
            remedy="Propose it; another officer with the permission approve_sharing approves it.",
        )


def _is_automatic(procedure_name: str, event: str) -> bool:
    found = procedure(procedure_name)
    return any(each.name == event and each.is_automatic for each in found.events)


def _releases(actor: Actor, step: Step, at: datetime) -> list[Release]:
    """What each other party may see of the step."""
    line = operations.case_line(step.case)
    releases = [_permit(actor, step, each, line, at) for each in _others(step)]
    for release in releases:
        check_shown(procedure(step.procedure), step_from_body(release.body))
    return releases


def _tell(actor: Actor, step: Step, at: datetime) -> tuple[tuple[str, str], ...]:
    releases = _releases(actor, step, at)
    ids = post_held(actor, [Posting(release) for release in releases], at=at)
    for release, message_id in zip(releases, ids, strict=True):
        cases.note_sending(
            step,
            recipient=release.recipient,
            message_id=message_id,
            article=release.article_id,
            withheld=step_from_body(release.body).withheld,
        )
    return tuple((release.recipient, message_id) for release, message_id in zip(releases, ids, strict=True))


def _permit(actor: Actor, step: Step, recipient: str, line: operations.CaseLine, at: datetime) -> Release:
    def ask() -> Release:
        return permit(
            actor,
            agreement_id=line.agreement,
            kind=STEP_KIND,
            recipient=recipient,
            purpose=line.purpose,
            handling=Handling.from_word(line.handling),
            body=step.to_body(),
            at=at,
        )

    try:
        return ask()
    except SharingRefusedError as error:
        raise _RefusedError(error, ask) from error


def _preview(actor: Actor, take: Callable[[], cases.Taken], at: datetime) -> tuple[Showing, ...]:
    require(actor, Permission.SHARE)
    with transaction.atomic():
        step = take().step
        line = operations.case_line(step.case)
        transaction.set_rollback(True)
    return tuple(_showing(actor, step, each, line, at) for each in _others(step))


def _showing(actor: Actor, step: Step, recipient: str, line: operations.CaseLine, at: datetime) -> Showing:
    handling = Handling.from_word(line.handling)
    asking = Asking(actor.administration, recipient, STEP_KIND, line.purpose, handling, at)
    decision = engine(at).decide(request_for(asking, step.to_body()), agreement_id=line.agreement)
    names = {path.split(".")[1] for path in decision.fields_withheld if path.startswith("fields.")}
    return Showing(recipient, decision, tuple(sorted(names)))


def _act(case_id: str, view: CaseView, at: datetime) -> None:
    """The steps that a node takes by itself. Where the agreement refuses one the case waits for a person."""
    actor = standing_rule(_RULE)
    for event in view.automatic.get(_us(), ()):
        try:
            with transaction.atomic():
                take_step(actor, case_id=case_id, event=event.name, fields={}, at=at)
        except (SharingRefusedError, StepRefusedError, PartnerStateError, PartnerUnknownError) as error:
            log.warning("%s in case %s was not taken: %s", event.name, case_id, error)


def _trouble(step: Step, message: Message) -> bool:
    """Whether a step is another's than its sender's, or of another agreement than it travels under."""
    return step.by != message.origin or message.origin != message.sender or step.agreement != message.agreement


def _others(step: Step) -> tuple[str, ...]:
    return tuple(each.administration for each in step.parties if each.administration != step.by)


def _us() -> str:
    return str(settings.COMITY_ADMINISTRATION)


JOURNEYS: Mapping[str, Callable[[ReceivedMessage], None]] = {STEP_KIND: take_step_message}
VALIDATORS: Mapping[str, Callable[[Mapping[str, object]], object]] = {STEP_KIND: step_validator}
