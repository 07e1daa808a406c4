"""Time comes in as an argument. Instants are aware and in UTC; on the wire they follow RFC 3339 §5.6."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from comity.common.errors import ComityError

Clock = Callable[[], datetime]


class InstantError(ComityError):
    """A text is not an RFC 3339 instant with a zone."""

    code = "bad_instant"


def utc_now() -> datetime:
    """The system clock, in UTC. Only doors, journeys and the node read it; rooms are given the time."""
    return datetime.now(UTC)


def show_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with microseconds only where there are any: 2026-03-01T08:00:00Z."""
    if instant.tzinfo is None:
        raise InstantError("The instant has no time zone", where=instant.isoformat(), remedy="Give it in UTC.")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 instant.

    Raises: InstantError where the text is no instant or carries no zone.
    """
    try:
        instant = datetime.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise InstantError(
            "Not a date and time", where=repr(text)[:80], remedy="Write it as 2026-03-01T08:00:00Z."
        ) from error
    if instant.tzinfo is None:
        raise InstantError(
            "The date and time has no zone",
            where=repr(text)[:80],
            remedy="End it with Z for UTC or with +hh:mm.",
        )
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise InstantError("The zone leads out of the years 1 to 9999", where=repr(text)[:80]) from error
