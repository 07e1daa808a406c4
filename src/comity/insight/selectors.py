"""Reads: what is owed, reminders, the reciprocity ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from comity.agreements.obligations import Level, Owed, owed_under
from comity.agreements.selectors import AgreementState, agreements
from comity.insight.gathering import case_facts, fulfilments, occurrences, sent_messages
from comity.insight.models import Reminder
from comity.insight.reciprocity import Between, Ledger, reciprocity


@dataclass(frozen=True, slots=True)
class ReminderView:
    """A notice that something is owed. is_ours: by us; else to us. settled_at: when it was no longer owed."""

    id: int
    agreement_id: str
    obligation: str
    what: str
    owed_by: str
    owed_to: str
    ref: str
    level: Level
    due_at: datetime
    told_at: datetime
    settled_at: datetime | None
    seen_by: str
    seen_at: datetime | None
    is_ours: bool


def obligations(*, at: datetime, partner: str = "", is_open: bool = False) -> tuple[Owed, ...]:
    """What we owe and what is owed to us under agreements in force, what is due first before the rest.

    partner: with this one only. is_open: only what was not done yet.
    """
    us = str(settings.COMITY_ADMINISTRATION)
    found: list[Owed] = []
    for stored in agreements(at=at):
        if stored.state is not AgreementState.IN_FORCE or not stored.agreement.obligations:
            continue
        facts = case_facts(at=at, agreement=stored.id)
        happened = occurrences(stored.id, facts)
        found += owed_under(stored.agreement, occurrences=happened, fulfilments=fulfilments(facts), at=at)
    ours = [each for each in found if us in (each.by, each.to) and partner in ("", each.by, each.to)]
    wanted = [each for each in ours if each.state.is_open or not is_open]
    return tuple(sorted(wanted, key=lambda each: (not each.state.is_open, each.due_at or each.since, each.key)))


def reminders(*, is_open: bool = True, limit: int = 500) -> tuple[ReminderView, ...]:
    """Reminders, what escalated furthest first. is_open: only of what is still owed and that nobody has seen."""
    rows = Reminder.objects.filter(settled_at=None, seen_at=None) if is_open else Reminder.objects.all()
    return tuple(reminder_view(row) for row in rows.order_by("-level", "due_at", "id")[:limit])


def ledger_with(partner: str, *, since: datetime, until: datetime) -> Ledger:
    """The reciprocity between us and a partner: what was asked and given from a moment until another."""
    between = Between(str(settings.COMITY_ADMINISTRATION), partner, since, until)
    return reciprocity(between, case_facts(at=until), sent_messages(partner))


def reminder_view(row: Reminder) -> ReminderView:
    """The value of a row."""
    return ReminderView(
        id=row.pk,
        agreement_id=row.agreement_id,
        obligation=row.obligation,
        what=row.what,
        owed_by=row.owed_by,
        owed_to=row.owed_to,
        ref=row.ref,
        level=Level(row.level),
        due_at=row.due_at,
        told_at=row.told_at,
        settled_at=row.settled_at,
        seen_by=row.seen_by,
        seen_at=row.seen_at,
        is_ours=row.owed_by == str(settings.COMITY_ADMINISTRATION),
    )
