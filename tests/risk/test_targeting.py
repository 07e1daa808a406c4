"""Selection: capacity, mandatory first, then score, then chance that anyone can recompute."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from comity.intake.values import StoredRecord
from comity.risk import Cause, Lane, SelectionError, SourceKind, TargetState
from comity.risk.models import Selection
from comity.risk.rules import draw
from comity.risk.selectors import explanation, plan, queue_row, sources_of, state_counts
from comity.risk.services import (
    DayPlan,
    assess,
    assign,
    consider,
    select_by_officer,
    select_for_day,
    set_plan,
    set_target_state,
)
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from tests.risk.cast import ANALYST, AUDITOR, NODE, OFFICER, SUPERVISOR, declaration, store
from tests.risk.conftest import MakeProfile

pytestmark = pytest.mark.django_db
SEED = b"root of a checkpoint"
DAY = date(2026, 3, 2)


@pytest.fixture
def profiles(make_profile: MakeProfile) -> None:
    """Office R is mandatory, office H scores 80, office L scores 30; the rest nothing."""
    make_profile(ref="P-R", expression="office = 'R'", weight=50, lane=Lane.RED)
    make_profile(ref="P-H", expression="office = 'H'", weight=80)
    make_profile(ref="P-L", expression="office = 'L'", weight=30)


def arrive(at: datetime, offices: str) -> list[StoredRecord]:
    """One assessed record for each letter."""
    records = [
        store(declaration(f"LRN-{number}", office=office), at + timedelta(seconds=number))
        for number, office in enumerate(offices)
    ]
    for record in records:
        assess(NODE, record=record, at=at)
    return records


def set_capacity(at: datetime, capacity: int, share: float = 0.1, **more: object) -> None:
    set_plan(SUPERVISOR, day=DAY, plan=DayPlan(capacity, share, **more), at=at)  # type: ignore[arg-type]


class TestPlans:
    def test_a_plan_holds_until_the_next_one(self, at: datetime):
        assert plan(DAY).capacity == 20
        set_capacity(at, 5, 0.2)
        assert (plan(DAY).capacity, plan(DAY).random_share, plan(DAY).left) == (5, 0.2, 5)
        assert plan(DAY + timedelta(days=3)).capacity == 5
        assert plan(DAY - timedelta(days=3)).capacity == 20
        set_capacity(at, 6)
        assert plan(DAY).capacity == 6
        select_for_day(NODE, day=DAY + timedelta(days=2), at=at, seed=SEED)
        assert plan(DAY + timedelta(days=2)).capacity == 6
        assert AuditEntry.objects.filter(deed="set_selection_plan").count() == 2

    @pytest.mark.parametrize(
        "figures", [DayPlan(-1), DayPlan(5, 1.1), DayPlan(5, 0.1, 101.0), DayPlan(5, 0.1, 50.0, 0)]
    )
    def test_figures_that_make_no_sense(self, at: datetime, figures: DayPlan):
        with pytest.raises(SelectionError, match="make no sense"):
            set_plan(SUPERVISOR, day=DAY, plan=figures, at=at)

    def test_stating_it_needs_a_supervisor(self, at: datetime):
        with pytest.raises(PermissionRefusedError):
            set_plan(OFFICER, day=DAY, plan=DayPlan(), at=at)


@pytest.mark.usefixtures("profiles")
class TestSelectForDay:
    def test_mandatory_then_score_then_chance_within_the_capacity(self, at: datetime):
        records = arrive(at, "LHRLNNNNNNHL")
        set_capacity(at, 5, 0.2)
        run = select_for_day(NODE, day=DAY, at=at, seed=SEED)
        causes = [chosen.cause for chosen in run.chosen]
        assert causes == [Cause.MANDATORY, Cause.RISK, Cause.RISK, Cause.RISK, Cause.RANDOM]
        chosen = [one.record_id for one in run.chosen]
        assert chosen[0] == records[2].record_id
        assert set(chosen[1:3]) == {records[1].record_id, records[10].record_id}
        assert chosen[3] == records[0].record_id
        assert (run.plan.used_mandatory, run.plan.used_risk, run.plan.used_random, run.plan.left) == (1, 3, 1, 0)
        assert state_counts()[TargetState.SELECTED] == 5

    def test_the_random_part_is_the_smallest_draws_of_the_rest(self, at: datetime):
        records = arrive(at, "NNNNNNNNNN")
        set_capacity(at, 10, 0.3)
        run = select_for_day(NODE, day=DAY, at=at, seed=SEED)
        expected = sorted((draw(SEED, record.record_id), record.record_id) for record in records)[:3]
        assert [(one.draw, one.record_id) for one in run.chosen] == expected
        told = explanation(run.chosen[0].record_id)
        assert told.cause is Cause.RANDOM
        assert SEED.hex() in told.selection
        assert told.seed == SEED.hex()
        assert told.reasons[-1].source_kind is SourceKind.RANDOM
        assert sources_of(run.chosen[0].record_id) == ("random",)
        assert queue_row(run.chosen[0].record_id).top_reason.startswith("Random control")  # type: ignore[union-attr]

    def test_mandatory_ones_may_pass_the_capacity_and_nothing_else_may(self, at: datetime):
        arrive(at, "RRRHN")
        set_capacity(at, 2)
        run = select_for_day(NODE, day=DAY, at=at, seed=SEED)
        assert [one.cause for one in run.chosen] == [Cause.MANDATORY] * 3
        assert run.plan.left == 0

    def test_a_second_run_spends_only_what_is_left(self, at: datetime):
        arrive(at, "HHHH")
        set_capacity(at, 3, 0.0)
        assert len(select_for_day(NODE, day=DAY, at=at, seed=SEED).chosen) == 3
        assert select_for_day(NODE, day=DAY, at=at, seed=b"another").chosen == ()

    def test_it_needs_the_permission(self, at: datetime):
        with pytest.raises(PermissionRefusedError):
            select_for_day(AUDITOR, day=DAY, at=at, seed=SEED)
        select_for_day(ANALYST, day=DAY, at=at, seed=SEED)
        assert AuditEntry.objects.filter(deed="select_for_day").count() == 1


@pytest.mark.usefixtures("profiles")
class TestConsider:
    def test_on_arrival_mandatory_and_high_scores_are_taken_at_once(self, at: datetime):
        mandatory, high, low = arrive(at, "RHL")
        set_capacity(at, 3, 0.0)
        assert consider(NODE, record=mandatory, at=at, seed=SEED).cause is Cause.MANDATORY
        assert consider(NODE, record=high, at=at, seed=SEED).cause is Cause.RISK
        assert not consider(NODE, record=low, at=at, seed=SEED).is_selected
        assert "makes it mandatory" in explanation(mandatory.record_id).selection
        assert "for its score" in explanation(high.record_id).selection
        assert explanation(low.record_id).selection == "Not selected."
        assert explanation(low.record_id).draw == draw(SEED, low.record_id)

    def test_asked_again_the_answer_stays(self, at: datetime):
        (high,) = arrive(at, "H")
        set_capacity(at, 2, 0.5)
        first = consider(NODE, record=high, at=at, seed=SEED)
        assert consider(NODE, record=high, at=at, seed=b"other") == first
        assert plan(DAY).used == 1

    def test_chance_is_asked_once_for_each_record(self, at: datetime):
        (plain,) = arrive(at, "N")
        set_capacity(at, 10, 0.000001)
        first = consider(NODE, record=plain, at=at, seed=SEED)
        assert not first.is_selected
        set_capacity(at, 10, 1.0)
        again = consider(NODE, record=plain, at=at, seed=b"a seed that would win")
        assert (again.is_selected, again.draw) == (False, first.draw)

    def test_what_is_drawn_follows_the_stated_share(self, at: datetime):
        records = arrive(at, "N" * 40)
        set_capacity(at, 400, 0.3)
        chosen = [consider(NODE, record=record, at=at, seed=SEED).is_selected for record in records]
        assert chosen == [draw(SEED, record.record_id) < 0.3 for record in records]
        assert any(chosen)
        assert not all(chosen)

    def test_with_expected_arrivals_the_share_lasts_the_day(self, at: datetime):
        records = arrive(at, "N" * 30)
        set_capacity(at, 10, 0.5, expected_arrivals=50)
        chosen = [consider(NODE, record=record, at=at, seed=SEED).is_selected for record in records]
        drawn = [draw(SEED, record.record_id) < 0.1 for record in records]
        random_slots = 5
        assert chosen == [is_drawn and sum(drawn[:place]) < random_slots for place, is_drawn in enumerate(drawn)]

    def test_risk_leaves_the_random_slots_and_chance_stops_when_they_are_spent(self, at: datetime):
        records = arrive(at, "HHHNNN")
        set_capacity(at, 3, 1 / 3, expected_arrivals=1)
        causes = [consider(NODE, record=record, at=at, seed=SEED).cause for record in records]
        # The third high score finds only the random slot left and takes its chance there.
        assert causes == [Cause.RISK, Cause.RISK, Cause.RANDOM, Cause.NONE, Cause.NONE, Cause.NONE]

    def test_without_capacity_only_the_mandatory(self, at: datetime):
        mandatory, high, plain = arrive(at, "RHN")
        set_capacity(at, 0, 1.0)
        assert consider(NODE, record=mandatory, at=at, seed=SEED).is_selected
        assert not consider(NODE, record=high, at=at, seed=SEED).is_selected
        assert not consider(NODE, record=plain, at=at, seed=SEED).is_selected

    def test_the_day_is_the_administration_s_own(self, at: datetime, settings: object):
        settings.COMITY_TIME_ZONE = "Pacific/Auckland"  # type: ignore[attr-defined]
        (high,) = arrive(at, "H")
        late = at.replace(hour=20)
        consider(NODE, record=high, at=late, seed=SEED)
        assert explanation(high.record_id).day == date(2026, 3, 3)

    def test_unassessed_is_an_error(self, at: datetime):
        with pytest.raises(SelectionError, match="not assessed"):
            consider(NODE, record=store(declaration(), at), at=at, seed=SEED)
        with pytest.raises(SelectionError, match="not assessed"):
            explanation(uuid4())
        assert queue_row(uuid4()) is None
        assert sources_of(uuid4()) == ()


class TestOfficers:
    def test_an_officer_selects_with_a_reason(self, at: datetime):
        (plain,) = arrive(at, "N")
        with pytest.raises(SelectionError, match="needs a reason"):
            select_by_officer(OFFICER, record_id=plain.record_id, reason=" ", at=at)
        with pytest.raises(PermissionRefusedError):
            select_by_officer(AUDITOR, record_id=plain.record_id, reason="x", at=at)
        select_by_officer(OFFICER, record_id=plain.record_id, reason="Seal looks new", at=at)
        told = explanation(plain.record_id)
        assert (told.cause, told.selection) == (Cause.OFFICER, "Selected by an officer.")
        assert told.reasons[0].text == "Seal looks new"
        with pytest.raises(SelectionError, match="selected already"):
            select_by_officer(OFFICER, record_id=plain.record_id, reason="Again", at=at)

    def test_records_are_given_to_officers_in_bulk(self, at: datetime):
        records = arrive(at, "NNN")
        ids = [record.record_id for record in records]
        set_target_state(NODE, record_id=ids[2], state=TargetState.RELEASED, at=at)
        assert assign(OFFICER, record_ids=ids, officer="boris", at=at) == 2
        assert assign(OFFICER, record_ids=ids[:1], officer="boris", at=at) == 0
        assert assign(OFFICER, record_ids=ids[:1], officer="", at=at) == 1
        assert set(Selection.objects.values_list("assigned_to", flat=True)) == {"", "boris"}
        entries = AuditEntry.objects.filter(deed="assign_records").order_by("id")
        assert [entry.subject for entry in entries] == ["records:3", f"record:{ids[0]}", f"record:{ids[0]}"]
        assert entries[2].facts["officer"] == "nobody"
        with pytest.raises(PermissionRefusedError):
            assign(AUDITOR, record_ids=ids, officer="dora", at=at)


class TestStates:
    @pytest.mark.parametrize(
        "path",
        [["inspecting", "released"], ["held", "inspecting", "held", "released"], ["selected", "selected", "released"]],
    )
    def test_moves(self, at: datetime, path: list[str]):
        record_id = self.one(at)
        for word in path:
            set_target_state(NODE, record_id=record_id, state=TargetState(word), at=at)
        assert queue_row(record_id).state is TargetState(path[-1])  # type: ignore[union-attr]

    @pytest.mark.parametrize("path", [["released", "inspecting"], ["inspecting", "selected"], ["selected", "new"]])
    def test_what_cannot_be(self, at: datetime, path: list[str]):
        record_id = self.one(at)
        set_target_state(NODE, record_id=record_id, state=TargetState(path[0]), at=at)
        with pytest.raises(SelectionError, match="cannot become"):
            set_target_state(NODE, record_id=record_id, state=TargetState(path[1]), at=at)

    def one(self, at: datetime) -> UUID:
        return arrive(at, "N")[0].record_id
