"""What holds for every clock, calendar, start and pause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreements.clocks import (
    Calendar,
    CalendarChoice,
    ClockFormError,
    ClockSpec,
    Deadline,
    Term,
    Unit,
    check_claim,
    claim_of,
    deadline,
    explain,
    first_difference,
    years_needed,
)
from tests.agreements.clocks.strategies import clocks, moments, pairs, pauses, terms, units

Pair = Mapping[str, Calendar]


@settings(max_examples=60)
@given(spec=clocks(), pair=pairs, first=moments, wait=st.integers(0, 90 * 24 * 60))
def test_who_starts_later_never_ends_earlier(spec: ClockSpec, pair: Pair, first: datetime, wait: int) -> None:
    """The end is monotone in the start."""
    later = first + timedelta(minutes=wait)
    earlier_end = deadline(spec, started_at=first, calendars=pair).due_at
    assert earlier_end <= deadline(spec, started_at=later, calendars=pair).due_at


@settings(max_examples=60)
@given(spec=clocks(), pair=pairs, first=moments, wait=st.integers(0, 20 * 24 * 60), data=st.data())
def test_the_same_pauses_leave_the_order_of_the_ends(
    spec: ClockSpec, pair: Pair, first: datetime, wait: int, data: st.DataObject
) -> None:
    """Monotone also where pauses begin after both starts."""
    later = first + timedelta(minutes=wait)
    after = datetime.combine(later.date() + timedelta(days=1), datetime.min.time(), UTC)
    paused = data.draw(pauses(after=after))
    ends = [deadline(spec, started_at=start, calendars=pair, pauses=paused).due_at for start in (first, later)]
    assert ends == sorted(ends)


@settings(max_examples=60)
@given(spec=clocks(), pair=pairs, start=moments, data=st.data())
def test_a_pause_never_shortens(spec: ClockSpec, pair: Pair, start: datetime, data: st.DataObject) -> None:
    """One pause more never makes the end earlier, extended or not."""
    some, more = data.draw(pauses(after=start)), data.draw(pauses(after=start, least=1))
    given_ = data.draw(st.sampled_from(((), (Term(1, spec.extendable.unit),)))) if spec.extendable else ()
    before = deadline(spec, started_at=start, calendars=pair, pauses=some, extensions=given_)
    after = deadline(spec, started_at=start, calendars=pair, pauses=(*some, *more), extensions=given_)
    assert before.due_at <= after.due_at


@settings(max_examples=60)
@given(spec=clocks(), pair=pairs, start=moments, count=st.integers(1, 29), data=st.data())
def test_an_extension_never_shortens(
    spec: ClockSpec, pair: Pair, start: datetime, count: int, data: st.DataObject
) -> None:
    """A longer extension never ends earlier, and any ends later than none."""
    assert spec.extendable is not None
    paused, unit = data.draw(pauses(after=start)), spec.extendable.unit
    ends = [
        deadline(spec, started_at=start, calendars=pair, pauses=paused, extensions=given_).due_at
        for given_ in ((), (Term(count, unit),), (Term(count, unit), Term(1, unit)))
    ]
    assert ends[0] < ends[1] < ends[2]


@settings(max_examples=60)
@given(spec=clocks(Unit.WORKING_DAYS), pair=pairs, start=moments, data=st.data())
def test_working_days_end_on_a_day_on_which_those_chosen_work(
    spec: ClockSpec, pair: Pair, start: datetime, data: st.DataObject
) -> None:
    """The last day is a working day of each, and between lie exactly so many days that count."""
    limit = deadline(spec, started_at=start, calendars=pair, pauses=data.draw(pauses(after=start)))
    chosen = [pair["asked"], pair["asker"]] if spec.calendar is CalendarChoice.BOTH else [pair[spec.calendar.value]]
    assert all(calendar.is_working(limit.last_day) for calendar in chosen)
    passed = (limit.last_day - limit.started_at.date()).days
    assert passed - len({each.day for each in limit.skipped}) == spec.term.count
    assert limit.due_at.time().isoformat() == "23:59:59"


@settings(max_examples=60)
@given(spec=clocks(), pair=pairs, start=moments, data=st.data())
def test_both_sides_compute_the_same_in_whatever_order_they_heard(
    spec: ClockSpec, pair: Pair, start: datetime, data: st.DataObject
) -> None:
    """The order of pauses and of extensions is nothing; their digests agree, and a claim is accepted."""
    paused = data.draw(pauses(after=start))
    given_ = tuple(Term(count, spec.extendable.unit) for count in (3, 1, 2)) if spec.extendable else ()
    ours = deadline(spec, started_at=start, calendars=pair, pauses=paused, extensions=given_)
    theirs = deadline(
        spec,
        started_at=start.astimezone(),
        calendars=dict(reversed(pair.items())),
        pauses=data.draw(st.permutations(paused)),
        extensions=data.draw(st.permutations(given_)),
    )
    assert ours == theirs
    assert first_difference(ours, theirs) is None
    check_claim(ours, claim_of(theirs))


@settings(max_examples=60)
@given(spec=clocks(), pair=pairs, start=moments, data=st.data())
def test_the_digest_and_the_inputs_differ_together(
    spec: ClockSpec, pair: Pair, start: datetime, data: st.DataObject
) -> None:
    """Two computations whose digests differ have a difference that can be named; the same digest has none."""
    ours = deadline(spec, started_at=start, calendars=pair, pauses=data.draw(pauses(after=start)))
    theirs = deadline(
        spec,
        started_at=start + timedelta(hours=data.draw(st.integers(0, 30))),
        calendars=data.draw(pairs),
        pauses=data.draw(pauses(after=start)),
    )
    assert (first_difference(ours, theirs) is None) == (ours.digest == theirs.digest)


@settings(max_examples=60)
@given(spec=clocks(), pair=pairs, start=moments, data=st.data())
def test_a_warning_comes_between_the_start_and_the_end(
    spec: ClockSpec, pair: Pair, start: datetime, data: st.DataObject
) -> None:
    """A warning is never before the start nor after the end; every deadline can be explained in both languages."""
    limit: Deadline = deadline(spec, started_at=start, calendars=pair, pauses=data.draw(pauses(after=start)))
    assert (limit.warn_at is None) == (spec.warn is None)
    assert limit.warn_at is None or limit.started_at <= limit.warn_at <= limit.due_at
    assert all(explain(limit, language) for language in ("en", "fr"))
    assert limit.due_at.year in years_needed(spec, started_at=start, pauses=limit.paused)


@given(term=terms(), unit=units)
def test_a_term_is_read_back_from_its_text(term: Term, unit: Unit) -> None:
    """Text and value are the same; one of a unit may be written in the singular."""
    assert Term.parse(term.text) == term
    assert Term.parse(f"1 {unit.value.removesuffix('s')}") == Term(1, unit)


@given(text=st.text(max_size=30) | st.from_regex(r"[0-9]{1,6} [a-z_]{1,14}", fullmatch=True))
def test_no_text_breaks_the_reader_of_terms(text: str) -> None:
    """What is no term is refused by name; what is one is read back from its own text."""
    try:
        term = Term.parse(text)
    except ClockFormError:
        return
    assert Term.parse(term.text) == term
