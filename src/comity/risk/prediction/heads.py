"""Boosted trees (LightGBM) that answer one question about a declaration each; the same input gives the same trees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import lightgbm
import numpy as np

from comity.risk.prediction.arrays import Floats
from comity.risk.prediction.errors import TrainingError


@dataclass(frozen=True, slots=True)
class Growth:
    """How trees are grown. seeds: how many models are averaged; threads: fixed, since sums depend on it.

    regular_part: of the rows whose answer is no, each model of a binary question learns from this part, drawn for it
    and weighed up again. There are thirty for each yes; a third of them teaches as much in a third of the time.
    """

    trees: int = 300
    leaves: int = 24
    rate: float = 0.05
    least_rows: int = 20
    features_part: float = 0.2
    rows_part: float = 0.8
    smoothing: float = 5.0
    bins: int = 63
    seeds: int = 4
    regular_part: float = 0.3
    threads: int = 1
    seed: int = 1
    more: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """Several boosters that answer one question; the answer is the mean of theirs."""

    boosters: tuple[lightgbm.Booster, ...]

    def ask(self, values: Floats) -> Floats:
        """The mean answer for each row."""
        total = np.zeros(len(values))
        for booster in self.boosters:
            total += booster.predict(values, num_threads=1)
        return total / len(self.boosters)


def grow(values: Floats, target: Floats, weight: Floats, growth: Growth, objective: str = "binary") -> Head:
    """Fit trees to a target.

    Raises: TrainingError: for a binary question all answers are the same, or there are no rows.
    """
    if len(target) == 0 or (objective == "binary" and target.min() == target.max()):
        raise TrainingError(
            "All outcomes are the same",
            where=f"{len(target)} declarations",
            remedy="Training needs some inspected declarations that were illicit and some that were not.",
        )
    boosters = []
    for number, parameters in enumerate(_parameters(growth, objective)):
        rows, drawn = np.arange(len(target)), weight
        if objective == "binary" and growth.regular_part < 1.0:
            chance = np.random.default_rng([growth.seed, number]).random(len(target))
            rows = np.flatnonzero((target > 0) | (chance < growth.regular_part))
            drawn = np.where(target > 0, weight, weight / growth.regular_part)
        data = lightgbm.Dataset(
            values[rows], target[rows], weight=drawn[rows], params={"max_bin": growth.bins, "verbosity": -1}
        )
        boosters.append(lightgbm.train(parameters, data, growth.trees))
    return Head(tuple(boosters))


def _parameters(growth: Growth, objective: str) -> Sequence[dict[str, object]]:
    return [
        {
            "objective": objective,
            "num_leaves": growth.leaves,
            "learning_rate": growth.rate,
            "min_data_in_leaf": growth.least_rows,
            "feature_fraction": growth.features_part,
            "bagging_fraction": growth.rows_part,
            "bagging_freq": 1,
            "lambda_l2": growth.smoothing,
            "max_bin": growth.bins,
            "seed": growth.seed * 1000 + number,
            "num_threads": growth.threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
            **growth.more,
        }
        for number in range(growth.seeds)
    ]


def fading_weights(week: Floats, last: int, half_life: float) -> Floats:
    """A weight for each row that halves every `half_life` weeks before `last`."""
    return np.asarray(0.5 ** ((last - week) / half_life), dtype=np.float64)
