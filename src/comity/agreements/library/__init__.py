"""The clause library: ready articles with their sources, templates of agreements, and composing them."""

from comity.agreements.library.composing import clause_of, compose, template_of, text_of, values_by_default
from comity.agreements.library.errors import CompositionError, UnknownClauseError
from comity.agreements.library.parameters import show_value
from comity.agreements.library.shelf import (
    ReadCases,
    read_case_file,
    shipped_case_files,
    shipped_cases,
    shipped_library,
)
from comity.agreements.library.values import Clause, Composition, Instrument, Library, Parameter, Template

__all__ = [
    "Clause",
    "Composition",
    "CompositionError",
    "Instrument",
    "Library",
    "Parameter",
    "ReadCases",
    "Template",
    "UnknownClauseError",
    "clause_of",
    "compose",
    "read_case_file",
    "shipped_case_files",
    "shipped_cases",
    "shipped_library",
    "show_value",
    "template_of",
    "text_of",
    "values_by_default",
]
