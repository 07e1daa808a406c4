"""A partner corrected what we handed on: what an officer does next, so that who has the old one gets the new.

The steps are C1, C2 and C4 of docs/protocol.md §10. Nothing is handed on by itself: an officer does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings

from comity.agreements import EVIDENCE_KIND, Onward
from comity.agreements.selectors import AgreementState, agreements
from comity.custody import ConsentState
from comity.custody import selectors as custody
from comity.custody import successors as succeeding
from comity.custody.selectors import HolderView
from comity.custody.successors import Replacement, SuccessorView
from comity.exchange import Message, read_message
from comity.exchange.errors import MessageUnknownError
from comity.exchange.onward import read_onward
from comity.exchange.selectors import message as message_by_id
from comity.exchange.selectors import partners
from comity.journeys.forward import passage_of


class NextStep(StrEnum):
    """What comes next. Arrival: the new message has not come. Answer: its origin was asked and has not answered.

    Never: its article does not let it be handed on, or it is a file; its origin may share it itself.
    """

    ARRIVAL = "arrival"
    HAND_ON = "hand_on"
    ASK = "ask"
    ANSWER = "answer"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Reminder:
    """A message to hand on in the place of another. copy_id: of its page here, or nothing; purpose: of the old one."""

    view: SuccessorView
    step: NextStep
    copy_id: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What a holder of a corrected message waits for. copy_id: of the new one where it has come, else nothing.

    can_be_asked: its origin is a partner under an agreement in force, and could share it itself.
    """

    message_id: str
    copy_id: str
    via: str
    origin: str
    can_be_asked: bool

    @property
    def is_from_origin(self) -> bool:
        """Whether the old one came from its origin itself, as the new one will."""
        return self.via == self.origin


def reminders(at: datetime) -> tuple[Reminder, ...]:
    """Step C2: everything that is to be handed on in the place of something else, the oldest first."""
    return tuple(reminder_of(view, at) for view in succeeding.due())


def reminder_of(view: SuccessorView, at: datetime) -> Reminder:
    """What an officer does next with one."""
    if view.own is None:
        return Reminder(view, NextStep.ARRIVAL, "", "")
    copies = custody.copies_of(view.origin, view.message_id)
    copy_id = copies[0].copy_id if copies else ""
    return Reminder(view, _step(view, view.own, copy_id, at), copy_id, _purpose_of(view.handed.copy_id))


def expected(held: HolderView, at: datetime) -> Expected | None:
    """Step C4: what our copy of a corrected message is to be replaced by, and from whom; None where nothing is."""
    found: Replacement | None = succeeding.replacement_of(held.origin, held.message_id, holder=held.holder)
    if found is None:
        return None
    copies = custody.copies_of(held.origin, found.message_id)
    known = {each.administration for each in partners() if each.state != "suspended"}
    return Expected(
        message_id=found.message_id,
        copy_id=copies[0].copy_id if copies else "",
        via=held.via,
        origin=held.origin,
        can_be_asked=held.origin in known and _have_agreement(held.origin, at),
    )


def _step(view: SuccessorView, own: HolderView, copy_id: str, at: datetime) -> NextStep:
    original = _original(copy_id)
    if original is None or own.kind == EVIDENCE_KIND:
        return NextStep.NEVER
    passage = passage_of(own, original, view.recipient, at)
    if passage.rule is Onward.NONE:
        return NextStep.NEVER
    if passage.is_open:
        return NextStep.HAND_ON
    is_asked = view.consent is not None and view.consent.state is ConsentState.ASKED
    return NextStep.ANSWER if is_asked else NextStep.ASK


def _original(copy_id: str) -> Message | None:
    """As its origin wrote it, whoever handed it on to us."""
    try:
        found = message_by_id(copy_id).message
    except MessageUnknownError:
        return None
    if found is None or found.onward is None:
        return found
    return read_message(read_onward(found.onward).original)


def _purpose_of(copy_id: str) -> str:
    try:
        return message_by_id(copy_id).line.purpose
    except MessageUnknownError:
        return ""


def _have_agreement(origin: str, at: datetime) -> bool:
    us = str(settings.COMITY_ADMINISTRATION)
    in_force = (each.agreement for each in agreements(at=at) if each.state is AgreementState.IN_FORCE)
    return any({us, origin} <= set(each.parties) for each in in_force)
