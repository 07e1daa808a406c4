"""Checks after release: documents of goods that have left, each with a day by which it is due.

WCO Revised Kyoto Convention, general annex, standard 6.6: control systems include audit-based controls; TFA 7.5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Min, Q, QuerySet

from comity.common import Actor, Reason
from comity.enforcement.errors import InspectionError
from comity.enforcement.models import InspectionRow
from comity.enforcement.rules import InspectionState
from comity.enforcement.selectors import inspection_of
from comity.enforcement.services import audit, locked, ordered
from comity.enforcement.values import Inspection
from comity.intake.selectors import record as stored_record
from comity.staff import Permission, require

PAGE_SIZE = 50
# Who looks at the coming days sees this many of them as soon.
SOON = timedelta(days=7)
_REASON_CHARS = 400
_OPEN = (InspectionState.ORDERED.value, InspectionState.STARTED.value)


@dataclass(frozen=True, slots=True)
class CheckFilter:
    """Which checks are wanted; what is empty does not narrow. due_before: open ones that were due before this day.

    page: from 1.
    """

    states: tuple[InspectionState, ...] = (InspectionState.ORDERED, InspectionState.STARTED)
    office: str = ""
    assigned_to: str = ""
    is_unassigned: bool = False
    due_before: date | None = None
    page: int = 1
    page_size: int = PAGE_SIZE


@dataclass(frozen=True, slots=True)
class CheckPage:
    """A page of checks: those that are due first on top."""

    rows: tuple[Inspection, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class CheckCount:
    """What stands open at an office; empty: at all of them together. soon: due within seven days, today included."""

    office: str
    open: int
    overdue: int
    soon: int
    unassigned: int
    first_due_on: date | None


@transaction.atomic
def order_check(actor: Actor, *, record_id: UUID, reasons: Sequence[Reason], due_on: date, at: datetime) -> Inspection:
    """Order the check of the documents of goods that have left. reasons: why; the code of each is its source.

    Raises: PermissionRefusedError, RecordNotFoundError, InspectionError.
    """
    require(actor, Permission.DECIDE_CONSIGNMENT)
    record = stored_record(record_id)
    office = record.content.office[:100]
    row = ordered(actor, record, reasons, at, is_after_release=True, office=office, due_on=due_on)
    audit(actor, "order_check", row.reference, at, record=str(record_id), due=str(due_on))
    return inspection_of(row)


@transaction.atomic
def assign_checks(actor: Actor, *, inspection_ids: Sequence[UUID], officer: str, at: datetime) -> int:
    """Give open checks to an officer, or to nobody where `officer` is empty. Returns how many changed.

    Raises: PermissionRefusedError.
    """
    require(actor, Permission.DECIDE_CONSIGNMENT)
    rows = InspectionRow.objects.filter(
        inspection_id__in=list(inspection_ids), is_after_release=True, state__in=_OPEN
    ).exclude(assigned_to=officer)
    found = list(rows.select_for_update().order_by("inspection_id"))
    for row in found:
        audit(actor, "assign_check", row.reference, at, officer=officer or "nobody", was=row.assigned_to)
    InspectionRow.objects.filter(pk__in=[row.pk for row in found]).update(assigned_to=officer[:100])
    return len(found)


@transaction.atomic
def drop_check(actor: Actor, *, inspection_id: UUID, reason: str, at: datetime) -> Inspection:
    """Give up a check that is open, with the reason; what it cost of the capacity stays spent.

    Raises: PermissionRefusedError, InspectionError.
    """
    require(actor, Permission.DECIDE_CONSIGNMENT)
    row = _open_check(inspection_id)
    words = reason.strip()[:_REASON_CHARS]
    if not words:
        raise InspectionError("A check is dropped with a reason", where=row.reference, remedy="Say why.")
    return _drop(actor, row, words, at)


def free_checks(office: str, since: datetime) -> dict[UUID, UUID]:
    """The checks of an office that were ordered since then and that nobody has taken up: record -> inspection."""
    rows = _free().filter(office=office, ordered_at__gte=since)
    return dict(rows.order_by("ordered_at").values_list("record_id", "inspection_id"))


def hold_free_check(inspection_id: UUID) -> bool:
    """Keep officers from taking up a check until the transaction ends. False where one was quicker."""
    return _free().select_for_update().filter(inspection_id=inspection_id).first() is not None


def checks(wanted: CheckFilter) -> CheckPage:
    """Checks after release, those that are due first on top."""
    rows = InspectionRow.objects.filter(_asked(wanted), is_after_release=True)
    total = rows.count()
    pages = max(1, math.ceil(total / wanted.page_size))
    page = min(max(1, wanted.page), pages)
    shown = rows.order_by("due_on", "ordered_at", "reference")[(page - 1) * wanted.page_size : page * wanted.page_size]
    return CheckPage(tuple(inspection_of(row) for row in shown), total, page, pages)


def open_checks_of(record_ids: Iterable[UUID]) -> dict[UUID, Inspection]:
    """The open checks of these records, by record."""
    rows = _open_checks().filter(record_id__in=list(record_ids))
    return {row.record_id: inspection_of(row) for row in rows}


def check_counts(today: date) -> tuple[CheckCount, ...]:
    """What stands open: of all offices together first, then of each; that first one is always there."""
    figures = {
        "open": Count("pk"),
        "overdue": Count("pk", filter=Q(due_on__lt=today)),
        "soon": Count("pk", filter=Q(due_on__gte=today, due_on__lte=today + SOON)),
        "unassigned": Count("pk", filter=Q(assigned_to="")),
        "first_due_on": Min("due_on"),
    }
    by_office = _open_checks().order_by().values("office").annotate(**figures).order_by("office")
    found: dict[str, Any] = _open_checks().aggregate(**figures)
    return (
        CheckCount(office="", **found),
        *(CheckCount(**row) for row in cast(Iterable[dict[str, Any]], by_office) if row["office"]),
    )


def _drop(actor: Actor, row: InspectionRow, words: str, at: datetime) -> Inspection:
    row.state, row.dropped_because = InspectionState.DROPPED.value, words
    row.completed_by, row.completed_at = str(actor), at
    row.save(update_fields=["state", "dropped_because", "completed_by", "completed_at"])
    audit(actor, "drop_check", row.reference, at, reason=words[:200])
    return inspection_of(row)


def _open_check(inspection_id: UUID) -> InspectionRow:
    row = locked(inspection_id)
    if not row.is_after_release:
        raise InspectionError(
            "Only a check after release can be dropped", where=row.reference, remedy="Record what the inspection found."
        )
    if row.state not in _OPEN:
        raise InspectionError(f"This check is {row.state} already", where=row.reference)
    return row


def _free() -> QuerySet[InspectionRow]:
    return InspectionRow.objects.filter(is_after_release=True, state=InspectionState.ORDERED.value, assigned_to="")


def _open_checks() -> QuerySet[InspectionRow]:
    return InspectionRow.objects.filter(is_after_release=True, state__in=_OPEN)


def _asked(wanted: CheckFilter) -> Q:
    asked = Q(state__in=[state.value for state in wanted.states]) if wanted.states else Q()
    if wanted.office:
        asked &= Q(office=wanted.office)
    if wanted.is_unassigned or wanted.assigned_to:
        asked &= Q(assigned_to="" if wanted.is_unassigned else wanted.assigned_to)
    if wanted.due_before is not None:
        asked &= Q(due_on__lt=wanted.due_before, state__in=_OPEN)
    return asked
