"""Agreements between administrations: what may be shared. Reads in `selectors`, writes in `services`."""

# Packed by hand: one name a line would make the face longer than a page.
# isort: off
# fmt: off
from comity.agreements.bodies import Asking, request_for
from comity.agreements.cases import Case, CaseFile, CaseResult, answer_of, read_cases, run_case
from comity.agreements.cutting import cut, paths_of
from comity.agreements.duties import DUTY_KINDS, FOUNDING_KINDS, PROTOCOL, Duty, DutyAsked, judge_duty
from comity.agreements.engine import Engine
from comity.agreements.errors import AdoptionRefusedError, AgreementError, AgreementFormError, ReleaseForgedError
from comity.agreements.errors import SharingRefusedError, UnknownAgreementError
from comity.agreements.explaining import Explanation
from comity.agreements.incoming import Incoming, judge_incoming
from comity.agreements.lint import Remark, Gravity, look_over
from comity.agreements.parsing import agreement_from_bytes, parse_agreement
from comity.agreements.release import Release
from comity.agreements.values import Agreement, Article, Decision, NearMiss, Period, SharingRequest, Wording
from comity.agreements.vocabulary import CATEGORIES, DEFAULT_SIZE_AT_MOST, EVIDENCE_KIND, HANDLINGS, KINDS, PURPOSES
from comity.agreements.vocabulary import RISK_TYPES, fields_of_kind
from comity.agreements.vocabulary import Effect, Onward, Purpose, Tag, UseLimit
from comity.agreements.witnessing import quorum_words, witness_policy

__all__ = [
    "CATEGORIES",
    "DEFAULT_SIZE_AT_MOST",
    "DUTY_KINDS",
    "EVIDENCE_KIND",
    "FOUNDING_KINDS",
    "HANDLINGS",
    "KINDS",
    "PROTOCOL",
    "PURPOSES",
    "RISK_TYPES",
    "AdoptionRefusedError",
    "Agreement",
    "AgreementError",
    "AgreementFormError",
    "Article",
    "Asking",
    "Case",
    "CaseFile",
    "CaseResult",
    "Decision",
    "Duty",
    "DutyAsked",
    "Effect",
    "Engine",
    "Explanation",
    "Gravity",
    "Incoming",
    "NearMiss",
    "Onward",
    "Period",
    "Purpose",
    "Release",
    "ReleaseForgedError",
    "Remark",
    "SharingRefusedError",
    "SharingRequest",
    "Tag",
    "UnknownAgreementError",
    "UseLimit",
    "Wording",
    "agreement_from_bytes",
    "answer_of",
    "cut",
    "fields_of_kind",
    "judge_duty",
    "judge_incoming",
    "look_over",
    "parse_agreement",
    "paths_of",
    "quorum_words",
    "read_cases",
    "request_for",
    "run_case",
    "witness_policy",
]
