"""Fading sums and weeks since, beside the same counted by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.risk.prediction.arrays import joined, stacked, weeks_of
from comity.risk.prediction.running import FadingSums, LastWeeks

EVENTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.floats(-5, 5)), max_size=30)


@settings(max_examples=40)
@given(EVENTS, st.integers(0, 9))
def test_fading_sums_are_the_sums_of_what_faded(events: list[tuple[int, int, float]], asked: int) -> None:
    sums = FadingSums(4, 1, half_life=2.0)
    for week in range(7):
        now = [(key, value) for then, key, value in events if then == week]
        keys = np.array([key for key, _ in now], dtype=np.int64)
        sums.add(keys, np.array([[value] for _, value in now]).reshape(-1, 1), week)
    read = sums.read(np.arange(4), 7 + asked)
    for key in range(4):
        by_hand = sum(value * 0.5 ** ((7 + asked - then - 1) / 2.0) for then, k, value in events if k == key)
        assert np.isclose(read[key, 0], by_hand)


def test_what_happens_to_one_key_moves_no_other_by_a_rounding() -> None:
    alone, crowded = FadingSums(2, 1, half_life=3.0), FadingSums(2, 1, half_life=3.0)
    for week in range(20):
        alone.add(np.array([0]), np.array([[0.1]]), week)
        crowded.add(np.array([1, 0, 1]), np.array([[1e12], [0.1], [3.3e-7]]), week)
    assert alone.read(np.array([0]), 20) == crowded.read(np.array([0]), 20)


def test_weeks_since_it_happened() -> None:
    weeks = LastWeeks(3)
    weeks.add(np.array([0, 1]), 2)
    weeks.add(np.array([1]), 5)
    assert weeks.since_first(np.arange(3), 6).tolist() == [4.0, 4.0, -1.0]
    assert weeks.since_last(np.arange(3), 6).tolist() == [4.0, 1.0, -1.0]
    assert weeks.since_last(np.arange(3), 600, most=60).tolist() == [60.0, 60.0, -1.0]


def test_codes_side_by_side_and_combined() -> None:
    codes, total = stacked([np.array([0, 1, 1]), np.array([0, 0, 2])])
    assert (codes.tolist(), total) == ([[0, 2], [1, 2], [1, 4]], 5)
    assert joined([np.array([0, 1, 1, 0]), np.array([5, 0, 0, 5])]).tolist() == [0, 1, 1, 0]
    assert [(week, rows.tolist()) for week, rows in weeks_of(np.array([3, 1, 3]))] == [(1, [1]), (3, [0, 2])]
