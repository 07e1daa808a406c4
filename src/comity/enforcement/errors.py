"""What enforcement refuses."""

from __future__ import annotations

from comity.common import ComityError


class EnforcementError(ComityError):
    """The root of what this room raises."""

    code = "enforcement"


class InspectionError(EnforcementError):
    """An inspection is unknown, or in a state that does not allow the deed."""

    code = "bad_inspection"


class FindingError(EnforcementError):
    """A finding is badly filled in."""

    code = "bad_finding"


class SeizureError(EnforcementError):
    """A seizure is badly filled in, or has no irregular finding to rest on."""

    code = "bad_seizure"


class ReleaseError(EnforcementError):
    """Goods cannot be released or held as things stand."""

    code = "bad_release"


class ExhibitError(EnforcementError):
    """An exhibit is too large, empty, missing, or no longer what it was."""

    code = "bad_exhibit"
