"""Goods of the blue lane leave at once and are checked afterwards, as far as there are hands for it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from click.testing import CliRunner
from pytest_django import Settings

from comity.cli.risk import risk
from comity.enforcement import FindingFacts, InspectionError, InspectionState
from comity.enforcement.checks import CheckFilter, assign_checks, check_counts, checks, drop_check
from comity.enforcement.selectors import inspections, record_file
from comity.intake.values import StoredRecord
from comity.journeys.inspect import complete_inspection, release
from comity.journeys.lanes import lanes_turn, let_low_risk_go
from comity.risk import Cause, Lane, TargetState
from comity.risk.budgets import set_budget, set_policy, used_between
from comity.risk.controls import Budget, ControlKind, Period
from comity.risk.goals import Policy
from comity.risk.models import LearnedOutcome, Selection
from comity.risk.outcomes import windows
from comity.risk.overriding import LaneChange, override_lane
from comity.risk.rules import AfterRelease
from comity.risk.selectors import explanation, plan, profile, queue_row
from comity.risk.services import (
    DayPlan,
    approve_profile,
    assess,
    consider_all,
    draft_profile,
    select_for_day,
    set_plan,
)
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from comity.trade import FindingResult, Party, RiskType
from tests.exchange.cast import keyring
from tests.risk.cast import ANALYST, AUDITOR, NODE, OFFICER, SUPERVISOR, declaration, store
from tests.risk.conftest import draft_of

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 3, 2)  # a Monday
SEED = b"root of a checkpoint"
LEAVES = Policy(green_leaves=True, checks_at_most=0.5, check_due_days=20)
IN_ORDER = FindingFacts(result=FindingResult.IN_ORDER)
IRREGULAR = FindingFacts(
    result=FindingResult.IRREGULAR, risk_type=RiskType.UNDERVALUATION, description="The invoice was another one"
)


@pytest.fixture(autouse=True)
def own_node(settings: Settings, db: None, at: datetime) -> None:
    """XA's keys, and profiles: exporters of number 1 weigh 22, of number 2 weigh 30, of number 3 weigh 36, all blue."""
    settings.COMITY_ADMINISTRATION, settings.COMITY_KEYRING = "XA", keyring("XA")
    for number, weight in enumerate((22, 30, 36), start=1):
        draft = draft_of(
            at, ref=f"P-{number}", expression=f"exporter_id = 'XA-{number}'", weight=weight, lane=Lane.GREEN
        )
        draft_profile(ANALYST, draft=draft, at=at)
        approve_profile(SUPERVISOR, ref=draft.ref, at=at)
    set_plan(SUPERVISOR, day=DAY, plan=DayPlan(10, 0.0), at=at)
    set_policy(SUPERVISOR, day=DAY, policy=LEAVES, at=at)


def arrived(at: datetime, weights: str, *, office: str = "XA001", first: int = 0) -> list[StoredRecord]:
    """One record for each digit, assessed and considered: 0 green, 1 to 3 blue, the heavier the higher."""
    records = []
    for number, weight in enumerate(weights, start=first):
        made = declaration(f"LRN-{number}", office=office, exporter=Party(f"XA-{weight}", "Alfa"))
        records.append(store(made, at + timedelta(seconds=number)))
        assess(NODE, record=records[-1], at=at)
    consider_all(NODE, records=records, at=at, seed=SEED)
    return records


def left(at: datetime, weights: str, **more: object) -> list[StoredRecord]:
    """The same, when those of low risk have left a minute later."""
    records = arrived(at, weights, **more)  # type: ignore[arg-type]
    let_low_risk_go(at + timedelta(minutes=1))
    return records


def budget(at: datetime, amount: int, period: Period = Period.DAY) -> None:
    made = Budget(amount, period, office="XA001", control=ControlKind.DOCUMENTS, valid_from=DAY)
    set_budget(SUPERVISOR, budget=made, at=at)


def after(record: StoredRecord) -> AfterRelease:
    return explanation(record.record_id).after


def check_of(record: StoredRecord) -> UUID:
    (check,) = record_file(record.record_id).inspections
    return check.inspection_id


class TestLeaving:
    def test_blue_leaves_at_once_and_a_check_comes_into_being(self, at: datetime):
        green, blue = left(at, "02")
        assert {queue_row(each.record_id).state for each in (green, blue)} == {TargetState.RELEASED}  # type: ignore[union-attr]
        assert (after(green), after(blue)) == (AfterRelease.NONE, AfterRelease.ORDERED)
        assert record_file(green.record_id).inspections == ()
        (check,) = record_file(blue.record_id).inspections
        assert (check.is_after_release, check.state) == (True, InspectionState.ORDERED)
        assert (check.due_on, check.office, check.ordered_by) == (
            DAY + timedelta(days=20), "XA001", "node:standing-rule:after-release",
        )  # fmt: skip
        assert check.sources == ("profile:P-2", "lane")
        assert check.reasons[-1].clause == "RKC GA 6.6, TFA 7.5"
        found = explanation(blue.record_id)
        assert (found.cause, found.selection) == (
            Cause.RISK, "Released in the blue lane; its documents are checked afterwards.",
        )  # fmt: skip
        assert used_between(DAY, DAY) == [("XA001", ControlKind.DOCUMENTS, 1)]
        assert (plan(DAY).used_after, plan(DAY).used) == (1, 1)

    def test_an_officer_s_release_of_blue_goods_orders_one_too(self, at: datetime):
        set_policy(SUPERVISOR, day=DAY, policy=Policy(), at=at)
        green, blue = left(at, "01")
        gone = release(OFFICER, record_id=blue.record_id, reason="Known trader", at=at)
        assert gone.after is AfterRelease.ORDERED
        assert gone.check is not None
        assert gone.check.due_on == DAY + timedelta(days=30)
        assert release(OFFICER, record_id=green.record_id, reason="Nothing speaks against it", at=at).check is None

    def test_goods_selected_in_the_blue_lane_leave_and_are_paid_once(self, at: datetime):
        set_policy(SUPERVISOR, day=DAY, policy=Policy(), at=at)
        (blue,) = arrived(at, "3")
        select_for_day(NODE, day=DAY, at=at, seed=SEED)
        assert queue_row(blue.record_id).state is TargetState.SELECTED  # type: ignore[union-attr]
        set_policy(SUPERVISOR, day=DAY, policy=LEAVES, at=at)
        assert lanes_turn(at + timedelta(minutes=1)) == 1
        assert after(blue) is AfterRelease.ORDERED
        assert used_between(DAY, DAY) == [("XA001", ControlKind.DOCUMENTS, 1)]
        assert (plan(DAY).used_risk, plan(DAY).used_after) == (1, 0)

    def test_what_was_inspected_before_is_not_checked_again(self, at: datetime):
        (blue,) = arrived(at, "2")
        Selection.objects.filter(record_id=blue.record_id).update(state="held")
        assert release(OFFICER, record_id=blue.record_id, reason="Papers came", at=at).after is AfterRelease.NONE


class TestCapacity:
    def test_where_none_is_left_the_lowest_stay_green_and_it_is_said(self, at: datetime):
        budget(at, 2)
        low, high, middle = left(at, "132")
        assert [after(each) for each in (low, high, middle)] == [
            AfterRelease.FULL, AfterRelease.ORDERED, AfterRelease.ORDERED,
        ]  # fmt: skip
        assert queue_row(low.record_id).lane is Lane.GREEN  # type: ignore[union-attr]
        assert "no control of documents was left" in explanation(low.record_id).selection
        (decision,) = record_file(low.record_id).decisions
        assert "not checked afterwards" in decision.reason
        assert len(inspections(is_after_release=True)) == 2

    def test_weightier_goods_that_come_later_take_the_place_of_the_lowest_that_nobody_took_up(self, at: datetime):
        budget(at, 2)
        low, middle = left(at, "12")
        (high,) = left(at + timedelta(hours=1), "3", first=5)
        assert [after(each) for each in (low, middle, high)] == [
            AfterRelease.YIELDED, AfterRelease.ORDERED, AfterRelease.ORDERED,
        ]  # fmt: skip
        (dropped,) = record_file(low.record_id).inspections
        assert (dropped.state, dropped.completed_by) == (InspectionState.DROPPED, "node:standing-rule:after-release")
        assert "weightier" in dropped.dropped_because
        assert used_between(DAY, DAY) == [("XA001", ControlKind.DOCUMENTS, 2)]
        assign_checks(OFFICER, inspection_ids=[check_of(middle)], officer="ana", at=at)
        (another,) = left(at + timedelta(hours=2), "3", first=6)
        assert (after(another), after(middle)) == (AfterRelease.FULL, AfterRelease.ORDERED)

    def test_a_week_is_not_passed_and_other_offices_have_their_own(self, at: datetime):
        budget(at, 5, Period.WEEK)
        records = left(at, "22")
        assert sorted(map(after, records)) == [AfterRelease.FULL, AfterRelease.ORDERED]
        assert after(left(at, "1", office="XA002", first=5)[0]) is AfterRelease.ORDERED
        assert after(left(at + timedelta(days=1), "1", first=6)[0]) is AfterRelease.ORDERED

    def test_the_day_s_part_for_checks_bounds_them_and_an_officer_may_pass_it(self, at: datetime):
        set_plan(SUPERVISOR, day=DAY, plan=DayPlan(2, 0.0), at=at)
        first, second = left(at, "33")
        assert {after(first), after(second)} == {AfterRelease.ORDERED, AfterRelease.FULL}
        (green,) = arrived(at, "0", first=5)
        override_lane(OFFICER, record_id=green.record_id, change=LaneChange(Lane.BLUE, "See the invoice"), at=at)
        let_low_risk_go(at + timedelta(minutes=1))
        found = explanation(green.record_id)
        assert (found.after, found.cause) == (AfterRelease.ORDERED, Cause.OFFICER)
        assert plan(DAY).used_after == 2


class TestLife:
    def test_what_a_check_finds_is_learned_and_the_goods_stay_released(self, at: datetime):
        (blue,) = left(at, "2")
        later = at + timedelta(days=3)
        done = complete_inspection(OFFICER, inspection_id=check_of(blue), facts=IRREGULAR, at=later)
        assert done.finding.detection_method == "check of documents after release"
        assert queue_row(blue.record_id).state is TargetState.RELEASED  # type: ignore[union-attr]
        learned = LearnedOutcome.objects.get()
        assert (learned.is_after_release, learned.is_irregular, learned.control) == (True, True, "documents")
        assert profile("P-2", later).confirmed == 1
        # Drift is measured on controls of goods that are still there: papers alone find less.
        assert windows(later)[1].by_risk.controls == 0
        with pytest.raises(InspectionError, match="completed already"):
            drop_check(OFFICER, inspection_id=check_of(blue), reason="Late", at=later)

    def test_they_are_given_dropped_and_counted(self, at: datetime):
        low, high = left(at, "13")
        late = DAY + timedelta(days=21)
        assert [each.record_id for each in checks(CheckFilter()).rows] == [high.record_id, low.record_id]
        assert assign_checks(OFFICER, inspection_ids=[check_of(low), check_of(high)], officer="ana", at=at) == 2
        assert assign_checks(OFFICER, inspection_ids=[check_of(low)], officer="", at=at) == 1
        assert checks(CheckFilter(assigned_to="ana")).total == 1
        assert checks(CheckFilter(due_before=late, office="XA001")).total == 2
        assert checks(CheckFilter(due_before=DAY)).total == 0
        every, office = check_counts(late)
        assert (every.open, every.overdue, every.soon, every.unassigned) == (2, 2, 0, 1)
        assert (office.office, office.first_due_on) == ("XA001", DAY + timedelta(days=20))
        with pytest.raises(InspectionError, match="with a reason"):
            drop_check(OFFICER, inspection_id=check_of(low), reason=" ", at=at)
        with pytest.raises(PermissionRefusedError):
            drop_check(AUDITOR, inspection_id=check_of(low), reason="No", at=at)
        dropped = drop_check(OFFICER, inspection_id=check_of(low), reason="The trader closed", at=at)
        assert (dropped.state, dropped.dropped_because) == (InspectionState.DROPPED, "The trader closed")
        assert AuditEntry.objects.filter(deed="drop_check", subject=dropped.reference).count() == 1
        assert check_counts(DAY)[0].open == 1
        told = CliRunner().invoke(risk, ["selection", "checks"], catch_exceptions=False).output
        assert "all: 1 open, 1 overdue" in told
        assert "days overdue" in told
        with pytest.raises(InspectionError, match="not taken up again"):
            complete_inspection(OFFICER, inspection_id=dropped.inspection_id, facts=IN_ORDER, at=at)
