"""An officer's judgement against a lane: raised or lowered with a reason, counted, and compared with what was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from comity.common import Actor
from comity.risk.budgets import write_uses
from comity.risk.controls import control_of
from comity.risk.errors import SelectionError
from comity.risk.models import LaneOverride, Selection
from comity.risk.rules import Cause, Lane, SourceKind, TargetState, is_lower
from comity.risk.spending import add_reasons, bare_reason
from comity.risk.terms import lock_terms
from comity.risk.today import local_day
from comity.risk.writing import lock_records
from comity.staff import Permission, SecondOfficerNeededError, require
from comity.staff.services import record_deed

REASON_CHARS = 400
_CONTROLLED = frozenset({Lane.RED, Lane.ORANGE, Lane.YELLOW})


@dataclass(frozen=True, slots=True)
class LaneChange:
    """The lane that an officer wants, and why. proposed_by: who asked for it, where another officer approved it."""

    lane: Lane
    reason: str
    proposed_by: str = ""


@dataclass(frozen=True, slots=True)
class OverrideCount:
    """How many lanes were changed in one direction, how many of those goods were controlled, and what was found."""

    is_raise: bool
    changes: int
    controlled: int
    irregular: int


@dataclass(frozen=True, slots=True)
class Overridden:
    """One change of a lane. result: what a control then found, irregular or in_order; empty: there was none."""

    from_lane: Lane
    to_lane: Lane
    is_raise: bool
    was_mandatory: bool
    reason: str
    by: str
    approved_by: str
    at: datetime
    result: str


@transaction.atomic
def override_lane(actor: Actor, *, record_id: UUID, change: LaneChange, at: datetime) -> Overridden:
    """Put a record into another lane. A higher one selects it; a lower one takes it from those selected.

    A raise holds when the record is assessed again; a lowering holds for the reasons that the officer saw.
    Raises: PermissionRefusedError, SelectionError; SecondOfficerNeededError where a control is mandatory.
    """
    require(actor, Permission.DECIDE_CONSIGNMENT)
    row = lock_records([record_id]).get(record_id)
    if row is None:
        raise SelectionError("The record was not assessed yet", where=str(record_id))
    words, before = _checked(row, change), Lane(row.assessment.lane)
    is_lowering = is_lower(change.lane, before)
    if is_lowering and row.assessment.is_mandatory and not change.proposed_by:
        raise SecondOfficerNeededError(
            "This control is mandatory: two officers lower it", where=row.reference, remedy="Propose it."
        )
    made = LaneOverride.objects.create(
        record_id=record_id,
        assessment_number=row.assessment.number,
        from_lane=before.value,
        to_lane=change.lane.value,
        is_raise=not is_lowering,
        was_mandatory=row.assessment.is_mandatory,
        reason=words,
        by=change.proposed_by or str(actor),
        approved_by=str(actor) if change.proposed_by else "",
        at=at,
    )
    (_lower if is_lowering else _raise)(row, made)
    facts = {"from": before.value, "to": change.lane.value, "reason": words[:200]}
    facts |= {"proposed_by": change.proposed_by} if change.proposed_by else {}
    record_deed(actor, deed="override_lane", subject=f"record:{record_id}", facts=facts, at=at)
    return overridden_of(made)


def needs_second_officer(record_id: UUID, lane: Lane) -> bool:
    """Whether a record may be put into this lane by two officers only."""
    row = Selection.objects.select_related("assessment").filter(record_id=record_id).first()
    return row is not None and row.assessment.is_mandatory and is_lower(lane, Lane(row.assessment.lane))


def overrides_of(record_id: UUID) -> list[Overridden]:
    """The changes of a record's lane, the latest first."""
    return [overridden_of(row) for row in LaneOverride.objects.filter(record_id=record_id).order_by("-at", "-id")]


def override_counts(since: datetime) -> tuple[OverrideCount, OverrideCount]:
    """How often lanes were raised, and lowered, since then, and what controls of those goods found."""
    rows = LaneOverride.objects.filter(at__gte=since).values("is_raise")
    counted = {
        row["is_raise"]: row
        for row in rows.annotate(
            changes=Count("id"),
            controlled=Count("id", filter=~Q(result="")),
            irregular=Count("id", filter=Q(result="irregular")),
        )
    }
    none = {"changes": 0, "controlled": 0, "irregular": 0}
    raised, lowered = (counted.get(is_raise, none) for is_raise in (True, False))
    return (
        OverrideCount(True, raised["changes"], raised["controlled"], raised["irregular"]),  # noqa: FBT003  # a value
        OverrideCount(False, lowered["changes"], lowered["controlled"], lowered["irregular"]),  # noqa: FBT003
    )


def overridden_of(row: LaneOverride) -> Overridden:
    """The change as a value."""
    return Overridden(
        from_lane=Lane(row.from_lane),
        to_lane=Lane(row.to_lane),
        is_raise=row.is_raise,
        was_mandatory=row.was_mandatory,
        reason=row.reason,
        by=row.by,
        approved_by=row.approved_by,
        at=row.at,
        result=row.result,
    )


def _checked(row: Selection, change: LaneChange) -> str:
    words = change.reason.strip()[:REASON_CHARS]
    if not words:
        raise SelectionError("Another lane needs a reason", where="reason", remedy="Say why.")
    if row.state not in (TargetState.NEW, TargetState.SELECTED):
        raise SelectionError(f"The record is {row.state} already", where=row.reference)
    if row.assessment.lane == change.lane:
        raise SelectionError(f"The record is in the lane {change.lane} already", where=row.reference)
    if row.cause == Cause.RANDOM and is_lower(change.lane, Lane(row.assessment.lane)):
        raise SelectionError(
            "A random control is not taken back",
            where=row.reference,
            remedy="It measures the trade, and a measure from which some are taken out is none.",
        )
    return words


def _raise(row: Selection, made: LaneOverride) -> None:
    words = f"Raised from {made.from_lane} to {made.to_lane}: {made.reason}"
    lane = Lane(made.to_lane)
    add_reasons([(row, bare_reason(SourceKind.OFFICER, made.by.removeprefix("officer:"), words, lane=lane))])
    row.assessment.lane = lane.value
    row.assessment.save(update_fields=["lane"])
    row.lowered_number = None
    if row.state == TargetState.NEW and lane in _CONTROLLED:
        row.state, row.cause, row.control = (
            TargetState.SELECTED.value,
            Cause.OFFICER.value,
            control_of(lane, Cause.OFFICER),
        )
        spend_for_officer(row, made.at)
    elif row.control and row.cause != Cause.RANDOM:
        row.control = control_of(lane, Cause(row.cause)).value
    _save(row, made.at)


def _lower(row: Selection, made: LaneOverride) -> None:
    by = f", approved by {made.approved_by.removeprefix('officer:')}" if made.approved_by else ""
    words = f"Lowered from {made.from_lane} to {made.to_lane}: {made.reason}{by}"
    proposer = made.by.removeprefix("officer:")
    row.assessment.reasons.filter(source_kind=SourceKind.OFFICER.value).update(lane=Lane.GREEN.value)
    add_reasons([(row, bare_reason(SourceKind.OFFICER, proposer, words))])
    row.assessment.lane, row.assessment.is_mandatory = made.to_lane, False
    row.assessment.save(update_fields=["lane", "is_mandatory"])
    row.lowered_number = row.assessment.number
    row.state, row.cause, row.quota, row.control = TargetState.NEW.value, Cause.NONE.value, "", ""
    _save(row, made.at)


def spend_for_officer(row: Selection, at: datetime) -> None:
    """Count a control that an officer asked for in the budgets of its office and kind; it may pass them."""
    day = local_day(at)
    terms = lock_terms(day, at)
    terms.purse.spend(row.office, control_of(Lane(row.assessment.lane), Cause.OFFICER))
    write_uses(day, terms.purse.spent)


def _save(row: Selection, at: datetime) -> None:
    row.changed_at = at
    row.save(update_fields=["state", "cause", "quota", "control", "lowered_number", "changed_at"])
