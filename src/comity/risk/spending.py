"""A day's inspections, spent record by record in memory while the plan is locked, and written at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Count, F

from comity.risk.budgets import write_uses
from comity.risk.choosing import Choice, draw_bound, parts_of, random_left
from comity.risk.controls import control_of
from comity.risk.goals import Quota
from comity.risk.models import Assessment, AssessmentReason, ChanceRow, Selection, SelectionPlan
from comity.risk.ranking import Ranking
from comity.risk.rules import Cause, Lane, SourceKind, TargetState, draw
from comity.risk.terms import Terms
from comity.risk.values import Considered, FoundReason
from comity.risk.writing import parts, reason_row

Facts = tuple[tuple[str, str], ...]
# How chance was asked: one by one as records arrived, or for all that wait in a run.
ARRIVAL, RUN = "arrival", "run"
_DRAW = "UPDATE risk_selection SET draw = %s WHERE id = %s"


class Spending:
    """What is spent of a day on its terms, which are locked, so that no inspection is spent twice.

    ranking: what the goals make of the records.
    """

    def __init__(self, terms: Terms, seed: bytes, at: datetime, ranking: Ranking | None = None) -> None:
        self.terms = terms
        self.plan = terms.plan
        self._seed = seed
        self._at = at
        self._ranking = ranking or Ranking(terms.policy, {})
        self._selected: list[Selection] = []
        self._drawn: list[Selection] = []
        self._reasons: list[tuple[Selection, FoundReason]] = []
        self._spent: Counter[str] = Counter()
        self._asked: list[tuple[str, bool]] = []
        self._chosen: list[str] = []

    def consider(self, row: Selection) -> Considered:
        """Decide on one record within what is left now, and spend an inspection where it is selected."""
        if row.state != TargetState.NEW:
            return standing_of(row)
        cause, quota, drew = self._decide(row)
        considered = Considered(row.record_id, cause, drew)
        if considered.is_selected:
            control = control_of(Lane(row.assessment.lane), cause, self.terms.policy.random_control)
            self.terms.purse.spend(row.office, control)
            self.select(row, Choice(considered, quota, control))
        elif drew is not None and row.draw is None:
            row.draw, row.seed, row.day = drew, self._seed.hex(), self.plan.day
            self._drawn.append(row)
        return considered

    def select(self, row: Selection, choice: Choice) -> None:
        """Spend an inspection of the day on a record; what it costs the budgets was paid when it was chosen."""
        considered = choice.considered
        row.day = self.plan.day
        if considered.cause is Cause.RANDOM and considered.draw is not None:
            row.draw, row.seed = considered.draw, self._seed.hex()
            self._drawn.append(row)
            self._reasons.append((row, self._random_reason(considered.draw)))
        row.state, row.cause, row.changed_at = TargetState.SELECTED.value, considered.cause.value, self._at
        row.quota, row.control = choice.quota.value, choice.control.value
        self._selected.append(row)
        self._spend(f"used_{considered.cause.value}")
        if choice.quota in (Quota.VALUE, Quota.CRITICAL):
            self._spend(f"used_{choice.quota.value}")

    def _decide(self, row: Selection) -> tuple[Cause, Quota, float | None]:
        is_lowered = row.lowered_number == row.assessment.number
        if row.assessment.is_mandatory and not is_lowered:
            return Cause.MANDATORY, Quota.NONE, None
        quota = Quota.NONE if is_lowered else self._quota_for(row)
        if quota:
            return Cause.RISK, quota, None
        if row.draw is not None:
            # Asked twice, chance would favour those that are asked often.
            return Cause.NONE, Quota.NONE, row.draw
        slots = random_left(self.plan)
        drew, is_open = draw(self._seed, row.record_id), self.plan.left > 0 and slots > 0
        self._asked.append((row.record_id.hex, is_open))
        if is_open and drew < draw_bound(self.plan):
            self._chosen.append(row.record_id.hex)
            return Cause.RANDOM, Quota.NONE, drew
        return Cause.NONE, Quota.NONE, drew

    def _quota_for(self, row: Selection) -> Quota:
        """The part of the day that pays for a control of a record on its arrival; those that need the whole queue to
        compare with, for value and for learning, wait for the day's run.
        """
        ranked = self._ranking.of(row)
        if ranked.priority < self.plan.score_threshold:
            return Quota.NONE
        if not self.terms.purse.has_room(row.office, control_of(Lane(row.assessment.lane), Cause.RISK)):
            return Quota.NONE
        kept, left = parts_of(self.plan, self.terms.policy), self.plan.left - random_left(self.plan)
        if left - kept.all > 0:
            return Quota.SCORE
        is_critical = kept.critical > 0 and ranked.critical >= self.plan.score_threshold
        return Quota.CRITICAL if is_critical and left > 0 else Quota.NONE

    def _spend(self, column: str) -> None:
        self._spent[column] += 1
        self.plan = replace(self.plan, **{column: getattr(self.plan, column) + 1})

    def _random_reason(self, drew: float) -> FoundReason:
        seed, plan = self._seed.hex(), self.plan
        text = f"Selected at random on {plan.day}: its draw {drew:.6f} from the seed {seed[:16]}…"
        facts = (("Seed", seed), ("Draw", f"{drew:.9f}"), ("Random share", f"{plan.chance_share:.0%}"))
        return bare_reason(SourceKind.RANDOM, str(plan.day), text, facts)

    def write(self, *, log_size: int | None = None) -> None:
        """Write what became of the records, the reasons, what chance was asked, and what is spent."""
        self._write_draws()
        self._write_selected()
        add_reasons(self._reasons)
        if self._spent:
            added = {column: F(column) + count for column, count in self._spent.items()}
            SelectionPlan.objects.filter(pk=self.terms.plan_id).update(**added)
        write_uses(self.plan.day, self.terms.purse.spent)
        if self._asked:
            ChanceRow.objects.create(
                day=self.plan.day,
                at=self._at,
                way=ARRIVAL,
                seed=self._seed.hex(),
                log_size=log_size,
                bound=draw_bound(self.plan),
                asked=self._asked,
                chosen=self._chosen,
            )

    def _write_draws(self) -> None:
        for rows in parts(self._drawn):
            drawn = Selection.objects.filter(pk__in=[row.pk for row in rows])
            drawn.update(seed=self._seed.hex(), day=self.plan.day)
            # Nearly every record that arrives is drawn, and the CASE of bulk_update costs many times what this does.
            with connection.cursor() as cursor:
                cursor.executemany(_DRAW, [(row.draw, row.pk) for row in rows])

    def _write_selected(self) -> None:
        for cause, quota, control in sorted({(row.cause, row.quota, row.control) for row in self._selected}):
            same = [row for row in self._selected if (row.cause, row.quota, row.control) == (cause, quota, control)]
            for rows in parts(same):
                Selection.objects.filter(pk__in=[row.pk for row in rows]).update(
                    state=TargetState.SELECTED.value,
                    cause=cause,
                    quota=quota,
                    control=control,
                    changed_at=self._at,
                    day=self.plan.day,
                )


def standing_of(row: Selection) -> Considered:
    """What became of a record when it was considered before."""
    return Considered(row.record_id, Cause(row.cause), row.draw)


def bare_reason(kind: SourceKind, ref: str, text: str, facts: Facts = (), *, lane: Lane = Lane.GREEN) -> FoundReason:
    """A reason without weight: it selects, it says nothing about the risk."""
    return FoundReason(
        source_kind=kind,
        source_ref=ref,
        title="Random control" if kind is SourceKind.RANDOM else "Selected by an officer",
        text=text,
        weight=0.0,
        lane=lane,
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
