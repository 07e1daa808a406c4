"""Deadlines that were counted by hand on paper calendars."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from comity.agreements.clocks import (
    Calendar,
    CalendarChoice,
    CalendarTerms,
    ClockSpec,
    Pause,
    SkipReason,
    Standing,
    Start,
    Term,
    calendar_of,
    deadline,
    default_clock,
    standing,
    start_of,
)

YEARS = range(2021, 2030)
FR = calendar_of("FR", None, years=YEARS)
AE = calendar_of("AE", None, years=YEARS)
SA = calendar_of("SA", None, years=YEARS)


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def clock(term: str, calendar: CalendarChoice = CalendarChoice.ASKED, *, extendable: str = "") -> ClockSpec:
    """A clock of this term."""
    return ClockSpec(
        "answer", Term.parse(term), calendar=calendar, extendable=Term.parse(extendable) if extendable else None
    )


def last_day(term: str, start: str, **calendars: Calendar) -> str:
    """The last day of a term from this instant."""
    choice = CalendarChoice.BOTH if len(calendars) > 1 else CalendarChoice.ASKED
    return deadline(clock(term, choice), started_at=at(start), calendars=calendars).last_day.isoformat()


def test_ten_working_days_over_christmas() -> None:
    """From Thursday 17 December: 18, 21-24, 28-31 are nine; 25 and 1 January are holidays; Monday the 4th is ten."""
    assert last_day("10 working_days", "2026-12-17T15:00", asked=FR) == "2027-01-04"


def test_the_agreement_closes_the_two_eves() -> None:
    """With 24 and 31 December closed, two more days are needed."""
    terms = CalendarTerms(closed=(date(2026, 12, 24), date(2026, 12, 31)))
    closed = calendar_of("FR", terms, years=YEARS)
    assert last_day("10 working_days", "2026-12-17T15:00", asked=closed) == "2027-01-06"


def test_the_agreement_opens_a_holiday_and_a_saturday() -> None:
    """Friday 25 December and Saturday the 19th count where the agreement says so."""
    opened = calendar_of("FR", CalendarTerms(open=(date(2026, 12, 19), date(2026, 12, 25))), years=YEARS)
    assert last_day("10 working_days", "2026-12-17T15:00", asked=opened) == "2026-12-30"


@pytest.mark.parametrize(
    ("weekend", "start", "expected"),
    [
        ((), "2021-11-07", "2021-11-14"),  # until 2021 the Emirates rested on Friday and Saturday
        ((5, 6), "2021-11-07", "2021-11-12"),
        ((), "2024-11-10", "2024-11-15"),  # since 2022 on Saturday and Sunday
        ((4, 5), "2024-11-10", "2024-11-17"),
    ],
)
def test_five_working_days_from_a_sunday_in_the_emirates(weekend: tuple[int, ...], start: str, expected: str) -> None:
    """The weekend is as the country kept it that year, or as the agreement says."""
    calendar = calendar_of("AE", CalendarTerms(weekend=weekend), years=YEARS)
    assert last_day("5 working_days", start, asked=calendar) == expected


def test_two_weekends_leave_four_days_a_week() -> None:
    """Riyadh rests Friday and Saturday, Paris Saturday and Sunday: Monday to Thursday count, then Monday."""
    assert last_day("5 working_days", "2026-02-01", asked=FR, asker=SA) == "2026-02-09"
    assert last_day("5 working_days", "2026-02-01", asked=SA, asker=FR) == "2026-02-09"


def test_eid_in_the_emirates() -> None:
    """Eid al-Fitr 2024 closed Monday 8 to Friday 12 April: three days from Friday the 5th end on Wednesday the 17th."""
    assert last_day("3 working_days", "2024-04-05", asked=AE) == "2024-04-17"


def test_eid_to_come_is_an_estimate() -> None:
    """Egypt's Eid al-Fitr of 2027 is computed, and the deadline says so."""
    calendar = calendar_of("EG", None, years=YEARS)
    limit = deadline(clock("5 working_days"), started_at=at("2027-03-07"), calendars={"asked": calendar})
    assert [each.day.isoformat() for each in limit.skipped if each.is_estimated] == ["2027-03-09", "2027-03-10"]
    assert limit.last_day == date(2027, 3, 16)


def test_a_weekend_that_the_state_made_working_days() -> None:
    """China works on Saturday 14 February 2026 for the Spring Festival, unless the agreement sets the weekend."""
    kept, agreed = (calendar_of("CN", CalendarTerms(weekend=weekend), years=YEARS) for weekend in ((), (5, 6)))
    assert kept.is_working(date(2026, 2, 14))
    assert not agreed.is_working(date(2026, 2, 14))


@pytest.mark.parametrize(
    ("term", "start", "expected"),
    [
        ("1 month", "2023-01-31", "2023-02-28"),
        ("1 month", "2024-01-31", "2024-02-29"),
        ("1 month", "2024-02-29", "2024-03-29"),
        ("12 months", "2024-02-29", "2025-02-28"),
        ("1 year", "2024-02-29", "2025-02-28"),
        ("4 years", "2024-02-29", "2028-02-29"),
        ("90 calendar_days", "2026-11-22", "2027-02-20"),  # a Saturday: calendar days run through
        ("31 calendar_days", "2024-02-01", "2024-03-03"),
    ],
)
def test_days_and_months_on_the_calendar(term: str, start: str, expected: str) -> None:
    """Short months end on their last day; leap days are days."""
    assert last_day(term, start) == expected


def test_the_default_clock_of_verification_requests() -> None:
    """90 calendar days from the request; the warning comes 14 days before."""
    spec = default_clock("tfa12.answer").spec
    limit = deadline(spec, started_at=start_of(spec, requested_at=at("2026-11-22T09:30")), calendars={})
    assert limit.due_at == at("2027-02-20T23:59:59")
    assert limit.warn_at == at("2027-02-06T00:00")


def test_ten_and_ten_working_days() -> None:
    """TRIPS 55: ten more working days begin where the first ten end."""
    spec = default_clock("trips55.proceedings").spec
    limit = deadline(
        spec, started_at=at("2026-12-17"), calendars={"asked": FR}, extensions=[Term.parse("10 working_days")]
    )
    assert limit.last_day == date(2027, 1, 18)


def test_hours_stand_still() -> None:
    """Five hours with a pause of two, whatever the day."""
    spec = clock("5 hours")
    pause = Pause(at("2026-12-25T23:00"), at("2026-12-26T01:00"))
    assert deadline(spec, started_at=at("2026-12-25T22:10"), calendars={}).due_at == at("2026-12-26T03:10")
    assert deadline(spec, started_at=at("2026-12-25T22:10"), calendars={}, pauses=[pause]).due_at == at(
        "2026-12-26T05:10"
    )


def test_a_pause_of_days() -> None:
    """Every day that a pause touches is given back: Monday 7 to Wednesday 9 are three working days."""
    pause = Pause(at("2026-12-07T16:00"), at("2026-12-09T09:00"))
    limit = deadline(clock("5 working_days"), started_at=at("2026-12-04"), calendars={"asked": FR}, pauses=[pause])
    assert limit.last_day == date(2026, 12, 16)
    assert sum(each.reason is SkipReason.PAUSED for each in limit.skipped) == 3


def test_a_month_with_a_pause() -> None:
    """Each day of a pause adds one; 31 January with a month is 28 days, ten of which stand still."""
    pause = Pause(at("2026-02-10T00:00"), at("2026-02-20T00:00"))
    limit = deadline(clock("1 month"), started_at=at("2026-01-31"), calendars={}, pauses=[pause])
    assert limit.last_day == date(2026, 3, 10)


def test_a_month_after_working_days_that_paused() -> None:
    """An extension by a month is as long as if nothing had paused, and begins where the term ends."""
    spec = clock("2 working_days", extendable="1 month")
    pause = Pause(at("2026-01-29T08:00"), at("2026-01-29T09:00"))
    plain = deadline(spec, started_at=at("2026-01-27"), calendars={"asked": FR}, extensions=[Term.parse("1 month")])
    paused = deadline(
        spec,
        started_at=at("2026-01-27"),
        calendars={"asked": FR},
        pauses=[pause],
        extensions=[Term.parse("1 month")],
    )
    assert (plain.last_day, paused.last_day) == (date(2026, 2, 28), date(2026, 3, 1))


def test_standing_still_has_no_end_yet() -> None:
    """An open pause: the end is the earliest that is possible, and nobody is late."""
    limit = deadline(
        clock("10 calendar_days"), started_at=at("2026-01-01"), calendars={}, pauses=[Pause(at("2026-01-05"))]
    )
    assert limit.is_paused
    assert limit.last_day == date(2026, 1, 12)
    assert not limit.is_overdue(at("2027-01-01"))
    assert standing(limit, at=at("2027-01-01")) is Standing.PAUSED


def test_a_pause_after_the_end_changes_nothing() -> None:
    """What came too late is no input."""
    plain = deadline(clock("10 calendar_days"), started_at=at("2026-01-01"), calendars={})
    later = deadline(
        clock("10 calendar_days"), started_at=at("2026-01-01"), calendars={}, pauses=[Pause(at("2026-02-01"))]
    )
    assert plain == later


@pytest.mark.parametrize(
    ("moment", "stopped", "expected"),
    [
        ("2026-01-02", "", Standing.RUNNING),
        ("2026-01-09", "", Standing.WARNED),
        ("2026-01-11T23:59:59", "", Standing.WARNED),
        ("2026-01-12", "", Standing.OVERDUE),
        ("2026-02-01", "2026-01-11T23:00", Standing.MET),
        ("2026-02-01", "2026-01-12T00:00", Standing.LATE),
    ],
)
def test_how_a_clock_stands(moment: str, stopped: str, expected: Standing) -> None:
    """Ten days from 1 January, with a warning three days before."""
    spec = ClockSpec("answer", Term.parse("10 calendar_days"), warn=Term.parse("3 calendar_days"))
    limit = deadline(spec, started_at=at("2026-01-01"), calendars={})
    assert standing(limit, at=at(moment), stopped_at=at(stopped) if stopped else None) is expected


@pytest.mark.parametrize(
    ("warn", "expected"),
    [
        ("3 working_days", "2026-12-29T00:00"),
        ("2 hours", "2027-01-04T21:59:59"),
        ("1 month", "2026-12-17T15:00"),
        ("40 working_days", "2026-12-17T15:00"),
    ],
)
def test_when_a_clock_warns(warn: str, expected: str) -> None:
    """Counted back from Monday 4 January over New Year; never before the start."""
    spec = ClockSpec("answer", Term.parse("10 working_days"), warn=Term.parse(warn))
    limit = deadline(spec, started_at=at("2026-12-17T15:00"), calendars={"asked": FR})
    assert limit.warn_at == at(expected)


def test_from_which_moment_a_clock_counts() -> None:
    """By request, by receipt, or by an event."""
    requested, received, happened = at("2026-01-01"), at("2026-01-02"), at("2026-01-03")
    found = [
        start_of(
            ClockSpec("answer", Term.parse("1 month"), start=start),
            requested_at=requested,
            received_at=received,
            event_at=happened,
        )
        for start in (Start.REQUEST, Start.RECEIPT, Start.EVENT)
    ]
    assert found == [requested, received, happened]
