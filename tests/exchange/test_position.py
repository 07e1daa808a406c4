"""Which sequences have arrived: against a set of numbers as second implementation."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from comity.exchange.position import Position

ranges = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 8)).map(lambda pair: (pair[0], pair[0] + pair[1])))


@given(steps=st.lists(ranges, max_size=6))
def test_position_is_the_set_of_what_arrived(steps: list[list[tuple[int, int]]]) -> None:
    position, arrived = Position(), set[int]()
    for step in steps:
        position = position.with_ranges(step)
        arrived |= {number for first, last in step for number in range(first, last + 1)}
    assert {number for number in range(1, 80) if position.has(number)} == arrived
    assert position.highest == max(arrived, default=0)
    missing = {number for first, last in position.missing for number in range(first, last + 1)}
    assert missing == set(range(1, position.highest + 1)) - arrived
    assert position.contiguous + 1 not in arrived
