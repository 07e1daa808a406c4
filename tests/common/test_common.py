"""The ground: ids that sort, instants with a zone, errors that say what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.common import Actor, ActorKind, ComityError, new_id, parse_instant, show_instant, utc_now


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(1, 10_000_000))
def test_ids_sort_by_time(moment: datetime, later_ms: int) -> None:
    moment = moment.replace(tzinfo=UTC)
    first, second = new_id(moment), new_id(moment + timedelta(milliseconds=later_ms))
    assert first < second
    assert first.version == 7
    assert first.variant == "specified in RFC 4122"


def test_ids_of_one_moment_differ(at: datetime) -> None:
    assert len({new_id(at) for _ in range(1000)}) == 1000


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)))
def test_instants_survive_a_round_trip(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    assert parse_instant(show_instant(moment)) == moment


def test_instants_are_shown_in_utc() -> None:
    moment = datetime(2026, 3, 2, 10, 30, tzinfo=timezone(timedelta(hours=2)))
    assert show_instant(moment) == "2026-03-02T08:30:00Z"
    assert parse_instant("2026-03-02T10:30:00+02:00") == moment


NO_INSTANTS = (
    "",
    "yesterday",
    "2026-03-02T10:30:00",
    "2026-13-02T10:30:00Z",
    # Python's own reader takes these; RFC 3339 does not.
    "2026-03-02D10:30:00Z",
    "4052-03-02T09:30:00%Z",
    "2026-W10-1T10:30:00Z",
    "20260302T103000Z",
    "2026-03-02T10:30Z",
    "٢٠٢٦-03-02T10:30:00Z",
)


@pytest.mark.parametrize("text", NO_INSTANTS)
def test_a_text_that_is_no_instant_is_refused_with_advice(text: str) -> None:
    with pytest.raises(ComityError) as caught:
        parse_instant(text)
    assert caught.value.code == "bad_instant"
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"])
def test_an_instant_that_utc_cannot_hold_is_refused_too(text: str) -> None:
    with pytest.raises(ComityError, match="years 1 to 9999"):
        parse_instant(text)


def test_an_instant_without_a_zone_is_not_shown() -> None:
    with pytest.raises(ComityError):
        show_instant(datetime(2026, 3, 2))


def test_the_clock_is_in_utc() -> None:
    assert utc_now().tzinfo is UTC


def test_an_error_says_what_where_and_what_to_do() -> None:
    assert str(ComityError("Mass is negative", where="line 3, gross_mass_kg", remedy="Give it in kg.")) == (
        "Mass is negative (line 3, gross_mass_kg) Give it in kg."
    )
    assert str(ComityError("Refused")) == "Refused"


def test_an_actor_is_named_by_kind_and_id() -> None:
    assert str(Actor(ActorKind.OFFICER, "ana", "XA")) == "officer:ana"
