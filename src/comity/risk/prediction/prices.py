"""Unit values beside what the same goods, supplier and buyer used to cost: running levels that an outlier cannot move.

Levels are means of logarithms, from coarse to fine, each leaning on the coarser one; a value enters clipped to three
deviations, as in Huber's estimate (1964), so that a week of undervalued goods does not become the normal price.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from comity.risk.prediction.arrays import LEAST_MASS_KG, LEAST_VALUE, Floats, Ints, log_of, stacked
from comity.risk.prediction.panels import Panel
from comity.risk.prediction.running import FadingSums, Memory

MEMORY_WEEKS = 40.0
LEANING, SPREAD, SPREAD_WEIGHT, CLIP = 2.0, 0.5, 3.0, 3.0
LEVELS = ("hs4", "hs6", "hs6_origin", "exporter_hs6", "importer_hs6", "importer_exporter_hs6")
MEASURES = ("value_per_kg", "kg_per_unit", "value_per_unit")


def measures_of(panel: Panel) -> Floats:
    """The logarithms of value per kilogram, kilograms per unit and value per unit."""
    value = log_of(panel.numbers["cif_value"], LEAST_VALUE)
    mass = log_of(panel.numbers["net_mass"], LEAST_MASS_KG)
    units = log_of(panel.numbers["quantity"], 1.0)
    return np.stack([value - mass, mass - units, value - units], axis=1)


class RunningLevels:
    """The usual size of some measures, by keys from coarse to fine. names: the features, `prefix` first."""

    def __init__(
        self,
        keys: Sequence[Ints],
        levels: Sequence[str],
        measures: Sequence[str],
        prefix: str,
        *,
        sizes: Sequence[int] = (),
    ) -> None:
        self._codes, total = stacked(keys, sizes)
        self._measures = len(measures)
        self._sums = FadingSums(total, 1 + 2 * len(measures), half_life=MEMORY_WEEKS)
        self._whole = FadingSums(1, 1 + len(measures), half_life=MEMORY_WEEKS)
        self.memories: Mapping[str, Memory] = {"levels": self._sums, "whole": self._whole}
        self.names = (
            *(f"{prefix}_{measure}:{level}" for level in levels for measure in measures),
            *(f"{prefix}_z_{measure}:{level}" for level in levels for measure in measures),
            *(f"{prefix}_known:{level}" for level in levels),
        )

    def look(self, rows: Ints, week: int, values: Floats) -> Floats:
        """How far the values lie from each level (in logarithms, then in deviations), and how well it is known."""
        mean, spread, count = self._levels(rows, week)
        away = values[:, None, :] - mean
        z = np.clip(away / spread, -12.0, 12.0)
        flat = (len(rows), -1)
        return np.concatenate([away.reshape(flat), z.reshape(flat), np.log1p(count)], axis=1)

    def expected(self, rows: Ints, week: int) -> Floats:
        """The finest level's mean for each row and measure."""
        return self._levels(rows, week)[0][:, -1]

    def _levels(self, rows: Ints, week: int) -> tuple[Floats, Floats, Floats]:
        sums = self._sums.read(self._codes[rows], week)
        whole = self._whole.read(np.zeros(1, dtype=np.int64), week)[0]
        count, m = sums[..., 0], self._measures
        mean = np.empty((*count.shape, m))
        base = np.broadcast_to(whole[1:] / max(whole[0], 1e-9), (len(rows), m))
        for level in range(count.shape[1]):
            weight = (count[:, level] + LEANING)[:, None]
            base = (sums[:, level, 1 : 1 + m] + LEANING * base) / weight
            mean[:, level] = base
        variance = (sums[..., 1 + m :] + SPREAD_WEIGHT * SPREAD**2) / (count + SPREAD_WEIGHT)[..., None]
        return mean, np.sqrt(np.maximum(variance, 1e-4)), count

    def pass_by(self, rows: Ints, week: int, values: Floats) -> None:
        """From `week + 1` on these values are part of the levels."""
        if not len(rows):
            return
        mean, spread, count = self._levels(rows, week)
        away = np.clip(values[:, None, :] - mean, -CLIP * spread, CLIP * spread)
        if not self._whole.read(np.zeros(1, dtype=np.int64), week)[0, 0]:
            away = values[:, None, :] - mean  # the first week of all has nothing to lean on
        entered = np.concatenate([np.ones((*count.shape, 1)), mean + away, np.minimum(away**2, 4.0)], axis=2)
        flat = self._codes[rows].T.reshape(-1)
        self._sums.add(flat, entered.transpose(1, 0, 2).reshape(len(flat), -1), week)
        table = np.concatenate([np.ones((len(rows), 1)), values], axis=1)
        self._whole.add(np.zeros(len(rows), dtype=np.int64), table, week)
