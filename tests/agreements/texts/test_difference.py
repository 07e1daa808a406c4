"""What changed between two versions: exactly the requests that the engine answers otherwise."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from comity.agreements import Agreement, Decision, Engine, SharingRequest
from comity.agreements.texts import difference
from tests.agreements.strategies import agreements, articles, requests
from tests.scale import scaled


@st.composite
def amended(draw: st.DrawFn) -> tuple[Agreement, Agreement]:
    """An agreement and what came of it: articles changed, added, removed."""
    old = draw(agreements(6))
    kept = [each for each in old.articles if draw(st.integers(0, 4))]
    new = [draw(articles(each.id)) if not draw(st.integers(0, 2)) else each for each in kept]
    new += [draw(articles(f"new{number}")) for number in range(draw(st.integers(0, 2)))]
    return old, replace(old, articles=tuple(new), version="2")


def answers(decision: Decision) -> tuple[object, ...]:
    """What the two versions are compared by."""
    terms = (decision.onward, decision.retention_days, frozenset(decision.use_limits))
    return (decision.is_permitted, decision.fields_released, *(terms if decision.is_permitted else ()))


@settings(max_examples=scaled(13, 40), deadline=None)
@given(amended(), st.lists(requests, min_size=10, max_size=20))
def test_the_difference_is_exact(pair: tuple[Agreement, Agreement], asked: list[SharingRequest]) -> None:
    old, new = pair
    found = difference(old, new)
    before, after = Engine([old]), Engine([new])
    examples = [
        found.space.example(box, {*change.gained, *change.lost}) for change in found.changes for box in change.boxes
    ]
    for request in (*asked, *examples):
        was, now = before.decide(request), after.decide(request)
        assert (found.change_of(request) is not None) == (answers(was) != answers(now)), (request, was, now)
    assert all(found.change_of(request) is not None for request in examples)
