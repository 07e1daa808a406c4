"""Writes: reminders of what is owed, and that an officer took note."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from comity.agreements.obligations import Level, Owed
from comity.common import Actor
from comity.insight.errors import ReminderUnknownError
from comity.insight.models import Reminder
from comity.insight.selectors import ReminderView, obligations, reminder_view
from comity.staff import Permission, require
from comity.staff.services import record_deed


@transaction.atomic
def remind_due(at: datetime) -> int:
    """Remind of what is owed soon or overdue, once for each level of escalation; close what is no longer owed.

    Returns how many reminders are new. A level that was jumped over, since the node stood still, is not made up for.
    """
    pressing = [each for each in obligations(at=at, is_open=True) if each.level > Level.NONE]
    Reminder.objects.filter(settled_at=None).exclude(key__in=[each.key for each in pressing]).update(settled_at=at)
    known = set(Reminder.objects.filter(key__in=[each.key for each in pressing]).values_list("key", "level"))
    new = [each for each in pressing if (each.key, int(each.level)) not in known]
    for each in new:
        Reminder.objects.filter(settled_at=None, key=each.key, level__lt=each.level).update(settled_at=at)
    Reminder.objects.bulk_create([_row(each, at) for each in new])
    return len(new)


@transaction.atomic
def acknowledge(actor: Actor, *, reminder_id: int, at: datetime) -> ReminderView:
    """An officer takes note of a reminder; the next level of escalation comes all the same.

    Raises: PermissionRefusedError, ReminderUnknownError.
    """
    require(actor, Permission.VIEW_MESSAGES)
    row = Reminder.objects.select_for_update().filter(pk=reminder_id).first()
    if row is None:
        raise ReminderUnknownError(
            "There is no such reminder", where=str(reminder_id), remedy="See `comity obligations`."
        )
    if row.seen_at is None:
        row.seen_by, row.seen_at = actor.id[:140], at
        row.save(update_fields=["seen_by", "seen_at"])
        record_deed(actor, deed="acknowledge_reminder", subject=row.key, facts={"level": str(row.level)}, at=at)
    return reminder_view(row)


def _row(owed: Owed, at: datetime) -> Reminder:
    return Reminder(
        key=owed.key,
        agreement_id=owed.agreement_id,
        obligation=owed.obligation.id,
        what=owed.obligation.what.value,
        owed_by=owed.by,
        owed_to=owed.to,
        ref=owed.ref,
        level=int(owed.level),
        due_at=owed.due_at or owed.since,
        told_at=at,
    )
