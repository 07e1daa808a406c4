"""The token buckets: what a sender keeps and a receiver notices."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.exchange.limits import NO_LIMITS, LoadLimits, read_load_limits
from comity.exchange.pace import LENIENCY_MINUTES, Allowance, Intake, burst_of
from tests.exchange.cast import AT

PER_MINUTE = st.integers(1, 2**53)
# (seconds since the last look, messages wanted, urgent)
LOOKS = st.lists(st.tuples(st.floats(0, 600), st.integers(1, 1024), st.booleans()), max_size=60)


@given(PER_MINUTE, LOOKS)
def test_a_sender_never_exceeds_pace_and_burst(per_minute: int, looks: list[tuple[float, int, bool]]) -> None:
    """Over any stretch: at most the pace, one burst, and one that was borrowed, where envelopes are cut to the room."""
    allowance, at, sent = Allowance(), AT, 0
    for seconds, wanted, is_urgent in looks:
        at += timedelta(seconds=seconds)
        allowance = allowance.refilled(per_minute, at)
        count = min(wanted, allowance.room(per_minute, is_urgent=is_urgent))
        if count and allowance.may_go(count, per_minute, is_urgent=is_urgent):
            allowance, sent = allowance.spent(count), sent + count
        passed = (at - AT).total_seconds()
        assert sent <= per_minute * passed / 60 + 2 * burst_of(per_minute) + 1e-6 * per_minute + 1e-6


@given(PER_MINUTE, st.integers(1, 1024), LOOKS)
def test_nothing_waits_for_ever(per_minute: int, count: int, looks: list[tuple[float, int, bool]]) -> None:
    """Whatever went before, an envelope of any size goes once the bucket has filled."""
    allowance, at = Allowance(), AT
    for seconds, wanted, is_urgent in looks:
        at += timedelta(seconds=seconds)
        allowance = allowance.refilled(per_minute, at)
        if allowance.may_go(wanted, per_minute, is_urgent=is_urgent):
            allowance = allowance.spent(wanted)
    longest = timedelta(minutes=LENIENCY_MINUTES + 1) + timedelta(seconds=10 + 60 / per_minute)
    later = allowance.refilled(per_minute, at + longest + timedelta(minutes=1024 / per_minute))
    assert later.may_go(count, per_minute, is_urgent=False)


def test_what_is_urgent_borrows_one_burst() -> None:
    empty = Allowance(0.0, AT)
    assert not empty.may_go(1, 60, is_urgent=False)
    assert empty.may_go(10, 60, is_urgent=True)
    assert not empty.may_go(11, 60, is_urgent=True)
    assert not empty.spent(10).may_go(1, 60, is_urgent=True)


@pytest.mark.parametrize("seconds", [-3600.0, 0.0])
def test_a_clock_that_is_set_back_gives_nothing_and_blocks_nothing(seconds: float) -> None:
    back = Allowance(0.0, AT).refilled(60, AT + timedelta(seconds=seconds))
    assert back.messages == 0.0
    assert back.refilled(60, AT + timedelta(seconds=seconds + 5)).messages == pytest.approx(5.0)


def test_a_lower_limit_leaves_no_debt_of_hours() -> None:
    assert Allowance(-1_000_000.0, AT).refilled(6, AT + timedelta(minutes=5)).messages > 0
    assert Allowance(float("nan"), AT).refilled(6, AT).messages == 1.0


def test_a_receiver_tolerates_whoever_keeps_the_pace() -> None:
    intake = Intake()
    for minute in range(100):
        intake = intake.faded(600, AT + timedelta(minutes=minute))
        assert intake.wait_seconds(600) == 0
        intake = intake.taken(600, 600)


def test_a_receiver_turns_away_whoever_does_not_and_takes_him_again_in_time() -> None:
    flooded = Intake(0.0, AT).taken(1_000_000, 60)
    wait = flooded.wait_seconds(60)
    assert 0 < wait <= LENIENCY_MINUTES * 60
    assert flooded.faded(60, AT + timedelta(seconds=wait)).wait_seconds(60) == 0


@pytest.mark.parametrize(
    "published",
    [
        None,
        7,
        "many",
        [],
        {},
        {"messages_per_minute": "many"},
        {"messages_per_minute": None},
        {"messages_per_minute": True},
        {"messages_per_minute": 0.5},
        {"messages_per_minute": [1]},
        {"messages_per_minute": 2**60},
        {"unknown": 3},
    ],
)
def test_what_is_no_limit_limits_nothing(published: object) -> None:
    assert read_load_limits(published) == NO_LIMITS


@pytest.mark.parametrize("figure", [0, -1, -(2**70)])
def test_nobody_stops_us_with_a_figure(figure: int) -> None:
    published = {"messages_per_minute": figure, "messages_per_envelope": figure, "envelopes_in_flight": figure}
    assert read_load_limits(published) == LoadLimits(1, 1, 1)


@given(
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(),
        lambda each: (
            st.lists(each)
            | st.dictionaries(
                st.sampled_from(["messages_per_minute", "messages_per_envelope", "envelopes_in_flight"]) | st.text(),
                each,
            )
        ),
    )
)
def test_anything_may_be_published(value: object) -> None:
    limits = read_load_limits(value)
    assert all(each is None or each >= 1 for each in (limits.messages_per_minute, limits.envelopes_in_flight))
    assert read_load_limits(limits.to_mapping()) == limits
