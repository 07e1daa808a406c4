"""Ranking finds what is planted, is the same each time, and never looks ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from comity.risk.prediction.arrays import Floats
from comity.risk.prediction.errors import TrainingError
from comity.risk.prediction.features import Variant, declared_features, experienced_features
from comity.risk.prediction.heads import Growth
from comity.risk.prediction.panels import panel_of
from comity.risk.prediction.ranking import RankingPlan, rank_world
from comity.risk.prediction.scoring import Quality
from comity.risk.prediction.worlds import World
from tests.risk.prediction.conftest import with_changed_outcomes

BUSH = Growth(trees=15, leaves=6, rate=0.2, least_rows=5, seeds=1)
LAST_FITTED = 9


def plan(variant: Variant) -> RankingPlan:
    return RankingPlan(variant, BUSH, warm_up=2, last_fitted=LAST_FITTED, last_scored=13)


def scores(world: World, variant: Variant) -> Floats:
    """The score of each row of the world, NaN where it has none."""
    all_scores = np.full(len(world.ids), np.nan)
    for one in rank_world(world, plan(variant), lambda _: None):
        all_scores[one.rows] = one.scores
    return all_scores


@pytest.fixture(scope="module")
def usual(made: World) -> dict[Variant, Floats]:
    """The scores of the world as it was made."""
    return {variant: scores(made, variant) for variant in Variant}


@pytest.fixture(scope="module", params=list(Variant))
def variant(request: pytest.FixtureRequest) -> Variant:
    """Both variants."""
    chosen: Variant = request.param
    return chosen


def test_scores_the_second_period_alike_each_time_and_finds_the_schemes(
    made: World, usual: dict[Variant, Floats]
) -> None:
    local = rank_world(made, plan(Variant.LOCAL), lambda _: None)
    exchange = rank_world(made, plan(Variant.EXCHANGE), lambda _: None)
    assert sorted(np.concatenate([one.rows for one in local])) == np.flatnonzero(made.week > LAST_FITTED).tolist()
    for one in exchange:
        np.testing.assert_array_equal(usual[Variant.EXCHANGE][one.rows], one.scores)
    alone = Quality.mean([one.quality for one in local])
    together = Quality.mean([one.quality for one in exchange])
    assert alone.auc > 0.8
    assert together.average_precision > alone.average_precision > 0.5


@pytest.mark.parametrize("week", [LAST_FITTED + 2])
def test_outcomes_of_a_week_change_no_score_up_to_it(
    made: World, usual: dict[Variant, Floats], variant: Variant, week: int
) -> None:
    before, after = usual[variant], scores(with_changed_outcomes(made, week), variant)
    early = (made.week > LAST_FITTED) & (made.week <= week)
    assert (before[early] == after[early]).all()
    later = made.week > week
    assert (before[later] != after[later]).any()


@pytest.mark.parametrize("week", [0, 6])
def test_outcomes_of_a_week_change_no_feature_up_to_it(made: World, variant: Variant, week: int) -> None:
    changed = with_changed_outcomes(made, week)
    rows = made.rows_of("AA")
    for build in (declared_features, experienced_features):
        before = build(made, panel_of(made, rows), variant).values
        after = build(changed, panel_of(changed, rows), variant).values
        early = made.week[rows] <= week
        np.testing.assert_array_equal(before[early], after[early])


def test_what_nobody_looked_at_is_not_learned_from(made: World) -> None:
    with pytest.raises(TrainingError, match="All outcomes are the same"):
        rank_world(with_changed_outcomes_to_regular(made), plan(Variant.LOCAL), lambda _: None)


def with_changed_outcomes_to_regular(world: World) -> World:
    """The world where every control found all in order."""
    return replace(world, outcomes=replace(world.outcomes, illicit=np.zeros(len(world.ids))))
