"""What is known of a copy does not depend on the order in which it was heard."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.custody import Limits, Mode, Status
from comity.custody.rules import after_answer, after_due, after_recall, higher
from tests.federation import AT

WORDS = ("open", "official", "restricted", "confidential")
MOMENTS = st.none() | st.integers(0, 400).map(lambda days: AT + timedelta(days=days))
LIMITS = st.builds(Limits, MOMENTS, st.sampled_from(("", *WORDS)))
TOLD = (Status.HELD, Status.OVERDUE, Status.RETAINED, Status.PURGED)


@given(st.sampled_from(list(Status)), st.lists(st.sampled_from(TOLD)))
def test_answers_come_to_the_same_in_any_order(begin: Status, told: list[Status]) -> None:
    """Notices and answers to a recall that purges: nobody answers it with `held`."""

    def heard(order: list[Status]) -> Status:
        status = begin
        for each in order:
            status = after_answer(status, each, is_answer=False)
        return status

    assert heard(told) == heard(told[::-1]) == heard(sorted(told)) == heard([*told, *told])


@given(
    st.lists(st.tuples(st.sampled_from(("recall", "tighten", "due", *(each.value for each in TOLD))), st.booleans()))
)
def test_what_is_purged_stays_purged(events: list[tuple[str, bool]]) -> None:
    status = Status.PURGED
    for event, is_answer in events:
        if event in ("recall", "tighten"):
            status = after_recall(status, Mode(event))
        elif event == "due":
            status = after_due(status, due_at=AT, at=AT)
        else:
            status = after_answer(status, Status(event), is_answer=is_answer)
    assert status is Status.PURGED


@given(LIMITS, LIMITS, LIMITS)
def test_limits_only_tighten_and_come_to_the_same_in_any_order(one: Limits, two: Limits, three: Limits) -> None:
    def joined(*limits: Limits) -> Limits:
        first, *others = limits
        for each in others:
            first = first.tightened(each.keep_until, each.handling)
        return first

    assert joined(one, two, three) == joined(three, one, two) == joined(one, two, three, two)
    tight = joined(one, two)
    assert tight.keep_until is None or one.keep_until is None or tight.keep_until <= one.keep_until
    assert higher(tight.handling, one.handling) == tight.handling


@pytest.mark.parametrize(
    ("status", "mode", "after"),
    [
        (Status.HELD, Mode.RECALL, Status.RECALLED),
        (Status.HELD, Mode.TIGHTEN, Status.RECALLED),
        (Status.OVERDUE, Mode.CORRECT, Status.RECALLED),
        (Status.OVERDUE, Mode.TIGHTEN, Status.OVERDUE),
        (Status.RETAINED, Mode.RECALL, Status.RETAINED),
        (Status.PURGED, Mode.RECALL, Status.PURGED),
    ],
)
def test_a_recall(status: Status, mode: Mode, after: Status) -> None:
    assert after_recall(status, mode) is after


def test_only_an_answer_to_the_recall_that_waits_ends_it_with_held() -> None:
    assert after_answer(Status.RECALLED, Status.HELD, is_answer=True) is Status.HELD
    assert after_answer(Status.OVERDUE, Status.HELD, is_answer=True) is Status.HELD
    assert after_answer(Status.RECALLED, Status.HELD, is_answer=False) is Status.RECALLED
    assert after_answer(Status.RETAINED, Status.HELD, is_answer=True) is Status.RETAINED


@pytest.mark.parametrize("due_at", [None, AT, AT + timedelta(seconds=1)])
def test_what_is_due_is_overdue_when_its_time_has_come(due_at: datetime | None) -> None:
    expected = Status.OVERDUE if due_at == AT else Status.RECALLED
    assert after_due(Status.RECALLED, due_at=due_at, at=AT) is expected
    assert after_due(Status.HELD, due_at=due_at, at=AT) is Status.HELD


def test_a_level_that_nobody_knows_counts_as_the_highest() -> None:
    assert higher("cosmic", "restricted") == "cosmic"
    assert higher("", "open") == "open"
    assert higher("", "") == ""
