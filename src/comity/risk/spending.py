"""A day's inspections, spent record by record in memory while the plan is locked, and written at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Count, F

from comity.risk.models import Assessment, AssessmentReason, Selection, SelectionPlan
from comity.risk.rules import Cause, Lane, SourceKind, TargetState, draw, random_slots
from comity.risk.values import Considered, FoundReason, Plan
from comity.risk.writing import parts, reason_row

Facts = tuple[tuple[str, str], ...]
_DRAW = "UPDATE risk_selection SET draw = %s WHERE id = %s"


class Spending:
    """What is spent of a day. row: of its plan, locked, so that no inspection is spent twice."""

    def __init__(self, row: SelectionPlan, seed: bytes, at: datetime) -> None:
        self.plan = plan_of(row)
        self._plan_id = row.pk
        self._seed = seed
        self._at = at
        self._selected: list[Selection] = []
        self._drawn: list[Selection] = []
        self._reasons: list[tuple[Selection, FoundReason]] = []
        self._spent: Counter[str] = Counter()

    def consider(self, row: Selection) -> Considered:
        """Decide on one record within what is left now, and spend an inspection where it is selected."""
        if row.state != TargetState.NEW:
            return standing_of(row)
        considered = _decide(self.plan, row, self._seed)
        if considered.is_selected:
            self.select(row, considered)
        elif considered.draw is not None and row.draw is None:
            row.draw, row.seed, row.day = considered.draw, self._seed.hex(), self.plan.day
            self._drawn.append(row)
        return considered

    def select(self, row: Selection, considered: Considered) -> None:
        """Spend an inspection on a record for the cause that was found."""
        row.day = self.plan.day
        if considered.cause is Cause.RANDOM and considered.draw is not None:
            row.draw, row.seed = considered.draw, self._seed.hex()
            self._drawn.append(row)
            self._reasons.append((row, self._random_reason(considered.draw)))
        row.state, row.cause, row.changed_at = TargetState.SELECTED.value, considered.cause.value, self._at
        self._selected.append(row)
        self._spend(f"used_{considered.cause.value}")

    def _spend(self, column: str) -> None:
        self._spent[column] += 1
        self.plan = replace(self.plan, **{column: getattr(self.plan, column) + 1})

    def _random_reason(self, drew: float) -> FoundReason:
        seed, plan = self._seed.hex(), self.plan
        text = f"Selected at random on {plan.day}: its draw {drew:.6f} from the seed {seed[:16]}…"
        facts = (("Seed", seed), ("Draw", f"{drew:.9f}"), ("Random share", f"{plan.random_share:.0%}"))
        return bare_reason(SourceKind.RANDOM, str(plan.day), text, facts)

    def write(self) -> None:
        """Write what became of the records, the reasons and what is spent of the plan."""
        self._write_draws()
        self._write_selected()
        add_reasons(self._reasons)
        if self._spent:
            added = {column: F(column) + count for column, count in self._spent.items()}
            SelectionPlan.objects.filter(pk=self._plan_id).update(**added)

    def _write_draws(self) -> None:
        for rows in parts(self._drawn):
            drawn = Selection.objects.filter(pk__in=[row.pk for row in rows])
            drawn.update(seed=self._seed.hex(), day=self.plan.day)
            # Nearly every record that arrives is drawn, and the CASE of bulk_update costs many times what this does.
            with connection.cursor() as cursor:
                cursor.executemany(_DRAW, [(row.draw, row.pk) for row in rows])

    def _write_selected(self) -> None:
        for cause in sorted({row.cause for row in self._selected}):
            for rows in parts([row for row in self._selected if row.cause == cause]):
                Selection.objects.filter(pk__in=[row.pk for row in rows]).update(
                    state=TargetState.SELECTED.value, cause=cause, changed_at=self._at, day=self.plan.day
                )


def standing_of(row: Selection) -> Considered:
    """What became of a record when it was considered before."""
    return Considered(row.record_id, Cause(row.cause), row.draw)


def _decide(plan: Plan, row: Selection, seed: bytes) -> Considered:
    slots, record_id = random_left(plan), row.record_id
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


def random_left(plan: Plan) -> int:
    """How many of the inspections spent at random are left."""
    return max(0, random_slots(plan.capacity, plan.random_share) - plan.used_random)


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


def bare_reason(kind: SourceKind, ref: str, text: str, facts: Facts = ()) -> FoundReason:
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


def add_reasons(added: Sequence[tuple[Selection, FoundReason]]) -> None:
    """Add to each row's assessment, after the reasons that it has, how the record was selected."""
    own = AssessmentReason.objects.filter(assessment_id__in=[row.assessment_id for row, _ in added])
    counts = dict(own.values_list("assessment_id").annotate(Count("id")))
    AssessmentReason.objects.bulk_create(
        reason_row(row.assessment, reason, counts.get(row.assessment_id, 0) + 1) for row, reason in added
    )
    untold: list[Assessment] = []
    for row, reason in added:
        if not row.assessment.top_reason:
            row.assessment.top_reason = f"{reason.title}: {reason.text}"[:500]
            untold.append(row.assessment)
    Assessment.objects.bulk_update(untold, ["top_reason"])
