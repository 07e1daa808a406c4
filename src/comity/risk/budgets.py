"""Budgets by office and kind of control, and the administration's policy of selection: stated, read, locked, spent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet, Sum

from comity.common import Actor
from comity.risk.controls import (
    Budget,
    BudgetStanding,
    ControlKind,
    Period,
    Purse,
    Use,
    in_force,
    monday_of,
    standing,
)
from comity.risk.goals import Policy
from comity.risk.models import ControlBudget, ControlUse, SelectionPolicy
from comity.staff import Permission, require
from comity.staff.services import record_deed


@transaction.atomic
def set_budget(actor: Actor, *, budget: Budget, at: datetime) -> Budget:
    """State how many controls of a kind there are at an office, from a day on, until another figure is stated.

    Raises: PermissionRefusedError, SelectionError.
    """
    require(actor, Permission.APPROVE_PROFILES)
    budget.check()
    control = budget.control.value if budget.control else ""
    row, _ = ControlBudget.objects.update_or_create(
        office=budget.office,
        control=control,
        valid_from=budget.valid_from,
        defaults={
            "period": budget.period.value,
            "amount": budget.amount,
            "open_days": budget.open_days,
            "set_by": str(actor),
        },
    )
    facts = {
        "office": budget.office or "all",
        "control": control or "all",
        "amount": f"{budget.amount} a {budget.period.value}",
        "from": str(budget.valid_from),
    }
    record_deed(actor, deed="set_control_budget", subject=f"day:{budget.valid_from}", facts=facts, at=at)
    return _budget_of(row)


@transaction.atomic
def set_policy(actor: Actor, *, day: date, policy: Policy, at: datetime) -> Policy:
    """State how the administration selects from a day on, until another policy is stated.

    Raises: PermissionRefusedError, SelectionError.
    """
    require(actor, Permission.APPROVE_PROFILES)
    policy.check()
    figures = asdict(policy) | {"random_control": policy.random_control.value}
    SelectionPolicy.objects.update_or_create(day=day, defaults=figures | {"set_by": str(actor)})
    facts = {name: str(figure) for name, figure in figures.items() if figure != getattr(Policy(), name)}
    record_deed(actor, deed="set_selection_policy", subject=f"day:{day}", facts=facts, at=at)
    return policy


def policy_on(day: date) -> Policy:
    """The policy of a day: the one stated last, else all goals alike and nothing beside the score."""
    row = SelectionPolicy.objects.filter(day__lte=day).order_by("-day").first()
    return _policy_of(row) if row else Policy()


def budgets_on(day: date) -> list[Budget]:
    """The budgets that hold on a day, those of all offices first."""
    return in_force([_budget_of(row) for row in ControlBudget.objects.filter(valid_from__lte=day)], day)


def standings_on(day: date) -> list[BudgetStanding]:
    """What the budgets of a day come to, and how much of them is used."""
    budgets = budgets_on(day)
    uses = _uses(day) if budgets else []
    return [standing(budget, day, uses) for budget in budgets]


def lock_purse(day: date) -> Purse:
    """What the budgets leave on a day; they are locked, so that nothing of a week is spent twice on two days of it."""
    rows = list(ControlBudget.objects.select_for_update().filter(valid_from__lte=day).order_by("id"))
    if not rows:
        return Purse(())
    budgets, uses = in_force([_budget_of(row) for row in rows], day), _uses(day)
    return Purse([standing(budget, day, uses) for budget in budgets])


def write_uses(day: date, spent: Mapping[tuple[str, ControlKind], int]) -> None:
    """Count what was selected by office and kind; the plan of the day is locked by the caller."""
    if not spent:
        return
    keys = sorted(spent)
    rows = [ControlUse(day=day, office=office, control=control.value) for office, control in keys]
    ControlUse.objects.bulk_create(rows, ignore_conflicts=True)
    for count in sorted(set(spent.values())):
        same = [Q(office=office, control=control.value) for office, control in keys if spent[office, control] == count]
        _any_of(ControlUse.objects.filter(day=day), same).update(used=F("used") + count)


def used_between(first: date, last: date) -> list[tuple[str, ControlKind, int]]:
    """How many controls were selected from one day to another, by office and kind."""
    rows = ControlUse.objects.filter(day__gte=first, day__lte=last).values("office", "control")
    counted = rows.annotate(total=Sum("used")).order_by("office", "control")
    return [(row["office"], ControlKind(row["control"]), row["total"]) for row in counted]


def _any_of(rows: QuerySet[ControlUse], wanted: Iterable[Q]) -> QuerySet[ControlUse]:
    either = Q()
    for each in wanted:
        either |= each
    return rows.filter(either)


def _uses(day: date) -> list[Use]:
    monday = monday_of(day)
    rows = ControlUse.objects.filter(day__gte=monday, day__lte=monday + timedelta(days=6))
    return [Use(row.day, row.office, ControlKind(row.control), row.used) for row in rows]


def _budget_of(row: ControlBudget) -> Budget:
    return Budget(
        amount=row.amount,
        period=Period(row.period),
        office=row.office,
        control=ControlKind(row.control) if row.control else None,
        open_days=row.open_days,
        valid_from=row.valid_from,
    )


def _policy_of(row: SelectionPolicy) -> Policy:
    return Policy(
        revenue=row.revenue,
        security=row.security,
        ipr=row.ipr,
        share_critical=row.share_critical,
        share_value=row.share_value,
        share_learning=row.share_learning,
        explore_at_most=row.explore_at_most,
        random_control=ControlKind(row.random_control),
        currency=row.currency,
        green_leaves=row.green_leaves,
        green_delay_minutes=row.green_delay_minutes,
        blue_after_days=row.blue_after_days,
        checks_at_most=row.checks_at_most,
        check_due_days=row.check_due_days,
    )
