"""From a clock, its start and what happened to it to the deadline. Pure: both nodes compute the same.

How time is counted (after Regulation 1182/71 Art. 3, which most instruments follow):
1. Days are days of UTC. The day on which the clock starts does not count; the last day counts to its end.
2. Calendar days run through. Working days count where the chosen administrations work.
3. Months and years end on the day with the number of the starting day, or on the last day of a shorter month.
4. Hours count from instant to instant.
5. A day that a pause touches does not count; hours of a pause do not count. What months give is counted in days, so
   that each day of a pause adds one.
6. An extension begins where the term ends. Several count as their sum, whatever their order.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from comity.agreements.clocks.calendars import Calendar
from comity.agreements.clocks.errors import (
    CalendarMissingError,
    CalendarRangeError,
    ClockNotStartedError,
    ExtensionRefusedError,
)
from comity.agreements.clocks.values import (
    MOST_COUNT,
    CalendarChoice,
    ClockSpec,
    Deadline,
    Pause,
    Skipped,
    SkipReason,
    Start,
    Term,
    Unit,
    utc,
)
from comity.trust import canonical_json, sha256_hex

_DAY = timedelta(days=1)
_LAST_SECOND = time(23, 59, 59)
_FIRST_YEAR, _LAST_YEAR = 1, 9999


class Standing(StrEnum):
    """How a clock stands at a moment."""

    RUNNING = "running"
    WARNED = "warned"
    PAUSED = "paused"
    MET = "met"
    LATE = "late"
    OVERDUE = "overdue"


def deadline(
    spec: ClockSpec,
    *,
    started_at: datetime,
    calendars: Mapping[str, Calendar],
    pauses: Iterable[Pause] = (),
    extensions: Iterable[Term] = (),
) -> Deadline:
    """The deadline of a clock. calendars: by role, `asked` and `asker`; needed only where working days are counted.

    Raises: CalendarMissingError, CalendarRangeError, ExtensionRefusedError.
    """
    start = utc(started_at).replace(microsecond=0)
    extension = _extension(spec, tuple(extensions))
    parts = (spec.term,) if extension is None else (spec.term, extension)
    counted = (*parts, spec.warn) if spec.warn else parts
    needs_days = any(each.unit is Unit.WORKING_DAYS for each in counted)
    count = _Count(_chosen(spec, calendars) if needs_days else (), _merged(pauses, start))
    try:
        due_at = count.run(start, parts)
        warn_at = count.before(due_at, spec.warn, not_before=start) if spec.warn else None
    except OverflowError as error:
        raise CalendarRangeError(f"Clock {spec.name} would end after the year {_LAST_YEAR}") from error
    return _sealed(spec, start, extension, count, (due_at, warn_at))


def start_of(
    spec: ClockSpec,
    *,
    requested_at: datetime | None = None,
    received_at: datetime | None = None,
    event_at: datetime | None = None,
) -> datetime:
    """The moment from which this clock counts. Raises: ClockNotStartedError where it is not known."""
    moment = {Start.REQUEST: requested_at, Start.RECEIPT: received_at, Start.EVENT: event_at}[spec.start]
    if moment is None:
        raise ClockNotStartedError(
            f"Clock {spec.name} counts from the {spec.start}, which has not happened", remedy="Wait until it has."
        )
    return moment


def standing(limit: Deadline, *, at: datetime, stopped_at: datetime | None = None) -> Standing:
    """How the clock stands at a moment. stopped_at: when what it waits for was done."""
    if stopped_at is not None:
        return Standing.LATE if limit.is_overdue(stopped_at) else Standing.MET
    if limit.is_paused:
        return Standing.PAUSED
    if limit.is_overdue(at):
        return Standing.OVERDUE
    return Standing.WARNED if limit.warn_at is not None and utc(at) >= limit.warn_at else Standing.RUNNING


def years_needed(spec: ClockSpec, *, started_at: datetime, pauses: Iterable[Pause] = ()) -> range:
    """The years whose holidays this clock may meet, with room for every extension that it allows."""
    start = utc(started_at)
    ends = [start, *(utc(each.until_at or each.from_at) for each in pauses)]
    days = sum(_DAYS_AT_MOST[each.unit] * each.count for each in (spec.term, spec.extendable) if each) + 60
    paused = (max(ends) - start).days
    last = min(_LAST_YEAR, start.year + 1 + (days + paused) // 365)
    return range(start.year, last + 1)


# Generous: a year of working days may hold long holidays.
_DAYS_AT_MOST = {Unit.HOURS: 1, Unit.CALENDAR_DAYS: 1, Unit.WORKING_DAYS: 3, Unit.MONTHS: 31, Unit.YEARS: 366}


@dataclass(slots=True)
class _Count:
    """One computation: the calendars and pauses it reads, the days it found that do not count."""

    calendars: tuple[Calendar, ...]
    pauses: tuple[Pause, ...]
    paused_days: frozenset[date] = field(init=False)
    skipped: list[Skipped] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.paused_days = frozenset(day for pause in self.pauses for day in _days_of(pause))

    def run(self, start: datetime, parts: Sequence[Term]) -> datetime:
        """The end of all parts, one after the other. nominal: the end if nothing had paused (rule 5)."""
        end = nominal = start
        unpaused = _Count(self.calendars, ())
        for term in parts:
            if term.unit is Unit.HOURS:
                nominal += timedelta(hours=term.count)
                end = self._hours(end, timedelta(hours=term.count))
                continue
            days, is_working = _nominal_days(nominal.date(), term), term.unit is Unit.WORKING_DAYS
            nominal = _end_of(unpaused.days(nominal.date(), days, is_working=is_working))
            end = _end_of(self.days(end.date(), days, is_working=is_working))
        return end

    def before(self, due_at: datetime, warn: Term, *, not_before: datetime) -> datetime:
        """The moment so long before the end; of days, the beginning of that day."""
        if warn.unit is Unit.HOURS:
            return max(due_at - timedelta(hours=warn.count), not_before)
        day, first = due_at.date(), not_before.date()
        if warn.unit in (Unit.MONTHS, Unit.YEARS):
            day = _months_after(day, -_months(warn))
        else:
            left = warn.count
            while left and day > first:
                day -= _DAY
                left -= warn.unit is not Unit.WORKING_DAYS or all(each.is_working(day) for each in self.calendars)
        return max(datetime.combine(day, time.min, UTC), not_before)

    def days(self, day: date, days: int, *, is_working: bool) -> date:
        """The day on which so many days that count have passed; what did not count is kept."""
        while days:
            day += _DAY
            closed = self._why_not(day, is_working=is_working)
            self.skipped.extend(closed)
            days -= not closed
        return day

    def _why_not(self, day: date, *, is_working: bool) -> list[Skipped]:
        found = [Skipped(day, "", SkipReason.PAUSED)] if day in self.paused_days else []
        for calendar in self.calendars if is_working else ():
            closed = calendar.why_closed(day)
            found += [closed] if closed else []
            if calendar.is_silent(day):
                self.silent.add(calendar.code)
        return found

    def _hours(self, start: datetime, left: timedelta) -> datetime:
        for pause in self.pauses:
            if pause.from_at >= start + left:
                break
            left -= max(pause.from_at - start, timedelta())
            start = max(start, pause.until_at or pause.from_at)
        return start + left


def _sealed(
    spec: ClockSpec, start: datetime, extension: Term | None, count: _Count, ends: tuple[datetime, datetime | None]
) -> Deadline:
    """The deadline with its digest over every input that mattered, and none that did not. ends: due and warning."""
    due_at, warn_at = ends
    paused = tuple(each for each in count.pauses if each.from_at <= due_at)
    parties = tuple(each.code for each in count.calendars)
    closed = {code: [each.day.isoformat() for each in count.skipped if each.party == code] for code in parties}
    inputs = {
        "clock": spec.name,
        "term": spec.term.text,
        "start": spec.start.value,
        "started_at": _stamp(start),
        "extension": extension.text if extension else "",
        "paused": [[_stamp(each.from_at), _stamp(each.until_at) if each.until_at else ""] for each in paused],
        "closed": closed,
        "due_at": _stamp(due_at),
    }
    return Deadline(
        clock=spec.name,
        term=spec.term,
        started_at=start,
        due_at=due_at,
        digest=sha256_hex(canonical_json(inputs)),
        paused=paused,
        extension=extension,
        skipped=tuple(count.skipped),
        parties=parties,
        unpublished=tuple(sorted(count.silent)),
        warn_at=warn_at,
        is_paused=bool(paused) and paused[-1].until_at is None,
    )


def _extension(spec: ClockSpec, extensions: tuple[Term, ...]) -> Term | None:
    """The sum of all extensions, within what the instrument allows."""
    if not extensions:
        return None
    if spec.extendable is None:
        raise ExtensionRefusedError(
            f"Clock {spec.name} cannot be extended", where=spec.source, remedy="Only a term that says so is extended."
        )
    if any(each.unit is not spec.extendable.unit for each in extensions):
        raise ExtensionRefusedError(
            f"Clock {spec.name} is extended in {spec.extendable.unit} only", where=spec.source, remedy="Use that unit."
        )
    total = sum(each.count for each in extensions)
    if total > min(spec.extendable.count, MOST_COUNT):
        raise ExtensionRefusedError(
            f"Clock {spec.name} may be extended by {spec.extendable.text} in all, not by {total}",
            where=spec.source,
            remedy="Ask for less.",
        )
    return Term(total, spec.extendable.unit)


def _chosen(spec: ClockSpec, calendars: Mapping[str, Calendar]) -> tuple[Calendar, ...]:
    """The calendars that count, sorted by code, so that neither side comes first."""
    roles = ("asked", "asker") if spec.calendar is CalendarChoice.BOTH else (spec.calendar.value,)
    for role in roles:
        if role not in calendars:
            raise CalendarMissingError(
                f"Clock {spec.name} counts working days of the {role} administration, whose calendar was not given",
                remedy=f"Give calendars by role: {', '.join(roles)}.",
            )
    by_code = {calendars[role].code: calendars[role] for role in roles}
    return tuple(by_code[code] for code in sorted(by_code))


def _merged(pauses: Iterable[Pause], start: datetime) -> tuple[Pause, ...]:
    """The pauses in order, cut at the start, overlapping ones made one. So the order in which they come is nothing."""
    cut = []
    for each in pauses:
        until = utc(each.until_at).replace(microsecond=0) if each.until_at else None
        begun = max(utc(each.from_at).replace(microsecond=0), start)
        if until is None or until > begun:
            cut.append((begun, until))
    merged: list[tuple[datetime, datetime | None]] = []
    for begun, until in sorted(cut, key=lambda each: (each[0], each[1] is None, each[1] or start)):
        last = merged[-1] if merged else None
        if last is None or (last[1] is not None and last[1] < begun):
            merged.append((begun, until))
        elif last[1] is not None and (until is None or until > last[1]):
            merged[-1] = (last[0], until)
    return tuple(Pause(begun, until) for begun, until in merged)


def _days_of(pause: Pause) -> Iterable[date]:
    """Every day that a pause touches; of one that still lasts, the day it began, as the earliest end needs no more."""
    first = pause.from_at.date()
    last = (pause.until_at - timedelta(seconds=1)).date() if pause.until_at else first
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _nominal_days(start: date, term: Term) -> int:
    if term.unit in (Unit.MONTHS, Unit.YEARS):
        return (_months_after(start, _months(term)) - start).days
    return term.count


def _months(term: Term) -> int:
    return term.count * 12 if term.unit is Unit.YEARS else term.count


def _months_after(day: date, months: int) -> date:
    """The day with the same number so many months on, or the last of a shorter month (1182/71 Art. 3(2)(c))."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise OverflowError("date value out of range")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _end_of(day: date) -> datetime:
    return datetime.combine(day, _LAST_SECOND, UTC)


def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
