"""Steps of procedures between nodes: each travels under an article as a step/1, arrives, is checked and folded.

An automatic step, such as the acknowledgement of a request, the node takes by itself when a person's step has arrived.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

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
from comity.exchange.services import Posting, post_all
from comity.journeys.actors import standing_rule
from comity.journeys.hold import hold_posted
from comity.operations import STEP_KIND, STEP_TYPE, CaseView, Step, StepRefusedError, step_from_body
from comity.operations import selectors as operations
from comity.operations import services as cases
from comity.operations.checking import check_shown
from comity.staff import Permission, require
from comity.trade import Handling

log = logging.getLogger("comity.operations")
_RULE = "acknowledge-steps"


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


def open_case(actor: Actor, *, opening: cases.Opening, at: datetime) -> Assisted:
    """Open a case, and tell every other party.

    All of it or nothing; a refusal by the agreement is kept with its reasons before it is raised.
    Raises: PermissionRefusedError, StepRefusedError, SharingRefusedError, PartnerUnknownError, PartnerStateError.
    """
    return _assist(
        actor, lambda: cases.open_case(actor, opening=opening, key=settings.COMITY_KEYRING.signing, at=at), at
    )


def take_step(actor: Actor, *, case_id: str, event: str, fields: Mapping[str, object], at: datetime) -> Assisted:
    """Take a step in a case, and tell every other party.

    Raises: as `open_case`, and CaseUnknownError.
    """
    key = settings.COMITY_KEYRING.signing
    return _assist(
        actor, lambda: cases.take_step(actor, case_id=case_id, event=event, fields=fields, key=key, at=at), at
    )


def preview_step(
    actor: Actor, *, case_id: str, event: str, fields: Mapping[str, object], at: datetime
) -> tuple[Showing, ...]:
    """Who would see what of this step; nothing is kept and nothing is sent.

    Raises: PermissionRefusedError, CaseUnknownError, StepRefusedError.
    """
    require(actor, Permission.SHARE)
    with transaction.atomic():
        key = settings.COMITY_KEYRING.signing
        taken = cases.take_step(actor, case_id=case_id, event=event, fields=fields, key=key, at=at)
        transaction.set_rollback(True)
    line = operations.case_file(case_id, at=at).line
    return tuple(_showing(actor, taken.step, each, line, at) for each in _others(taken.step))


def take_step_message(received: ReceivedMessage) -> None:
    """Fold a partner's step into its case, and do what a node does by itself.

    What is not its sender's own, or not signed by it, is left in the messages.
    """
    message, at = received.message, received.received_at
    step = replace(step_from_body(message.body), article=message.article)
    if _trouble(step, message) or is_proved(step.to_statement(), STEP_TYPE, step.by, at) is not True:
        log.warning("step %s of %s does not belong to its message", message.id, message.sender)
        return
    arrived = cases.Arrived(step, message.id, message.purpose, message.handling)
    try:
        taken = cases.take_arrived(_us(), arrived=arrived, at=at)
    except StepRefusedError as error:
        log.warning("step %s of %s could not be kept: %s", message.id, message.sender, error)
        return
    if taken.is_new and not procedure(step.procedure).event(step.event).is_automatic:
        _act(step.case, taken.view, at)


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


def _tell(actor: Actor, step: Step, at: datetime) -> tuple[tuple[str, str], ...]:
    line = operations.case_file(step.case, at=at).line
    releases = [_permit(actor, step, each, line, at) for each in _others(step)]
    for release in releases:
        check_shown(procedure(step.procedure), step_from_body(release.body))
    ids = post_all(actor, [Posting(release) for release in releases], signer=settings.COMITY_KEYRING.log, at=at)
    hold_posted(ids, at=at)
    for release, message_id in zip(releases, ids, strict=True):
        withheld = step_from_body(release.body).withheld
        cases.note_sending(
            step,
            recipient=release.recipient,
            message_id=message_id,
            article=release.article_id,
            withheld=withheld,
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
