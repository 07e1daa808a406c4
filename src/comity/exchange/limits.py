"""The bounds of the protocol. Sizes in bytes, times in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import IntEnum

from comity.agreements import DUTY_KINDS

_LARGEST = 2**53 - 1  # the largest whole number of a message, as RFC 7493 §2.2 has it
_ALERT_KIND = "alert/1"
_MOST_URGENT = 1  # of an alert's priority, 1 to 5


class Priority(IntEnum):
    """What goes out first: a lower number overtakes a higher one (docs/protocol.md §4)."""

    URGENT = 0
    ORDINARY = 1
    BULK = 2

    @property
    def word(self) -> str:
        """As commands and pages name it."""
        return self.name.lower()


def natural_priority(kind: str, body: Mapping[str, object]) -> Priority:
    """How soon a message goes out, and is acted on, where nobody says: what partners owe each other, and an alert that
    its issuer calls most urgent, come first."""
    is_urgent_alert = kind == _ALERT_KIND and body.get("priority") == _MOST_URGENT
    return Priority.URGENT if kind in DUTY_KINDS or is_urgent_alert else Priority.ORDINARY


@dataclass(frozen=True, slots=True)
class Limits:
    """What a receiver takes at most; a sender stays below the same figures.

    missing_ranges: gaps named in a receipt. islands: runs of a partner's sequence beyond a gap that are remembered.
    clock_skew_seconds: how far in the future a message may say that it was created. A refused message is final, so
    this is generous: a partner whose clock is wrong by hours is told so on the console, not cut off.
    """

    header_bytes: int = 1024
    envelope_bytes: int = 8 * 1024 * 1024
    message_bytes: int = 256 * 1024
    messages: int = 1024
    missing_ranges: int = 64
    islands: int = 1024
    clock_skew_seconds: int = 24 * 60 * 60


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class LoadLimits:
    """What a node asks its partners not to exceed, each of them (WTO TFA 12.9.2: with regard to its resources).

    None: no limit. messages_per_minute: on average, to one partner's count. messages_per_envelope: at most.
    envelopes_in_flight: sent and not answered yet.
    """

    messages_per_minute: int | None = None
    messages_per_envelope: int | None = None
    envelopes_in_flight: int | None = None

    def to_mapping(self) -> dict[str, int]:
        """The JSON form, without what is not limited."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class SendingRules:
    """How much is sent at once.

    messages: in one envelope at most. envelopes, flight_messages: in flight to one partner at most; bulk takes half of
    the latter, so that what is urgent finds a short queue at the partner. urgent_envelopes: beyond, kept for what is
    urgent. round_messages: formed for one partner at once, so that it has work while the next are sealed.
    lease_seconds: how long an envelope is left to whoever took it; longer than any request lasts. The retry figures
    are seconds.
    """

    messages: int = 128
    envelopes: int = 64
    flight_messages: int = 4096
    urgent_envelopes: int = 8
    round_messages: int = 1024
    lease_seconds: int = 60
    first_retry_seconds: float = 1.0
    longest_retry_seconds: float = 300.0


RULES = SendingRules()
NO_LIMITS = LoadLimits()
LOAD_NAMES = tuple(each.name for each in fields(LoadLimits))


def read_load_limits(value: object) -> LoadLimits:
    """The limits that a partner published. Never raises: what is no whole number was not said.

    Less than 1 counts as 1: a partner may slow us down, but not by a figure stop us for ever; suspension does that.
    """
    if not isinstance(value, Mapping):
        return NO_LIMITS
    return LoadLimits(**{name: _at_least_one(value.get(name)) for name in LOAD_NAMES})


def _at_least_one(value: object) -> int | None:
    if not isinstance(value, int) or isinstance(value, bool) or value > _LARGEST:
        return None
    return max(value, 1)
