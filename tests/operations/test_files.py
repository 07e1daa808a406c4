"""The procedures that ship: each has its cases, all pass, and nothing that a file names is left untried."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import cast

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
SALT, CASE, AGREEMENT = "0" * 32, "00000000-0000-7000-8000-000000000000", "0" * 64


@dataclass(frozen=True)
class Played:
    """A case as it went: where it stood after each step and in the end. refused: the code, if the last step was."""

    case: ProcedureCase
    views: tuple[CaseView, ...]
    refused: str


@cache
def played(name: str) -> tuple[Played, ...]:
    found = procedure(name)
    return tuple(_play(found, case) for case in read_procedure_cases(found, cases_path(name).read_bytes()))


def _play(found: Procedure, case: ProcedureCase) -> Played:
    steps: list[Step] = []
    views: list[CaseView] = []
    terms = case.scene.terms
    for act in case.acts:
        known = steps if act.seen is None else steps[: act.seen]
        needed = {key: case.scene.fields[key] for key in found.event(act.event).needs if key in case.scene.fields}
        said = {key: value for key, value in {**needed, **act.fields}.items() if key not in act.leave}
        move = Move(case=CASE, agreement=AGREEMENT, event=act.event, by=act.by, parties=case.scene.parties, fields=said)
        try:
            steps.append(compose(found, known, move, terms, at=act.at, salt=lambda: SALT))
        except StepRefusedError as error:
            return Played(case, tuple(views), error.code)
        views.append(view(found, steps, at=steps[-1].at, terms=terms))
    return Played(case, (*views, view(found, steps, at=case.at, terms=terms)), "")


def _views(name: str) -> Iterator[CaseView]:
    for each in played(name):
        yield from each.views


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
    yield from ((f"flags.{flag.name}", flag.title) for flag in found.flags)
    yield from ((f"states.{state.name}", state.title) for state in found.states)
    yield from ((f"events.{event.name}", event.title) for event in found.events)


def test_every_procedure_of_the_field_ships() -> None:
    assert set(NAMES) >= SHIPPED


@pytest.mark.parametrize("name", NAMES)
def test_every_procedure_has_thirty_cases_and_all_pass(name: str) -> None:
    results = [run_procedure_case(procedure(name), each.case) for each in played(name)]
    assert len(results) >= FEWEST_CASES
    assert {result.case.name: result.faults for result in results if result.faults} == {}


@pytest.mark.parametrize("name", NAMES)
def test_every_case_expects_something(name: str) -> None:
    for each in played(name):
        expected = each.case.expected
        said = (expected.state, expected.flags, expected.turn, expected.due, expected.refused, expected.overtaken)
        assert any(word not in ("", None, {}) for word in said), each.case.name


@pytest.mark.parametrize("name", NAMES)
def test_every_event_state_and_flag_is_met(name: str) -> None:
    found, views = procedure(name), tuple(_views(name))
    events = {entry.event for seen in views for entry in seen.history if entry.effect is not Effect.OVERTAKEN}
    assert {event.name for event in found.events} - events == set()
    assert {state.name for state in found.states[1:]} - {seen.state.name for seen in views} == set()
    assert {flag.name for flag in found.flags} - {flag for seen in views for flag in seen.flags} == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_ground_and_clock_is_used(name: str) -> None:
    found = procedure(name)
    taken = [entry.step for seen in _views(name) for entry in seen.history if entry.step is not None]
    grounds = {str(ground) for step in taken for ground in cast(list[str], step.fields.get(GROUNDS, []))}
    assert {ground.name for ground in found.grounds} - grounds == set()
    assert {clock.name for clock in found.clocks} - {
        clock.name for seen in _views(name) for clock in seen.clocks
    } == set()


@pytest.mark.parametrize("name", NAMES)
def test_what_goes_wrong_is_tried_too(name: str) -> None:
    """The wrong party, what is missing, what comes too late, and messages that cross."""
    assert {each.refused for each in played(name)} >= {"wrong_role", "field_missing", "not_now"}
    assert any(entry.effect is Effect.OVERTAKEN for seen in _views(name) for entry in seen.history)


@pytest.mark.parametrize("name", NAMES)
def test_every_clock_is_seen_to_end_and_to_be_stopped(name: str) -> None:
    found = procedure(name)
    ended = {found.event(entry.event).clock for seen in _views(name) for entry in seen.history if entry.step is None}
    stopped = {clock.name for seen in _views(name) for clock in seen.clocks if clock.stopped_at is not None}
    assert {clock.name for clock in found.clocks} - ended == set()
    assert {clock.name for clock in found.clocks} - stopped == set()


@pytest.mark.parametrize("name", NAMES)
def test_words_stand_in_english_and_french(name: str) -> None:
    for where, wording in _wordings(procedure(name)):
        texts = dict(wording.texts)
        for language in ("en", "fr"):
            assert texts.get(language, "").strip(), f"{name}: {where} says nothing in {language}"


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
def test_a_closed_case_is_nobodys_turn_and_no_clock_runs_on(name: str) -> None:
    for each in played(name):
        closed = [seen for seen in each.views if seen.state.kind is StateKind.CLOSED]
        assert [seen.whose_turn for seen in closed if seen.whose_turn] == [], each.case.name
        assert [seen.next_due for seen in closed if seen.next_due] == [], each.case.name
