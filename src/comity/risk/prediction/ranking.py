"""Task T2 of the benchmark: fit on weeks 0 to 51, score weeks 52 to 77, each administration for itself.

The trees see outcomes of the first period only and are never fitted again. The histories they read move on: a row of
week w is scored by what controls found up to week w - 1, in the second period too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from comity.risk.prediction.arrays import Floats, Ints
from comity.risk.prediction.features import Variant, declared_features, experienced_features
from comity.risk.prediction.heads import Growth, fading_weights, grow
from comity.risk.prediction.panels import panel_of
from comity.risk.prediction.scoring import Quality, measure
from comity.risk.prediction.worlds import Outcomes, World

LAST_FITTED, LAST_SCORED = 51, 77
# The first weeks have no history to speak of; what is learned from them would be that histories are empty.
WARM_UP_WEEKS = 6
HALF_LIFE_WEEKS = 30.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RankingPlan:
    """When to fit and score, in weeks, and how."""

    variant: Variant
    growth: Growth = field(default_factory=Growth)
    warm_up: int = WARM_UP_WEEKS
    last_fitted: int = LAST_FITTED
    last_scored: int = LAST_SCORED


@dataclass(frozen=True, slots=True)
class Ranked:
    """The scores of one administration's rows (places in the world), and how good they are."""

    administration: str
    rows: Ints
    scores: Floats
    quality: Quality


def rank_world(world: World, plan: RankingPlan, tell: Tell) -> list[Ranked]:
    """Fit and score each administration of the world.

    Raises: TrainingError: an administration's first period has no illicit or no regular declaration.
    """
    done = []
    for administration in world.administrations():
        tell(f"{administration}: histories and features")
        done.append(_rank(world, administration, plan, tell))
    return done


def _rank(world: World, administration: str, plan: RankingPlan, tell: Tell) -> Ranked:
    panel = panel_of(world, world.rows_of(administration))
    table = declared_features(world, panel, plan.variant).beside(experienced_features(world, panel, plan.variant))
    fitted = (panel.week >= plan.warm_up) & (panel.week <= plan.last_fitted) & panel.outcomes.seen
    scored = np.flatnonzero((panel.week > plan.last_fitted) & (panel.week <= plan.last_scored)).astype(np.int64)
    tell(f"{administration}: {int(fitted.sum())} declarations to learn from, {len(scored)} to score")
    weight = fading_weights(panel.week[fitted].astype(np.float64), plan.last_fitted, HALF_LIFE_WEEKS)
    head = grow(table.values[fitted], panel.outcomes.illicit[fitted], weight, plan.growth)
    scores = head.ask(table.values[scored])
    return Ranked(administration, panel.rows[scored], scores, measure(scores, _only(panel.outcomes, scored)))


def _only(outcomes: Outcomes, rows: Ints) -> Outcomes:
    return Outcomes(
        outcomes.seen[rows],
        outcomes.illicit[rows],
        outcomes.revenue[rows],
        outcomes.critical[rows],
        outcomes.finding[rows],
    )
