"""The closed vocabularies of agreements. A word that is not here is an error, never a guess.

The fields of a kind are read off the nouns of trade, so that an article can name only what a message may carry.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from enum import StrEnum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from comity.trade import Alert, AlertCategory, EvidenceNotice, Finding, Handling, ProcedureStep, RiskType, SubjectRole
from comity.trade.knowledge import (
    HIT_DECISION_KIND,
    HIT_QUESTION_KIND,
    PROFILE_KIND,
    SIGNAL_REPORT_KIND,
    HitDecision,
    HitQuestion,
    SharedProfile,
    SignalReport,
)
from comity.trade.mirror import (
    MIRROR_KIND,
    MIRROR_KINDS,
    MIRROR_REQUEST_KIND,
    MIRROR_VALUES_KIND,
    MirrorOffer,
    MirrorRequest,
    MirrorValues,
)


class Effect(StrEnum):
    """What an article does."""

    PERMIT = "permit"
    PROHIBIT = "prohibit"


class Onward(StrEnum):
    """Whether the receiver may hand on what it received; from the strictest to the loosest."""

    NONE = "none"
    WITH_CONSENT = "with_consent"
    PARTIES = "parties"

    @property
    def looseness(self) -> int:
        """0 for the strictest rule."""
        return tuple(Onward).index(self)


class Purpose(StrEnum):
    """What the information is wanted for."""

    RISK_ASSESSMENT = "risk_assessment"
    CONTROL = "control"
    INVESTIGATION = "investigation"
    EVIDENCE = "evidence"
    STATISTICS = "statistics"
    TRAINING = "training"


class UseLimit(StrEnum):
    """Duties of the receiver that a program cannot check for it (after WTO TFA Art. 12.5)."""

    CUSTOMS_AUTHORITY_ONLY = "customs_authority_only"
    STATED_PURPOSE_ONLY = "stated_purpose_only"
    STRICT_CONFIDENCE = "strict_confidence"
    NOT_AS_EVIDENCE = "not_as_evidence"
    NOT_SOLE_DECIDING_FACTOR = "not_sole_deciding_factor"
    NO_DISCLOSURE_WITHOUT_WRITTEN_PERMISSION = "no_disclosure_without_written_permission"
    REPORT_OUTCOME = "report_outcome"


class Tag(StrEnum):
    """How well the source of an article was checked: S seen, P a paraphrase was seen, M general knowledge."""

    SEEN = "S"
    PARAPHRASED = "P"
    UNCHECKED = "M"


class ObligationKind(StrEnum):
    """What a party may owe."""

    ANSWER = "answer"
    OUTCOME_REPORT = "outcome_report"
    STATISTICS = "statistics"
    TRAINING = "training"
    CONTACT_POINTS = "contact_points"
    NOTIFICATION = "notification"


class Every(StrEnum):
    """How often something is owed."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


# From which event the term of an obligation counts.
OBLIGATION_EVENTS = ("request.received", "finding.shared", "agreement.in_force", "breach.known")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

EVIDENCE_KIND = "evidence/1"
STEP_KIND = "step/1"
_NOUN_OF_KIND: dict[str, type] = {
    "alert/1": Alert,
    "finding/1": Finding,
    EVIDENCE_KIND: EvidenceNotice,
    STEP_KIND: ProcedureStep,
    MIRROR_KIND: MirrorOffer,
    MIRROR_REQUEST_KIND: MirrorRequest,
    MIRROR_VALUES_KIND: MirrorValues,
    PROFILE_KIND: SharedProfile,
    HIT_QUESTION_KIND: HitQuestion,
    HIT_DECISION_KIND: HitDecision,
    SIGNAL_REPORT_KIND: SignalReport,
}
# Kinds beyond alerts and findings whose bodies say alike whose they are and how they are handled.
_OWN_KINDS = (*MIRROR_KINDS, HIT_QUESTION_KIND, HIT_DECISION_KIND, SIGNAL_REPORT_KIND)

KINDS: tuple[str, ...] = tuple(_NOUN_OF_KIND)
PURPOSES: tuple[str, ...] = tuple(each.value for each in Purpose)
HANDLINGS: tuple[str, ...] = tuple(level.word for level in Handling)
CATEGORIES: tuple[str, ...] = tuple(each.value for each in AlertCategory)
RISK_TYPES: tuple[str, ...] = tuple(each.value for each in RiskType)
ROLES: frozenset[str] = frozenset(each.value for each in SubjectRole)
LANGUAGES: tuple[str, ...] = ("en", "fr", "es", "ar", "pt", "ru")

# A permit for files that does not say how large they may be lets in so much: there is always a bound.
DEFAULT_SIZE_AT_MOST = 64 * 1024 * 1024
MOST_SIZE_AT_MOST = 2**40

# What an agreement may ask for beyond the ordinary seal and signature: protection against a future quantum computer.
SEALS = ("mlkem768-x25519",)
SECOND_SIGNATURES = ("ml-dsa-44",)

# The list whose elements an article may tell apart, by the word that each carries: `subjects[consignor].name`.
SELECTOR = "role"

# The attribute of a request that a condition reads -> the field of each kind where it stands.
ATTRIBUTE_FIELDS: dict[str, dict[str, str]] = {
    "goods": {"alert/1": "hs_codes", "finding/1": "hs_code"},
    "origin": {"alert/1": "route.origin"},
    "category": {"alert/1": "category"},
    "risk_type": {"alert/1": "risk_type", "finding/1": "risk_type", PROFILE_KIND: "risk_type"},
    "procedure": {STEP_KIND: "procedure"},
    "issuer": {
        "alert/1": "issuer",
        "finding/1": "administration",
        EVIDENCE_KIND: "administration",
        STEP_KIND: "by",
        PROFILE_KIND: "issuer",
        **dict.fromkeys(_OWN_KINDS, "administration"),
    },
    "handling": {
        "alert/1": "handling",
        "finding/1": "handling",
        EVIDENCE_KIND: "handling",
        **dict.fromkeys((PROFILE_KIND, *_OWN_KINDS), "handling"),
    },
    "size": {EVIDENCE_KIND: "size_bytes"},
}


class _OpenFields(frozenset[str]):
    """Paths, and any beneath `fields`: which fields a step has its procedure says, and procedures are files."""

    __slots__ = ()

    def __contains__(self, path: object) -> bool:
        return super().__contains__(path) or (isinstance(path, str) and _STEP_FIELD.fullmatch(path) is not None)


def fields_of_kind(kind: str) -> frozenset[str]:
    """Every path that an article on this kind may name; of a step also `fields.NAME` for any name."""
    return fields_of_kinds((kind,))


def fields_of_kinds(kinds: Iterable[str]) -> frozenset[str]:
    """Every path that an article on one of these kinds may name."""
    wanted = tuple(kinds)
    paths = frozenset(path for kind in wanted for path in _FIELDS[kind])
    return _OpenFields(paths) if STEP_KIND in wanted else paths


def required_fields(kind: str) -> dict[str, tuple[str, ...]]:
    """The fields without which a receiver cannot read a message of this kind, and those without which it cannot read
    a part: {"": ("ref", …), "exhibits": ("exhibits.name", …)}.
    """
    return _REQUIRED[kind]


def meant(word: str, words: tuple[str, ...] | frozenset[str]) -> str:
    """A remedy for an unknown word: the near one, or all that there are."""
    near = get_close_matches(word, sorted(str(each) for each in words), n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    known = ", ".join(sorted(words)) if len(words) <= 12 else f"{len(words)} words; see docs/agreements.md"
    return f"Known are: {known}."


def _paths(noun: Any, prefix: str) -> Iterator[str]:
    hints = get_type_hints(noun)
    for each in dataclasses.fields(noun):
        path, inner = f"{prefix}{each.name}", _inner(hints[each.name])
        yield path
        if dataclasses.is_dataclass(inner):
            yield from _paths(inner, f"{path}.")
            for role in sorted(ROLES) if _is_selectable(hints[each.name], inner) else ():
                yield f"{path}[{role}]"
                yield from _paths(inner, f"{path}[{role}].")


def _required(noun: Any, prefix: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    hints = get_type_hints(noun)
    absent = dataclasses.MISSING
    needed = [each for each in dataclasses.fields(noun) if each.default is absent and each.default_factory is absent]
    yield prefix, tuple(f"{prefix}.{each.name}".lstrip(".") for each in needed)
    for each in dataclasses.fields(noun):
        if dataclasses.is_dataclass(inner := _inner(hints[each.name])):
            yield from _required(inner, f"{prefix}.{each.name}".lstrip("."))


def _inner(hint: Any) -> Any:
    """The type inside of `tuple[X, ...]` and of `X | None`."""
    if get_origin(hint) in (tuple, Union, UnionType):
        return next(choice for choice in get_args(hint) if choice is not type(None))
    return hint


def _is_selectable(hint: Any, inner: Any) -> bool:
    return get_origin(hint) is tuple and SELECTOR in {each.name for each in dataclasses.fields(inner)}


_FIELDS = {kind: frozenset(_paths(noun, "")) for kind, noun in _NOUN_OF_KIND.items()}
_REQUIRED = {kind: dict(_required(noun, "")) for kind, noun in _NOUN_OF_KIND.items()}

_STEP_FIELD = re.compile(r"fields\.[a-z][a-z0-9_]{0,59}", re.ASCII)
PARTY = re.compile(r"[A-Z]{2}", re.ASCII)
HS_PREFIX = re.compile(r"\d{2}(\d{2}(\d{2})?)?", re.ASCII)
ARTICLE_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}", re.ASCII)
TERM = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
PROCEDURE = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
SUBDIVISION = re.compile(r"[0-9A-Za-z][0-9A-Za-z ._-]{0,59}", re.ASCII)
AGREEMENT_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
VERSION = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}", re.ASCII)
