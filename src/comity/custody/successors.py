"""A partner corrects what we handed on: whoever got the old message from us is to get the new one. Writes and reads.

The order names the new message; it may come before the new message does, and after a later order that takes the new one
back again. So a successor is always the last of a row of corrections, as far as orders are known here.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from comity.common import Actor
from comity.custody.errors import ForwardError
from comity.custody.models import Consent, HandOn, Holding, Recall, Successor
from comity.custody.notices import RecallOrder
from comity.custody.rules import ConsentState, Mode, Status, SuccessorState
from comity.custody.selectors import ConsentView, HandOnView, HolderView, consent_view, hand_on_view, holder_view
from comity.custody.services import require_custodian
from comity.staff.services import record_deed

_OPEN = (SuccessorState.DUE.value, SuccessorState.PUT_ASIDE.value)
_LONGEST_WHY = 500


@dataclass(frozen=True, slots=True)
class SuccessorView:
    """A message that takes the place of one that we handed on. message_id: of the new one, as its origin named it.

    handed: the old one: to whom, under which article, on which consent. own: our copy of the new one; None where it has
    not come. consent: the newest question to its origin for this recipient, or its answer.
    """

    origin: str
    message_id: str
    recipient: str
    handed: HandOnView
    recall_id: str
    since: datetime
    state: SuccessorState
    why: str
    ended_at: datetime | None
    ended_by: str
    own: HolderView | None
    consent: ConsentView | None


@dataclass(frozen=True, slots=True)
class Replacement:
    """What takes the place of a message that its origin corrected. own: our copy of it; None where it has not come."""

    message_id: str
    own: HolderView | None


@transaction.atomic
def follow_order(order: RecallOrder, *, refused: Collection[str], at: datetime) -> None:
    """What a recall or a correction makes of what is to be handed on again. The same order again changes nothing.

    refused: the copies that their recipients never took; who never had the old one needs no new one.
    """
    if not order.mode.is_purging:
        return
    named = Q(origin=order.origin, message_id__in=order.messages)
    ended = list(Successor.objects.select_for_update().filter(named, state__in=_OPEN).order_by("id"))
    for row in ended:
        row.state, row.ended_at = SuccessorState.TAKEN_BACK.value, at
        row.save(update_fields=["state", "ended_at"])
    handed = [(row.message_id, row.handed) for row in ended]
    handed += [
        (row.message_id, row) for row in HandOn.objects.filter(named).exclude(copy_id__in=refused).order_by("id")
    ]
    for name, old in handed:
        _owe(order, name, old, at)


def note_handed_on(actor: Actor, held: HolderView, recipient: str, *, at: datetime) -> None:
    """The new one went to whom had the old one: nobody is reminded any longer."""
    rows = Successor.objects.filter(origin=held.origin, message_id=held.message_id, recipient=recipient)
    rows.filter(state__in=_OPEN).update(
        state=SuccessorState.HANDED_ON.value, ended_at=at, ended_by=str(actor)[:140], why=""
    )


@transaction.atomic
def put_aside(actor: Actor, *, message_id: str, recipient: str, why: str, at: datetime) -> SuccessorView:
    """An officer says why the new message does not go to whom had the old one; nobody is reminded of it any longer.

    message_id: the new one's or the old one's, as the origin named it or as the copy came or went.
    Raises: PermissionRefusedError, ForwardError where nothing is to be handed on to them, or no reason is given.
    """
    require_custodian(actor)
    said = " ".join(why.split())
    if not said or len(said) > _LONGEST_WHY:
        raise ForwardError(
            "Say why it is not handed on",
            where="reason",
            remedy=f"Write one sentence, of {_LONGEST_WHY} letters at most; the audit keeps it.",
        )
    rows = Successor.objects.select_for_update().filter(_named(message_id), recipient=recipient)
    row = rows.filter(state=SuccessorState.DUE.value).first()
    if row is None:
        raise ForwardError(
            f"Nothing waits to be handed on to {recipient} in the place of this message",
            where=message_id,
            remedy="See `comity custody successors` for what waits.",
        )
    row.state, row.why = SuccessorState.PUT_ASIDE.value, said
    row.ended_at, row.ended_by = at, str(actor)[:140]
    row.save()
    facts = {"recipient": recipient, "reason": said, "origin": row.origin}
    record_deed(actor, deed="put_successor_aside", subject=f"message:{row.message_id}", facts=facts, at=at)
    return _views([row])[0]


def due(*, limit: int = 200) -> tuple[SuccessorView, ...]:
    """What is to be handed on again, the oldest first; also what has not come yet, but nothing that is gone again."""
    return _views(_due().select_related("handed").order_by("since", "id")[:limit])


def due_count() -> int:
    """How many could be handed on now: they are here."""
    return _due().filter(Exists(_own(Status.HELD.value))).count()


def successors(*, limit: int = 200) -> tuple[SuccessorView, ...]:
    """All of them, whatever became of them, the newest first."""
    return _views(Successor.objects.select_related("handed").order_by("-since", "-id")[:limit])


def successors_named(message_id: str) -> tuple[SuccessorView, ...]:
    """Those of one message by any of its ids: as its origin named it, as its copy came, or as it left here."""
    rows = Successor.objects.filter(_named(message_id)).select_related("handed")
    return _views(rows.order_by("since", "id").distinct())


def replacement_of(origin: str, message_id: str, *, holder: str) -> Replacement | None:
    """What takes the place of a message after its last correction; None where nothing does."""
    name = _standing(origin, message_id)
    if name in ("", message_id):
        return None
    row = Holding.objects.filter(origin=origin, message_id=name, holder=holder).first()
    return Replacement(name, holder_view(row) if row else None)


def _owe(order: RecallOrder, name: str, old: HandOn, at: datetime) -> None:
    """The row for whoever has the old message from us, under the name that stands at the end of all corrections."""
    standing = _standing(order.origin, name)
    if standing in ("", name):
        return
    is_there = HandOn.objects.filter(origin=order.origin, message_id=standing, recipient=old.recipient).exists()
    Successor.objects.get_or_create(
        origin=order.origin,
        message_id=standing,
        recipient=old.recipient,
        defaults={
            "handed": old,
            "recall_id": order.id,
            "since": at,
            "state": (SuccessorState.HANDED_ON if is_there else SuccessorState.DUE).value,
        },
    )


def _standing(origin: str, name: str) -> str:
    """The message that stands at the end of a row of corrections; itself where it was not taken back, else nothing."""
    seen: set[str] = set()
    while name and name not in seen:
        seen.add(name)
        orders = Recall.objects.filter(origin=origin, named__message_id=name).exclude(mode=Mode.TIGHTEN.value)
        found = list(orders.order_by("made_at", "id"))
        if not found:
            return name
        if any(each.mode == Mode.RECALL.value for each in found):
            return ""
        name = str(found[-1].replacement.get(name, ""))
    return ""


def _due() -> QuerySet[Successor]:
    """Those that wait, but for those whose message was here and is gone, or is kept although it should be gone."""
    gone = _own().exclude(status=Status.HELD.value)
    return Successor.objects.filter(~Exists(gone), state=SuccessorState.DUE.value)


def _own(*states: str) -> QuerySet[Holding]:
    """Our own copy of the new message: the one that came here."""
    rows = Holding.objects.filter(origin=OuterRef("origin"), message_id=OuterRef("message_id"), copies__isnull=False)
    return rows.filter(status__in=states) if states else rows


def _named(message_id: str) -> Q:
    return (
        Q(message_id=message_id)
        | Q(handed__message_id=message_id)
        | Q(handed__copy_id=message_id)
        | Q(message_id__in=_names_of(message_id))
        | Q(handed__message_id__in=_names_of(message_id))
    )


def _names_of(copy_id: str) -> QuerySet[Holding, str]:
    return Holding.objects.filter(copies__copy_id=copy_id).values_list("message_id", flat=True)


def _views(rows: Collection[Successor] | QuerySet[Successor]) -> tuple[SuccessorView, ...]:
    listed = list(rows)
    names = {row.message_id for row in listed}
    held = Holding.objects.filter(message_id__in=names, copies__isnull=False).distinct()
    own = {(row.origin, row.message_id): holder_view(row) for row in held}
    asked = list(Consent.objects.filter(message_id__in=names).order_by("-asked_at", "-id"))
    return tuple(
        SuccessorView(
            origin=row.origin,
            message_id=row.message_id,
            recipient=row.recipient,
            handed=hand_on_view(row.handed),
            recall_id=row.recall_id,
            since=row.since,
            state=SuccessorState(row.state),
            why=row.why,
            ended_at=row.ended_at,
            ended_by=row.ended_by,
            own=own.get((row.origin, row.message_id)),
            consent=_consent_for(row, asked),
        )
        for row in listed
    )


def _consent_for(row: Successor, asked: Collection[Consent]) -> ConsentView | None:
    """One that was given counts before a question, and that before a refusal; the newest of each."""
    known = [each for each in asked if (each.owner, each.message_id) == (row.origin, row.message_id)]
    mine = [each for each in known if row.recipient in each.recipients]
    order = (ConsentState.GIVEN.value, ConsentState.ASKED.value, ConsentState.REFUSED.value)
    found = min(mine, key=lambda each: order.index(each.state), default=None)
    return consent_view(found) if found else None
