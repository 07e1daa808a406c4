"""Selection: a day's inspections are spent first where it is mandatory, then by score, then at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NoReturn
from uuid import UUID

from django.db import transaction

from comity.common import Actor, ActorKind
from comity.intake import StoredRecord
from comity.risk.choosing import Choice, Choosing, choose, parts_of, random_left
from comity.risk.controls import control_of
from comity.risk.errors import SelectionError
from comity.risk.models import ChanceRow, Selection, SelectionPlan
from comity.risk.outcomes import yields
from comity.risk.overriding import spend_for_officer
from comity.risk.ranking import ranking_of
from comity.risk.rules import Cause, Lane, SourceKind, TargetState
from comity.risk.spending import RUN, Spending, add_reasons, bare_reason, standing_of
from comity.risk.terms import DayPlan, lock_terms, plan_of
from comity.risk.today import local_day
from comity.risk.values import Candidates, Considered, Plan, SelectionRun
from comity.risk.writing import lock_queue, lock_records
from comity.staff import Permission, require
from comity.staff.services import record_deed

_MOVES = {
    TargetState.NEW: {TargetState.SELECTED, TargetState.INSPECTING, TargetState.HELD, TargetState.RELEASED},
    TargetState.SELECTED: {TargetState.INSPECTING, TargetState.HELD, TargetState.RELEASED},
    TargetState.INSPECTING: {TargetState.HELD, TargetState.RELEASED},
    TargetState.HELD: {TargetState.INSPECTING, TargetState.RELEASED},
    TargetState.RELEASED: set[TargetState](),
}


@transaction.atomic
def set_plan(actor: Actor, *, day: date, plan: DayPlan, at: datetime) -> Plan:
    """State the capacity of a day and of the days after it, until another plan is stated.

    Raises: PermissionRefusedError, SelectionError.
    """
    require(actor, Permission.APPROVE_PROFILES)
    plan.check()
    row, _ = SelectionPlan.objects.update_or_create(day=day, defaults=plan.figures() | {"set_by": str(actor)})
    facts = {"capacity": str(plan.capacity), "random_share": f"{plan.random_share:.3f}"}
    record_deed(actor, deed="set_selection_plan", subject=f"day:{day}", facts=facts, at=at)
    return plan_of(row)


@transaction.atomic
def select_for_day(
    actor: Actor, *, day: date, at: datetime, seed: bytes, among: Candidates | None = None
) -> SelectionRun:
    """Spend what is left of a day's inspections on what waits in the queue: mandatory, by its parts, then by chance.

    seed: from a checkpoint of the ledger, so that chance can be recomputed and not chosen. among: whom it chooses from,
    where that was written into the log before the seed was known. Raises: PermissionRefusedError.
    """
    require(actor, Permission.ASSESS)
    waiting = lock_queue(Selection.objects.filter(state=TargetState.NEW.value))
    if among is not None:
        fixed = set(among.record_ids)
        waiting = [row for row in waiting if row.record_id in fixed]
    waiting.sort(key=lambda row: (-row.assessment.score, row.received_at, row.record_id))
    terms = lock_terms(day, at)
    ranking = ranking_of(waiting, terms.policy)
    choosing = Choosing(terms.plan, terms.policy, terms.purse, [ranking.of(row) for row in waiting])
    chosen = choose(choosing, yields(at) if parts_of(terms.plan, terms.policy).learning else (), seed)
    others = sum(choice.considered.cause is not Cause.RANDOM for choice in chosen)
    slots = max(0, min(random_left(terms.plan), terms.plan.left - others))
    spending, rows = Spending(terms, seed, at), {row.record_id: row for row in waiting}
    for choice in chosen:
        spending.select(rows[choice.considered.record_id], choice)
    spending.write()
    _keep_run(terms.plan.day, at, seed, Drawn(slots, rows, chosen, among))
    if actor.kind is not ActorKind.NODE:
        record_deed(actor, deed="select_for_day", subject=f"day:{day}", facts={"selected": str(len(chosen))}, at=at)
    return SelectionRun(spending.plan, seed.hex(), tuple(choice.considered for choice in chosen))


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a run's chance was asked. slots: how many inspections were there for it."""

    slots: int
    rows: Mapping[UUID, Selection]
    chosen: Sequence[Choice]
    among: Candidates | None


def _keep_run(day: date, at: datetime, seed: bytes, drawn: Drawn) -> None:
    """Keep what chance was asked in a run and what it answered; those selected for a reason were not asked."""
    causes = {choice.considered.record_id: choice.considered.cause for choice in drawn.chosen}
    asked = [record_id for record_id in sorted(drawn.rows) if causes.get(record_id) in (None, Cause.RANDOM)]
    if not asked:
        return
    by_chance = [record_id.hex for record_id in asked if causes.get(record_id) is Cause.RANDOM]
    among = drawn.among
    ChanceRow.objects.create(
        day=day,
        at=at,
        way=RUN,
        seed=seed.hex(),
        log_size=among.log_size if among else None,
        slots=drawn.slots,
        asked=[(record_id.hex, True) for record_id in asked],
        chosen=by_chance,
        log_index=among.log_index if among else None,
        salt=among.salt if among else "",
        candidates=[record_id.hex for record_id in among.record_ids] if among else [],
    )


@transaction.atomic
def lock_candidates(actor: Actor) -> tuple[UUID, ...]:
    """Lock those that wait for a day's selection, and say who they are. Raises: PermissionRefusedError."""
    require(actor, Permission.ASSESS)
    return tuple(row.record_id for row in lock_queue(Selection.objects.filter(state=TargetState.NEW.value)))


def consider(actor: Actor, *, record: StoredRecord, at: datetime, seed: bytes) -> Considered:
    """Decide at once, on arrival, whether a record is selected within what is left of the day.

    Mandatory ones always are. Others are by score from the plan's threshold, while inspections outside the random
    share are left; the rest are drawn once, by their own number from the seed.
    Raises: PermissionRefusedError, SelectionError where the record was not assessed.
    """
    (considered,) = consider_all(actor, records=(record,), at=at, seed=seed)
    return considered


@transaction.atomic
def consider_all(
    actor: Actor, *, records: Sequence[StoredRecord], at: datetime, seed: bytes, log_size: int | None = None
) -> list[Considered]:
    """Consider several records one after the other, each as `consider` would. Answers in their order.

    log_size: of the checkpoint from which the seed comes; it is kept beside the draws.

    Raises: PermissionRefusedError, SelectionError where one of the records was not assessed; then none is selected.
    """
    require(actor, Permission.ASSESS)
    rows = lock_records([record.record_id for record in records])
    in_order = [rows.get(record.record_id) or _refuse_unassessed(record.record_id) for record in records]
    if all(row.state != TargetState.NEW for row in in_order):
        return [standing_of(row) for row in in_order]
    day = local_day(at)
    terms = lock_terms(day, at)
    spending = Spending(terms, seed, at, ranking_of(in_order, terms.policy))
    considered = [spending.consider(row) for row in in_order]
    spending.write(log_size=log_size)
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
    row.control = control_of(Lane(row.assessment.lane), Cause.OFFICER).value
    spend_for_officer(row, at)
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


def _locked_row(record_id: UUID) -> Selection:
    return lock_records([record_id]).get(record_id) or _refuse_unassessed(record_id)


def _refuse_unassessed(record_id: UUID) -> NoReturn:
    raise SelectionError(
        "The record was not assessed yet", where=str(record_id), remedy="Assess it before it can be selected."
    )


def _set(row: Selection, state: TargetState, cause: Cause, at: datetime) -> None:
    row.state, row.cause, row.changed_at = state.value, cause.value, at
    if state is TargetState.RELEASED:
        row.released_at = at
    row.save(update_fields=["state", "cause", "control", "changed_at", "released_at"])
