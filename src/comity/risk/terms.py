"""The terms of a day's selection: its plan, the policy, the budgets and what was measured, locked while it is spent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from comity.risk.budgets import lock_purse, policy_on
from comity.risk.controls import Purse
from comity.risk.errors import SelectionError
from comity.risk.exploring import explore
from comity.risk.goals import Policy
from comity.risk.modelling.views import drift_share
from comity.risk.models import SelectionPlan
from comity.risk.outcomes import windows
from comity.risk.values import Plan

DEFAULT_CAPACITY = 20
DEFAULT_RANDOM_SHARE = 0.10
DEFAULT_THRESHOLD = 50.0


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

    def figures(self) -> dict[str, object]:
        """The columns of the plan's row."""
        return {
            "capacity": self.capacity,
            "random_share": self.random_share,
            "score_threshold": self.score_threshold,
            "expected_arrivals": self.expected_arrivals,
        }


@dataclass(frozen=True, slots=True)
class Terms:
    """What a selection is held to. plan_id: of the locked row."""

    plan_id: int
    plan: Plan
    policy: Policy
    purse: Purse


def lock_terms(day: date, at: datetime) -> Terms:
    """Lock the plan of a day, made after the latest one stated before it, and then the budgets.

    What drift adds to exploration is measured once for each day, when the first of it is spent, and stays.
    """
    latest = SelectionPlan.objects.filter(day__lt=day).order_by("-day").first()
    stated = DayPlan()
    if latest is not None:
        stated = DayPlan(latest.capacity, latest.random_share, latest.score_threshold, latest.expected_arrivals)
    SelectionPlan.objects.get_or_create(day=day, defaults=stated.figures())
    row = SelectionPlan.objects.select_for_update().get(day=day)
    policy = policy_on(day)
    if row.extra_share is None:
        row.extra_share = _measured(row, policy, at)
        row.save(update_fields=["extra_share"])
    return Terms(row.pk, plan_of(row), policy, lock_purse(day))


def _measured(row: SelectionPlan, policy: Policy, at: datetime) -> float:
    stated = row.random_share + policy.share_learning
    if policy.explore_at_most <= stated:
        return 0.0
    before, recent = windows(at)
    found = explore(
        stated=stated, at_most=policy.explore_at_most, before=before, recent=recent, model_drift=drift_share(at)
    )
    return found.extra


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
        used_learning=row.used_learning,
        used_value=row.used_value,
        used_critical=row.used_critical,
        used_after=row.used_after,
        extra_share=row.extra_share or 0.0,
    )
