"""What is owed by when: from the agreement, what happened, and what was done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.agreements.clocks import CalendarTerms, Term
from comity.agreements.obligations import (
    BREACH_KNOWN,
    FINDING_SHARED,
    IN_FORCE,
    REQUEST_RECEIVED,
    Fulfilment,
    Level,
    Occurrence,
    Owed,
    OwedState,
    counted,
    level_of,
    owed_under,
)
from comity.agreements.values import Agreement, Obligation, Period
from comity.agreements.vocabulary import Every, ObligationKind
from tests.agreements.cast import agreement_of, permit_article

START = datetime(2026, 1, 1, tzinfo=UTC)
ANSWER = Obligation("o1", ObligationKind.ANSWER, (), (), after=REQUEST_RECEIVED, within=Term.parse("10 working_days"))
ASKED = Occurrence(REQUEST_RECEIVED, "XA", "XB", datetime(2026, 12, 17, 15, tzinfo=UTC), "case-1")
ANSWERED = Fulfilment(ObligationKind.ANSWER, "XB", "XA", datetime(2027, 1, 4, 12, tzinfo=UTC), "case-1", "case-1")


def bound(*obligations: Obligation, first: date = date(2026, 1, 1), last: date | None = None) -> Agreement:
    """An agreement of three with these obligations; XA keeps French, XB Belgian days."""
    return replace(
        agreement_of(permit_article()),
        in_force=Period(first, last),
        obligations=obligations,
        calendars=(("XA", CalendarTerms(country="FR")), ("XB", CalendarTerms(country="BE"))),
    )


def owed(
    agreement: Agreement,
    at: datetime,
    *,
    occurrences: Iterable[Occurrence] = (),
    fulfilments: Iterable[Fulfilment] = (),
) -> tuple[Owed, ...]:
    """What is owed at a moment."""
    return owed_under(agreement, occurrences=occurrences, fulfilments=fulfilments, at=at)


def test_who_was_asked_owes_the_answer() -> None:
    """Ten days on which both work, over Christmas: Monday 4 January; with every input of the deadline."""
    (found,) = owed(bound(ANSWER), ASKED.at, occurrences=[ASKED])
    assert (found.by, found.to, found.ref, found.state) == ("XB", "XA", "case-1", OwedState.DUE)
    assert found.due_at == datetime(2027, 1, 4, 23, 59, 59, tzinfo=UTC)
    assert found.limit is not None
    assert found.limit.parties == ("XA", "XB")
    assert found.key.endswith("/o1/XB/XA/case-1")


@pytest.mark.parametrize(
    ("answered", "at", "state"),
    [
        (None, datetime(2027, 1, 4, 12, tzinfo=UTC), OwedState.DUE),
        (None, datetime(2027, 1, 5, tzinfo=UTC), OwedState.OVERDUE),
        (ANSWERED, datetime(2027, 1, 5, tzinfo=UTC), OwedState.MET),
        (ANSWERED, datetime(2027, 1, 4, tzinfo=UTC), OwedState.DUE),
        (replace(ANSWERED, at=datetime(2027, 1, 5, tzinfo=UTC)), datetime(2027, 1, 6, tzinfo=UTC), OwedState.LATE),
        (replace(ANSWERED, about="case-2"), datetime(2027, 1, 5, tzinfo=UTC), OwedState.OVERDUE),
        (replace(ANSWERED, by="XC"), datetime(2027, 1, 5, tzinfo=UTC), OwedState.OVERDUE),
        (replace(ANSWERED, obligation="o2"), datetime(2027, 1, 5, tzinfo=UTC), OwedState.OVERDUE),
        (replace(ANSWERED, about=""), datetime(2027, 1, 5, tzinfo=UTC), OwedState.OVERDUE),
    ],
)
def test_what_meets_it(answered: Fulfilment | None, at: datetime, state: OwedState) -> None:
    """Only an answer by whom it is owed, about this request, and known by now."""
    (found,) = owed(bound(ANSWER), at, occurrences=[ASKED], fulfilments=[answered] if answered else [])
    assert found.state is state
    assert (found.met_at is not None) == (state in (OwedState.MET, OwedState.LATE))


def test_only_who_the_agreement_names_owes() -> None:
    """The answer of XA to XB, not of XB to XA; and nothing from before it was in force or after now."""
    one_way = replace(ANSWER, owed_by=("XA",), owed_to=("XB",))
    assert owed(bound(one_way), ASKED.at, occurrences=[ASKED]) == ()
    assert len(owed(bound(one_way), ASKED.at, occurrences=[replace(ASKED, by="XB", to="XA")])) == 1
    assert owed(bound(ANSWER), ASKED.at - timedelta(days=1), occurrences=[ASKED]) == ()
    assert owed(bound(ANSWER, first=date(2027, 1, 1)), ASKED.at + timedelta(60), occurrences=[ASKED]) == ()


def test_a_finding_obliges_its_receiver_and_a_breach_whoever_knows() -> None:
    """Rules 1 and 2."""
    outcome = Obligation("o2", ObligationKind.OUTCOME_REPORT, (), (), FINDING_SHARED, Term.parse("60 calendar_days"))
    notice = Obligation("o3", ObligationKind.NOTIFICATION, (), (), BREACH_KNOWN, Term.parse("24 hours"))
    happened = [replace(ASKED, event=FINDING_SHARED, ref="m1"), replace(ASKED, event=BREACH_KNOWN, ref="c1")]
    found = owed(bound(outcome, notice), ASKED.at, occurrences=happened)
    assert [(each.obligation.id, each.by, each.to) for each in found] == [
        ("o3", "XA", "XB"),
        ("o3", "XA", "XC"),
        ("o2", "XB", "XA"),
    ]


def test_contact_points_are_owed_once_it_is_in_force() -> None:
    """Rule 3: each to each; one notice meets one of them."""
    points = Obligation("o4", ObligationKind.CONTACT_POINTS, ("XA",), (), IN_FORCE, Term.parse("1 month"))
    told = Fulfilment(ObligationKind.CONTACT_POINTS, "XA", "XB", START + timedelta(days=3), "case-9")
    found = owed(bound(points), START + timedelta(days=40), fulfilments=[told])
    assert [(each.to, each.state) for each in found] == [("XC", OwedState.OVERDUE), ("XB", OwedState.MET)]
    assert found[0].due_at == datetime(2026, 2, 1, 23, 59, 59, tzinfo=UTC)
    assert owed(bound(points, first=date(2026, 3, 1)), START) == ()


@pytest.mark.parametrize(
    ("every", "first", "last", "at", "periods"),
    [
        (Every.MONTH, date(2026, 1, 15), None, date(2026, 4, 1), ["2026-02-01", "2026-03-01", "2026-04-01"]),
        (Every.MONTH, date(2026, 1, 1), date(2026, 2, 27), date(2026, 12, 1), ["2026-01-01"]),
        (Every.QUARTER, date(2026, 1, 1), None, date(2026, 7, 2), ["2026-01-01", "2026-04-01", "2026-07-01"]),
        (Every.QUARTER, date(2025, 11, 2), None, date(2026, 3, 31), ["2026-01-01"]),
        (Every.YEAR, date(2024, 1, 2), None, date(2026, 6, 1), ["2025-01-01", "2026-01-01"]),
        (Every.YEAR, date(2026, 1, 2), None, date(2026, 6, 1), []),
    ],
)
def test_periods_that_lie_wholly_in_the_agreement(
    every: Every, first: date, last: date | None, at: date, periods: list[str]
) -> None:
    """A month, quarter or year that the agreement covers only in part obliges nobody."""
    training = Obligation("o5", ObligationKind.TRAINING, ("XA",), ("XB",), every=every)
    moment = datetime(at.year, at.month, at.day, tzinfo=UTC)
    assert sorted(each.ref for each in owed(bound(training, first=first, last=last), moment)) == periods


def test_one_training_meets_one_period() -> None:
    """Due by the last day of the month; two in March meet the two that are oldest."""
    training = Obligation("o5", ObligationKind.TRAINING, ("XA",), ("XB",), every=Every.MONTH)
    given_ = [
        Fulfilment(ObligationKind.TRAINING, "XA", "XB", datetime(2026, 3, day, tzinfo=UTC), f"case-{day}")
        for day in (5, 6)
    ]
    found = owed(bound(training), datetime(2026, 3, 31, 12, tzinfo=UTC), fulfilments=given_)
    assert {each.ref: each.state for each in found} == {
        "2026-01-01": OwedState.LATE,
        "2026-02-01": OwedState.LATE,
        "2026-03-01": OwedState.DUE,
    }
    assert found[0].due_at == datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    assert counted(found) == {OwedState.DUE: 1, OwedState.OVERDUE: 0, OwedState.MET: 0, OwedState.LATE: 2}


@pytest.mark.parametrize(("within", "due"), [(None, "2026-03-02"), (Term.parse("10 working_days"), "2026-02-13")])
def test_statistics_are_due_after_their_period(within: Term | None, due: str) -> None:
    """January is owed once it has ended, within 30 days or as agreed; a report meets the periods that it covers."""
    statistics = Obligation("o5", ObligationKind.STATISTICS, ("XA",), ("XB",), within=within, every=Every.MONTH)
    assert owed(bound(statistics), datetime(2026, 1, 31, 12, tzinfo=UTC)) == ()
    report = Fulfilment(
        ObligationKind.STATISTICS,
        "XA",
        "XB",
        datetime(2026, 2, 12, tzinfo=UTC),
        "case-1",
        covers=Period(date(2026, 1, 1), date(2026, 1, 31)),
    )
    found = owed(bound(statistics), datetime(2026, 3, 1, tzinfo=UTC), fulfilments=[report])
    assert {each.ref: each.state for each in found} == {"2026-01-01": OwedState.MET, "2026-02-01": OwedState.DUE}
    january = next(each for each in found if each.ref == "2026-01-01")
    assert january.due_at is not None
    assert january.due_at.date().isoformat() == due


def test_a_deadline_that_cannot_be_computed_is_said() -> None:
    """The calendar of Sri Lanka ends: it stays owed, without a date, and the rest is computed all the same."""
    short = replace(bound(ANSWER), calendars=(("XA", CalendarTerms(country="LK")),))
    late = replace(ASKED, at=datetime(2090, 1, 5, tzinfo=UTC))
    (found,) = owed(short, late.at, occurrences=[late])
    assert (found.due_at, found.state, found.level) == (None, OwedState.DUE, Level.NONE)
    assert "No holidays are published for LK" in found.problem


@pytest.mark.parametrize(
    ("days", "level"),
    [
        (-15, Level.NONE),
        (-14, Level.NOTICE),
        (0, Level.NOTICE),
        (1, Level.REMINDER),
        (8, Level.CONTACT_POINTS),
        (31, Level.HEADS),
    ],
)
def test_how_it_escalates(days: int, level: Level) -> None:
    """Notice two weeks before, reminder after; contact points after a week, heads after thirty days."""
    assert level_of(START, START + timedelta(days=days)) is level


@given(minutes=st.integers(0, 80 * 24 * 60), later=st.integers(0, 400 * 24 * 60))
def test_it_only_ever_escalates(minutes: int, later: int) -> None:
    """Until it is met, level and state never go back; they are the same at every node."""
    moment = ASKED.at + timedelta(minutes=minutes)
    (first,), (second,) = (
        owed(bound(ANSWER), at, occurrences=[ASKED]) for at in (moment, moment + timedelta(minutes=later))
    )
    assert first.level <= second.level
    assert (first.key, first.due_at) == (second.key, second.due_at)
    assert not (first.state is OwedState.OVERDUE and second.state is OwedState.DUE)
