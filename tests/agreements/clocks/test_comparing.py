"""Where two computations part is named: the input, the day, the party."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from comity.agreements.clocks import (
    CalendarChoice,
    CalendarTerms,
    ClockFormError,
    ClockSpec,
    Deadline,
    DeadlineDiffersError,
    Pause,
    Term,
    calendar_of,
    check_claim,
    claim_of,
    deadline,
    explain,
    first_difference,
    term_in_words,
)

START = datetime(2026, 12, 17, 15, tzinfo=UTC)
TEN = ClockSpec("answer", Term.parse("10 working_days"), extendable=Term.parse("10 working_days"))


def limit(
    *, closed: tuple[date, ...] = (), start: datetime = START, spec: ClockSpec = TEN, pauses: tuple[Pause, ...] = ()
) -> Deadline:
    """The deadline by the French calendar, with the closed days of an agreement."""
    calendar = calendar_of("FR", CalendarTerms(closed=closed), years=[2026, 2027])
    return deadline(spec, started_at=start, calendars={"asked": calendar, "asker": calendar}, pauses=pauses)


def test_the_first_day_on_which_the_calendars_differ() -> None:
    """Two eves closed at the one, none at the other: 24 December is the first."""
    found = first_difference(limit(closed=(date(2026, 12, 31), date(2026, 12, 24))), limit())
    assert found is not None
    assert (found.what, found.day, found.party) == ("calendar", date(2026, 12, 24), "FR")
    assert found.text == "The calendar of FR differs, first on 2026-12-24: here closed, there open."


@pytest.mark.parametrize(
    ("theirs", "what", "day"),
    [
        (limit(start=START - timedelta(days=1)), "start", date(2026, 12, 16)),
        (limit(spec=ClockSpec("answer", Term.parse("11 working_days"))), "term", date(2027, 1, 5)),
        (limit(pauses=(Pause(START + timedelta(days=4), START + timedelta(days=5)),)), "pause", date(2026, 12, 21)),
        (limit(spec=ClockSpec("reply", TEN.term)), "clock", None),
        (
            deadline(
                TEN,
                started_at=START,
                calendars={"asked": calendar_of("FR", None, years=[2026, 2027])},
                extensions=[Term.parse("2 working_days")],
            ),
            "extension",
            date(2027, 1, 5),
        ),
        (
            deadline(TEN, started_at=START, calendars={"asked": calendar_of("BE", None, years=[2026, 2027])}),
            "choice of calendars",
            None,
        ),
    ],
)
def test_each_input_is_named(theirs: Deadline, what: str, day: date | None) -> None:
    """The input that differs first, and the first day that the two do not count alike."""
    found = first_difference(limit(), theirs)
    assert found is not None
    assert (found.what, found.day) == (what, day)
    assert what in found.text


def test_a_partner_that_counts_other_days_is_told_the_first() -> None:
    """Both dates, the clock and the day stand in the error."""
    theirs = claim_of(limit(closed=(date(2026, 12, 24),)))
    with pytest.raises(DeadlineDiffersError) as caught:
        check_claim(limit(), theirs)
    assert str(caught.value).startswith(
        "Clock answer ends on 2027-01-04 23:59:59 UTC by our count and on 2027-01-05 23:59:59 UTC by theirs"
        " (The calendar of FR differs, first on 2026-12-24: here open, there closed.)"
    )


def test_a_claim_of_three_words_is_enough() -> None:
    """Clock, end and digest: where they differ, only the last day can be named."""
    short = {key: claim_of(limit())[key] for key in ("clock", "due_at", "digest")}
    check_claim(limit(), short)
    with pytest.raises(DeadlineDiffersError) as caught:
        check_claim(limit(closed=(date(2026, 12, 24),)), short)
    assert "last day differs, first on 2027-01-05" in caught.value.where


def test_a_digest_that_its_own_inputs_do_not_give() -> None:
    """The same inputs and another digest: said as it is."""
    with pytest.raises(DeadlineDiffersError) as caught:
        check_claim(limit(), claim_of(limit()) | {"digest": "0" * 64})
    assert "do not give their digest" in caught.value.where


@pytest.mark.parametrize(
    "wrong",
    [
        {"due_at": "tomorrow"},
        {"due_at": "2027-01-04T23:59:59"},
        {"digest": 5},
        {"paused": [["2026-12-20T00:00:00Z"]]},
        {"paused": "none"},
        {"closed": {"FR": ["2026-13-01"]}},
        {"closed": {"FR": "2026-12-24"}},
    ],
)
def test_a_claim_that_cannot_be_read(wrong: dict[str, object]) -> None:
    """Refused by name, never a crash."""
    with pytest.raises(ClockFormError):
        check_claim(limit(), claim_of(limit()) | wrong)


def test_a_claim_without_a_digest() -> None:
    """All three words are needed."""
    with pytest.raises(ClockFormError):
        check_claim(limit(), {"clock": "answer", "due_at": "2027-01-04T23:59:59Z"})


def test_a_deadline_in_words() -> None:
    """From when, by whose days, what did not count and why, when it ends."""
    spec = ClockSpec("answer", TEN.term, calendar=CalendarChoice.BOTH, extendable=TEN.extendable)
    calendars = {
        "asked": calendar_of("FR", CalendarTerms(closed=(date(2026, 12, 24),)), years=[2026, 2027]),
        "asker": calendar_of("EG", None, years=[2026, 2027]),
    }
    pauses = (Pause(START + timedelta(days=4), START + timedelta(days=4, hours=1)),)
    found = deadline(
        spec, started_at=START, calendars=calendars, pauses=pauses, extensions=[Term.parse("1 working_day")]
    )
    assert explain(found) == (
        "answer: 10 working days from 2026-12-17 15:00 UTC.",
        "Extended by 1 working day.",
        "A day counts where EG and FR both work.",
        "The clock stood still from 2026-12-21 15:00 UTC to 2026-12-21 16:00 UTC.",
        "12 days of a weekend did not count.",
        "2026-12-24 did not count: closed by the agreement (FR).",
        "2026-12-25 did not count: Christmas Day (FR).",
        "2027-01-01 did not count: New Year's Day (FR).",
        "2027-01-07 did not count: Coptic Christmas Day (EG).",
        "1 day did not count because the clock stood still.",
        "It ends on 2027-01-12.",
    )
    assert "Le 2027-01-01 n’a pas compté : Jour de l'an (FR)." in explain(found, "fr")
    assert explain(found, "pt") == explain(found)


def test_a_moon_and_an_open_pause_in_words() -> None:
    """What is not certain is said to be so."""
    calendar = calendar_of("EG", None, years=[2027])
    found = deadline(
        TEN,
        started_at=datetime(2027, 3, 7, tzinfo=UTC),
        calendars={"asked": calendar},
        pauses=[Pause(datetime(2027, 3, 11, tzinfo=UTC))],
    )
    assert (
        "2027-03-09 did not count: Eid al-Fitr (estimated) (EG); it follows the moon and may be announced for another"
        " day." in explain(found)
    )
    assert (
        "The clock has stood still since 2027-03-11 00:00 UTC; this end is the earliest that is possible."
        in explain(found)
    )


def test_hours_in_words() -> None:
    """Hours end at an instant, not on a day."""
    found = deadline(ClockSpec("authorise", Term.parse("5 hours")), started_at=START, calendars={})
    assert explain(found) == (
        "authorise: 5 hours from 2026-12-17 15:00 UTC.",
        "It ends on 2026-12-17 20:00 UTC.",
    )
    assert [term_in_words(Term.parse(text), "fr") for text in ("1 year", "2 months")] == ["1 an", "2 mois"]
