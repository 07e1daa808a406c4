"""Custody: who holds what was shared, taking it back, keeping it on a ground, handing it on, consents."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from comity.agreements import Purpose
from comity.api.fields import Code, Given, Handlings, Instant, PurposeQuery, Sentence, Word
from comity.api.guard import actor_of, needs
from comity.common import utc_now
from comity.custody import Mode, SuccessorState, selectors
from comity.custody import successors as succeeding
from comity.custody.selectors import ConsentView, HolderView, RecallView
from comity.custody.successors import SuccessorView
from comity.journeys import forget, forward, succeed
from comity.journeys.look import is_use
from comity.staff import Permission
from comity.staff.services import record_deed

router = Router(tags=["custody"])

_MOST = 200
_View = needs(Permission.VIEW_MESSAGES)


class HolderOut(Schema):
    """One administration that holds or held a message. message_id: as its origin named it."""

    message_id: str
    origin: str
    holder: str
    via: str
    status: str
    ground: str
    ground_text: str
    handling: str
    keep_until: Instant | None = None
    since: Instant
    recall_id: str
    due_at: Instant | None = None
    answered_at: Instant | None = None
    told_by: str
    is_proved: bool
    retain_ground: str
    retain_until: Instant | None = None


class Holders(Schema):
    """Everyone who holds or held a message."""

    items: list[HolderOut]


class RecallIn(Given):
    """How messages are taken back. message_ids: others beside that of the path.

    let_on: of a correction, whoever handed the old message on may hand the new one on to the same holders, unasked.
    """

    ground: Word
    mode: Literal["recall", "correct", "tighten"] = "recall"
    message_ids: list[UUID] = Field(default=[], max_length=_MOST)
    replacement: dict[str, str] = Field(default={}, max_length=_MOST)
    keep_until: Instant | None = None
    handling: Handlings | None = None
    let_on: bool = False


class RecallOut(Schema):
    """A recall and how far it has come."""

    recall_id: str
    origin: str
    mode: str
    ground: str
    messages: list[str]
    replacement: dict[str, str]
    keep_until: Instant | None = None
    handling: str
    made_at: Instant
    due_at: Instant
    sent_to: list[str]
    came_from: list[str]
    open: int
    holders: list[HolderOut]


class Recalls(Schema):
    """Recalls, the newest first."""

    items: list[RecallOut]


class RecallQuery(Given):
    """Which recalls are wanted: by this administration, or those that came from partners."""

    direction: Literal["made", "received"] = "made"
    limit: int = Field(default=50, ge=1, le=_MOST)


class RetainIn(Given):
    """The legal ground on which our copy is kept. until: left out, until it is let go."""

    ground: Word
    until: Instant | None = None


class ForwardIn(Given):
    """To whom a partner's message is handed on, and what they may use it for."""

    recipients: list[Code] = Field(..., min_length=1, max_length=50)
    purpose: Purpose
    agreement_id: Word = ""


class ForwardedOut(Schema):
    """A copy that was handed on, and to whom."""

    recipient: str
    message_id: str


class Forwarded(Schema):
    """The copies that were handed on."""

    items: list[ForwardedOut]


class SuccessorOut(Schema):
    """The message that takes the place of one that we handed on. message_id: the new one's; next: of one that is due.

    replaced, replaced_copy: the old one as its origin named it, and as it left here. why: of one put aside.
    """

    message_id: str
    origin: str
    recipient: str
    replaced: str
    replaced_copy: str
    article: str
    consent_id: str
    recall_id: str
    since: Instant
    state: Literal["due", "handed_on", "put_aside", "taken_back"]
    next: Literal["", "arrival", "hand_on", "ask", "answer", "never"]
    why: str
    ended_at: Instant | None = None


class Successors(Schema):
    """What is to be handed on in the place of what was corrected."""

    items: list[SuccessorOut]


class SuccessorQuery(Given):
    """Which are wanted: those that wait, the oldest first, or all, the newest first."""

    show: Literal["due", "all"] = "due"


class PutAsideIn(Given):
    """Who does not get the new message, and why; the audit keeps it."""

    recipient: Code
    reason: Sentence


class ConsentIn(Given):
    """To whom a message is to be handed on, and why; its owner's officer reads it."""

    recipients: list[Code] = Field(..., min_length=1, max_length=50)
    reason: Sentence


class ConsentAnswerIn(Given):
    """Until when, and to whom where to fewer than were asked for."""

    until: Instant
    recipients: list[Code] = Field(default=[], max_length=50)


class ConsentOut(Schema):
    """A consent that was asked, given or refused. reason: empty without a purpose, where a partner wrote it."""

    consent_id: str
    message_id: str
    owner: str
    asker: str
    recipients: list[str]
    reason: str
    handling: str
    state: str
    asked_at: Instant
    answered_at: Instant | None = None
    until: Instant | None = None


class Consents(Schema):
    """Consents, the newest first."""

    items: list[ConsentOut]


@router.get("/messages/{uuid:message_id}/holders", response=Holders, summary="Who holds a message", **_View)
def list_holders(request: HttpRequest, message_id: UUID) -> Holders:
    """By the id of its origin or of any copy; the latest answers are signed by whom they name."""
    return Holders(items=_holders(selectors.holders_of(str(message_id))))


@router.post(
    "/messages/{uuid:message_id}/recall",
    response={201: Recalls},
    summary="Take a message back, correct it, or tighten its limits",
    **_View,
)
def recall_message(request: HttpRequest, message_id: UUID, body: RecallIn) -> Recalls:
    """Who may share, or approve sharing, may recall. One recall for each partner and agreement among the messages."""
    ids = [str(message_id), *(str(each) for each in body.message_ids)]
    pairs = tuple(body.replacement.items())
    wish = forget.Wish(Mode(body.mode), body.ground, pairs, body.keep_until, body.handling or "", is_let_on=body.let_on)
    return _recalls(forget.recall(actor_of(request), message_ids=ids, wish=wish, at=utc_now()))


@router.get("/recalls", response=Recalls, summary="Recalls, the newest first", **_View)
def list_recalls(request: HttpRequest, query: Query[RecallQuery]) -> Recalls:
    """Made here, or received from partners, with every holder and its answer."""
    us = settings.COMITY_ADMINISTRATION
    if query.direction == "received":
        return _recalls(selectors.received_recalls(us, limit=query.limit))
    return _recalls(selectors.recalls(origin=us, limit=query.limit))


@router.get("/holders/overdue", response=Holders, summary="Holders that have not answered in time", **_View)
def list_overdue(request: HttpRequest) -> Holders:
    """The longest overdue first."""
    return Holders(items=_holders(selectors.overdue()))


@router.post("/messages/{uuid:message_id}/retain", response=HolderOut, summary="Keep our copy on a ground", **_View)
def retain_message(request: HttpRequest, message_id: UUID, body: RetainIn) -> HolderOut:
    """Whatever is recalled or runs out. Who may share, or approve sharing, may object."""
    held = forget.retain(
        actor_of(request), message_id=str(message_id), ground=body.ground, until=body.until, at=utc_now()
    )
    return _holder(held)


@router.post("/messages/{uuid:message_id}/let-go", response=HolderOut, summary="Keep our copy no longer", **_View)
def let_go_message(request: HttpRequest, message_id: UUID) -> HolderOut:
    """What should have gone goes with the next turn of the retention."""
    return _holder(forget.let_go(actor_of(request), message_id=str(message_id), at=utc_now()))


@router.post(
    "/messages/{uuid:message_id}/forward",
    response={201: Forwarded},
    summary="Hand a partner's message on",
    **needs(Permission.SHARE),
)
def forward_message(request: HttpRequest, message_id: UUID, body: ForwardIn) -> Forwarded:
    """As it is, with the proof of its origin; 409 `consent_missing` where the article asks for its consent first."""
    to = forward.HandingOn(tuple(body.recipients), body.purpose.value, body.agreement_id or None)
    copies = forward.forward(actor_of(request), message_id=str(message_id), to=to, at=utc_now())
    return Forwarded(items=[ForwardedOut(recipient=recipient, message_id=copy) for recipient, copy in copies])


@router.get("/successors", response=Successors, summary="What is to be handed on after a correction", **_View)
def list_successors(request: HttpRequest, query: Query[SuccessorQuery]) -> Successors:
    """A partner corrected what we had handed on: whoever got the old message from us is to get the new one."""
    found = succeeding.successors() if query.show == "all" else succeeding.due()
    return Successors(items=[_successor(each) for each in found])


@router.post(
    "/messages/{uuid:message_id}/put-aside",
    response=SuccessorOut,
    summary="Do not hand the new message on to who had the old one",
    **_View,
)
def put_aside(request: HttpRequest, message_id: UUID, body: PutAsideIn) -> SuccessorOut:
    """Nobody is reminded of it again. Who may share, or approve sharing, may put aside."""
    done = succeeding.put_aside(
        actor_of(request), message_id=str(message_id), recipient=body.recipient, why=body.reason, at=utc_now()
    )
    return _successor(done)


@router.get("/consents", response=Consents, summary="Consents to hand messages on", **_View)
def list_consents(request: HttpRequest, query: Query[PurposeQuery]) -> Consents:
    """Asked of us and by us. What a partner gave as its reason is shown for a purpose only."""
    actor = actor_of(request)
    is_shown = is_use(actor, (), query.purpose)
    found = selectors.consents()
    if is_shown:
        record_deed(actor, deed="view_consents", subject="consents", facts={"purpose": query.purpose}, at=utc_now())
    items = [
        each if is_shown or each.asker == settings.COMITY_ADMINISTRATION else replace(each, reason="") for each in found
    ]
    return Consents(items=[_consent(each) for each in items])


@router.post(
    "/messages/{uuid:message_id}/consents",
    response={201: ConsentOut},
    summary="Ask the owner of a message for its consent to hand it on",
    **needs(Permission.SHARE),
)
def ask_consent(request: HttpRequest, message_id: UUID, body: ConsentIn) -> ConsentOut:
    """An officer of the owner answers."""
    recipients = tuple(dict.fromkeys(body.recipients))
    asked = forward.ask_consent(
        actor_of(request), message_id=str(message_id), recipients=recipients, reason=body.reason, at=utc_now()
    )
    return _consent(asked)


@router.post("/consents/{uuid:consent_id}/give", response=ConsentOut, summary="Give a consent", **_View)
def give_consent(request: HttpRequest, consent_id: UUID, body: ConsentAnswerIn) -> ConsentOut:
    """From the level restricted upwards it takes who may approve sharing."""
    given = forward.give_consent(
        actor_of(request), consent_id=str(consent_id), until=body.until, recipients=body.recipients, at=utc_now()
    )
    return _consent(given)


@router.post("/consents/{uuid:consent_id}/refuse", response=ConsentOut, summary="Refuse a consent", **_View)
def refuse_consent(request: HttpRequest, consent_id: UUID) -> ConsentOut:
    """The partner is told, signed."""
    return _consent(forward.refuse_consent(actor_of(request), consent_id=str(consent_id), at=utc_now()))


def _holder(view: HolderView) -> HolderOut:
    return HolderOut.model_validate(view, from_attributes=True)


def _holders(views: Iterable[HolderView]) -> list[HolderOut]:
    return [_holder(each) for each in views]


def _successor(view: SuccessorView) -> SuccessorOut:
    is_due = view.state is SuccessorState.DUE
    return SuccessorOut(
        message_id=view.message_id,
        origin=view.origin,
        recipient=view.recipient,
        replaced=view.handed.message_id,
        replaced_copy=view.handed.copy_id,
        article=view.handed.article,
        consent_id=view.handed.consent_id,
        recall_id=view.recall_id,
        since=view.since,
        state=view.state.value,
        next=succeed.reminder_of(view, utc_now()).step.value if is_due else "",
        why=view.why,
        ended_at=view.ended_at,
    )


def _recalls(views: Iterable[RecallView]) -> Recalls:
    return Recalls(
        items=[
            RecallOut(
                recall_id=each.recall_id,
                origin=each.origin,
                mode=each.mode.value,
                ground=each.ground,
                messages=list(each.messages),
                replacement=each.replacement,
                keep_until=each.keep_until,
                handling=each.handling,
                made_at=each.made_at,
                due_at=each.due_at,
                sent_to=list(each.sent_to),
                came_from=list(each.came_from),
                open=each.count_open,
                holders=_holders(each.holders),
            )
            for each in views
        ]
    )


def _consent(view: ConsentView) -> ConsentOut:
    return ConsentOut.model_validate(view, from_attributes=True)
