"""What is purged goes, and every case that ships stands where it stood."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import pytest

from comity.agreements.procedures import Procedure, cases_path, procedure
from comity.insight.facts import facts_of
from comity.operations.cases import ProcedureCase, _take, read_procedure_cases
from comity.operations.errors import StepRefusedError
from comity.operations.forgetting import purge_note, purged_in
from comity.operations.machine import view
from comity.operations.steps import Step
from comity.operations.views import CaseView
from tests.scale import IS_LONG

# Every procedure in which a guard reads what a step says.
GUARDED = (
    "aeo_change",
    "ipr",
    "joint_inspection",
    "joint_team",
    "load_limit",
    "maa",
    "recovery",
    "spontaneous",
    "tfa12",
)


def purged(kind: Procedure, step: Step, at: datetime) -> Step:
    """The step as it is kept once its content is gone, read back."""
    note = json.loads(json.dumps(purge_note(kind, step, ground="retention_ended", at=at)))
    return replace(step, fields={}, salts={}, purged=purged_in(kind, step.case, note))


def steps_of(kind: Procedure, case: ProcedureCase) -> list[Step]:
    taken: list[Step] = []
    for act in case.acts:
        try:
            taken.append(_take(kind, case.scene, taken, act))
        except StepRefusedError:
            break
    return taken


def shape(seen: CaseView) -> tuple[object, ...]:
    """Where a case stands, without what it says."""
    history = [(each.event, each.effect, each.at, each.state, each.why) for each in seen.history]
    return seen.state, seen.flags, seen.clocks, seen.whose_turn, seen.may, seen.automatic, seen.consents, history


def texts_in(values: Iterable[object]) -> Iterable[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from texts_in(value)


@pytest.mark.parametrize("name", GUARDED)
def test_a_case_stands_where_it_stood_whatever_is_purged(name: str) -> None:
    kind = procedure(name)
    for case in read_procedure_cases(kind, cases_path(name).read_bytes())[:: 1 if IS_LONG else 5]:
        steps, terms = steps_of(kind, case), case.scene.terms
        before = view(kind, steps, at=case.at, terms=terms)
        for author in {step.by for step in steps}:
            kept = [purged(kind, step, case.at) if step.by == author else step for step in steps]
            after = view(kind, kept, at=case.at, terms=terms)
            assert shape(after) == shape(before), (case.name, author)
            assert [each.digest for each in kept] == [each.digest for each in steps]
            assert not set(after.purged) & set(after.fields)
            assert set(after.purged) | set(after.fields) == set(before.fields), case.name


def test_a_report_that_was_purged_was_made_all_the_same() -> None:
    kind = procedure("report")
    for case in read_procedure_cases(kind, cases_path("report").read_bytes())[:3]:
        steps = steps_of(kind, case)
        bare = [purged(kind, step, case.at) for step in steps]
        before, after = (
            facts_of("c", "a", view(kind, each, at=case.at, terms=case.scene.terms)) for each in (steps, bare)
        )
        assert [[what for what, _ in each.reports] for each in after] == [
            [what for what, _ in each.reports] for each in before
        ]
        assert [each.answered_at for each in after] == [each.answered_at for each in before]


def test_nothing_that_was_said_stays() -> None:
    kind = procedure("tfa12")
    case = read_procedure_cases(kind, cases_path("tfa12").read_bytes())[0]
    for step in steps_of(kind, case):
        bare = purged(kind, step, case.at)
        kept = json.dumps([bare.to_body(), purge_note(kind, step, ground="recalled", at=case.at)])
        for text in texts_in(step.fields.values()):
            assert f'"{text}"' not in kept, text
        assert set(bare.commitments) == set(step.commitments)
