"""How long goods wait from arrival to release, by lane and office; and which may leave without anybody looking."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from comity.common import Actor
from comity.risk.controls import ControlKind
from comity.risk.models import Assessment, Selection
from comity.risk.rules import Cause, Lane, TargetState
from comity.risk.writing import lock_queue
from comity.staff import Permission, require
from comity.staff.services import record_deed

# What is decided in one turn; the rest waits for the next.
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ReleaseTime:
    """How long goods of a lane at an office waited: half of them, and nine in ten, not longer than this."""

    lane: Lane
    office: str
    released: int
    median: timedelta
    p90: timedelta


def release_times(since: datetime) -> list[ReleaseTime]:
    """Of what was released since then, by lane and office; an empty office stands for all of a lane together."""
    rows = Selection.objects.filter(released_at__gte=since)
    found: dict[tuple[str, str], list[timedelta]] = {}
    for lane, office, received_at, released_at in rows.values_list(
        "assessment__lane", "office", "received_at", "released_at"
    ).iterator(chunk_size=5_000):
        if released_at is None:
            continue
        waited = released_at - received_at
        found.setdefault((lane, ""), []).append(waited)
        if office:
            found.setdefault((lane, office), []).append(waited)
    order = list(Lane)
    keys = sorted(found, key=lambda key: (order.index(Lane(key[0])), key[1]))
    return [summed(Lane(lane), office, found[lane, office]) for lane, office in keys]


def summed(lane: Lane, office: str, waited: Iterable[timedelta]) -> ReleaseTime:
    """The median and the ninth decile of at least one time, by nearest rank."""
    every = sorted(waited)
    return ReleaseTime(lane, office, len(every), _ranked(every, 0.5), _ranked(every, 0.9))


def may_leave(at: datetime, *, delay: timedelta, record_ids: Sequence[UUID] | None = None) -> list[UUID]:
    """Goods in the green and blue lanes that chance was asked about and did not select, and those of the blue lane that
    were selected for their documents: these are checked afterwards. Of the oldest the highest scores first.
    """
    is_passed_over = Q(state=TargetState.NEW.value, draw__isnull=False)
    is_for_later = Q(
        state=TargetState.SELECTED.value,
        assessment__lane=Lane.BLUE.value,
        cause__in=[Cause.RISK.value, Cause.LEARNING.value],
        control=ControlKind.DOCUMENTS.value,
    )
    rows = Selection.objects.filter(
        is_passed_over | is_for_later,
        assessment__lane__in=[Lane.GREEN.value, Lane.BLUE.value],
        assessment__is_mandatory=False,
        assigned_to="",
        received_at__lte=at - delay,
    )
    if record_ids is not None:
        rows = rows.filter(record_id__in=list(record_ids))
    oldest = rows.order_by("received_at", "record_id").values_list("record_id", "assessment__score")[:AT_ONCE]
    # Checks after release are given one by one: who is worth most is asked first.
    return [record_id for record_id, _ in sorted(oldest, key=lambda each: -each[1])]


def not_asked(older_than: datetime) -> list[UUID]:
    """Goods in the blue lane that chance was not asked about, since they were selected for papers that nobody read."""
    rows = Selection.objects.filter(
        state=TargetState.NEW.value, assessment__lane=Lane.BLUE.value, draw__isnull=True, received_at__lt=older_than
    )
    return list(rows.order_by("received_at", "record_id").values_list("record_id", flat=True)[:AT_ONCE])


@transaction.atomic
def turn_blue(actor: Actor, *, older_than: datetime, at: datetime) -> int:
    """Let papers that nobody took up in time be checked after release. Returns how many.

    What is mandatory, what chance selected, and what an officer asked for or was given stays where it is.
    Raises: PermissionRefusedError.
    """
    require(actor, Permission.ASSESS)
    waiting = Selection.objects.filter(
        state__in=[TargetState.NEW.value, TargetState.SELECTED.value],
        cause__in=[Cause.NONE.value, Cause.RISK.value, Cause.LEARNING.value],
        control__in=["", ControlKind.DOCUMENTS.value],
        assessment__lane=Lane.YELLOW.value,
        assessment__is_mandatory=False,
        assigned_to="",
        received_at__lt=older_than,
    )
    ids = list(waiting.order_by("received_at").values_list("record_id", flat=True)[:AT_ONCE])
    # Looked at again under the lock: an officer may have taken one up meanwhile.
    rows = [row for row in lock_queue(Selection.objects.filter(record_id__in=ids)) if _still_waits(row)]
    Assessment.objects.filter(id__in=[row.assessment_id for row in rows]).update(lane=Lane.BLUE.value)
    changed = Selection.objects.filter(id__in=[row.pk for row in rows])
    changed.update(state=TargetState.NEW.value, cause="", quota="", control="", changed_at=at)
    for row in rows:
        facts = {"from": Lane.YELLOW.value, "to": Lane.BLUE.value}
        record_deed(actor, deed="turn_blue", subject=f"record:{row.record_id}", facts=facts, at=at)
    return len(rows)


def _still_waits(row: Selection) -> bool:
    is_open = row.state in (TargetState.NEW, TargetState.SELECTED) and not row.assigned_to
    return is_open and row.assessment.lane == Lane.YELLOW and not row.assessment.is_mandatory


def _ranked(every: Sequence[timedelta], share: float) -> timedelta:
    return every[max(0, math.ceil(share * len(every)) - 1)]
