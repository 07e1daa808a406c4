"""Short envelopes first, and no long one for ever last."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from comity.exchange.transports.https.backlog import SHORT_BYTES, Backlog, Job

LONG = SHORT_BYTES + 1


def job(size: int) -> Job:
    loop = asyncio.new_event_loop()
    try:
        return Job(b"", bytes(size), loop.create_future())
    finally:
        loop.close()


def sizes(jobs: list[Job]) -> list[int]:
    return [len(each.data) for each in jobs]


def test_a_short_one_does_not_stand_behind_long_ones() -> None:
    backlog = Backlog()
    for size in (LONG, LONG, LONG, 100):
        backlog.add(job(size))
    assert sizes(backlog.take(2, 10**6)) == [100]
    assert sizes(backlog.take(2, 10**6)) == [LONG, LONG]
    assert len(backlog) == 1


def test_the_kinds_take_turns() -> None:
    backlog = Backlog()
    for size in (LONG, LONG, LONG, 1, 2, 3, 4, 5):
        backlog.add(job(size))
    groups = [sizes(backlog.take(2, 10**9)) for _ in range(5)]
    assert groups == [[1, 2], [LONG, LONG], [3, 4], [LONG], [5]]


def test_a_group_ends_with_the_one_that_fills_it() -> None:
    backlog = Backlog()
    for _ in range(5):
        backlog.add(job(LONG))
    assert len(backlog.take(64, 2 * LONG)) == 3


@given(st.lists(st.sampled_from([1, 2, 3, LONG, LONG + 1]), max_size=40), st.integers(1, 9))
def test_all_are_taken_once_each_line_in_its_order(arrived: list[int], group: int) -> None:
    backlog = Backlog()
    for size in arrived:
        backlog.add(job(size))
    taken: list[int] = []
    while backlog:
        part = sizes(backlog.take(group, 10**9))
        assert 0 < len(part) <= group
        taken += part
    for is_long in (False, True):
        assert [each for each in taken if (each >= LONG) is is_long] == [
            each for each in arrived if (each >= LONG) is is_long
        ]
