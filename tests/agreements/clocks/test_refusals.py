"""What has no meaning is refused by name, and what is not published is said."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from comity.agreements.clocks import (
    CalendarChoice,
    CalendarMissingError,
    CalendarRangeError,
    CalendarTerms,
    ClockFormError,
    ClockNotStartedError,
    ClockSpec,
    ExtensionRefusedError,
    Pause,
    Term,
    UnknownCountryError,
    calendar_of,
    deadline,
    explain,
    start_of,
)

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
WORKING = ClockSpec("answer", Term.parse("10 working_days"))


@pytest.mark.parametrize("text", ["", "ten days", "0 hours", "40000 hours", "5  weeks", "5 hour s", "-1 hours", "5"])
def test_a_text_that_is_no_term(text: str) -> None:
    """Refused, with the units named or the bounds."""
    with pytest.raises(ClockFormError):
        Term.parse(text)


@pytest.mark.parametrize(
    "terms",
    [
        {"country": "FRA"},
        {"country": "fr"},
        {"subdivision": "<b>"},
        {"weekend": (7,)},
        {"weekend": tuple(range(7))},
        {"closed": (date(2026, 1, 1),), "open": (date(2026, 1, 1),)},
    ],
)
def test_a_calendar_that_has_no_meaning(terms: dict[str, object]) -> None:
    """Refused when it is written, not when a deadline is due."""
    with pytest.raises(ClockFormError):
        CalendarTerms(**terms)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("wrong", [{"tag": "X"}, {"tag": "M", "is_verified": True}])
def test_a_clock_that_claims_too_much(wrong: dict[str, object]) -> None:
    """Only what was seen is verified."""
    with pytest.raises(ClockFormError):
        ClockSpec("answer", Term.parse("1 hour"), **wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_a_country_that_nobody_knows() -> None:
    """Named by the agreement: an error that says what to do."""
    with pytest.raises(UnknownCountryError, match="'ZZ'") as caught:
        calendar_of("XA", CalendarTerms(country="ZZ"), years=[2026])
    assert "leave it out" in caught.value.remedy


def test_a_part_of_a_country_that_nobody_knows() -> None:
    """The known parts are listed."""
    with pytest.raises(UnknownCountryError, match="'DU' in AE"):
        calendar_of("XB", CalendarTerms(country="AE", subdivision="DU"), years=[2026])
    with pytest.raises(UnknownCountryError) as caught:
        calendar_of("XB", CalendarTerms(country="GB", subdivision="PAR"), years=[2026])
    assert "SCT" in caught.value.remedy


def test_a_part_of_a_country_has_its_own_holidays() -> None:
    """2 January is a holiday in Scotland, not in England."""
    scotland, england = (
        calendar_of("XB", CalendarTerms(country="GB", subdivision=part), years=[2026]) for part in ("SCT", "ENG")
    )
    assert (scotland.is_working(date(2026, 1, 2)), england.is_working(date(2026, 1, 2))) == (False, True)


def test_years_that_are_not_published() -> None:
    """Tables of a country end somewhere: then there is no guessing."""
    with pytest.raises(CalendarRangeError, match="for FR in 2200"):
        calendar_of("FR", None, years=[2200])
    with pytest.raises(CalendarRangeError, match="no year at all"):
        calendar_of("FR", None, years=[])
    calendar = calendar_of("FR", None, years=[2026, 2200])
    with pytest.raises(CalendarRangeError, match="2027") as caught:
        deadline(ClockSpec("answer", Term(300, WORKING.term.unit)), started_at=START, calendars={"asked": calendar})
    assert "2026" in caught.value.where


def test_an_administration_without_published_holidays_says_so() -> None:
    """Weekends and the days of the agreement are all that is known."""
    calendar = calendar_of("XA", CalendarTerms(closed=(date(2026, 3, 4),)), years=[2026])
    limit = deadline(WORKING, started_at=START, calendars={"asked": calendar})
    assert limit.unpublished == ("XA",)
    assert limit.last_day == date(2026, 3, 17)
    assert (
        "No holidays are published for XA: only weekends and the days that the agreement names are known."
        in explain(limit)
    )


def test_a_year_in_which_a_country_publishes_none_says_so() -> None:
    """Ukraine has had no public holidays under martial law; whoever counts there is told."""
    limit = deadline(WORKING, started_at=START, calendars={"asked": calendar_of("UA", None, years=[2026])})
    assert limit.unpublished == ("UA",)


def test_a_calendar_that_was_not_given() -> None:
    """Working days need it, calendar days do not."""
    with pytest.raises(CalendarMissingError, match="asker"):
        deadline(
            ClockSpec("answer", WORKING.term, calendar=CalendarChoice.BOTH),
            started_at=START,
            calendars={"asked": calendar_of("FR", None, years=[2026])},
        )


def test_a_moment_without_a_zone() -> None:
    """Nobody knows when that is."""
    with pytest.raises(ClockFormError, match="no time zone"):
        deadline(ClockSpec("answer", Term.parse("1 hour")), started_at=datetime(2026, 3, 2, 9), calendars={})
    with pytest.raises(ClockFormError):
        Pause(datetime(2026, 3, 2))


def test_a_pause_that_ends_before_it_begins() -> None:
    """Refused."""
    with pytest.raises(ClockFormError, match="before it begins"):
        Pause(START, START.replace(hour=8))


@pytest.mark.parametrize("text", ["36525 years", "2000 months"])
def test_an_end_after_all_years(text: str) -> None:
    """Far dates are refused, not wrapped."""
    with pytest.raises(CalendarRangeError, match="after the year 9999"):
        deadline(ClockSpec("answer", Term.parse(text)), started_at=START.replace(year=9900), calendars={})


def test_a_clock_that_has_not_started() -> None:
    """It counts from the request, of which nothing is known."""
    with pytest.raises(ClockNotStartedError, match="request"):
        start_of(WORKING, received_at=START)


@pytest.mark.parametrize(
    ("extendable", "asked", "words"),
    [
        ("", ["1 calendar_days"], "cannot be extended"),
        ("10 working_days", ["1 calendar_days"], "in working_days only"),
        ("10 calendar_days", ["6 calendar_days", "5 calendar_days"], "by 10 calendar_days in all, not by 11"),
    ],
)
def test_an_extension_that_the_instrument_does_not_allow(extendable: str, asked: list[str], words: str) -> None:
    """Not at all, not in this unit, not so much."""
    spec = ClockSpec("answer", Term.parse("5 calendar_days"), extendable=Term.parse(extendable) if extendable else None)
    with pytest.raises(ExtensionRefusedError, match=words):
        deadline(spec, started_at=START, calendars={}, extensions=[Term.parse(each) for each in asked])
