"""What reading one record came to."""

from __future__ import annotations

from dataclasses import dataclass

from comity.trade.records import Declaration, Manifest
from comity.trade.values import Problem, Severity

DEFAULT_LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """One record as it was understood, or the reasons why it was refused.

    record: None exactly when refused. raw: the bytes it was read from. line: where it begins in the source, from 1.
    """

    record: Declaration | Manifest | None
    problems: tuple[Problem, ...]
    raw: bytes
    line: int = 1

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that refuse it."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)


def refused(problem: Problem, raw: bytes, line: int = 1) -> Reading:
    """A reading that came to nothing, and why."""
    return Reading(None, (problem,), raw, line)


def error_of(code: str, message: str, *, field: str = "", line: int = 0) -> Problem:
    """A problem that refuses the record."""
    return Problem(Severity.ERROR, code, message, field, line)


def warning_of(code: str, message: str, *, field: str = "", line: int = 0) -> Problem:
    """A problem that is told and keeps the record."""
    return Problem(Severity.WARNING, code, message, field, line)
