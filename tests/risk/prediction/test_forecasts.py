"""Outlooks by heading and route: the planted scheme stands out, intervals hold, the future is not looked at."""

from __future__ import annotations

import pytest

from comity.risk.prediction.errors import TrainingError
from comity.risk.prediction.forecasts import coverage, outlooks
from comity.risk.prediction.panels import panel_of
from comity.risk.prediction.worlds import World
from tests.risk.prediction.conftest import with_changed_outcomes


def test_the_planted_route_stands_out_and_intervals_hold(made: World) -> None:
    panel = panel_of(made, made.rows_of("AA"))
    told = outlooks(made, panel, "IP", first_week=10, weeks=4)
    assert max(told, key=lambda one: one.share).departure == "HK"
    assert all(one.low <= one.high and one.expected >= 0 for one in told)
    assert (
        coverage(made, panel, told, "IP", first_week=10, weeks=4).count == 0
    )  # all of them too small to prove a thing
    told = outlooks(made, panel, "UV", first_week=10, weeks=4)
    fared = coverage(made, panel, told, "UV", first_week=10, weeks=4)
    assert fared.count > 10
    assert fared.promised >= 0.9
    assert fared.held > 0.8


def test_outcomes_of_the_weeks_told_change_nothing(made: World) -> None:
    changed = with_changed_outcomes(made, 10)
    before, after = (
        outlooks(world, panel_of(world, world.rows_of("BB")), "UV", first_week=10, weeks=2) for world in (made, changed)
    )
    assert [(one.heading, one.expected, one.low, one.high) for one in before] == [
        (one.heading, one.expected, one.low, one.high) for one in after
    ]


def test_unknown_findings_and_empty_pasts_are_refused(made: World) -> None:
    panel = panel_of(made, made.rows_of("AA"))
    with pytest.raises(TrainingError, match="no such finding"):
        outlooks(made, panel, "XX", first_week=5, weeks=1)
    with pytest.raises(TrainingError, match="Nothing was declared before"):
        outlooks(made, panel, "UV", first_week=0, weeks=1)
