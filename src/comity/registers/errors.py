"""What registers refuse."""

from __future__ import annotations

from comity.common import ComityError


class RegisterError(ComityError):
    """The root of what this room raises: a register is unknown or cannot be used as asked."""

    code = "register"


class ListFormError(RegisterError):
    """A file is not of the form that it is said to have; nothing of it was taken."""

    code = "bad_list"


class TooManyBrokenError(RegisterError):
    """Too large a part of a file cannot be read; nothing of it was taken. broken: the first rows with reasons."""

    code = "too_many_broken_rows"

    def __init__(self, what: str, *, broken: tuple[str, ...], where: str = "", remedy: str = "") -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.broken = broken


class ShrunkListError(RegisterError):
    """A new version has far fewer entries than the one in force, as a file that was cut off has."""

    code = "shrunk_list"
