"""Champion beside challenger, and the watch on drift: small figures, checked by hand and beside the other code."""

from __future__ import annotations

from random import Random

import pytest

from comity.risk.exploring import Hits, Window, explore
from comity.risk.modelling.comparing import (
    CHANGED,
    average_precision,
    compare,
    level_of,
    off_by,
    reliability,
    shift_of,
    verdict_of,
)
from comity.risk.modelling.rules import LEAST_CHANCE, MOST_WEIGHT, weight_of
from comity.risk.modelling.values import Shift
from comity.risk.rules import Lane, lane_of

REFERENCE = {"edges": [float(each) for each in range(1, 10)], "shares": [0.1] * 10 + [0.0], "rows": 5000}


def test_average_precision_by_hand():
    assert average_precision([0.9, 0.8, 0.7, 0.6], [True, False, True, False]) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision([0.5, 0.5], [True, False]) == pytest.approx(0.5), "equal chances stand at one place"
    assert average_precision([0.5], [False]) is None


def test_the_better_one_is_seen_to_be_better():
    chance = Random(1)
    hits = [chance.random() < 0.2 for _ in range(400)]
    told = [(0.2, 0.6 if hit and chance.random() < 0.8 else 0.1, hit) for hit in hits]
    found = compare(told, "a", "b")
    assert (found.controls, found.top, found.is_guess) == (400, 80, False)
    assert found.challenger.average_precision > 0.6 > found.champion.average_precision
    assert found.challenger.hit_rate > found.champion.hit_rate
    assert found.champion.told == pytest.approx(0.2)
    assert sum(row.count for row in found.champion.rows) == 400
    assert compare([], "a", "b").champion.average_precision is None


def test_reliability_keeps_the_ends():
    rows = reliability([0.0, 1.0, 0.05], [False, True, False])
    assert [(row.low, row.count, row.found) for row in rows] == [(0.0, 1, 0.0), (0.03, 1, 0.0), (0.8, 1, 1.0)]


def test_no_shift_is_called_steady_however_few_rows_there_are():
    chance = Random(2)
    levels = [shift_of("x", [chance.random() * 10 for _ in range(200)], REFERENCE).level for _ in range(200)]
    assert levels.count("steady") > 195
    assert "changed" not in levels


def test_a_shift_is_seen_and_what_is_unknown_has_its_place():
    chance = Random(3)
    assert shift_of("x", [chance.random() * 10 + 3 for _ in range(500)], REFERENCE).level == "changed"
    half = [None if chance.random() < 0.3 else chance.random() * 10 for _ in range(500)]
    assert shift_of("x", half, REFERENCE).level == "changed"
    assert shift_of("x", [1.0] * 20, REFERENCE).level == "too_few"
    assert shift_of("x", [1.0] * 500, {}).level == "too_few"
    assert [level_of(each) for each in (0.05, 0.15, CHANGED)] == ["steady", "moving", "changed"]


def test_what_controls_find_beside_what_was_told():
    assert off_by([0.5] * 10, [True] * 10) is None
    assert off_by([0.1] * 100, [True] * 10 + [False] * 90) == pytest.approx(0.0)
    assert off_by([0.1] * 100, [True] * 30 + [False] * 70) == pytest.approx(20 / 3)


@pytest.mark.parametrize(
    ("shifts", "z", "level", "share"),
    [
        ([Shift("chance", 0.0, 500, "steady")], 0.5, "steady", 0.0),
        ([Shift("chance", 0.0, 5, "too_few")], None, "too_few", 0.0),
        ([Shift("chance", 0.3, 500, "changed")], None, "changed", 0.5),
        ([Shift("chance", 0.0, 500, "steady")], -4.0, "changed", 1.0),
        ([Shift("chance", 0.0, 500, "steady")], 2.5, "moving", 0.25),
        ([Shift("chance", 0.0, 500, "steady"), *[Shift("x", 0.4, 500, "changed")] * 2], 0.0, "changed", 0.5),
    ],
)
def test_the_word_of_the_watch(shifts: list[Shift], z: float | None, level: str, share: float):
    assert verdict_of(shifts, z) == (level, share)


def test_drift_of_a_model_raises_exploration_within_its_bounds():
    calm = Window(Hits(100, 5), Hits(100, 30))
    found = explore(stated=0.1, at_most=0.3, before=calm, recent=calm, model_drift=0.5)
    assert found.extra == pytest.approx(0.1)
    assert explore(stated=0.1, at_most=0.3, before=calm, recent=calm, model_drift=9.0).extra == pytest.approx(0.2)


def test_a_model_alone_never_reaches_the_red_lane():
    assert weight_of(LEAST_CHANCE - 0.01) == 0.0
    assert weight_of(0.25) == 25.0
    assert weight_of(0.995) == MOST_WEIGHT
    assert lane_of(MOST_WEIGHT, [Lane.GREEN]) is Lane.YELLOW
