"""How scores and main features lay in what a model learned from: the tenths by which drift is seen later."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from comity.risk.prediction.arrays import Floats
from comity.risk.prediction.calibration import Calibration
from comity.risk.prediction.heads import Head

MAIN_FEATURES, TENTHS = 8, 10
MOST_ROWS = 20_000


class Learned(Protocol):
    """What of a model is needed here."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features."""

    @property
    def chance(self) -> Head:
        """The trees."""

    @property
    def calibration(self) -> Calibration:
        """From score to chance."""


def reference_of(model: Learned, fitted: Floats, kept: Floats) -> dict[str, object]:
    """Edges of tenths and the share in each: of chances on rows the trees never saw, of main features on all rows."""
    gains = np.sum([booster.feature_importance("gain") for booster in model.chance.boosters], axis=0)
    main = [int(place) for place in np.argsort(-gains, kind="stable")[:MAIN_FEATURES]]
    values = np.concatenate([fitted, kept])[-MOST_ROWS:]
    chances = model.calibration.apply(model.chance.ask(kept))
    return {
        "rows": len(values),
        "chance": tenths_of(chances) | {"rows": len(kept)},
        "main": [{"name": model.names[place]} | tenths_of(values[:, place]) for place in main],
    }


def tenths_of(values: Floats) -> dict[str, object]:
    """Inner edges, and the share of values below or at each, above the last, and of those not known."""
    known = values[np.isfinite(values)]
    edges = (
        np.unique(np.round(np.quantile(known, np.linspace(0, 1, TENTHS + 1)[1:-1]), 6)) if len(known) else np.zeros(0)
    )
    counts = np.bincount(np.searchsorted(edges, np.round(known, 6)), minlength=len(edges) + 1)
    shares = [*(counts / max(len(values), 1)), 1 - len(known) / max(len(values), 1)]
    return {"edges": [float(edge) for edge in edges], "shares": [round(float(share), 6) for share in shares]}
