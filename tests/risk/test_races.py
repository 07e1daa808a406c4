"""Several who assess and select at once, on PostgreSQL: nothing is doubled or spent twice, nobody waits in a circle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection, connections, transaction

from comity.intake.values import StoredRecord
from comity.risk.budgets import set_budget
from comity.risk.controls import Budget
from comity.risk.models import Assessment, ControlUse, Selection
from comity.risk.selectors import plan, profile
from comity.risk.services import DayPlan, assess_all, consider_all, select_for_day, set_plan
from tests.risk.cast import NODE, SUPERVISOR, declaration, store
from tests.risk.conftest import MakeProfile

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
DAY = date(2026, 3, 2)
SEED = b"root of a checkpoint"
DOORS = 4


@pytest.fixture(autouse=True)
def several_writers(db: None) -> None:
    """SQLite lets one writer in at a time, so there is nothing to try."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one writer in at a time")


def at_once(roads: Sequence[Callable[[], object]]) -> list[object]:
    """What each road answers, all started together, each on a connection of its own."""
    start = Barrier(len(roads))

    def run(road: Callable[[], object]) -> object:
        start.wait(timeout=20)
        try:
            return road()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(roads)) as pool:
        return list(pool.map(run, roads))


def arriving(records: Sequence[StoredRecord], at: datetime) -> Callable[[], object]:
    @transaction.atomic
    def road() -> object:
        refs = assess_all(NODE, records=records, at=at)
        consider_all(NODE, records=records, at=at, seed=SEED)
        return refs

    return road


def stored(at: datetime, count: int) -> list[StoredRecord]:
    return [store(declaration(f"LRN-{number}"), at) for number in range(count)]


def test_the_same_new_records_are_assessed_once(at: datetime, make_profile: MakeProfile) -> None:
    make_profile(expression="TRUE", weight=80)
    set_plan(SUPERVISOR, day=DAY, plan=DayPlan(5, 0.0), at=at)
    records = stored(at, 20)
    orders = [records, records[::-1], records[5:] + records[:5], records[::2] + records[1::2]]
    answers = at_once([arriving(order, at) for order in orders])
    assert len(answers) == DOORS
    assert Assessment.objects.count() == Selection.objects.count() == len(records)
    assert profile("P-1", at).hits == len(records)
    assert plan(DAY).used_risk == Selection.objects.filter(cause="risk").count() == 5


def test_doors_share_a_days_capacity(at: datetime, make_profile: MakeProfile) -> None:
    make_profile(expression="TRUE", weight=80)
    make_profile(ref="P-2", expression="TRUE", weight=10)
    set_plan(SUPERVISOR, day=DAY, plan=DayPlan(7, 0.0), at=at)
    records = stored(at, 40)
    at_once([arriving(records[first::DOORS], at) for first in range(DOORS)])
    assert plan(DAY).used_risk == Selection.objects.filter(cause="risk").count() == 7
    assert (profile("P-1", at).hits, profile("P-2", at).hits) == (40, 40)


def test_the_days_selection_beside_arrivals_of_known_records(at: datetime, make_profile: MakeProfile) -> None:
    records = stored(at, 30)
    assess_all(NODE, records=records, at=at)
    make_profile(expression="TRUE", weight=80)
    set_plan(SUPERVISOR, day=DAY, plan=DayPlan(9, 0.0), at=at)

    def select() -> object:
        return select_for_day(NODE, day=DAY, at=at, seed=SEED)

    at_once([arriving(records, at), select, arriving(records[::-1], at), select])
    assert plan(DAY).used == Selection.objects.filter(state="selected").count() <= 9
    assert Assessment.objects.filter(is_current=True, number=2).count() == len(records)


def test_doors_share_a_weeks_budget_on_two_days(at: datetime, make_profile: MakeProfile) -> None:
    make_profile(expression="TRUE", weight=80)
    set_plan(SUPERVISOR, day=DAY, plan=DayPlan(50, 0.0), at=at)
    set_budget(SUPERVISOR, budget=Budget(11, open_days="0100000", valid_from=DAY), at=at)
    records = stored(at, 40)
    tuesday = at + timedelta(days=1)

    def select(day: date) -> Callable[[], object]:
        return lambda: select_for_day(NODE, day=day, at=at, seed=SEED)

    at_once(
        [arriving(records[first::2], tuesday) for first in range(2)] + [select(DAY), select(DAY + timedelta(days=1))]
    )
    assert sum(ControlUse.objects.values_list("used", flat=True)) == 11
    assert Selection.objects.filter(state="selected").count() == 11
