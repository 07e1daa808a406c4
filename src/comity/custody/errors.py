"""What may go wrong in custody, each with a stable code."""

from __future__ import annotations

from comity.common import ComityError


class CustodyError(ComityError):
    """The root of this room's errors."""

    code = "custody"


class DutyFormError(CustodyError):
    """The body of a recall, of an answer to it, or of a consent is not in its form."""

    code = "bad_duty"


class NotOursError(CustodyError):
    """Only its origin recalls a message, and only its owner consents."""

    code = "not_origin"


class RecallError(CustodyError):
    """A recall cannot be made so."""

    code = "bad_recall"


class RetainError(CustodyError):
    """A copy cannot be retained so."""

    code = "bad_retention"


class ForwardError(CustodyError):
    """A message cannot be handed on so."""

    code = "bad_forward"


class NotHeldError(ForwardError):
    """No partner's message of this id is held here, or it was taken back."""

    code = "not_held"


class CannotBeCutError(ForwardError):
    """The article would withhold a part, but the origin signed the whole."""

    code = "cannot_be_cut"


class ConsentMissingError(ForwardError):
    """The article asks for the consent of the origin, or never lets the message be handed on."""

    code = "consent_missing"


class ConsentError(CustodyError):
    """There is no such consent to give, or it was answered."""

    code = "bad_consent"
