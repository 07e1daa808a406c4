"""Selection: a day's inspections are spent first where it is mandatory, then by score, then at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NoReturn
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from comity.common import Actor, ActorKind
from comity.intake import StoredRecord
from comity.risk.errors import SelectionError
from comity.risk.models import Selection, SelectionPlan
from comity.risk.rules import Cause, SourceKind, TargetState, draw
from comity.risk.spending import Spending, add_reasons, bare_reason, plan_of, random_left, standing_of
from comity.risk.values import Considered, Plan, SelectionRun
from comity.risk.writing import lock_queue, lock_records
from comity.staff import Permission, require
from comity.staff.services import record_deed

DEFAULT_CAPACITY = 20
DEFAULT_RANDOM_SHARE = 0.10
DEFAULT_THRESHOLD = 50.0

_MOVES = {
    TargetState.NEW: {TargetState.SELECTED, TargetState.INSPECTING, TargetState.HELD, TargetState.RELEASED},
    TargetState.SELECTED: {TargetState.INSPECTING, TargetState.HELD, TargetState.RELEASED},
    TargetState.INSPECTING: {TargetState.HELD, TargetState.RELEASED},
    TargetState.HELD: {TargetState.INSPECTING, TargetState.RELEASED},
    TargetState.RELEASED: set[TargetState](),
}


@dataclass(frozen=True, slots=True)
class DayPlan:
    """How a day's inspections shall be spent. expected_arrivals: makes random selection last the whole day."""

    capacity: int = DEFAULT_CAPACITY
    random_share: float = DEFAULT_RANDOM_SHARE
    score_threshold: float = DEFAULT_THRESHOLD
    expected_arrivals: int | None = None

    def check(self) -> None:
        """Raises: SelectionError where a figure makes no sense."""
        is_sound = (
            0 <= self.capacity <= 100_000
            and 0 <= self.random_share <= 1
            and 0 <= self.score_threshold <= 100
            and (self.expected_arrivals is None or self.expected_arrivals >= 1)
        )
        if not is_sound:
            raise SelectionError(
                "The plan's figures make no sense",
                where=f"{self}",
                remedy="Capacity from 0 to 100,000, random share from 0 to 1, threshold from 0 to 100.",
            )


@transaction.atomic
def set_plan(actor: Actor, *, day: date, plan: DayPlan, at: datetime) -> Plan:
    """State the capacity of a day and of the days after it, until another plan is stated.

    Raises: PermissionRefusedError, SelectionError.
    """
    require(actor, Permission.APPROVE_PROFILES)
    plan.check()
    row, _ = SelectionPlan.objects.update_or_create(day=day, defaults=_figures(plan) | {"set_by": str(actor)})
    facts = {"capacity": str(plan.capacity), "random_share": f"{plan.random_share:.3f}"}
    record_deed(actor, deed="set_selection_plan", subject=f"day:{day}", facts=facts, at=at)
    return plan_of(row)


@transaction.atomic
def select_for_day(actor: Actor, *, day: date, at: datetime, seed: bytes) -> SelectionRun:
    """Spend what is left of a day's inspections on what waits in the queue: mandatory, then score, then chance.

    seed: the root of the latest checkpoint of the ledger, so that chance can be recomputed and not chosen.
    Raises: PermissionRefusedError.
    """
    require(actor, Permission.ASSESS)
    waiting = lock_queue(Selection.objects.filter(state=TargetState.NEW.value))
    waiting.sort(key=lambda row: (-row.assessment.score, row.received_at, row.record_id))
    spending = Spending(_locked_plan(day), seed, at)
    chosen = _choose(spending.plan, waiting, seed)
    for row, considered in chosen:
        spending.select(row, considered)
    spending.write()
    if actor.kind is not ActorKind.NODE:
        record_deed(actor, deed="select_for_day", subject=f"day:{day}", facts={"selected": str(len(chosen))}, at=at)
    return SelectionRun(spending.plan, seed.hex(), tuple(considered for _, considered in chosen))


def _choose(plan: Plan, waiting: Sequence[Selection], seed: bytes) -> list[tuple[Selection, Considered]]:
    mandatory = [row for row in waiting if row.assessment.is_mandatory]
    others = [row for row in waiting if not row.assessment.is_mandatory]
    slots = random_left(plan)
    for_risk = max(0, plan.left - len(mandatory) - slots)
    by_risk = [row for row in others if row.assessment.score > 0][:for_risk]
    taken = {row.pk for row in by_risk}
    rest = [row for row in others if row.pk not in taken]
    # The smallest draws win: everybody who has the seed can recompute who they are.
    drawn = sorted((draw(seed, row.record_id), str(row.record_id), row) for row in rest)
    by_chance = drawn[: max(0, min(slots, plan.left - len(mandatory) - len(by_risk)))]
    chosen = [(row, Considered(row.record_id, Cause.MANDATORY)) for row in mandatory]
    chosen += [(row, Considered(row.record_id, Cause.RISK)) for row in by_risk]
    chosen += [(row, Considered(row.record_id, Cause.RANDOM, drew)) for drew, _, row in by_chance]
    return chosen


def consider(actor: Actor, *, record: StoredRecord, at: datetime, seed: bytes) -> Considered:
    """Decide at once, on arrival, whether a record is selected within what is left of the day.

    Mandatory ones always are. Others are by score from the plan's threshold, while inspections outside the random
    share are left; the rest are drawn once, by their own number from the seed.
    Raises: PermissionRefusedError, SelectionError where the record was not assessed.
    """
    (considered,) = consider_all(actor, records=(record,), at=at, seed=seed)
    return considered


@transaction.atomic
def consider_all(actor: Actor, *, records: Sequence[StoredRecord], at: datetime, seed: bytes) -> list[Considered]:
    """Consider several records one after the other, each as `consider` would. Answers in their order.

    Raises: PermissionRefusedError, SelectionError where one of the records was not assessed; then none is selected.
    """
    require(actor, Permission.ASSESS)
    rows = lock_records([record.record_id for record in records])
    in_order = [rows.get(record.record_id) or _refuse_unassessed(record.record_id) for record in records]
    if all(row.state != TargetState.NEW for row in in_order):
        return [standing_of(row) for row in in_order]
    day = at.astimezone(ZoneInfo(settings.COMITY_TIME_ZONE)).date()
    spending = Spending(_locked_plan(day), seed, at)
    considered = [spending.consider(row) for row in in_order]
    spending.write()
    return considered


@transaction.atomic
def select_by_officer(actor: Actor, *, record_id: UUID, reason: str, at: datetime) -> None:
    """Select a record on an officer's own judgement, with the reason.

    Raises: PermissionRefusedError, SelectionError.
    """
    require(actor, Permission.DECIDE_CONSIGNMENT)
    row = _locked_row(record_id)
    if row.state != TargetState.NEW:
        raise SelectionError(f"The record is {row.state} already", where=row.reference)
    if not reason.strip():
        raise SelectionError("A selection by an officer needs a reason", where="reason", remedy="Say why.")
    words = reason.strip()[:500]
    add_reasons([(row, bare_reason(SourceKind.OFFICER, actor.id, words))])
    _set(row, TargetState.SELECTED, Cause.OFFICER, at)
    record_deed(actor, deed="select_record", subject=f"record:{record_id}", facts={"reason": words[:200]}, at=at)


@transaction.atomic
def set_target_state(actor: Actor, *, record_id: UUID, state: TargetState, at: datetime) -> None:
    """Follow what enforcement did with a record. The deed itself is audited there.

    Raises: SelectionError where the queue does not know the record or it cannot go there.
    """
    row = _locked_row(record_id)
    before = TargetState(row.state)
    if before is state:
        return
    if state not in _MOVES[before]:
        raise SelectionError(
            f"A record that is {before} cannot become {state}", where=f"{row.reference}, asked by {actor}"
        )
    _set(row, state, Cause(row.cause), at)


@transaction.atomic
def assign(actor: Actor, *, record_ids: Sequence[UUID], officer: str, at: datetime) -> int:
    """Give records to an officer, or to nobody where `officer` is empty. Returns how many changed.

    Raises: PermissionRefusedError.
    """
    require(actor, Permission.DECIDE_CONSIGNMENT)
    rows = Selection.objects.filter(record_id__in=list(record_ids)).exclude(state=TargetState.RELEASED.value)
    changed = rows.exclude(assigned_to=officer).update(assigned_to=officer, changed_at=at)
    facts = {"officer": officer or "nobody", "records": str(changed)}
    subject = f"record:{record_ids[0]}" if len(record_ids) == 1 else f"records:{len(record_ids)}"
    record_deed(actor, deed="assign_records", subject=subject, facts=facts, at=at)
    return changed


def _figures(plan: DayPlan) -> dict[str, object]:
    return {
        "capacity": plan.capacity,
        "random_share": plan.random_share,
        "score_threshold": plan.score_threshold,
        "expected_arrivals": plan.expected_arrivals,
    }


def _locked_plan(day: date) -> SelectionPlan:
    """The plan of a day, made after the latest one stated before it; locked, so that no slot is spent twice."""
    latest = SelectionPlan.objects.filter(day__lt=day).order_by("-day").first()
    stated = DayPlan()
    if latest is not None:
        stated = DayPlan(latest.capacity, latest.random_share, latest.score_threshold, latest.expected_arrivals)
    SelectionPlan.objects.get_or_create(day=day, defaults=_figures(stated))
    return SelectionPlan.objects.select_for_update().get(day=day)


def _locked_row(record_id: UUID) -> Selection:
    return lock_records([record_id]).get(record_id) or _refuse_unassessed(record_id)


def _refuse_unassessed(record_id: UUID) -> NoReturn:
    raise SelectionError(
        "The record was not assessed yet", where=str(record_id), remedy="Assess it before it can be selected."
    )


def _set(row: Selection, state: TargetState, cause: Cause, at: datetime) -> None:
    row.state, row.cause, row.changed_at = state.value, cause.value, at
    row.save(update_fields=["state", "cause", "changed_at"])
