"""Hypothesis strategies of legal clocks: calendars, clocks, moments and pauses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from comity.agreements.clocks import (
    Calendar,
    CalendarChoice,
    CalendarTerms,
    ClockSpec,
    Pause,
    Start,
    Term,
    Unit,
    calendar_of,
)

YEARS = tuple(range(2023, 2032))
COUNTRIES = ("FR", "AE", "SA", "EG", "US", "JP", "KE", "XA")
_FIRST = datetime(2024, 1, 1, tzinfo=UTC)

days = st.dates(date(2024, 1, 1), date(2027, 12, 31))
moments = st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: _FIRST + timedelta(minutes=minutes))


@st.composite
def calendars(draw: st.DrawFn, code: str) -> Calendar:
    """The calendar of a party: its country, its weekend and the days of the agreement."""
    country = draw(st.sampled_from(COUNTRIES))
    closed = draw(st.sets(days, max_size=4))
    opened = draw(st.sets(days, max_size=2)) - closed
    terms = CalendarTerms(
        country="" if country == "XA" else country,
        weekend=draw(st.sampled_from(((), (4, 5), (5, 6), (6,)))),
        closed=tuple(sorted(closed)),
        open=tuple(sorted(opened)),
    )
    return calendar_of(code, terms, years=YEARS)


pairs = st.fixed_dictionaries({"asked": calendars("XA"), "asker": calendars("XB")})
units = st.sampled_from(Unit)


@st.composite
def terms(draw: st.DrawFn, unit: Unit | None = None) -> Term:
    """A term of less than two years."""
    chosen = unit or draw(units)
    most = {Unit.HOURS: 400, Unit.CALENDAR_DAYS: 120, Unit.WORKING_DAYS: 60, Unit.MONTHS: 14, Unit.YEARS: 1}[chosen]
    return Term(draw(st.integers(1, most)), chosen)


@st.composite
def clocks(draw: st.DrawFn, unit: Unit | None = None) -> ClockSpec:
    """Any clock that may be extended."""
    return ClockSpec(
        name="answer",
        term=draw(terms(unit)),
        start=draw(st.sampled_from(Start)),
        calendar=draw(st.sampled_from(CalendarChoice)),
        extendable=Term(60, draw(units.filter(lambda each: each is not Unit.YEARS))),
        warn=draw(st.none() | terms()),
    )


@st.composite
def pauses(draw: st.DrawFn, *, least: int = 0, after: datetime = _FIRST) -> tuple[Pause, ...]:
    """Pauses that have ended, in any order, some of which may overlap."""
    found = draw(
        st.lists(st.tuples(st.integers(0, 60 * 24 * 60), st.integers(0, 9 * 24 * 60)), min_size=least, max_size=4)
    )
    return tuple(
        Pause(after + timedelta(minutes=wait), after + timedelta(minutes=wait + length)) for wait, length in found
    )
