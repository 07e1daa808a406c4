"""What partners learn from each other: a risk profile, what an officer decided of a hit, what came of an alert."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import cast

from comity.trade.codec import codec_of
from comity.trade.notice_reading import check, read_notice
from comity.trade.notices import Handling, RiskType

PROFILE_KIND = "profile/1"
HIT_QUESTION_KIND = "hit_question/1"
HIT_DECISION_KIND = "hit_decision/1"
SIGNAL_REPORT_KIND = "signal_report/1"
KNOWLEDGE_KINDS = (PROFILE_KIND, HIT_QUESTION_KIND, HIT_DECISION_KIND, SIGNAL_REPORT_KIND)

# The rule language (docs/rules.md) of the expression. Another edition has another name.
RULE_LANGUAGE = "comity-rules/1"
LANES = ("red", "orange", "yellow", "blue", "green")
MOST_TAGS = 16
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MESSAGE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_ADMINISTRATION = re.compile(r"[A-Z]{2}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# How long the texts may be: what a profile and a decision have room for.
_LENGTHS = {"ref": 100, "title": 200, "owner": 200, "legal_basis": 300, "expression": 4_000}
_LISTED = {"list_code": 40, "publisher": 200, "entry": 100}


class HitVerdict(StrEnum):
    """What an officer decided of a hit of the screening."""

    SAME = "same"
    NOT_SAME = "not_same"


class HitGround(StrEnum):
    """What tells the two sides of a hit apart, or makes them one, as a word that another country understands."""

    BIRTH_DATE = "birth_date"
    NUMBER = "number"
    COUNTRY = "country"
    NAME = "name"
    KIND = "kind"
    DOCUMENTS = "documents"
    OTHER = "other"


class TagBy(StrEnum):
    """What a tag is a keyed hash of: a number, or the name with the country."""

    NUMBER = "number"
    NAME = "name"


class Told(StrEnum):
    """What a report is about."""

    ALERT = "alert"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class SharedProfile:
    """A risk profile as its issuer runs it. digest: names what runs (hex). expected_hit_rate: 0 to 1, of records."""

    issuer: str
    ref: str
    title: str
    legal_basis: str
    language: str
    expression: str
    weight: int
    lane: str
    risk_type: RiskType
    digest: str
    valid_from: datetime
    valid_until: datetime | None = None
    priority: int = 5
    expected_hit_rate: Decimal | None = None
    owner: str = ""
    handling: Handling = Handling.OFFICIAL


@dataclass(frozen=True, slots=True)
class HitTag:
    """By what a screened party is recognised: a keyed hash (hex) of a number of it, or of its name and country."""

    by: TagBy
    tag: str


@dataclass(frozen=True, slots=True)
class TaggedHit:
    """A party, known by tags alone, beside an entry of a list. key: of the tags (hex), for this alone."""

    administration: str
    list_code: str
    publisher: str
    entry: str
    key: str
    tags: tuple[HitTag, ...]


@dataclass(frozen=True, slots=True)
class HitQuestion(TaggedHit):
    """Has a partner decided whether this party is that entry of a list?"""

    handling: Handling = Handling.OFFICIAL


@dataclass(frozen=True, slots=True)
class HitDecision(TaggedHit):
    """What an officer decided of a party and an entry of a list. list_of: the day of the list. reason: in words."""

    verdict: HitVerdict
    ground: HitGround
    decided_at: datetime
    list_of: str = ""
    reason: str = ""
    handling: Handling = Handling.OFFICIAL


@dataclass(frozen=True, slots=True)
class FoundKind:
    """How often controls found this irregularity."""

    risk_type: RiskType
    found: int


@dataclass(frozen=True, slots=True)
class SignalReport:
    """What came of an alert or a profile at the partner. about: the id of its message at its issuer.

    fired: on how many records; examined, found: of controls. is_closed: it targets no more.
    """

    administration: str
    told: Told
    ref: str
    about: str
    examined: int
    found: int
    counted_until: datetime
    fired: int | None = None
    kinds: tuple[FoundKind, ...] = ()
    is_closed: bool = False
    handling: Handling = Handling.OFFICIAL


def knowledge_to_body(notice: SharedProfile | HitQuestion | HitDecision | SignalReport) -> dict[str, object]:
    """The body of a profile/1, hit_question/1, hit_decision/1 or signal_report/1 message."""
    kind: type = type(notice)
    return cast(dict[str, object], codec_of(kind).show(notice))


def profile_from_body(body: Mapping[str, object]) -> SharedProfile:
    """The profile of a profile/1 body; keys it does not know are ignored. Whether its rule can be read, risk says.

    Raises: NoticeError naming the field.
    """
    profile = cast(SharedProfile, read_notice(SharedProfile, body))
    check(_ADMINISTRATION.fullmatch(profile.issuer) is not None, "issuer", "Must be two capital letters")
    for name, limit in _LENGTHS.items():
        text = str(getattr(profile, name)).strip()
        check(bool(text) or name == "owner", name, "Must not be empty")
        check(len(text) <= limit, name, f"Must have at most {limit} characters")
    check(profile.language == RULE_LANGUAGE, "language", f"This node reads rules of the language {RULE_LANGUAGE}")
    check(profile.lane in LANES, "lane", f"Must be one of: {', '.join(LANES)}")
    check(1 <= profile.weight <= 100, "weight", "Must be from 1 to 100")
    check(1 <= profile.priority <= 9, "priority", "Must be from 1 to 9")
    check(_HASH.fullmatch(profile.digest) is not None, "digest", "Must be 64 hex digits")
    rate = profile.expected_hit_rate
    check(rate is None or 0 <= rate <= 1, "expected_hit_rate", "Must be from 0 to 1")
    ends = profile.valid_until
    check(ends is None or ends > profile.valid_from, "valid_until", "Must be after valid_from")
    return profile


def question_from_body(body: Mapping[str, object]) -> HitQuestion:
    """The question of a hit_question/1 body; keys it does not know are ignored.

    Raises: NoticeError naming the field.
    """
    question = cast(HitQuestion, read_notice(HitQuestion, body))
    _check_listed(question)
    return question


def decision_from_body(body: Mapping[str, object]) -> HitDecision:
    """The decision of a hit_decision/1 body; keys it does not know are ignored.

    Raises: NoticeError naming the field.
    """
    decision = cast(HitDecision, read_notice(HitDecision, body))
    _check_listed(decision)
    check(not decision.list_of or _DAY.fullmatch(decision.list_of) is not None, "list_of", "Must be a day")
    check(len(decision.reason) <= 500, "reason", "Must have at most 500 characters")
    return decision


def report_from_body(body: Mapping[str, object]) -> SignalReport:
    """The report of a signal_report/1 body; keys it does not know are ignored.

    Raises: NoticeError naming the field.
    """
    report = cast(SignalReport, read_notice(SignalReport, body))
    check(_ADMINISTRATION.fullmatch(report.administration) is not None, "administration", "Must be two capital letters")
    check(_MESSAGE_ID.fullmatch(report.about) is not None, "about", "Must be the id of a message, in small letters")
    check(bool(report.ref.strip()) and len(report.ref) <= 100, "ref", "Must have 1 to 100 characters")
    counts = {"fired": report.fired or 0, "examined": report.examined, "found": report.found}
    for name, count in counts.items():
        check(0 <= count < 2**31, name, "Must be a count from 0")
    check(report.found <= report.examined, "found", "Must not be more than were examined")
    check(len({each.risk_type for each in report.kinds}) == len(report.kinds), "kinds", "Must name each once")
    check(all(0 < each.found <= report.found for each in report.kinds), "kinds", "Must not be more than were found")
    return report


def _check_listed(notice: TaggedHit) -> None:
    check(_ADMINISTRATION.fullmatch(notice.administration) is not None, "administration", "Must be two capital letters")
    for name, limit in _LISTED.items():
        text = str(getattr(notice, name)).strip()
        check(bool(text) and len(text) <= limit, name, f"Must have 1 to {limit} characters")
    check(_HASH.fullmatch(notice.key) is not None, "key", "Must be 64 hex digits")
    check(1 <= len(notice.tags) <= MOST_TAGS, "tags", f"Must be from 1 to {MOST_TAGS}")
    for index, each in enumerate(notice.tags):
        check(_HASH.fullmatch(each.tag) is not None, f"tags[{index}].tag", "Must be 64 hex digits")
