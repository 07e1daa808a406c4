"""Procedures at work: cases between administrations, their steps, clocks and views. Reads in `selectors`."""

from comity.operations.cases import (
    ProcedureCase,
    ProcedureResult,
    named_procedure,
    read_procedure_cases,
    run_procedure_case,
)
from comity.operations.checking import check_step, parties_of
from comity.operations.composing import Move, compose
from comity.operations.errors import CaseFormError, CaseUnknownError, OperationsError, StepRefusedError
from comity.operations.fields import form_of, is_value, value_of
from comity.operations.machine import Terms, deadlines_of, view
from comity.operations.steps import STEP_KIND, STEP_TYPE, Party, Step, step_from_body
from comity.operations.views import CaseView, ClockView, Effect, Entry

__all__ = [
    "STEP_KIND",
    "STEP_TYPE",
    "CaseFormError",
    "CaseUnknownError",
    "CaseView",
    "ClockView",
    "Effect",
    "Entry",
    "Move",
    "OperationsError",
    "Party",
    "ProcedureCase",
    "ProcedureResult",
    "Step",
    "StepRefusedError",
    "Terms",
    "check_step",
    "compose",
    "deadlines_of",
    "form_of",
    "is_value",
    "named_procedure",
    "parties_of",
    "read_procedure_cases",
    "run_procedure_case",
    "step_from_body",
    "value_of",
    "view",
]
