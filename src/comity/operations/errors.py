"""What may go wrong when a procedure runs, each with a stable code."""

from __future__ import annotations

from comity.common import ComityError


class OperationsError(ComityError):
    """The root of this room's errors."""

    code = "operations"


class CaseUnknownError(OperationsError):
    """No case of this id is kept here."""

    code = "case_unknown"


class CaseFormError(OperationsError):
    """The body of a step/1 is not in its form."""

    code = "bad_step"


class StepRefusedError(OperationsError):
    """A step that could never be right, or that cannot be taken now. Its code says why; see docs/protocol.md."""

    def __init__(self, code: str, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.code = code
