"""What can go wrong between a text of an agreement and a release."""

from __future__ import annotations

from comity.agreements.values import Decision
from comity.common import ComityError


class AgreementError(ComityError):
    """Root of this room's errors."""

    code = "agreement_error"


class AgreementFormError(AgreementError):
    """The text is no agreement, or no file of cases: a word, a field or the form is wrong. where: the line."""

    code = "agreement_form"


class UnknownAgreementError(AgreementError):
    """No agreement with this id is stored here."""

    code = "unknown_agreement"


class AdoptionRefusedError(AgreementError):
    """The agreement cannot be adopted: a party's signature is missing or does not verify."""

    code = "adoption_refused"


class MoveRefusedError(AgreementError):
    """A move in the life of an agreement cannot be made or taken as things stand."""

    code = "move_refused"


class ReleaseForgedError(AgreementError):
    """Something tried to make a Release without a decision of the engine."""

    code = "release_forged"


class SharingRefusedError(AgreementError):
    """No article permits the sharing. decision: the verdict with its reasons and near misses."""

    code = "sharing_refused"

    def __init__(self, decision: Decision, *, where: str = "") -> None:
        first = decision.reasons[0]
        remedy = decision.near_misses[0].failed[0].text if decision.near_misses else ""
        super().__init__(first.text, where=where or first.clause, remedy=remedy)
        self.decision = decision
