"""Which days an administration works: published public holidays, weekends as kept, and the days an agreement names.

Pure: holidays come from the tables of the package `holidays`, never from a network. What is not published is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

from comity.agreements.clocks.errors import CalendarRangeError, UnknownCountryError
from comity.agreements.clocks.values import CalendarTerms, Skipped, SkipReason

SATURDAY_SUNDAY = (5, 6)
_ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Holiday:
    """A public holiday by its names: (language, name). is_estimated: it follows the moon and is not announced yet."""

    names: tuple[tuple[str, str], ...]
    is_estimated: bool


@dataclass(frozen=True, slots=True)
class _Year:
    """What is published for one country in one year. worked: days of a weekend that the state made working days."""

    holidays: Mapping[date, Holiday]
    weekend: frozenset[date]
    worked: frozenset[date]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of one administration in certain years.

    country: whose holidays count; empty: none are published, so only weekends and days of the agreement are known.
    silent_years: years for which the country publishes no holiday at all.
    """

    code: str
    country: str
    terms: CalendarTerms
    years: tuple[int, ...]
    silent_years: tuple[int, ...]
    published: Mapping[int, _Year]

    def is_working(self, day: date) -> bool:
        """Whether the administration works on this day. Raises: CalendarRangeError."""
        return self.why_closed(day) is None

    def why_closed(self, day: date) -> Skipped | None:
        """Why the administration does not work on this day; None: it does. Raises: CalendarRangeError."""
        if day.year not in self.years:
            raise CalendarRangeError(
                f"The calendar of {self.code} says nothing about {day}",
                where=f"it holds {_spoken(self.years)}",
                remedy="Holidays of that year are not published, or the calendar was made for other years.",
            )
        if day in self.terms.open:
            return None
        if day in self.terms.closed:
            return Skipped(day, self.code, SkipReason.CLOSED)
        if self._is_weekend(day):
            return Skipped(day, self.code, SkipReason.WEEKEND)
        year = self.published.get(day.year)
        holiday = year.holidays.get(day) if year else None
        if holiday is None:
            return None
        return Skipped(day, self.code, SkipReason.HOLIDAY, holiday.names, holiday.is_estimated)

    def is_silent(self, day: date) -> bool:
        """Whether no holidays are published for the year of this day."""
        return not self.country or day.year in self.silent_years

    def _is_weekend(self, day: date) -> bool:
        year = self.published.get(day.year)
        if self.terms.weekend or year is None:
            return day.weekday() in (self.terms.weekend or SATURDAY_SUNDAY)
        return day in year.weekend and day not in year.worked


def calendar_of(code: str, terms: CalendarTerms | None, *, years: Iterable[int]) -> Calendar:
    """The calendar of the administration with this code, in these years.

    Without terms, or where they name no country, the code itself is the country if holidays are published for it.

    Raises: UnknownCountryError where the terms name a country or a part of one that is not known; CalendarRangeError
    where holidays are published for none of the years.
    """
    agreed = terms or CalendarTerms()
    country = agreed.country or (code if code in _known() else "")
    wanted = tuple(sorted(set(years)))
    if not country:
        return Calendar(code, "", agreed, wanted, (), {})
    _check_country(country, agreed.subdivision, code)
    found = {year: found for year in wanted if (found := _published(country, agreed.subdivision, year)) is not None}
    if not found:
        raise CalendarRangeError(
            f"No holidays are published for {country} in {_spoken(wanted) or 'no year at all'}",
            where=f"calendar of {code}",
            remedy="Ask for other years, or agree on the closed days in the agreement and leave the country out.",
        )
    silent = tuple(year for year, each in found.items() if not each.holidays)
    return Calendar(code, country, agreed, tuple(found), silent, found)


@cache
def _known() -> frozenset[str]:
    return frozenset(entry[1] for entry in import_module("holidays.registry").COUNTRIES.values())


def _tables(country: str, **wanted: object) -> Any:
    """The package is loaded when a day is first asked for: a third of the time that a process takes to begin."""
    return import_module("holidays").country_holidays(country, expand=False, **wanted)


def _check_country(country: str, subdivision: str, code: str) -> None:
    if country not in _known():
        raise UnknownCountryError(
            f"No holidays are published for the country {country!r}",
            where=f"calendar of {code}",
            remedy="Write another ISO 3166 code, or leave it out: then weekends and the days of the agreement count.",
        )
    if not subdivision:
        return
    found = _tables(country)
    known = {*found.subdivisions, *found.subdivisions_aliases}
    if subdivision not in known:
        listed = ", ".join(sorted(found.subdivisions)) or "none"
        raise UnknownCountryError(
            f"No holidays of its own are published for {subdivision!r} in {country}",
            where=f"calendar of {code}",
            remedy=f"Leave the part out and name its days as closed. Known parts: {listed}.",
        )


@lru_cache(maxsize=2048)
def _published(country: str, subdivision: str, year: int) -> _Year | None:
    """The tables of one year; None where the country's tables do not reach it.

    The years beside it are read too: a holiday near New Year may be observed on the other side of it.
    """
    probe = _tables(country)
    if not probe.start_year <= year <= probe.end_year:
        return None
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
    names = {
        language: _tables(country, subdiv=subdivision or None, years=(year - 1, year, year + 1), language=chosen)
        for language, chosen in _languages(probe.supported_languages)
    }
    told = names["en"]
    found = {
        day: Holiday(
            tuple((language, table[day]) for language, table in names.items() if day in table),
            _ESTIMATED in told[day].lower(),
        )
        for day in days
        if day.year == year and day in told
    }
    weekend = frozenset(day for day in days if day.year == year and told.is_weekend(day))
    return _Year(found, weekend, frozenset(told.weekend_workdays))


def _languages(supported: Iterable[str]) -> list[tuple[str, str | None]]:
    """English where it is published, else as the country writes it; and French where it is published."""
    english = sorted(each for each in supported if each.startswith("en"))
    chosen: list[tuple[str, str | None]] = [("en", "en_US" if "en_US" in english else next(iter(english), None))]
    return [*chosen, ("fr", "fr")] if "fr" in supported else chosen


def _spoken(years: tuple[int, ...]) -> str:
    if len(years) > 2 and years[-1] - years[0] == len(years) - 1:
        return f"{years[0]} to {years[-1]}"
    return ", ".join(map(str, years))
