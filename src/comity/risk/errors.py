"""What risk refuses."""

from __future__ import annotations

from comity.common import ComityError


class RiskError(ComityError):
    """The root of what this room raises."""

    code = "risk"


class RuleError(RiskError):
    """A rule cannot be read. line and column count from 1; `show()` draws the place."""

    code = "bad_rule"

    def __init__(self, what: str, *, text: str, start: int, end: int, remedy: str = "") -> None:
        before = text[:start]
        self.line = before.count("\n") + 1
        self.column = start - (before.rfind("\n") + 1) + 1
        super().__init__(what, where=f"line {self.line}, column {self.column}", remedy=remedy)
        lines = text.split("\n")
        self._shown = lines[self.line - 1]
        self._length = max(1, min(end - start, len(self._shown) - self.column + 1))

    def show(self) -> str:
        """The error over several lines: what, the line of the rule, carets under the place, what to write instead."""
        margin = "".join("\t" if sign == "\t" else " " for sign in self._shown[: self.column - 1])
        parts = [f"{self.what} ({self.where}).", f"    {self._shown}", f"    {margin}{'^' * self._length}"]
        return "\n".join([*parts, self.remedy] if self.remedy else parts)


class FactError(RiskError):
    """A fact has another type than its column, or is no finite number."""

    code = "bad_fact"


class ProfileError(RiskError):
    """A profile is unknown, badly filled in, or in a state that does not allow the deed."""

    code = "bad_profile"


class FourEyesError(RiskError):
    """The officer who drafted a profile may not approve it."""

    code = "four_eyes"


class SelectionError(RiskError):
    """A selection is unknown, or in a state that does not allow the deed, or a plan is badly filled in."""

    code = "bad_selection"


class SelectionProofError(RiskError):
    """A statement on a day's chance is no such statement, or is not what the draws say."""

    code = "bad_selection_proof"


class SignalError(RiskError):
    """A signal is unknown or already withdrawn."""

    code = "bad_signal"


class RulesFileError(RiskError):
    """A file of rules cannot be used."""

    code = "bad_rules_file"


class RunError(RiskError):
    """A bulk assessment cannot begin, or cannot be taken up again as asked."""

    code = "bad_run"


class MissingLibraryError(RiskError):
    """A library that this needs is not installed."""

    code = "missing_library"


class ScreeningError(RiskError):
    """A hit of the screening is unknown, or a decision on it lacks a reason."""

    code = "bad_screening"


class OutlookNotFoundError(RiskError):
    """There is no such outlook: its number is unknown, or its forecast is too old."""

    code = "outlook_not_found"
