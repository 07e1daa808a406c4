"""The machine: whatever the order of arrival the case is the same, and what could never be right is refused."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreements.clocks import CalendarTerms, Standing, Term
from comity.agreements.procedures import cases_path, procedure, procedure_names
from comity.operations import (
    CaseFormError,
    Effect,
    Move,
    Step,
    StepRefusedError,
    Terms,
    check_step,
    compose,
    form_of,
    is_value,
    parties_of,
    read_procedure_cases,
    run_procedure_case,
    step_from_body,
    value_of,
    view,
)
from tests.operations.cast import ANSWER, REQUEST
from tests.scale import scaled

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CASE = "00000000-0000-7000-8000-000000000001"
TFA = procedure("tfa12")
TERMS = Terms({"XA": CalendarTerms(country="FR"), "XB": CalendarTerms(country="AE", weekend=(4, 5))})
PARTIES = parties_of({"asker": ("XA",), "asked": ("XB",)})
FIELDS: dict[str, dict[str, object]] = {
    "submit": REQUEST,
    "reply": ANSWER,
    "reply_part": {"items_given": ["packing_list"], "protection_level": "official"},
    "ask_clarification": {"clarification_question": "Which?"},
    "clarify": {"clarification_answer": "This one."},
    "refuse": {"grounds": ["R3"]},
    "refuse_part": {"grounds": ["L3"], "not_available": "It would need an enquiry."},
    "postpone": {"grounds": ["R3"], "postponed_until": "2026-06-01"},
    "require_assurance": {"assurance_asked": "Not as evidence."},
    "give_assurance": {"assurance_given": True},
    "decline": {"not_available": "All of it."},
    "report_outcome": {"outcome": "Corrected."},
    "notify_breach": {"breach_details": "Lost.", "remedy_taken": "Found."},
}


def step(known: list[Step], event: str, by: str, at: datetime = AT, **fields: object) -> Step:
    """The step that this party takes after what it knows."""
    move = Move(CASE, "a" * 64, event, by, PARTIES, fields or FIELDS.get(event, {}))
    salts = (f"{number:032x}" for number in range(99))
    return compose(TFA, known, move, TERMS, at=at, salt=lambda: next(salts))


def begun() -> list[Step]:
    """A request that was acknowledged."""
    first = step([], "submit", "XA")
    return [first, step([first], "receive", "XB", AT + timedelta(hours=1))]


def refused(known: list[Step], event: str, by: str, **fields: object) -> str:
    """The code of the refusal."""
    with pytest.raises(StepRefusedError) as found:
        step(known, event, by, **fields)
    assert str(found.value)
    return found.value.code


@st.composite
def partitions(draw: st.DrawFn) -> list[Step]:
    """Two sides that take what each may, and hear of each other when they happen to."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    held: dict[str, list[Step]] = {"XA": begun(), "XB": begun()}
    at = AT + timedelta(days=1)
    for _ in range(draw(st.integers(1, 10))):
        at += timedelta(hours=chance.randint(1, 600))
        by = chance.choice(("XA", "XB"))
        if chance.random() < 0.4:
            everything = {each.digest: each for side in held.values() for each in side}
            held[by] = list(everything.values())
        may = view(TFA, held[by], at=at, terms=TERMS).may[by]
        if may:
            held[by].append(step(held[by], chance.choice(may).name, by, at))
    return list({each.digest: each for side in held.values() for each in side}.values())


@settings(max_examples=scaled(20, 60))
@given(partitions(), st.randoms(use_true_random=False))
def test_every_order_of_arrival_makes_the_same_case(steps: list[Step], chance: random.Random) -> None:
    at = max(each.at for each in steps) + timedelta(days=100)
    wanted = view(TFA, steps, at=at, terms=TERMS)
    shuffled = list(steps)
    chance.shuffle(shuffled)
    assert view(TFA, shuffled, at=at, terms=TERMS) == wanted
    assert view(TFA, [*shuffled, *shuffled], at=at, terms=TERMS) == wanted
    taken = [each for each in wanted.history if each.step is not None]
    assert {each.step.digest for each in taken if each.step} == {each.digest for each in steps}


@settings(max_examples=scaled(10, 30))
@given(partitions())
def test_a_step_counts_for_whoever_knew_what_its_author_knew(steps: list[Step]) -> None:
    """No step that its author could take is refused by who receives it, whatever arrived before."""
    ordered = sorted(steps, key=lambda each: each.number)
    for place, each in enumerate(ordered):
        check_step(TFA, ordered[:place], each, TERMS)
        assert step_from_body(_body(each)) == _unsigned(each)


def _body(each: Step) -> dict[str, object]:
    return replace(each, signatures=(("k", "c2ln"),)).to_body()


def _unsigned(each: Step) -> Step:
    return replace(each, signatures=(("k", "c2ln"),))


def test_all_orders_of_a_crossing_withdrawal() -> None:
    known = begun()
    accept = step(known, "accept", "XB", AT + timedelta(days=1))
    reply = step([*known, accept], "reply", "XB", AT + timedelta(days=2))
    withdraw = step(known, "withdraw", "XA", AT + timedelta(days=3))
    steps = [*known, accept, reply, withdraw]
    views = {str(view(TFA, each, at=AT + timedelta(days=9), terms=TERMS).history) for each in permutations(steps)}
    assert len(views) == 1
    seen = view(TFA, steps, at=AT + timedelta(days=9), terms=TERMS)
    assert seen.state.name == "withdrawn"
    assert [(each.event, each.why) for each in seen.history if each.effect is Effect.OVERTAKEN] == [
        ("accept", "state"),
        ("reply", "state"),
    ]


def test_what_could_never_be_right_is_refused_by_name() -> None:
    known = begun()
    assert refused([], "submit", "XB") == "wrong_role"
    assert refused([], "submit", "XZ") == "wrong_role"
    assert refused([], "submit", "XA", **{**REQUEST, "matter_at_issue": ""}) == "bad_field"
    assert refused([], "submit", "XA", **{k: v for k, v in REQUEST.items() if k != "purpose"}) == "field_missing"
    assert refused([], "submit", "XA", **REQUEST, outcome="x") == "field_unknown"
    assert refused([], "submit", "XA", **{**REQUEST, "own_verification_confirmed": False}) == "not_now"
    assert refused(known, "fly", "XA") == "unknown_event"
    assert refused(known, "overdue", "XA") == "unknown_event"
    assert refused(known, "refuse", "XB", reason="x") == "ground_missing"
    assert refused(known, "refuse", "XB", grounds=["Z9"]) == "ground_unknown"
    assert refused(known, "refuse", "XB", grounds=["R1"]) == "law_missing"
    assert refused(known, "refuse", "XB", grounds=["R3"], reason=" ") == "bad_field"
    assert refused(known, "submit", "XA") == "not_now"


def test_a_step_that_lies_is_refused() -> None:
    known = begun()
    good = step(known, "accept", "XB")
    for changed, code in (
        (replace(good, edition="9"), "unknown_edition"),
        (replace(good, procedure="maa"), "unknown_procedure"),
        (replace(good, number=2), "bad_order"),
        (replace(good, after=()), "bad_order"),
        (replace(good, parties=parties_of({"asker": ("XA",), "asked": ("XB", "XC")})), "bad_parties"),
        (replace(good, parties=parties_of({"asker": ("XC",), "asked": ("XB",)})), "parties_differ"),
        (replace(good, deadlines=({"clock": "answer", "digest": "0" * 64},)), "deadline_differs"),
    ):
        with pytest.raises(StepRefusedError) as found:
            check_step(TFA, known, changed, TERMS)
        assert found.value.code == code


def test_a_deadline_that_differs_names_both_days_and_the_first_that_is_not_counted_alike() -> None:
    terms = replace(TERMS, clocks={"answer": Term.parse("10 working_days")})
    move = Move(CASE, "a" * 64, "submit", "XA", PARTIES, REQUEST)
    theirs = compose(TFA, [], move, terms, at=AT, salt=lambda: "0" * 32)
    closed = CalendarTerms(country="AE", weekend=(4, 5), closed=((AT + timedelta(days=2)).date(),))
    with pytest.raises(StepRefusedError, match="2026-03-04") as found:
        check_step(TFA, [], theirs, replace(terms, calendars={**TERMS.calendars, "XB": closed}))
    assert found.value.code == "deadline_differs"
    assert "2026-03-16" in str(found.value)


def test_what_is_withheld_leaves_the_name_of_the_step_and_is_seen() -> None:
    whole = replace(begun()[0], signatures=(("k", "c2ln"),))
    body = whole.to_body()
    fields = dict(body["fields"])  # type: ignore[call-overload]
    del fields["persons"]
    cut = step_from_body({**body, "fields": fields}, "7")
    assert cut.digest == whole.digest
    assert cut.withheld == {"persons"}
    assert view(TFA, [cut], at=AT, terms=TERMS).withheld == {"persons": "7"}
    del fields["own_verification_confirmed"]
    with pytest.raises(StepRefusedError) as found:
        check_step(TFA, [], step_from_body({**body, "fields": fields}), TERMS)
    assert found.value.code == "field_withheld"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("case", "x"),
        ("agreement", "x"),
        ("event", "X Y"),
        ("by", "xa"),
        ("number", 0),
        ("number", True),
        ("after", ["x"]),
        ("after", ["b" * 64, "a" * 64]),
        ("at", "yesterday"),
        ("parties", {"XA": "asker"}),
        ("parties", []),
        ("deadlines", [{"clock": "answer"}]),
        ("deadlines", {}),
        ("commitments", {"x": "y"}),
        ("signatures", []),
        ("signatures", [{"keyid": ""}]),
        ("fields", {"purpose": "bare"}),
        ("fields", {"purpose": {"salt": "0" * 32, "value": "another"}}),
        ("more", 1),
    ],
)
def test_a_body_out_of_form_is_refused(member: str, value: object) -> None:
    body = {**_body(begun()[0]), member: value}
    with pytest.raises(CaseFormError):
        step_from_body(body)


def test_a_pause_and_an_answer_move_and_stop_the_clock() -> None:
    known = begun()
    known.append(step(known, "postpone", "XB", AT + timedelta(days=10)))
    paused = view(TFA, known, at=AT + timedelta(days=300), terms=TERMS)
    assert paused.clocks[0].standing is Standing.PAUSED
    assert paused.flags == ()
    known.append(step(known, "resume", "XB", AT + timedelta(days=40)))
    clock = view(TFA, known, at=AT + timedelta(days=41), terms=TERMS).clock("answer")
    assert clock is not None
    assert clock.deadline.due_at.date() > (AT + timedelta(days=119)).date()
    known.append(step(known, "reply", "XB", AT + timedelta(days=42)))
    answered = view(TFA, known, at=AT + timedelta(days=400), terms=TERMS)
    assert answered.clocks[0].standing is Standing.MET
    assert answered.flags == ()
    assert answered.next_due is None


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("purpose", " why ", "why"),
        ("persons", "A B; C D\nE", ["A B", "C D", "E"]),
        ("own_verification_confirmed", "TRUE", True),
        ("items_requested", "declaration_data, packing_list", ["declaration_data", "packing_list"]),
        ("protection_level", "official", "official"),
        ("postponed_until", "2026-02-28", "2026-02-28"),
    ],
)
def test_what_a_person_writes_becomes_a_value(name: str, text: str, value: object) -> None:
    field = TFA.field(name)
    assert value_of(field, text) == value
    assert is_value(field, value)
    assert form_of(field)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("purpose", 1),
        ("persons", []),
        ("persons", ["x"] * 101),
        ("own_verification_confirmed", "yes"),
        ("items_requested", ["gold"]),
        ("protection_level", "top"),
        ("postponed_until", "2026-02-30"),
        ("export_declaration_no", " x"),
    ],
)
def test_what_is_no_value_of_a_field(name: str, value: object) -> None:
    assert not is_value(TFA.field(name), value)


@pytest.mark.parametrize("name", procedure_names())
def test_the_first_cases_of_every_procedure_hold(name: str) -> None:
    found = read_procedure_cases(procedure(name), cases_path(name).read_bytes())
    assert len(found) >= 9
    for case in found[:6]:
        assert run_procedure_case(procedure(name), case).faults == (), case.name
