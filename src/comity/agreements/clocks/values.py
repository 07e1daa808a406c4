"""Terms, calendars as agreed, clocks, pauses and deadlines as values. Pure; needs no other part of this room."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from comity.agreements.clocks.errors import ClockFormError

MOST_COUNT = 36_525
TAGS = ("S", "P", "M")
_TERM = re.compile(r"(\d{1,5}) ([a-z_]{4,20})", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_SUBDIVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}", re.ASCII)


class Unit(StrEnum):
    """In what a term is counted."""

    HOURS = "hours"
    CALENDAR_DAYS = "calendar_days"
    WORKING_DAYS = "working_days"
    MONTHS = "months"
    YEARS = "years"


class Start(StrEnum):
    """From which moment a clock counts: the making of the request, its receipt, or an event of the case."""

    REQUEST = "request"
    RECEIPT = "receipt"
    EVENT = "event"


class CalendarChoice(StrEnum):
    """Whose working days count. Both: a day counts where both administrations work."""

    ASKED = "asked"
    ASKER = "asker"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Term:
    """A length of time as an instrument writes it: 90 calendar_days."""

    count: int
    unit: Unit

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST_COUNT:
            raise ClockFormError(
                f"A term of {self.count} {self.unit} has no meaning", remedy=f"Write 1 to {MOST_COUNT}."
            )

    @classmethod
    def parse(cls, text: str) -> Term:
        """The term in a text such as `90 calendar_days`; one of a unit may be written `1 month`.

        Raises: ClockFormError.
        """
        found = _TERM.fullmatch(" ".join(text.split()))
        words = {word: unit for unit in Unit for word in (unit.value, unit.value.removesuffix("s"))}
        if found is None or found[2] not in words:
            units = ", ".join(Unit)
            raise ClockFormError(f"{text[:60]!r} is no term", remedy=f"Write a number and one of {units}.")
        return cls(int(found[1]), words[found[2]])

    @property
    def text(self) -> str:
        """The canonical text, which `parse` reads back."""
        return f"{self.count} {self.unit.value}"


@dataclass(frozen=True, slots=True)
class CalendarTerms:
    """What an agreement says about the working days of a party.

    country: ISO 3166 alpha-2 whose public holidays count; empty: the party's own code. subdivision: a part of it.
    weekend: weekdays, Monday = 0; empty: as the country keeps it. closed, open: days that the agreement itself takes
    out or brings in; a day that is open counts although it is a holiday.
    """

    country: str = ""
    subdivision: str = ""
    weekend: tuple[int, ...] = ()
    closed: tuple[date, ...] = ()
    open: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        if self.country and not _COUNTRY.fullmatch(self.country):
            raise ClockFormError(
                f"{self.country[:20]!r} is no country", remedy="Write two capital letters, such as FR."
            )
        if self.subdivision and not _SUBDIVISION.fullmatch(self.subdivision):
            raise ClockFormError(
                f"{self.subdivision[:20]!r} is no part of a country", remedy="Write its code, such as DU."
            )
        if not set(self.weekend) <= set(range(7)) or len(set(self.weekend)) > 6:
            raise ClockFormError("The weekend is not made of weekdays", remedy="Name up to six, from monday to sunday.")
        if both := sorted(set(self.closed) & set(self.open)):
            raise ClockFormError(f"{both[0]} is both closed and open", remedy="Take it out of one of the lists.")


@dataclass(frozen=True, slots=True)
class ClockSpec:
    """A clock as an instrument sets it.

    extendable: by how much in all it may be extended; None: not at all. source, tag, is_verified: where the term is
    written and how well that was checked (S seen, P a paraphrase was seen, M general knowledge). warn: how long before
    the end the clock gives warning.
    """

    name: str
    term: Term
    start: Start = Start.REQUEST
    calendar: CalendarChoice = CalendarChoice.ASKED
    extendable: Term | None = None
    source: str = ""
    tag: str = "M"
    is_verified: bool = False
    warn: Term | None = None

    def __post_init__(self) -> None:
        if self.tag not in TAGS:
            raise ClockFormError(f"Clock {self.name}: there is no tag {self.tag!r}", remedy=f"Write one of {TAGS}.")
        if self.is_verified and self.tag != "S":
            raise ClockFormError(
                f"Clock {self.name} is verified but its tag is {self.tag}", remedy="Only what was seen is verified."
            )


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stands still between two instants (UTC); until_at None: it still does."""

    from_at: datetime
    until_at: datetime | None = None

    def __post_init__(self) -> None:
        for moment in (self.from_at, self.until_at):
            if moment is not None:
                utc(moment)
        if self.until_at is not None and self.until_at < self.from_at:
            raise ClockFormError("A pause ends before it begins", where=self.from_at.isoformat())


class SkipReason(StrEnum):
    """Why a day did not count."""

    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    CLOSED = "closed"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, order=True)
class Skipped:
    """A day that did not count. party: whose calendar says so; empty for a pause. names: (language, name) of a holiday.

    is_estimated: the holiday follows the moon and its day is computed, not announced.
    """

    day: date
    party: str
    reason: SkipReason
    names: tuple[tuple[str, str], ...] = ()
    is_estimated: bool = False

    def name_in(self, language: str) -> str:
        """The name of the holiday in this language, else in the first that is published; empty where it is none."""
        return dict(self.names).get(language) or (self.names[0][1] if self.names else "")


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a clock ends, and every input that mattered.

    due_at: the last instant in time; of a day, its last second in UTC. Of a clock that stands still (is_paused): the
    earliest that is still possible. warn_at: when the clock gives warning; None: it gives none. paused: the pauses
    that fell into it, merged, in order. skipped: the days after the start and up to the end that did not count.
    unpublished: parties whose calendars know no holidays. digest: SHA-256 of the inputs and the result, so that two
    nodes compare one value.
    """

    clock: str
    term: Term
    started_at: datetime
    due_at: datetime
    digest: str
    paused: tuple[Pause, ...] = ()
    extension: Term | None = None
    skipped: tuple[Skipped, ...] = ()
    parties: tuple[str, ...] = ()
    unpublished: tuple[str, ...] = ()
    warn_at: datetime | None = None
    is_paused: bool = False

    @property
    def last_day(self) -> date:
        """The last day that counts, in UTC."""
        return self.due_at.date()

    def is_overdue(self, at: datetime) -> bool:
        """Whether the end has passed. A clock that stands still is never overdue."""
        return not self.is_paused and utc(at) > self.due_at


def utc(moment: datetime) -> datetime:
    """The instant in UTC. Raises: ClockFormError where it says no zone."""
    if moment.tzinfo is None:
        raise ClockFormError("A moment says no time zone", where=moment.isoformat(), remedy="Give it in UTC.")
    return moment.astimezone(UTC)
