"""Figures of merit beside the benchmark's own reference figures, and on cases worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from comity.risk.prediction.scoring import Quality, area_under_roc, average_precision, measure
from comity.risk.prediction.worlds import Outcomes


def outcomes(illicit: list[int], revenue: list[float], critical: list[int]) -> Outcomes:
    count = len(illicit)
    return Outcomes(
        np.ones(count, dtype=np.bool_),
        np.array(illicit, dtype=np.float64),
        np.array(revenue),
        np.array(critical, dtype=np.float64),
        np.full(count, -1),
    )


@pytest.mark.shared
@pytest.mark.parametrize("percent", [1, 2, 5, 10])
def test_the_reference_figures_of_the_benchmark(shared_data: Path, percent: int) -> None:
    told = json.loads((shared_data / "risk" / "metrics_check.json").read_text())
    expected = told["expected"]
    quality = measure(
        np.array(told["score"]), outcomes(told["illicit"], told["revenue"], told["critical"]), percent=percent
    )
    found = {
        f"P@{percent}": quality.precision,
        f"R@{percent}": quality.recall,
        f"V@{percent}": quality.revenue,
        f"C@{percent}": quality.critical,
        "AUC": quality.auc,
        "AP": quality.average_precision,
    }
    assert {name: round(value, 4) for name, value in found.items()} == {name: expected[name] for name in found}


def test_worked_by_hand() -> None:
    hits = np.array([1.0, 0.0, 1.0, 0.0])
    assert average_precision(np.array([0.9, 0.8, 0.7, 0.1]), hits) == pytest.approx((1 + 2 / 3) / 2)
    assert area_under_roc(np.array([0.9, 0.8, 0.7, 0.1]), hits) == 0.75
    assert average_precision(np.ones(4), hits) == 0.5
    assert area_under_roc(np.ones(4), hits) == 0.5


def test_what_cannot_be_computed_is_left_out_of_the_mean() -> None:
    nothing = measure(np.array([0.5, 0.4]), outcomes([0, 0], [0.0, 0.0], [0, 0]))
    some = measure(np.array([0.5, 0.4]), outcomes([1, 0], [9.0, 0.0], [0, 0]))
    assert np.isnan([nothing.recall, nothing.auc, nothing.average_precision]).all()
    assert Quality.mean([nothing, some]).recall == 1.0
    assert np.isnan(Quality.mean([nothing, some]).critical)
