"""Writes of this room: what is held, handed on, recalled, answered, retained.

Rows of Holding are locked before anything is appended to the log, in the order of their ids; so a recall and a
hand-on of one message never pass each other unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from comity.common import Actor
from comity.custody.errors import NotHeldError, RetainError
from comity.custody.models import Copy, HandOn, Holding, Recall, RecalledMessage, RecallHop
from comity.custody.notices import HoldingNotice, RecallOrder, Signed
from comity.custody.rules import (
    ANSWER_AGAIN_AFTER,
    CORRECTED,
    RECALLED,
    RETAIN_GROUNDS,
    RETENTION_ENDED,
    SEIZURE,
    Limits,
    Mode,
    Status,
    after_answer,
    after_due,
    after_recall,
)
from comity.custody.selectors import HolderView, holder_view
from comity.staff import Permission, may, require
from comity.staff.services import record_deed

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Shared:
    """A message that was posted from here: what it is, who gets it, and the limits that its article lays on it."""

    message_id: str
    holder: str
    kind: str
    agreement: str
    article: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class Arrived:
    """A copy that came here. message_id: as the origin named it; copy_id: as it came, which is the same if directly."""

    origin: str
    message_id: str
    sender: str
    copy_id: str
    kind: str
    agreement: str
    article: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class HandedOn:
    """A copy that we handed on: to whom, under which id, agreement and article, on which consent."""

    recipient: str
    copy_id: str
    agreement: str
    article: str
    consent_id: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class Settled:
    """What is to become of our own copy. must_purge: its content is to go now; the holding says so already."""

    holding: HolderView
    must_purge: bool


def require_custodian(actor: Actor) -> None:
    """Who may share may also take back, and so may who approves sharing.

    Raises: PermissionRefusedError.
    """
    if not may(actor, Permission.APPROVE_SHARING):
        require(actor, Permission.SHARE)


def note_shared(origin: str, shared: Sequence[Shared], *, at: datetime) -> None:
    """Remember who holds what was posted; what is remembered already stays as it is."""
    Holding.objects.bulk_create(
        (
            Holding(
                message_id=each.message_id,
                origin=origin,
                holder=each.holder,
                via=origin,
                kind=each.kind,
                agreement=each.agreement,
                article=each.article,
                handling=each.limits.handling,
                keep_until=each.limits.keep_until,
                since=at,
                status=Status.HELD.value,
            )
            for each in shared
        ),
        ignore_conflicts=True,
    )


@transaction.atomic
def note_arrival(holder: str, arrived: Arrived, *, at: datetime) -> HolderView:
    """Remember a copy that came here, under the stricter of its limits and those of the copies before."""
    row, _ = Holding.objects.get_or_create(
        origin=arrived.origin,
        message_id=arrived.message_id,
        holder=holder,
        defaults={
            "via": arrived.sender,
            "kind": arrived.kind,
            "agreement": arrived.agreement,
            "article": arrived.article,
            "handling": arrived.limits.handling,
            "keep_until": arrived.limits.keep_until,
            "since": at,
            "status": Status.HELD.value,
        },
    )
    row = Holding.objects.select_for_update().get(pk=row.pk)
    Copy.objects.get_or_create(
        sender=arrived.sender,
        copy_id=arrived.copy_id,
        defaults={"holding": row, "agreement": arrived.agreement, "arrived_at": at},
    )
    _tighten(row, arrived.limits)
    row.save(update_fields=["handling", "keep_until"])
    return holder_view(row)


@transaction.atomic
def lock_own(holder: str, origin: str, message_id: str, *, at: datetime) -> HolderView:
    """Our own copy, locked until the transaction ends, when it may be handed on.

    Raises: NotHeldError where there is none, or where it was recalled, purged, retained or has run out.
    """
    row = _own(holder, origin, message_id)
    if row is None or row.status != Status.HELD.value:
        raise NotHeldError(
            f"The message is {row.status if row else 'not held'} here",
            where=message_id,
            remedy="Only what is held and was not taken back is handed on.",
        )
    if row.keep_until is not None and row.keep_until <= at:
        raise NotHeldError("The message may not be kept any longer", where=message_id)
    return holder_view(row)


@transaction.atomic
def note_hand_on(actor: Actor, held: HolderView, handed: HandedOn, *, at: datetime) -> None:
    """Remember to whom a message went from here. The audit entry is that of the posting."""
    HandOn.objects.create(
        origin=held.origin,
        message_id=held.message_id,
        recipient=handed.recipient,
        copy_id=handed.copy_id,
        agreement=handed.agreement,
        article=handed.article,
        consent=handed.consent_id,
        handed_at=at,
        handed_by=str(actor)[:140],
    )
    Holding.objects.get_or_create(
        origin=held.origin,
        message_id=held.message_id,
        holder=handed.recipient,
        defaults={
            "via": actor.administration,
            "kind": held.kind,
            "agreement": handed.agreement,
            "article": handed.article,
            "handling": handed.limits.handling,
            "keep_until": handed.limits.keep_until,
            "since": at,
            "status": Status.HELD.value,
        },
    )


@transaction.atomic
def take_order(signed: Signed, *, agreement: str, holder: str, at: datetime, by: str = "") -> tuple[RecallOrder, bool]:
    """Remember a recall and mark every other holder known here as asked. Returns the order and whether it is new.

    The caller has checked that the origin signed it. Messages that have not come yet are remembered too.
    """
    order = signed.notice
    if not isinstance(order, RecallOrder):
        raise TypeError("an order is wanted")
    row, is_new = Recall.objects.get_or_create(
        origin=order.origin,
        recall_id=order.id,
        defaults={
            "agreement": agreement,
            "mode": order.mode.value,
            "ground": order.ground,
            "replacement": dict(order.replacement),
            "keep_until": order.keep_until,
            "handling": order.handling,
            "made_at": order.made_at,
            "made_by": by[:140],
            "due_at": order.due_at,
            "taken_at": at,
            "statement": signed.statement.to_bytes(),
        },
    )
    if is_new:
        RecalledMessage.objects.bulk_create(
            RecalledMessage(recall=row, origin=order.origin, message_id=name) for name in order.messages
        )
    for name in order.messages if is_new else ():
        mark_asked(order, name, holder=holder, at=at)
    return order, is_new


@transaction.atomic
def mark_asked(order: RecallOrder, message_id: str, *, holder: str, at: datetime) -> None:
    """Mark every other holder of one message as asked; also of one that was handed on meanwhile."""
    rows = Holding.objects.select_for_update().filter(origin=order.origin, message_id=message_id)
    for row in rows.exclude(holder=holder).order_by("id"):
        status = after_recall(Status(row.status), order.mode)
        is_weaker = order.mode is Mode.TIGHTEN and row.asked and row.status != Status.HELD.value
        if status is Status.PURGED or is_weaker:
            continue
        row.status, row.asked, row.asked_at, row.due_at = status.value, order.id, at, order.due_at
        if order.mode is Mode.TIGHTEN:
            _tighten(row, Limits(order.keep_until, order.handling))
        row.save(update_fields=["status", "asked", "asked_at", "due_at", "handling", "keep_until"])


def note_hop(
    order: RecallOrder, partner: str, message_id: str, agreement: str, *, is_outward: bool, at: datetime
) -> bool:
    """Remember to whom a recall went or from whom it came, and the last message that carried it.

    False where the same was told within the last hour: five hundred answers to one order are not given twice.
    """
    row = Recall.objects.get(origin=order.origin, recall_id=order.id)
    known = RecallHop.objects.filter(recall=row, partner=partner, is_outward=is_outward).first()
    is_due = known is None or at - known.at >= ANSWER_AGAIN_AFTER
    RecallHop.objects.update_or_create(
        recall=row,
        partner=partner,
        is_outward=is_outward,
        defaults={"message_id": message_id, "agreement": agreement, "at": at if known is None or is_due else known.at},
    )
    return is_due


def hops_of(order: RecallOrder, *, is_outward: bool) -> tuple[tuple[str, str, str], ...]:
    """(partner, message id, agreement) of each hop of a recall, in one direction."""
    rows = RecallHop.objects.filter(recall__origin=order.origin, recall__recall_id=order.id, is_outward=is_outward)
    return tuple(rows.order_by("id").values_list("partner", "message_id", "agreement"))


@transaction.atomic
def settle_order(
    holder: str, order: RecallOrder, message_id: str, *, is_evidence: bool, at: datetime
) -> Settled | None:
    """What a recall makes of our own copy; None where it has not come. is_evidence: a seizure rests on it."""
    row = _own(holder, order.origin, message_id)
    if row is None:
        return None
    row.asked, row.asked_at, row.due_at = order.id, at, order.due_at
    if order.mode is Mode.TIGHTEN:
        _tighten(row, Limits(order.keep_until, order.handling))
        is_past = row.keep_until is not None and row.keep_until <= at
        return _settle(row, RETENTION_ENDED if is_past else "", is_evidence=is_evidence, at=at)
    return _settle(row, CORRECTED if order.mode is Mode.CORRECT else RECALLED, is_evidence=is_evidence, at=at)


@transaction.atomic
def settle_retention(holder: str, origin: str, message_id: str, *, is_evidence: bool, at: datetime) -> Settled | None:
    """What the end of its retention makes of our own copy; None where none is known or its end has not come."""
    row = _own(holder, origin, message_id)
    if row is None:
        return None
    is_due = row.keep_until is not None and row.keep_until <= at
    was_asked = row.status == Status.RETAINED.value and bool(row.asked)
    return _settle(row, RETENTION_ENDED if is_due else RECALLED, is_evidence=is_evidence, at=at) if (
        is_due or was_asked
    ) else None  # fmt: skip


@transaction.atomic
def note_statement(held: HolderView, signed: Signed, *, salt: bytes, log_index: int, at: datetime) -> None:
    """Keep what we signed about our own copy, and where its commitment stands in our log."""
    Holding.objects.filter(origin=held.origin, message_id=held.message_id, holder=held.holder).update(
        statement=signed.statement.to_bytes(),
        told_by=held.holder,
        is_proved=True,
        answered_at=at,
        salt=salt,
        log_index=log_index,
    )


@transaction.atomic
def take_notice(signed: Signed, *, sender: str, agreement: str, is_proved: bool, at: datetime) -> bool:
    """What a partner tells of a copy. is_proved: the signature of who tells it was checked here; else it moves nothing.

    False where the very same statement is known already, or who tells it has nothing to say of that copy.
    """
    notice = signed.notice
    if not isinstance(notice, HoldingNotice):
        raise TypeError("a notice on a holding is wanted")
    is_of_another = notice.told_by != notice.holder
    if is_of_another and (notice.via or sender) == notice.origin:
        return False
    row, _ = Holding.objects.get_or_create(
        origin=notice.origin,
        message_id=notice.message,
        holder=notice.holder,
        defaults={
            "via": notice.via or sender,
            "agreement": agreement,
            "handling": notice.handling,
            "keep_until": notice.keep_until,
            "since": notice.at,
            "status": Status.HELD.value,
        },
    )
    row = Holding.objects.select_for_update().get(pk=row.pk)
    statement = signed.statement.to_bytes()
    # Who has it from the origin itself answers for itself; only who handed a copy on tells of that copy.
    if bytes(row.statement) == statement or (is_of_another and row.via == notice.origin):
        return False
    if is_proved:
        _take(row, notice, statement, at)
    elif not row.is_proved:
        row.told_by, row.statement = notice.told_by, statement
    row.save()
    return True


@transaction.atomic
def retain(
    actor: Actor, *, origin: str, message_id: str, ground: str, until: datetime | None, at: datetime
) -> HolderView:
    """An officer objects: our own copy stays on a legal ground, whatever is recalled or runs out, until a day if named.

    Raises: PermissionRefusedError, RetainError.
    """
    require_custodian(actor)
    if ground not in RETAIN_GROUNDS:
        raise RetainError(
            "This is no ground to retain", where=ground, remedy=f"Known are: {', '.join(RETAIN_GROUNDS)}."
        )
    if until is not None and until <= at:
        raise RetainError("The day has passed", where="until", remedy="Name a later one, or none.")
    row = _own(actor.administration, origin, message_id)
    if row is None or row.status == Status.PURGED.value:
        raise RetainError(
            "There is no copy here to retain", where=message_id, remedy="See `comity custody holders MESSAGE`."
        )
    row.retain_ground, row.retain_until, row.retained_by = ground, until, str(actor)[:140]
    row.save(update_fields=["retain_ground", "retain_until", "retained_by"])
    record_deed(actor, deed="retain_copy", subject=f"message:{message_id}", facts={"ground": ground}, at=at)
    return holder_view(row)


@transaction.atomic
def let_go(actor: Actor, *, origin: str, message_id: str, at: datetime) -> HolderView:
    """An officer takes the objection back; what is due to be purged is then purged.

    Raises: PermissionRefusedError, RetainError.
    """
    require_custodian(actor)
    row = _own(actor.administration, origin, message_id)
    if row is None or not row.retain_ground:
        raise RetainError("Nobody has objected to purging this copy", where=message_id)
    row.retain_ground, row.retain_until = "", None
    row.save(update_fields=["retain_ground", "retain_until"])
    record_deed(actor, deed="let_go_copy", subject=f"message:{message_id}", at=at)
    return holder_view(row)


@transaction.atomic
def mark_overdue(holder: str, *, at: datetime) -> tuple[HolderView, ...]:
    """Holders whose time to answer has passed, each once."""
    rows = Holding.objects.select_for_update().filter(status=Status.RECALLED.value, due_at__lte=at)
    late = list(rows.exclude(holder=holder).order_by("id")[:_AT_ONCE])
    for row in late:
        row.status = after_due(Status(row.status), due_at=row.due_at, at=at).value
        row.save(update_fields=["status"])
    return tuple(holder_view(row) for row in late)


def note_reminder(held: HolderView, *, at: datetime) -> None:
    """Remember when a holder was asked last."""
    rows = Holding.objects.filter(origin=held.origin, message_id=held.message_id, holder=held.holder)
    rows.update(asked_at=at)


def mark_wiped(copy_ids: Iterable[str], *, at: datetime) -> None:
    """Remember that the outbox copies of these hand-ons are gone."""
    HandOn.objects.filter(copy_id__in=list(copy_ids)).update(wiped_at=at)


def _own(holder: str, origin: str, message_id: str) -> Holding | None:
    rows = Holding.objects.select_for_update().filter(origin=origin, message_id=message_id, holder=holder)
    return rows.first()


def _settle(row: Holding, ground: str, *, is_evidence: bool, at: datetime) -> Settled:
    """ground: why it is to go; empty where only its limits were tightened."""
    is_retained = bool(row.retain_ground) and (row.retain_until is None or row.retain_until > at)
    must_purge = False
    if ground and row.status != Status.PURGED.value:
        if is_retained or is_evidence:
            row.status, row.ground = Status.RETAINED.value, row.retain_ground if is_retained else SEIZURE
        else:
            row.status, row.ground, must_purge = Status.PURGED.value, ground, True
    elif ground:
        must_purge = True  # another copy came after the first was purged
    row.answered_at = at
    row.save()
    return Settled(holder_view(row), must_purge)


def _take(row: Holding, notice: HoldingNotice, statement: bytes, at: datetime) -> None:
    before = Status(row.status)
    is_own_answer = notice.told_by == notice.holder and bool(notice.recall) and notice.recall == row.asked
    # To hold it still is an answer to a tightening alone.
    is_answer = is_own_answer and (notice.status is not Status.HELD or _is_tightening(row))
    after = after_answer(before, notice.status, is_answer=is_answer)
    _tighten(row, Limits(notice.keep_until, notice.handling))
    if notice.told_by == notice.holder and before is not Status.PURGED and (is_answer or after is notice.status):
        row.status, row.ground, row.answered_at = after.value, notice.ground, at
        row.told_by, row.is_proved, row.statement = notice.told_by, True, statement
    elif after is not before or not row.statement:
        row.status, row.told_by, row.is_proved, row.statement = after.value, notice.told_by, True, statement


def _is_tightening(row: Holding) -> bool:
    return Recall.objects.filter(origin=row.origin, recall_id=row.asked, mode=Mode.TIGHTEN.value).exists()


def _tighten(row: Holding, limits: Limits) -> None:
    tightened = Limits(row.keep_until, row.handling).tightened(limits.keep_until, limits.handling)
    row.keep_until, row.handling = tightened.keep_until, tightened.handling
