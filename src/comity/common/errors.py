"""The root of every error that Comity raises on purpose."""

from __future__ import annotations


class ComityError(Exception):
    """Something was refused or failed for a reason that can be named.

    what: one sentence that says what is wrong. where: the field, line, clause or file. remedy: what to do.
    code: a stable word for programs; each subclass sets its own.
    """

    code = "error"

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        advice = f" {self.remedy}" if self.remedy else ""
        return f"{self.what}{place}{advice}"
