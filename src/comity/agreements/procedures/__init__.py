"""Procedures as data: one file says who may do what when; machine, forms, diagram and docs come of it. Pure."""

from comity.agreements.procedures.diagram import described, mermaid, svg
from comity.agreements.procedures.guards import Facts, Guard, could_hold, holds, read_guard
from comity.agreements.procedures.reading import read_procedure
from comity.agreements.procedures.shipped import (
    UnknownProcedureError,
    cases_path,
    procedure,
    procedure_names,
    read_file,
)
from comity.agreements.procedures.values import (
    GROUNDS,
    LAW_REFERENCE,
    REASON,
    SAME,
    Event,
    Field,
    FieldType,
    Flag,
    Ground,
    GroundRule,
    Procedure,
    Role,
    State,
    StateKind,
)

__all__ = [
    "GROUNDS",
    "LAW_REFERENCE",
    "REASON",
    "SAME",
    "Event",
    "Facts",
    "Field",
    "FieldType",
    "Flag",
    "Ground",
    "GroundRule",
    "Guard",
    "Procedure",
    "Role",
    "State",
    "StateKind",
    "UnknownProcedureError",
    "cases_path",
    "could_hold",
    "described",
    "holds",
    "mermaid",
    "procedure",
    "procedure_names",
    "read_file",
    "read_guard",
    "read_procedure",
    "svg",
]
