"""Selection: a day's inspections are spent first where it is mandatory, then by score, then at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F

from comity.common import Actor, ActorKind
from comity.intake import StoredRecord
from comity.risk.assessing import reason_row
from comity.risk.errors import SelectionError
from comity.risk.models import Selection, SelectionPlan
from comity.risk.rules import Cause, Lane, SourceKind, TargetState, draw, random_slots
from comity.risk.values import Considered, FoundReason, Plan, SelectionRun
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
    plan = _locked_plan(day)
    waiting = list(
        Selection.objects.select_for_update()
        .filter(state=TargetState.NEW.value)
        .select_related("assessment")
        .order_by("-assessment__score", "received_at", "record_id")
    )
    chosen = _choose(plan_of(plan), waiting, seed)
    for row, considered in chosen:
        _mark(row, plan, considered, seed, at)
    if actor.kind is not ActorKind.NODE:
        record_deed(actor, deed="select_for_day", subject=f"day:{day}", facts={"selected": str(len(chosen))}, at=at)
    plan.refresh_from_db()
    return SelectionRun(plan_of(plan), seed.hex(), tuple(considered for _, considered in chosen))


def _choose(plan: Plan, waiting: Sequence[Selection], seed: bytes) -> list[tuple[Selection, Considered]]:
    mandatory = [row for row in waiting if row.assessment.is_mandatory]
    others = [row for row in waiting if not row.assessment.is_mandatory]
    slots = _random_left(plan)
    for_risk = max(0, plan.left - len(mandatory) - slots)
    by_risk = [row for row in others if row.assessment.score > 0][:for_risk]
    rest = [row for row in others if row not in by_risk]
    # The smallest draws win: everybody who has the seed can recompute who they are.
    drawn = sorted((draw(seed, row.record_id), str(row.record_id), row) for row in rest)
    by_chance = drawn[: max(0, min(slots, plan.left - len(mandatory) - len(by_risk)))]
    chosen = [(row, Considered(row.record_id, Cause.MANDATORY)) for row in mandatory]
    chosen += [(row, Considered(row.record_id, Cause.RISK)) for row in by_risk]
    chosen += [(row, Considered(row.record_id, Cause.RANDOM, drew)) for drew, _, row in by_chance]
    return chosen


def _random_left(plan: Plan) -> int:
    return max(0, random_slots(plan.capacity, plan.random_share) - plan.used_random)


@transaction.atomic
def consider(actor: Actor, *, record: StoredRecord, at: datetime, seed: bytes) -> Considered:
    """Decide at once, on arrival, whether a record is selected within what is left of the day.

    Mandatory ones always are. Others are by score from the plan's threshold, while inspections outside the random
    share are left; the rest are drawn once, by their own number from the seed.
    Raises: PermissionRefusedError, SelectionError where the record was not assessed.
    """
    require(actor, Permission.ASSESS)
    row = _locked_row(record.record_id)
    if row.state != TargetState.NEW:
        return Considered(row.record_id, Cause(row.cause), row.draw)
    plan = _locked_plan(at.astimezone(ZoneInfo(settings.COMITY_TIME_ZONE)).date())
    considered = _decide(plan_of(plan), row, seed)
    if considered.is_selected:
        _mark(row, plan, considered, seed, at)
    elif considered.draw is not None and row.draw is None:
        row.draw, row.seed, row.day = considered.draw, seed.hex(), plan.day
        row.save(update_fields=["draw", "seed", "day"])
    return considered


def _decide(plan: Plan, row: Selection, seed: bytes) -> Considered:
    slots, record_id = _random_left(plan), row.record_id
    if row.assessment.is_mandatory:
        return Considered(record_id, Cause.MANDATORY)
    if row.assessment.score >= plan.score_threshold and plan.left > slots:
        return Considered(record_id, Cause.RISK)
    if row.draw is not None:
        # Asked twice, chance would favour those that are asked often.
        return Considered(record_id, Cause.NONE, row.draw)
    drew = draw(seed, record_id)
    is_drawn = plan.left > 0 and slots > 0 and drew < draw_bound(plan)
    return Considered(record_id, Cause.RANDOM if is_drawn else Cause.NONE, drew)


def draw_bound(plan: Plan) -> float:
    """A record is selected at random on arrival where its draw is below this."""
    if plan.expected_arrivals is None:
        return plan.random_share
    return min(1.0, random_slots(plan.capacity, plan.random_share) / plan.expected_arrivals)


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
    _add_reason(row, _bare_reason(SourceKind.OFFICER, actor.id, words, ()))
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


def plan_of(row: SelectionPlan) -> Plan:
    """The plan as a value."""
    return Plan(
        day=row.day,
        capacity=row.capacity,
        random_share=row.random_share,
        score_threshold=row.score_threshold,
        expected_arrivals=row.expected_arrivals,
        used_mandatory=row.used_mandatory,
        used_risk=row.used_risk,
        used_random=row.used_random,
    )


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
    row = Selection.objects.select_for_update().select_related("assessment").filter(record_id=record_id).first()
    if row is None:
        raise SelectionError(
            "The record was not assessed yet", where=str(record_id), remedy="Assess it before it can be selected."
        )
    return row


def _mark(row: Selection, plan: SelectionPlan, considered: Considered, seed: bytes, at: datetime) -> None:
    row.day = plan.day
    if considered.cause is Cause.RANDOM and considered.draw is not None:
        row.draw, row.seed = considered.draw, seed.hex()
        text = f"Selected at random on {plan.day}: its draw {considered.draw:.6f} from the seed {seed.hex()[:16]}…"
        facts = (("Seed", seed.hex()), ("Draw", f"{considered.draw:.9f}"), ("Random share", f"{plan.random_share:.0%}"))
        _add_reason(row, _bare_reason(SourceKind.RANDOM, str(plan.day), text, facts))
    _set(row, TargetState.SELECTED, considered.cause, at)
    field = f"used_{considered.cause.value}"
    SelectionPlan.objects.filter(pk=plan.pk).update(**{field: F(field) + 1})


def _set(row: Selection, state: TargetState, cause: Cause, at: datetime) -> None:
    row.state, row.cause, row.changed_at = state.value, cause.value, at
    row.save(update_fields=["state", "cause", "changed_at", "day", "draw", "seed"])


def _bare_reason(kind: SourceKind, ref: str, text: str, facts: tuple[tuple[str, str], ...]) -> FoundReason:
    """A reason without weight: it selects, it says nothing about the risk."""
    return FoundReason(
        source_kind=kind,
        source_ref=ref,
        title="Random control" if kind is SourceKind.RANDOM else "Selected by an officer",
        text=text,
        weight=0.0,
        lane=Lane.GREEN,
        administration=settings.COMITY_ADMINISTRATION,
        facts=facts,
    )


def _add_reason(row: Selection, reason: FoundReason) -> None:
    assessment = row.assessment
    reason_row(assessment, reason, assessment.reasons.count() + 1).save()
    if not assessment.top_reason:
        assessment.top_reason = f"{reason.title}: {reason.text}"[:500]
        assessment.save(update_fields=["top_reason"])
