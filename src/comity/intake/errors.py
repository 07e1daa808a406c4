"""What intake refuses, by name."""

from __future__ import annotations

from comity.common import ComityError


class IntakeError(ComityError):
    """Something that arrived cannot be kept or found."""

    code = "intake"


class TooLargeError(IntakeError):
    """The file is larger than this node accepts; nothing of it was kept."""

    code = "too_large"


class RecordNotFoundError(IntakeError):
    """No record has this id."""

    code = "record_not_found"


class ArrivalNotFoundError(IntakeError):
    """Nothing arrived under this id."""

    code = "arrival_not_found"


class ArchiveError(IntakeError):
    """A zip file breaks a bound or cannot be opened."""

    code = "bad_archive"
