"""How risk decides: weights, lanes, reliability, random draws. Pure."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from comity.trade import Handling, SuggestedAction


class Lane(StrEnum):
    """Where a consignment goes: red examination, orange scan, yellow documents, blue check later, green release."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    BLUE = "blue"
    GREEN = "green"


class ProfileState(StrEnum):
    """The life of a profile: drafted, or received from a partner; tested on past records, approved by a second officer,
    active by its dates, in its last thirty days expiring, then expired; or retired.
    """

    DRAFT = "draft"
    RECEIVED = "received"
    TESTED = "tested"
    APPROVED = "approved"
    ACTIVE = "active"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    RETIRED = "retired"


class SourceKind(StrEnum):
    """What a reason rests on."""

    PROFILE = "profile"
    ALERT = "alert"
    RANDOM = "random"
    OFFICER = "officer"
    MODEL = "model"
    SCREENING = "screening"
    REGISTER = "register"
    MIRROR = "mirror"
    ANOMALY = "anomaly"


class TargetState(StrEnum):
    """Where a record stands in the queue."""

    NEW = "new"
    SELECTED = "selected"
    INSPECTING = "inspecting"
    HELD = "held"
    RELEASED = "released"


class Cause(StrEnum):
    """Why a record was selected; NONE where it was not."""

    NONE = ""
    MANDATORY = "mandatory"
    RISK = "risk"
    RANDOM = "random"
    LEARNING = "learning"
    OFFICER = "officer"


class AfterRelease(StrEnum):
    """What became of the check after release of goods that left in the blue lane; NONE where they did not.

    FULL: no control of documents was left. YIELDED: there was one, and it gave way to weightier goods.
    """

    NONE = ""
    ORDERED = "ordered"
    FULL = "full"
    YIELDED = "yielded"


_SEVERITY = {Lane.GREEN: 0, Lane.BLUE: 1, Lane.YELLOW: 2, Lane.ORANGE: 3, Lane.RED: 4}
_LANE_FROM_SCORE = ((70.0, Lane.RED), (40.0, Lane.YELLOW), (20.0, Lane.BLUE))

# What an alert weighs at full strength, top grades and average measured reliability.
_ACTION_WEIGHT = {
    SuggestedAction.STOP: 90.0,
    SuggestedAction.SELECT_FOR_CONTROL: 75.0,
    SuggestedAction.DISCREET_CHECK: 60.0,
    SuggestedAction.INFORM_ONLY: 30.0,
}
_ACTION_LANE = {
    SuggestedAction.STOP: Lane.RED,
    SuggestedAction.SELECT_FOR_CONTROL: Lane.RED,
    SuggestedAction.DISCREET_CHECK: Lane.BLUE,
    SuggestedAction.INFORM_ONLY: Lane.GREEN,
}
# Grades of the 6x6 evaluation; F and 6 mean "cannot be judged", not "bad".
_RELIABILITY = {"A": 1.0, "B": 0.9, "C": 0.8, "D": 0.5, "E": 0.25, "F": 0.6}
_CREDIBILITY = {"1": 1.0, "2": 0.9, "3": 0.8, "4": 0.5, "5": 0.25, "6": 0.6}

# An alert selects by itself only where it names the goods' own parties or containers, was shared at official level or
# above, and comes from an issuer whose alerts were not mostly wrong.
MANDATORY_STRENGTH = 0.6
MANDATORY_HANDLING = Handling.OFFICIAL
MANDATORY_RELIABILITY = 0.15

# Its owner is told this long before a profile ends.
EXPIRING_WITHIN = timedelta(days=30)
# What recognised traders may take off a score: a benefit never reduces controls to zero.
MAX_RELIEF = 0.5

UNVERIFIED = "Unverified partner information: it may select for control, it may not be the deciding factor"
UNVERIFIED_CLAUSE = "TFA 12.5.1"


@dataclass(frozen=True, slots=True)
class Reliability:
    """How often an issuer's alerts were confirmed: the mean of Beta(1 + confirmed, 1 + unconfirmed)."""

    issuer: str
    confirmed: int = 0
    unconfirmed: int = 0

    @property
    def value(self) -> float:
        """From 0 to 1; 0.5 where nothing is known yet."""
        return (1 + self.confirmed) / (2 + self.confirmed + self.unconfirmed)

    @property
    def count(self) -> int:
        """How many outcomes it rests on."""
        return self.confirmed + self.unconfirmed

    def __str__(self) -> str:
        return f"{self.value:.2f} from {self.count} outcome{'' if self.count == 1 else 's'}"


def combine_weights(weights: Iterable[float]) -> float:
    """The score of several weights (0 to 100): 100 x (1 - product of (1 - weight/100)), to one decimal.

    Independent reasons add up without ever passing 100, their order does not matter, and one more never lowers it. A
    weight below 0 is a relief: it takes its percentage off the whole; all reliefs together take half at most.
    """
    given = list(weights)
    remaining = math.prod(1 - min(max(weight, 0.0), 100.0) / 100 for weight in given)
    left = math.prod(1 + weight / 100 for weight in given if -100.0 <= weight < 0)
    return round(100 * (1 - remaining) * max(left, 1 - MAX_RELIEF), 1)


def lane_of(score: float, lanes: Iterable[Lane]) -> Lane:
    """The most severe of the lanes of all reasons and of the score's own lane (from 70 red, 40 yellow, 20 blue)."""
    by_score = next((lane for bound, lane in _LANE_FROM_SCORE if score >= bound), Lane.GREEN)
    return max((by_score, *lanes), key=_SEVERITY.__getitem__)


def is_lower(lane: Lane, than: Lane) -> bool:
    """Whether a lane asks for less than another one."""
    return _SEVERITY[lane] < _SEVERITY[than]


# An alert says what was seen when it was issued: it counts whole for a month, then half as much every half year.
FRESH_DAYS, HALF_LIFE_DAYS, LEAST_SHARE = 30, 180, 0.25


def share_left(age_days: int) -> float:
    """What its age leaves of an alert's weight, by whole weeks, so that it is not another one every day."""
    weeks = max(0, age_days - FRESH_DAYS) // 7
    return max(LEAST_SHARE, math.exp2(-weeks * 7 / HALF_LIFE_DAYS))


def signal_weight(
    *, action: SuggestedAction, grades: str, strength: float, reliability: Reliability, age_days: int = 0
) -> float:
    """The weight of an alert that matched. grades: issuer's reliability and credibility, such as "B2".

    The issuer's own grades are believed as far as its earlier alerts were confirmed: the measured reliability doubles
    them at 1, leaves them at 0.5, removes them at 0.
    """
    grade = (_RELIABILITY.get(grades[:1], 0.5) + _CREDIBILITY.get(grades[1:2], 0.5)) / 2
    whole = min(95.0, _ACTION_WEIGHT[action] * grade * strength * 2 * reliability.value)
    return round(whole * share_left(age_days), 1)


def signal_lane(action: SuggestedAction, *, is_mandatory: bool) -> Lane:
    """The lane that an alert asks for; one that may not select by itself asks for papers at most."""
    lane = _ACTION_LANE[action]
    return Lane.YELLOW if lane is Lane.RED and not is_mandatory else lane


def is_mandatory_signal(
    *, action: SuggestedAction, handling: Handling, strength: float, reliability: Reliability
) -> bool:
    """Whether an alert that matched selects by itself."""
    return (
        _ACTION_LANE[action] is Lane.RED
        and strength >= MANDATORY_STRENGTH
        and handling >= MANDATORY_HANDLING
        and reliability.value >= MANDATORY_RELIABILITY
    )


def state_at(state: str, valid_from: datetime, valid_until: datetime | None, at: datetime) -> ProfileState:
    """The state of a profile at a time: an approved one is active between its dates."""
    if state != ProfileState.APPROVED:
        return ProfileState(state)
    if at < valid_from:
        return ProfileState.APPROVED
    if valid_until is None or at < valid_until - EXPIRING_WITHIN:
        return ProfileState.ACTIVE
    return ProfileState.EXPIRING if at < valid_until else ProfileState.EXPIRED


def draw(seed: bytes, record_id: UUID) -> float:
    """A number from 0 to 1 that nobody can foretell without the seed and everybody can recompute with it."""
    digest = hashlib.sha256(b"comity/selection/1\0" + seed + b"\0" + record_id.bytes).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def random_slots(capacity: int, random_share: float) -> int:
    """How many of a day's inspections are spent at random: the share, rounded up, so that it is never nothing."""
    return min(capacity, math.ceil(round(capacity * random_share, 9)))
