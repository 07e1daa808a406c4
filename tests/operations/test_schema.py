"""The schema of step/1 is published, and agrees with the reader; every event of every procedure has one."""

from __future__ import annotations

from pathlib import Path

import jsonschema_rs
import pytest

from comity.agreements.procedures import procedure, procedure_names
from comity.operations.schemas import event_schema, schema_text, step_schema
from tests.operations.cast import ANSWER, REQUEST
from tests.operations.test_machine import TFA, _body, begun

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"


def test_the_schema_is_published_as_it_is() -> None:
    assert (SCHEMAS / "step-1.json").read_text() == schema_text()


def test_what_is_sent_fits_the_schema() -> None:
    judge = jsonschema_rs.validator_for(step_schema())
    for step in begun():
        judge.validate(_body(step))
    assert not judge.is_valid({**_body(begun()[0]), "number": 0})
    assert not judge.is_valid({**_body(begun()[0]), "more": 1})


def test_the_fields_of_an_event_fit_its_schema() -> None:
    for name, fields in (("submit", REQUEST), ("reply", ANSWER)):
        judge = jsonschema_rs.validator_for(event_schema(TFA, TFA.event(name)))
        judge.validate(fields)
        assert not judge.is_valid({**fields, "more": "x"})
        assert not judge.is_valid({})


@pytest.mark.parametrize("name", procedure_names())
def test_every_event_of_every_procedure_has_a_schema(name: str) -> None:
    kind = procedure(name)
    for event in kind.events:
        if not event.is_of_time:
            jsonschema_rs.validator_for(event_schema(kind, event))
