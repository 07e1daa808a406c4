"""Trees asked column by column: LightGBM's answers to the last bit, and LightGBM itself for what is not known here."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest

from comity.risk.bulk.trees import Columnwise, columnwise
from comity.risk.prediction.heads import Growth, Head, grow

pytestmark = pytest.mark.once
CHANCE = np.random.default_rng(3)
VALUES = np.round(CHANCE.normal(size=(400, 6)), 1)
VALUES[CHANCE.random(VALUES.shape) < 0.2] = np.nan
WEIGHT = np.ones(len(VALUES))
TARGET = np.nan_to_num(VALUES[:, 0]) + CHANCE.normal(size=len(VALUES)) > 0


def head(objective: str, **more: float) -> Head:
    growth = Growth(trees=8, leaves=7, features_part=1.0, seeds=2, more=more)
    return grow(VALUES, TARGET.astype(float), WEIGHT, growth, objective)


@pytest.mark.parametrize("objective", ["binary", "tweedie"])
def test_answers_are_those_of_lightgbm(objective: str) -> None:
    grown = head(objective)
    quick = columnwise(grown)
    assert isinstance(quick, Columnwise)
    rows = np.vstack([VALUES, np.full((1, 6), np.nan), np.zeros((1, 6)), VALUES[:50] * 1e300, VALUES[:50] * 1e-35])
    for asked in (rows, rows[:1], rows[:0]):
        assert quick.ask(asked).tolist() == (grown.ask(asked).tolist() if len(asked) else [])


def test_other_forms_stay_with_lightgbm() -> None:
    grown = head("poisson")
    assert columnwise(grown) is grown
    data = lightgbm.Dataset(np.arange(400)[:, None] % 7, TARGET, categorical_feature=[0], params={"verbosity": -1})
    sorted_out = lightgbm.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, data, 3)
    assert not isinstance(columnwise(Head((sorted_out,))), Columnwise)
