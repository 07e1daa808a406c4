"""Selection with everything around it: budgets, overrides, release times, lanes by the clock, and chance proved."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from django.db import transaction
from pytest_django import Settings

from comity.cli.risk import risk
from comity.common import utc_now
from comity.enforcement.selectors import record_file
from comity.intake.selectors import record as stored_record
from comity.intake.values import StoredRecord
from comity.journeys.approving import approve_proposal
from comity.journeys.chance import chance_now
from comity.journeys.lanes import lanes_turn, let_low_risk_go
from comity.journeys.override import change_lane
from comity.journeys.prove import prove_selection
from comity.journeys.select import select_today
from comity.ledger.selectors import checkpoint_at
from comity.ledger.services import append, record_cosignature
from comity.risk import Cause, Lane, SelectionError, TargetState
from comity.risk.budgets import policy_on, set_budget, set_policy, standings_on
from comity.risk.controls import Budget, ControlKind, Period
from comity.risk.errors import SelectionProofError
from comity.risk.exploring import Hits
from comity.risk.forecasting import forecast_for
from comity.risk.goals import Policy
from comity.risk.models import ControlUse, LearnedModel, LearnedOutcome, ModelScore, Selection, SelectionPlan
from comity.risk.outcomes import windows
from comity.risk.overriding import LaneChange, override_counts, override_lane, overrides_of
from comity.risk.proving import Statement, statement_from_json, statement_to_json, verify
from comity.risk.release_times import release_times
from comity.risk.selectors import explanation, plan, queue_row
from comity.risk.services import (
    DayPlan,
    approve_profile,
    assess,
    consider_all,
    draft_profile,
    learn,
    select_by_officer,
    select_for_day,
    set_plan,
    set_target_state,
)
from comity.staff import PermissionRefusedError, ProposalRefusedError, SecondOfficerNeededError
from comity.staff.models import AuditEntry
from comity.trade import Outcome, RiskType
from comity.trust import LogSigner, NoteKind, SigningKey, add_signatures, cosign
from tests.exchange.cast import keyring
from tests.risk.cast import ANALYST, AUDITOR, NODE, OFFICER, SUPERVISOR, declaration, store
from tests.risk.conftest import draft_of

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 3, 2)  # a Monday
SEED = b"root of a checkpoint"
WITNESS = LogSigner("witness.example", SigningKey.from_seed(b"w" * 32), NoteKind.COSIGNATURE)


@pytest.fixture(autouse=True)
def own_node(settings: Settings, db: None, at: datetime) -> None:
    """XA's keys, and profiles: office R is mandatory, office H scores 80 in red, office Y scores 60 in yellow."""
    settings.COMITY_ADMINISTRATION, settings.COMITY_KEYRING = "XA", keyring("XA")
    offices = [
        ("R", 50, Lane.RED, RiskType.PROHIBITED),
        ("H", 80, Lane.YELLOW, RiskType.UNDERVALUATION),
        ("Y", 60, Lane.YELLOW, RiskType.COUNTERFEIT),
        ("O", 60, Lane.ORANGE, RiskType.SMUGGLING),
    ]
    for office, weight, lane, risk_type in offices:
        draft = draft_of(
            at, ref=f"P-{office}", expression=f"office = '{office}'", weight=weight, lane=lane, risk_type=risk_type
        )
        draft_profile(ANALYST, draft=draft, at=at)
        approve_profile(SUPERVISOR, ref=draft.ref, at=at)


def arrived(at: datetime, offices: str, first: int = 0) -> list[StoredRecord]:
    """One assessed record for each letter."""
    records = []
    for number, office in enumerate(offices, start=first):
        records.append(store(declaration(f"LRN-{number}", office=office), at + timedelta(seconds=number)))
        assess(NODE, record=records[-1], at=at)
    return records


def considered(at: datetime, offices: str, first: int = 0) -> list[Cause]:
    records = arrived(at, offices, first)
    return [each.cause for each in consider_all(NODE, records=records, at=at, seed=SEED)]


def capacity(at: datetime, amount: int, share: float = 0.0, **more: int) -> None:
    set_plan(SUPERVISOR, day=DAY, plan=DayPlan(amount, share, **more), at=at)  # type: ignore[arg-type]


class TestBudgets:
    def test_an_office_and_a_kind_have_their_own_and_the_rest_of_the_day_is_free(self, at: datetime):
        capacity(at, 50)
        set_budget(SUPERVISOR, budget=Budget(1, Period.DAY, office="H", valid_from=DAY), at=at)
        set_budget(SUPERVISOR, budget=Budget(2, Period.DAY, control=ControlKind.DOCUMENTS, valid_from=DAY), at=at)
        causes = considered(at, "HHYYYO")
        assert causes == [Cause.RISK, Cause.NONE, Cause.RISK, Cause.RISK, Cause.NONE, Cause.RISK]
        uses = set(ControlUse.objects.values_list("office", "control", "used"))
        assert uses == {("H", "physical", 1), ("Y", "documents", 2), ("O", "scan", 1)}
        assert [(each.used, each.left) for each in standings_on(DAY)] == [(2, 0), (1, 0)]
        assert set(Selection.objects.filter(state="selected").values_list("office", "control")) == {
            ("H", "physical"), ("Y", "documents"), ("O", "scan"),
        }  # fmt: skip

    def test_a_week_carries_over_and_is_not_passed_by_two_days(self, at: datetime):
        capacity(at, 50)
        set_budget(SUPERVISOR, budget=Budget(5, office="H", valid_from=DAY), at=at)
        assert considered(at, "HHH").count(Cause.RISK) == 1
        thursday = at + timedelta(days=3)
        assert considered(thursday, "HHHHH", 10).count(Cause.RISK) == 3
        run = select_for_day(NODE, day=DAY + timedelta(days=4), at=thursday, seed=SEED)
        assert len(run.chosen) == 1
        assert considered(at + timedelta(days=7), "HHH", 20).count(Cause.RISK) == 1

    def test_mandatory_ones_pass_a_budget_and_are_counted(self, at: datetime):
        capacity(at, 50)
        set_budget(SUPERVISOR, budget=Budget(1, Period.DAY, valid_from=DAY), at=at)
        assert considered(at, "RRH") == [Cause.MANDATORY, Cause.MANDATORY, Cause.NONE]
        assert standings_on(DAY)[0].used == 2

    def test_an_officer_s_selection_is_counted(self, at: datetime):
        (plain,) = arrived(at, "N")
        select_by_officer(OFFICER, record_id=plain.record_id, reason="Seal looks new", at=at)
        assert list(ControlUse.objects.values_list("office", "control", "used")) == [("N", "documents", 1)]

    def test_stating_it_needs_a_supervisor_and_is_audited(self, at: datetime):
        with pytest.raises(PermissionRefusedError):
            set_budget(OFFICER, budget=Budget(1, valid_from=DAY), at=at)
        with pytest.raises(PermissionRefusedError):
            set_policy(OFFICER, day=DAY, policy=Policy(), at=at)
        set_budget(SUPERVISOR, budget=Budget(1, valid_from=DAY), at=at)
        set_policy(SUPERVISOR, day=DAY, policy=Policy(revenue=2), at=at)
        assert AuditEntry.objects.get(deed="set_selection_policy").facts == {"revenue": "2"}
        assert AuditEntry.objects.get(deed="set_control_budget").facts["amount"] == "1 a week"
        assert (policy_on(DAY).revenue, policy_on(DAY - timedelta(days=1)).revenue) == (2, 1)


class TestGoals:
    def test_what_counts_less_waits(self, at: datetime):
        capacity(at, 50)
        set_policy(SUPERVISOR, day=DAY, policy=Policy(revenue=0.5), at=at)
        assert considered(at, "HY") == [Cause.NONE, Cause.RISK]  # 80 counts 40, under the threshold of 50

    def test_a_part_is_kept_for_harm(self, at: datetime):
        capacity(at, 4)
        set_policy(SUPERVISOR, day=DAY, policy=Policy(share_critical=0.5), at=at)
        assert considered(at, "HHHYYY") == [Cause.RISK, Cause.RISK, Cause.NONE, Cause.RISK, Cause.RISK, Cause.NONE]
        assert (plan(DAY).used_risk, plan(DAY).used_critical) == (4, 2)

    def test_a_run_keeps_its_parts(self, at: datetime):
        arrived(at, "NNHHHYN")
        capacity(at, 5, 0.2)
        set_policy(SUPERVISOR, day=DAY, policy=Policy(share_learning=0.2, share_value=0.2, currency="USD"), at=at)
        run = select_for_day(NODE, day=DAY, at=at, seed=SEED)
        assert [each.cause.value for each in run.chosen] == ["risk", "risk", "risk", "learning", "random"]
        assert (plan(DAY).used_learning, plan(DAY).used_value, plan(DAY).used) == (1, 1, 5)
        learned = Selection.objects.get(cause="learning")
        assert "to learn" in explanation(learned.record_id).selection

    def test_measured_drift_adds_to_the_day_and_is_measured_once(self, at: datetime):
        set_policy(SUPERVISOR, day=DAY, policy=Policy(explore_at_most=0.5), at=at)
        capacity(at, 20, 0.1)
        outcomes(at - timedelta(days=60), 100, 2)
        outcomes(at - timedelta(days=3), 60, 20)
        assert windows(at)[0].by_chance == Hits(100, 2)
        considered(at, "N")
        assert plan(DAY).extra_share == pytest.approx(0.4)
        assert plan(DAY).chance_share == pytest.approx(0.3)
        LearnedOutcome.objects.all().delete()
        considered(at, "N", 5)
        assert plan(DAY).extra_share == pytest.approx(0.4)
        assert SelectionPlan.objects.get().random_share == 0.1


def outcomes(found_at: datetime, count: int, irregular: int) -> None:
    LearnedOutcome.objects.bulk_create(
        LearnedOutcome(
            declaration_ref=f"{found_at:%m%d}-{number}",
            decided_at=found_at,
            is_irregular=number < irregular,
            is_random=True,
            sources=["random"],
            learned_at=found_at,
            score=90.0,
            cause="random",
        )
        for number in range(count)
    )


class TestOverrides:
    def test_a_raise_selects_is_explained_and_holds_when_assessed_again(self, at: datetime):
        (plain,) = arrived(at, "N")
        change = LaneChange(Lane.ORANGE, "Container shows fresh welding")
        made = override_lane(OFFICER, record_id=plain.record_id, change=change, at=at)
        assert (made.from_lane, made.to_lane, made.is_raise) == (Lane.GREEN, Lane.ORANGE, True)
        row = Selection.objects.get()
        assert (row.state, row.cause, row.control) == ("selected", "officer", "scan")
        assert (
            "Raised from green to orange: Container shows fresh welding" in explanation(plain.record_id).reasons[0].text
        )
        assess(NODE, record=store(declaration("LRN-0", office="Y"), at, version=2), at=at)
        assert queue_row(plain.record_id).lane is Lane.ORANGE  # type: ignore[union-attr]
        assert AuditEntry.objects.get(deed="override_lane").facts["to"] == "orange"

    def test_a_lowering_takes_it_out_and_lapses_with_new_reasons(self, at: datetime):
        capacity(at, 50)
        considered(at, "Y")
        row = Selection.objects.get()
        override_lane(OFFICER, record_id=row.record_id, change=LaneChange(Lane.GREEN, "Known spare parts"), at=at)
        assert considered_again(at) == Cause.NONE
        assert queue_row(row.record_id).lane is Lane.GREEN  # type: ignore[union-attr]
        assess(NODE, record=store(declaration("LRN-0", office="H"), at, version=2), at=at)
        assert queue_row(row.record_id).lane is Lane.RED  # type: ignore[union-attr]
        assert considered_again(at) == Cause.RISK

    def test_a_mandatory_control_falls_away_by_two_officers_only(self, at: datetime):
        considered(at, "R")
        record_id = Selection.objects.get().record_id
        change = LaneChange(Lane.YELLOW, "Licence was shown")
        with pytest.raises(SecondOfficerNeededError):
            override_lane(OFFICER, record_id=record_id, change=change, at=at)
        moved = change_lane(OFFICER, record_id=record_id, change=change, at=at)
        assert moved.overridden is None
        assert moved.proposal_id is not None
        assert queue_row(record_id).lane is Lane.RED  # type: ignore[union-attr]
        with pytest.raises((PermissionRefusedError, ProposalRefusedError)):
            approve_proposal(OFFICER, proposal_id=moved.proposal_id, at=at)
        assert approve_proposal(SUPERVISOR, proposal_id=moved.proposal_id, at=at).is_lane
        (made,) = overrides_of(record_id)
        assert (made.by, made.approved_by, made.was_mandatory) == (str(OFFICER), str(SUPERVISOR), True)
        row = queue_row(record_id)
        assert row is not None
        assert (row.lane, row.state, row.is_mandatory) == (Lane.YELLOW, TargetState.NEW, False)
        assert "approved by chipo" in explanation(record_id).reasons[-1].text

    def test_what_may_not_be(self, at: datetime):
        (plain, drawn) = arrived(at, "NY")
        wish = LaneChange(Lane.GREEN, "No")
        with pytest.raises(SelectionError, match="green already"):
            override_lane(OFFICER, record_id=plain.record_id, change=wish, at=at)
        with pytest.raises(SelectionError, match="needs a reason"):
            override_lane(OFFICER, record_id=plain.record_id, change=LaneChange(Lane.RED, " "), at=at)
        with pytest.raises(SelectionError, match="not assessed"):
            override_lane(OFFICER, record_id=UUID(int=1), change=wish, at=at)
        with pytest.raises(PermissionRefusedError):
            override_lane(AUDITOR, record_id=plain.record_id, change=LaneChange(Lane.RED, "x"), at=at)
        Selection.objects.filter(record_id=drawn.record_id).update(state="selected", cause="random")
        with pytest.raises(SelectionError, match="random control is not taken back"):
            override_lane(OFFICER, record_id=drawn.record_id, change=wish, at=at)
        set_target_state(NODE, record_id=plain.record_id, state=TargetState.INSPECTING, at=at)
        with pytest.raises(SelectionError, match="inspecting already"):
            override_lane(OFFICER, record_id=plain.record_id, change=LaneChange(Lane.RED, "x"), at=at)

    def test_they_are_counted_with_what_was_found(self, at: datetime):
        records = arrived(at, "NNY")
        for record, lane in zip(records, (Lane.RED, Lane.RED, Lane.BLUE), strict=True):
            override_lane(OFFICER, record_id=record.record_id, change=LaneChange(lane, "So it seems"), at=at)
        learn(Outcome("LRN-0", is_irregular=True, decided_at=at, risk_type=RiskType.OTHER), at=at)
        learn(Outcome("LRN-1", is_irregular=False, decided_at=at), at=at)
        raised, lowered = override_counts(at - timedelta(days=1))
        assert (raised.changes, raised.controlled, raised.irregular) == (2, 2, 1)
        assert (lowered.changes, lowered.controlled) == (1, 0)
        known = LearnedOutcome.objects.get(declaration_ref="LRN-0")
        assert (known.office, known.lane, known.cause, known.risk_type) == ("N", "red", "officer", "other")


def considered_again(at: datetime) -> Cause:
    """What becomes of the only record that waits when it is considered once more."""
    record = stored_record(Selection.objects.get().record_id)
    return consider_all(NODE, records=[record], at=at, seed=SEED)[0].cause


class TestLanes:
    def test_low_risk_leaves_at_once_and_only_what_chance_was_asked_about(self, at: datetime):
        capacity(at, 50)
        assert let_low_risk_go(at) == 0
        set_policy(SUPERVISOR, day=DAY, policy=Policy(green_leaves=True), at=at)
        considered(at, "NNY")
        arrived(at, "N", 10)  # chance was not asked about this one yet
        later = at + timedelta(minutes=2)
        assert let_low_risk_go(later) == 2
        row = Selection.objects.get(reference="LRN-0")
        assert (row.state, row.released_at) == ("released", later)
        (decision,) = record_file(row.record_id).decisions
        assert "Green lane" in decision.reason
        assert let_low_risk_go(later) == 0

    def test_delayed_green_waits_and_old_papers_turn_blue(self, at: datetime):
        capacity(at, 50)
        policy = Policy(green_leaves=True, green_delay_minutes=30, blue_after_days=2)
        set_policy(SUPERVISOR, day=DAY, policy=policy, at=at)
        considered(at, "NYH")
        assert lanes_turn(at + timedelta(minutes=29)) == 0
        assert lanes_turn(at + timedelta(minutes=31)) == 1
        assert lanes_turn(at + timedelta(days=3)) == 2
        row = Selection.objects.select_related("assessment").get(office="Y")
        assert (row.assessment.lane, row.state, row.control) == ("blue", "released", "documents")
        assert (row.cause, row.after) == ("risk", "ordered")
        assert AuditEntry.objects.filter(deed="turn_blue").count() == 1
        assert Selection.objects.get(office="H").state == "selected"

    def test_how_long_goods_waited(self, at: datetime):
        records = arrived(at, "NNNNY")
        for minutes, record in enumerate(records, start=1):
            released_at = record.received_at + timedelta(minutes=minutes)
            set_target_state(NODE, record_id=record.record_id, state=TargetState.RELEASED, at=released_at)
        times = {(each.lane.value, each.office): each for each in release_times(at)}
        assert set(times) == {("green", ""), ("green", "N"), ("yellow", ""), ("yellow", "Y")}
        green = times["green", "N"]
        assert (green.released, green.median, green.p90) == (4, timedelta(minutes=2), timedelta(minutes=4))
        assert release_times(at + timedelta(days=1)) == []


class TestForecast:
    def test_it_rests_on_what_controls_found(self, at: datetime):
        arrived(at, "HHNN")
        found = forecast_for(2, policy=Policy(), at=at)
        assert found.is_guess
        assert (found.waiting, found.expected.inspections) == (4, 2)
        outcomes(at - timedelta(days=3), 60, 20)
        found = forecast_for(2, policy=Policy(currency="USD"), at=at)
        assert found.expected.hits == pytest.approx(2 / 3, abs=0.01)
        assert found.expected.value == pytest.approx(2 * 210 / 3, abs=2)
        assert [(part.office, part.control) for part in found.parts] == [("H", "physical")]
        assert forecast_for(9, policy=Policy(), at=at, office="N").waiting == 2

    def test_it_adds_up_what_the_champion_told_and_says_of_how_many(self, at: datetime):
        told_of, _, plain = arrived(at, "HHN")
        card = {"tells_revenue": False, "revenue": {"currency": "USD"}}
        fields = {"first_day": DAY, "last_day": DAY, "card": card, "proposed_at": at, "changed_at": at}
        champion = LearnedModel.objects.create(model_id="7" * 64, administration="XA", state="champion", **fields)
        retired = LearnedModel.objects.create(model_id="8" * 64, administration="XA", state="retired", **fields)
        for model, record, revenue in ((champion, told_of, 1200.5), (champion, plain, 0.0), (retired, plain, 9e9)):
            ModelScore.objects.create(
                model=model, record_id=record.record_id, version=1, chance=0.5, revenue=revenue, is_used=True, at=at
            )
        assert "the champion learned too few amounts" in run("selection", "planner", "--inspections", "2").output
        LearnedModel.objects.update(card=card | {"tells_revenue": True})
        found = forecast_for(3, policy=Policy(currency="XAF"), at=at)
        assert (found.expected.revenue, found.expected.with_revenue, found.basis.currency) == (1200.5, 2, "USD")
        ahead = run("selection", "planner", "--inspections", "2").output
        assert "Expected revenue 1,200 USD, told of 1 of the 2; the others are not in it." in ahead
        assert "1,200 (1)" in ahead
        ModelScore.objects.exclude(record_id=plain.record_id).delete()
        ahead = run("selection", "planner", "--inspections", "1").output
        assert "Expected revenue is told of none of the 1, of 1 that wait." in ahead


@pytest.fixture
def statement(at: datetime) -> Callable[[], Statement]:
    """A day with draws on arrival and a run, and what is stated of it."""
    capacity(at, 20, 0.4, expected_arrivals=40)
    with transaction.atomic():
        append([b"something else"], signer=keyring("XA").log, at=at)
    records = arrived(at, "NNNNNRH")
    chance = chance_now()
    consider_all(NODE, records=records, at=at, seed=chance.seed, log_size=chance.log_size)
    arrived(at, "NNNN", 20)
    select_today(ANALYST, at=at)
    return lambda: prove_selection(SUPERVISOR, day=DAY, at=at)


class TestProof:
    def test_a_day_is_computed_again(self, statement: Callable[[], Statement], at: datetime):
        made = statement()
        assert [asked.way for asked in made.asked] == ["arrival", "run"]
        assert len(made.asked[0].order) == 5
        assert made.otherwise == {"mandatory": 1, "risk": 1}
        again = statement_from_json(json.loads(json.dumps(statement_to_json(made))))
        assert again == made
        told = " ".join(verify(again, vkey=keyring("XA").log.vkey))
        assert "about 5 records on arrival" in told
        assert "Its candidates were in the log before its seed existed." in told
        assert "exactly those whom the draws choose" in told
        assert "1 mandatory, 1 risk" in told
        assert "key is taken from the statement" in " ".join(verify(made))

    def test_a_witness_s_cosignature_says_when_the_seed_was_fixed(
        self, statement: Callable[[], Statement], at: datetime
    ):
        size = max(statement().checkpoints)
        log = keyring("XA").log.verifier
        note = checkpoint_at(size)
        cosigned = add_signatures(note, [cosign(note, log=log, cosigner=WITNESS, at=at)])
        record_cosignature(cosigned, log=log, cosigner=WITNESS.verifier, at=at)
        told = " ".join(verify(statement(), witnesses=[WITNESS.vkey]))
        assert "1 of 2 checkpoints are cosigned" in told

    @pytest.mark.parametrize(
        ("forge", "says"),
        [
            (lambda run: replace(run, chosen=run.chosen[1:]), "C4: a record was"),
            (lambda run: replace(run, order=run.order[1:]), "C4: a record was"),
            (lambda run: replace(run, seed="00" * 32), "C1: a seed"),
            (lambda run: replace(run, candidates=run.candidates[1:]), "C2: the log does not hold"),
            (lambda run: replace(run, slots=0), "C4: a record was chosen, though"),
            (lambda run: replace(run, log_size=77), "C1: the checkpoint of a seed is not"),
            (lambda run: replace(run, way="whim"), "in a way that is not known"),
        ],
    )
    def test_what_was_changed_is_found(
        self, statement: Callable[[], Statement], forge: Callable[[object], object], says: str
    ):
        made = statement()
        arrival, run = made.asked
        chosen = next(iter(run.chosen))
        ordered = tuple(sorted(run.order, key=lambda each: each[0] != chosen))
        forged = replace(made, asked=(arrival, forge(replace(run, order=ordered))))  # type: ignore[arg-type]
        with pytest.raises(SelectionProofError, match=says):
            verify(forged)

    def test_an_arrival_that_was_chosen_against_its_draw(self, statement: Callable[[], Statement]):
        made = statement()
        arrival, run = made.asked
        lost = next(record for record, _ in arrival.order if record not in arrival.chosen)
        for chosen, says in (((*arrival.chosen, lost), "though its draw does not"), ((), "though its draw chooses it")):
            if set(chosen) != set(arrival.chosen):
                with pytest.raises(SelectionProofError, match=says):
                    verify(replace(made, asked=(replace(arrival, chosen=chosen), run)))
        twice = replace(arrival, order=(*arrival.order, arrival.order[0]))
        with pytest.raises(SelectionProofError, match="C3: chance was asked twice"):
            verify(replace(made, asked=(twice, run)))
        with pytest.raises(SelectionProofError, match="another log's key"):
            verify(made, vkey=WITNESS.vkey)

    @pytest.mark.parametrize(
        "content", [None, [], {}, {"format": "x"}, {"format": "comity-selection-proof/1", "administration": 3}]
    )
    def test_garbage(self, content: object):
        with pytest.raises(SelectionProofError):
            statement_from_json(content)


def run(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(risk, list(words), catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def test_at_the_terminal(tmp_path: Path) -> None:
    at = utc_now()
    run("selection", "plan", "30", "--random", "0.2", "--arrivals", "100")
    assert "1 budgets hold" in run("selection", "budget", "40", "--office", "H", "--control", "physical").output
    run("selection", "policy", "--revenue", "2", "--green-leaves", "--blue-after-days", "3")
    (red, plain) = arrived(at, "RN")
    run("select")
    shown = run("selection", "show").output
    assert "1 of 30" in shown or "2 of 30" in shown
    assert "revenue 2, security 1" in shown
    assert "H       physical  40 a week" in shown
    ahead = run("selection", "planner", "--inspections", "1").output
    assert "2 that wait" in ahead
    assert "Expected revenue is not told: no model is champion." in ahead
    file = tmp_path / "day.json"
    run("selection", "prove", "--day", str(plan_day(at)), "--out", str(file))
    assert "the draws choose" in run("selection", "verify", str(file)).output
    file.write_text("{")
    with pytest.raises(SelectionProofError):
        run("selection", "verify", str(file))
    assert "LRN-1: green to red" in run("selection", "lane", "LRN-1", "red", "--reason", "Smells of fuel").output
    assert "second officer" in run("selection", "lane", str(red.record_id), "green", "--reason", "Known").output
    assert "raised   1" in run("selection", "overrides").output
    set_target_state(NODE, record_id=plain.record_id, state=TargetState.RELEASED, at=at + timedelta(minutes=90))
    assert "1.5 h" in run("release-times").output


def plan_day(at: datetime) -> date:
    return SelectionPlan.objects.filter(day__lte=at.date() + timedelta(days=1)).latest("day").day
