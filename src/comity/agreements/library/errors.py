"""What can go wrong when an agreement is composed from the library."""

from __future__ import annotations

from comity.agreements.errors import AgreementError


class CompositionError(AgreementError):
    """No agreement can be composed so: a parameter is unknown, missing or out of its bounds, or a party is missing."""

    code = "composition"


class UnknownClauseError(AgreementError):
    """The library has no clause, or no template, of this name."""

    code = "unknown_clause"
