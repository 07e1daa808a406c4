"""Which messages go out next: the pure part of overtaking."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from comity.exchange.limits import LIMITS, LoadLimits, Priority, SendingRules
from comity.exchange.pace import Allowance
from comity.exchange.window import Flight, Waiting, choose, classes_of, open_window
from tests.exchange.cast import AT

RULES = SendingRules()
NO_LIMITS = LoadLimits()
QUEUES = st.dictionaries(st.integers(1, 60), st.sampled_from(list(Priority)), max_size=40)
WINDOWS = st.builds(
    open_window,
    st.builds(
        SendingRules, messages=st.integers(1, 9), envelopes=st.integers(1, 9), urgent_envelopes=st.integers(0, 3)
    ),
    st.builds(
        LoadLimits, envelopes_in_flight=st.none() | st.integers(1, 5), messages_per_envelope=st.none() | st.just(2)
    ),
    st.builds(Flight, st.integers(0, 4), st.integers(0, 50)),
    st.none() | st.integers(1, 8),
)


def waiting(*numbers: int, priority: Priority = Priority.ORDINARY) -> list[Waiting]:
    return [Waiting(number, b"x", "", priority) for number in numbers]


def spans(groups: list[list[Waiting]]) -> list[tuple[int, int]]:
    return [(group[0].sequence, group[-1].sequence) for group in groups]


@given(QUEUES, WINDOWS)
def test_envelopes_are_consecutive_within_their_size_and_urgent_ones_come_first(queue, window) -> None:  # type: ignore[no-untyped-def]
    lines = [Waiting(sequence, b"x", "", priority) for sequence, priority in queue.items()]
    groups, after = choose(lines, window)
    best = [min(each.priority for each in group) for group in groups]
    assert best == sorted(best), "what is more urgent goes first"
    for group in groups:
        sequences = [each.sequence for each in group]
        assert sequences == list(range(sequences[0], sequences[0] + len(group)))
        assert len(group) <= window.size
    taken = [each.sequence for group in groups for each in group]
    assert len(taken) == len(set(taken))
    assert len(groups) <= max(*window.slots, 0)
    assert after.slots[0] == window.slots[0] - len(groups)


def test_a_full_pipe_of_bulk_leaves_room_for_what_is_urgent() -> None:
    pipe = open_window(RULES, NO_LIMITS, Flight(RULES.envelopes, RULES.envelopes * RULES.messages), None)
    assert pipe.slots == (RULES.urgent_envelopes, -32, -48)
    groups, _ = choose(waiting(1, 2, 3, priority=Priority.BULK) + waiting(9, priority=Priority.URGENT), pipe)
    assert spans(groups) == [(9, 9)]


def test_bulk_leaves_half_of_the_pipe_to_what_is_ordinary() -> None:
    flight = Flight(16, RULES.flight_messages // 2)
    urgent, ordinary, bulk = open_window(RULES, NO_LIMITS, flight, None).slots
    assert (urgent, ordinary, bulk) == (56, 16, 0)


def test_neighbours_ride_along() -> None:
    groups, _ = choose(
        waiting(4, 6) + waiting(5, priority=Priority.URGENT), open_window(RULES, NO_LIMITS, Flight(), None)
    )
    assert spans(groups) == [(4, 6)]


def test_a_partner_with_few_slots_keeps_one_for_what_is_urgent() -> None:
    for limit, ordinary in ((1, 1), (2, 1), (4, 2), (16, 8), (1000, 64)):
        window = open_window(RULES, LoadLimits(envelopes_in_flight=limit), Flight(), None)
        assert window.slots[:2] == (min(limit, 72), min(ordinary, 32)), limit


def test_the_pace_bounds_what_is_formed() -> None:
    window = open_window(RULES, NO_LIMITS, Flight(), None).paced(60, Allowance(3.0, AT), AT)
    assert window.messages(Priority.ORDINARY, RULES.round_messages) == 3
    assert window.messages(Priority.URGENT, RULES.round_messages) == 13
    groups, after = choose(waiting(1, 2, 3) + waiting(7, priority=Priority.URGENT), window)
    assert spans(groups) == [(7, 7)], "three would be one more than what is left"
    assert after.allowance.messages == 2.0


def test_classes_merge_before_the_partner_has_too_many_gaps() -> None:
    assert [len(classes_of(gaps)) for gaps in (0, 255, 256, 767, 768, LIMITS.islands)] == [3, 3, 2, 2, 1, 1]
    assert all(
        {each for priorities in classes_of(gaps) for each in priorities} == set(Priority) for gaps in (0, 300, 900)
    )
