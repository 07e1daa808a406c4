"""The procedures that ship: each has its cases, all pass, and nothing that a file names is left untried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import pytest

from comity.agreements.clocks import Unit
from comity.agreements.procedures import (
    GROUNDS,
    Procedure,
    StateKind,
    cases_path,
    procedure,
    procedure_names,
)
from comity.agreements.values import Wording
from comity.operations.cases import ProcedureCase, read_procedure_cases, run_procedure_case
from comity.operations.checking import check_step
from comity.operations.composing import Move, compose
from comity.operations.errors import StepRefusedError
from comity.operations.machine import view
from comity.operations.steps import Step
from comity.operations.views import CaseView, Effect

NAMES = procedure_names()
FEWEST_CASES = 30
SHIPPED = {
    "aeo_change",
    "breach",
    "controlled_delivery",
    "dispute",
    "ipr",
    "joint_inspection",
    "joint_team",
    "load_limit",
    "maa",
    "origin",
    "recovery",
    "report",
    "service",
    "spontaneous",
    "surveillance",
    "tfa12",
}
# Lists and articles of an instrument, as "FIELD.md" of the law would have them: where a source says nothing, none helps.
SALT = "0" * 32
CASE = "00000000-0000-7000-8000-000000000000"


@dataclass
class Met:
    """What the cases of a procedure met."""

    events: set[str] = field(default_factory=set)
    states: set[str] = field(default_factory=set)
    flags: set[str] = field(default_factory=set)
    clocks: set[str] = field(default_factory=set)
    grounds: set[str] = field(default_factory=set)
    refusals: set[str] = field(default_factory=set)
    overtaken: int = 0


@cache
def cases_of(name: str) -> tuple[ProcedureCase, ...]:
    return read_procedure_cases(procedure(name), cases_path(name).read_bytes())


@cache
def met_by(name: str) -> Met:
    met = Met()
    for case in cases_of(name):
        for seen in _views(procedure(name), case, met):
            met.states.add(seen.state.name)
            met.flags |= set(seen.flags)
            met.clocks |= {clock.name for clock in seen.clocks}
            met.events |= {each.event for each in seen.history if each.effect is not Effect.OVERTAKEN}
            met.overtaken += any(each.effect is Effect.OVERTAKEN for each in seen.history)
        for act in case.acts:
            named = act.fields.get(GROUNDS)
            met.grounds |= {str(each) for each in named} if isinstance(named, list) else set()
    return met


def _views(found: Procedure, case: ProcedureCase, met: Met) -> Iterator[CaseView]:
    """The case after each of its steps, and at the moment at which it is looked at."""
    steps: list[Step] = []
    for act in case.acts:
        known = steps if act.seen is None else steps[: act.seen]
        needs = found.event(act.event).needs
        said = {**{name: case.scene.fields[name] for name in needs if name in case.scene.fields}, **act.fields}
        move = Move(
            CASE,
            act.event,
            act.by,
            case.scene.parties,
            {name: value for name, value in said.items() if name not in act.leave},
        )
        try:
            step = compose(found, known, move, case.scene.terms, at=act.at, salt=lambda: SALT)
        except StepRefusedError as error:
            met.refusals.add(error.code)
            return
        check_step(found, steps, step, case.scene.terms)
        steps.append(step)
        yield view(found, steps, at=step.at, terms=case.scene.terms)
    yield view(found, steps, at=case.at, terms=case.scene.terms)


def _wordings(found: Procedure) -> Iterator[tuple[str, Wording]]:
    yield "title", found.title
    yield "text", found.text
    for role in found.roles:
        yield f"roles.{role.name}", role.title
    for each in found.fields:
        yield f"fields.{each.name}", each.label
        yield from ((f"fields.{each.name}.{word}", wording) for word, wording in each.words)
        if each.help is not None:
            yield f"fields.{each.name}.help", each.help
    for ground in found.grounds:
        yield f"grounds.{ground.name}", ground.label
    for titled in (*found.flags, *found.states, *found.events):
        yield titled.name, titled.title


def test_every_procedure_of_the_field_ships() -> None:
    assert set(NAMES) >= SHIPPED


@pytest.mark.parametrize("name", NAMES)
def test_every_procedure_has_thirty_cases_and_all_pass(name: str) -> None:
    found = cases_of(name)
    assert len(found) >= FEWEST_CASES
    failed = {case.name: faults for case in found if (faults := run_procedure_case(procedure(name), case).faults)}
    assert failed == {}


@pytest.mark.parametrize("name", NAMES)
def test_every_case_expects_something(name: str) -> None:
    for case in cases_of(name):
        expected = case.expected
        said = (expected.state, expected.flags, expected.turn, expected.due, expected.refused, expected.overtaken)
        assert any(each not in ("", None, {}) for each in said), case.name


@pytest.mark.parametrize("name", NAMES)
def test_every_event_and_state_and_flag_is_met(name: str) -> None:
    found, met = procedure(name), met_by(name)
    assert {event.name for event in found.events} - met.events == set()
    assert {state.name for state in found.states[1:]} - met.states == set()
    assert {flag.name for flag in found.flags} - met.flags == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_ground_and_clock_is_used(name: str) -> None:
    found, met = procedure(name), met_by(name)
    assert {ground.name for ground in found.grounds} - met.grounds == set()
    assert {clock.name for clock in found.clocks} - met.clocks == set()


@pytest.mark.parametrize("name", NAMES)
def test_what_goes_wrong_is_tried_too(name: str) -> None:
    """The wrong party, what is missing, what comes too late, and messages that cross."""
    met = met_by(name)
    assert met.refusals >= {"wrong_role", "field_missing", "not_now"}
    assert met.overtaken > 0


@pytest.mark.parametrize("name", NAMES)
def test_words_stand_in_english_and_french(name: str) -> None:
    for where, wording in _wordings(procedure(name)):
        texts = dict(wording.texts)
        for language in ("en", "fr"):
            assert texts.get(language, "").strip(), f"{name}: {where} says nothing in {language}"
        assert not re.search(r"\s\s|[.]$", texts["en"]) or where in ("text",) or ".help" in where or "note" in where


@pytest.mark.parametrize("name", NAMES)
def test_long_words_are_not_the_same_in_both_languages(name: str) -> None:
    """A title of several words that is the same in both languages was not translated."""
    for where, wording in _wordings(procedure(name)):
        texts = dict(wording.texts)
        assert len(texts["en"].split()) < 3 or texts["en"] != texts["fr"], f"{name}: {where}"


@pytest.mark.parametrize("name", NAMES)
def test_no_two_events_or_states_have_one_title(name: str) -> None:
    found = procedure(name)
    for language in ("en", "fr"):
        for titled in (found.events, found.states, found.flags):
            titles = [dict(each.title.texts)[language] for each in titled]
            assert sorted(titles) == sorted(set(titles))


@pytest.mark.parametrize("name", NAMES)
def test_every_clock_and_ground_has_its_source(name: str) -> None:
    found = procedure(name)
    assert found.source
    for clock in found.clocks:
        assert clock.source, clock.name
    for ground in found.grounds:
        assert ground.source, ground.name


@pytest.mark.parametrize("name", NAMES)
def test_what_was_not_seen_ships_unverified(name: str) -> None:
    found = procedure(name)
    assert found.tag == "S" or not found.is_verified
    assert [clock.name for clock in found.clocks if clock.tag != "S" and clock.is_verified] == []


@pytest.mark.parametrize("name", NAMES)
def test_clocks_in_days_warn_before_they_end(name: str) -> None:
    for clock in procedure(name).clocks:
        if clock.term.unit is Unit.CALENDAR_DAYS:
            assert clock.warn is not None
            assert clock.warn.count < clock.term.count


@pytest.mark.parametrize("name", NAMES)
def test_a_closed_case_is_nobodys_turn(name: str) -> None:
    for case in cases_of(name):
        for seen in _views(procedure(name), case, Met()):
            if seen.state.kind is StateKind.CLOSED:
                assert seen.whose_turn == ()
                assert seen.next_due is None, f"{case.name}: a clock runs on"
