"""Who of the goods that leave in the blue lane is checked afterwards: as many as there are hands for, the best first.

A check costs a control of documents on the day of the release, as any control of that kind does. Where none is left, it
takes the place of the least weighty one of the day that nobody has taken up; else the goods go green, which is said.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from comity.common import Actor
from comity.risk.budgets import policy_on, standings_on, write_uses
from comity.risk.choosing import random_left
from comity.risk.controls import ControlKind, Purse
from comity.risk.goals import Policy
from comity.risk.models import LaneOverride, Selection, SelectionPlan
from comity.risk.ranking import ranking_of
from comity.risk.rules import AfterRelease, Cause, Lane, TargetState
from comity.risk.selectors import plan as plan_on
from comity.risk.terms import Terms, lock_terms
from comity.risk.today import local_day
from comity.risk.values import Plan
from comity.risk.writing import lock_records
from comity.staff import Permission, require

_PAID = (Cause.RISK.value, Cause.LEARNING.value)


@dataclass(frozen=True, slots=True)
class CheckGiven:
    """What becomes of goods after their release. due_on: of a check that is ordered.

    displaced: the record whose check gave way.
    """

    after: AfterRelease
    due_on: date | None = None
    displaced: UUID | None = None


@transaction.atomic
def give_check(actor: Actor, *, record_id: UUID, at: datetime, instead_of: UUID | None = None) -> CheckGiven:
    """Decide whether goods that leave now are checked afterwards, and pay for it.

    Goods that were selected in the blue lane are paid for already, and what an officer put there is checked even where
    nothing is left. instead_of: a record whose check may give way; nobody may take it up until the transaction ends.
    Raises: PermissionRefusedError.
    """
    require(actor, Permission.ASSESS)
    rows = lock_records([each for each in (record_id, instead_of) if each])
    row, other = rows.get(record_id), rows.get(instead_of) if instead_of else None
    if row is None or not owes_check(row):
        return CheckGiven(AfterRelease.NONE)
    day = local_day(at)
    if row.cause in _PAID:
        _order(row, Cause(row.cause), row.day or day)
        return CheckGiven(AfterRelease.ORDERED, day + timedelta(days=policy_on(day).check_due_days))
    terms = lock_terms(day, at)
    due_on = day + timedelta(days=terms.policy.check_due_days)
    is_asked = _is_asked(record_id)
    if is_asked or has_room(terms.plan, terms.policy, terms.purse, row.office):
        _pay(terms, row.office)
        _order(row, Cause.OFFICER if is_asked else Cause.RISK, day)
        return CheckGiven(AfterRelease.ORDERED, due_on)
    if other is not None and _gives_way(other, row, terms):
        _go_green(other, AfterRelease.YIELDED)
        _order(row, Cause.RISK, day)
        return CheckGiven(AfterRelease.ORDERED, due_on, displaced=other.record_id)
    _go_green(row, AfterRelease.FULL)
    return CheckGiven(AfterRelease.FULL)


def owes_check(row: Selection) -> bool:
    """Whether goods that leave now are to be checked afterwards: blue, and neither inspected nor picked for more."""
    return (
        row.assessment.lane == Lane.BLUE
        and not row.assessment.is_mandatory
        and row.state in (TargetState.NEW, TargetState.SELECTED)
        and row.cause in (Cause.NONE, *_PAID)
        and row.control in ("", ControlKind.DOCUMENTS)
        and not row.after
    )


def is_full(office: str, at: datetime) -> bool:
    """Whether no check is left at an office today; nothing is locked, so it may change."""
    day = local_day(at)
    return not has_room(plan_on(day), policy_on(day), Purse(standings_on(day)), office)


def weakest_check(record_ids: Collection[UUID], at: datetime) -> UUID | None:
    """Of these records the one whose check was given today for its score and is worth least; None where there is none.

    What an officer asked for, and what was picked to learn, does not give way.
    """
    day = local_day(at)
    given = {"after": AfterRelease.ORDERED.value, "cause": Cause.RISK.value, "day": day}
    rows = list(Selection.objects.select_related("assessment").filter(record_id__in=list(record_ids), **given))
    ranking = ranking_of(rows, policy_on(day))
    worth = sorted((ranking.of(row).priority, str(row.record_id), row.record_id) for row in rows)
    return worth[0][2] if worth else None


def has_room(plan: Plan, policy: Policy, purse: Purse, office: str) -> bool:
    """Whether a check may be given: within the day and its part for checks, beside chance, and within each budget."""
    return checks_left(plan, policy) > 0 and purse.has_room(office, ControlKind.DOCUMENTS)


def checks_left(plan: Plan, policy: Policy) -> int:
    """How many more checks the day has, all offices together: its part for them, and what chance leaves."""
    most = math.ceil(round(plan.capacity * policy.checks_at_most, 9))
    return max(0, min(most - plan.used_after, plan.left - random_left(plan)))


def _is_asked(record_id: UUID) -> bool:
    """Whether an officer put the goods into the blue lane: he answers for it."""
    latest = LaneOverride.objects.filter(record_id=record_id).order_by("-at", "-id").first()
    return latest is not None and latest.to_lane == Lane.BLUE


def _gives_way(other: Selection, row: Selection, terms: Terms) -> bool:
    """Both are of one office, kind and day: what the one has paid pays for the other."""
    is_alike = other.office == row.office and other.day == terms.plan.day
    if not is_alike or other.after != AfterRelease.ORDERED or other.cause != Cause.RISK:
        return False
    ranking = ranking_of([other, row], terms.policy)
    return ranking.of(other).priority < ranking.of(row).priority


def _pay(terms: Terms, office: str) -> None:
    terms.purse.spend(office, ControlKind.DOCUMENTS)
    write_uses(terms.plan.day, terms.purse.spent)
    SelectionPlan.objects.filter(pk=terms.plan_id).update(used_after=F("used_after") + 1)


def _order(row: Selection, cause: Cause, day: date) -> None:
    row.after, row.cause, row.control = AfterRelease.ORDERED.value, cause.value, ControlKind.DOCUMENTS.value
    row.day = day
    row.save(update_fields=["after", "cause", "control", "day"])


def _go_green(row: Selection, after: AfterRelease) -> None:
    row.assessment.lane = Lane.GREEN.value
    row.assessment.save(update_fields=["lane"])
    row.after, row.cause, row.control = after.value, "", ""
    row.save(update_fields=["after", "cause", "control"])
