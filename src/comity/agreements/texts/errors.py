"""What can go wrong when texts are compared."""

from __future__ import annotations

from comity.agreements.errors import AgreementError


class TooIntricateError(AgreementError):
    """The articles overlap in so many ways that the exact answer would have more parts than anyone can read."""

    code = "too_intricate"
