"""Agreements between administrations: what may be shared. Reads in `selectors`, writes in `services`."""

# Packed by hand: one name a line would make the face longer than a page.
# isort: off
# fmt: off
from comity.agreements.bodies import Asking, request_for
from comity.agreements.cutting import cut, paths_of
from comity.agreements.engine import Engine, Explanation
from comity.agreements.errors import AdoptionRefusedError, AgreementError, AgreementFormError, ReleaseForgedError
from comity.agreements.errors import SharingRefusedError, UnknownAgreementError
from comity.agreements.release import Release
from comity.agreements.values import Agreement, Article, Decision, NearMiss, Period, SharingRequest, Wording
from comity.agreements.vocabulary import KINDS, PURPOSES, Effect, Onward, Purpose, Tag, UseLimit

__all__ = [
    "KINDS", "PURPOSES", "AdoptionRefusedError", "Agreement", "AgreementError", "AgreementFormError", "Article",
    "Asking", "Decision", "Effect", "Engine", "Explanation", "NearMiss", "Onward", "Period", "Purpose", "Release",
    "ReleaseForgedError", "SharingRefusedError", "SharingRequest", "Tag", "UnknownAgreementError", "UseLimit",
    "Wording", "cut", "paths_of", "request_for",
]
