"""Time comes in as an argument. Instants are aware and in UTC; on the wire they follow RFC 3339 §5.6."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from comity.common.errors import ComityError

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
_FORM = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_LONGEST = 40

CLOCK_VARIABLE = "COMITY_CLOCK_FILE"


class InstantError(ComityError):
    """A text is not an RFC 3339 instant with a zone."""

    code = "bad_instant"


_Stamp = tuple[int, int, int]
_ABSENT: _Stamp = (0, 0, 0)
_FURTHEST = timedelta(days=36_525)


@dataclass(slots=True)
class _ExerciseClock:
    """How far the file named by COMITY_CLOCK_FILE moves the clock; read anew when the file is another.

    What cannot be read leaves the clock where it was: an exercise must not end a node.
    """

    path: str = ""
    stamp: _Stamp | None = None
    offset: timedelta = timedelta()

    def read(self, path: str) -> timedelta:
        """The offset that this file now gives."""
        stamp = _stamp_of(path)
        if (path, stamp) != (self.path, self.stamp):
            self.path, self.stamp = path, stamp
            self._take(path)
        return self.offset

    def _take(self, path: str) -> None:
        try:
            offset = timedelta(seconds=float(Path(path).read_text(encoding="ascii")))
            if abs(offset) > _FURTHEST:
                raise ValueError(f"{offset.days} days are too far")
        except (OSError, ValueError, OverflowError) as error:
            logger.error("%s cannot be read, so the clock stays where it is: %s", CLOCK_VARIABLE, error)
            return
        self.offset = offset
        logger.warning("This node's clock is moved by %s, for an exercise: %s=%s", offset, CLOCK_VARIABLE, path)


def _stamp_of(path: str) -> _Stamp:
    try:
        found = Path(path).stat()
    except OSError:
        return _ABSENT
    return found.st_mtime_ns, found.st_size, found.st_ino


_exercise = _ExerciseClock()


def utc_now() -> datetime:
    """The system clock, in UTC. Only doors, journeys and the node read it; rooms are given the time.

    For exercises, the file that COMITY_CLOCK_FILE names holds a number of seconds that is added.
    """
    path = os.environ.get(CLOCK_VARIABLE)
    return datetime.now(UTC) + _exercise.read(path) if path else datetime.now(UTC)


def clock_file() -> str:
    """The file that moves the clock of this node; empty where nothing does."""
    return os.environ.get(CLOCK_VARIABLE, "")


def show_instant(instant: datetime) -> str:
    """RFC 3339 in UTC with microseconds only where there are any: 2026-03-01T08:00:00Z."""
    if instant.tzinfo is None:
        raise InstantError("The instant has no time zone", where=instant.isoformat(), remedy="Give it in UTC.")
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 instant.

    Raises: InstantError where the text is no instant or carries no zone.
    """
    # What is posted together says the same few moments: they are remembered, refusals are not.
    try:
        return _parsed_before(text) if len(text) <= _LONGEST else _parsed(text)
    except TypeError:  # no text at all
        return _parsed(text)


def _parsed(text: str) -> datetime:
    try:
        # Python reads much that is no RFC 3339: another letter than T, days of a week, `%` before the zone.
        instant = datetime.fromisoformat(text if _FORM.fullmatch(text) else "")
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


_parsed_before = lru_cache(maxsize=4096)(_parsed)
