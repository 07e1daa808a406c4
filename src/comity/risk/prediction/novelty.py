"""What is new: first-time pairs, sudden volumes, habits left, consignments split within a week. Needs no outcome."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from comity.risk.prediction.arrays import LEAST_VALUE, Floats, Ints, joined, log_of, stacked
from comity.risk.prediction.panels import Panel
from comity.risk.prediction.running import FadingSums, LastWeeks, Memory

AGED = (
    "importer",
    "exporter",
    "declarant",
    "importer_exporter",
    "importer_hs4",
    "importer_hs6",
    "importer_route",
    "importer_declarant",
    "exporter_hs6",
    "exporter_route",
    "hs6_origin",
    "hs4_route",
    "importer_exporter_hs6",
)
ACTORS = ("importer", "exporter", "declarant")
HABITS = ("mfn", "preference", "indirect", "value")
# What is known of a week as a batch; of a declaration that just arrived it is not.
WITHIN = ("week_count:importer", "week_count:importer_exporter_hs6", "week_part:importer_exporter_hs6")
SLOW_WEEKS, QUICK_WEEKS = 26.0, 4.0


class Novelty:
    """How long each pair has been known, how its trade moves, and how a row differs from its actors' habits."""

    def __init__(self, panel: Panel, *, whole_weeks: bool = True) -> None:
        self._codes, total = stacked(*panel.picked(AGED))
        self._seen = LastWeeks(total)
        self._slow = FadingSums(total, 1, half_life=SLOW_WEEKS)
        self._quick = FadingSums(total, 1, half_life=QUICK_WEEKS)
        self._actors, actors = stacked(*panel.picked(ACTORS))
        self._habits = FadingSums(actors, 1 + len(HABITS), half_life=SLOW_WEEKS)
        self.memories: Mapping[str, Memory] = {
            "seen": self._seen,
            "slow": self._slow,
            "quick": self._quick,
            "habits": self._habits,
        }
        self._now = _habits_of(panel)
        crowds = ("importer", "importer_exporter_hs6") if whole_weeks else ()
        self._crowds = [joined([panel.week, panel.keys[name]]) for name in crowds]
        self._value = panel.numbers["cif_value"]
        self.names = (
            *(f"new_weeks:{name}" for name in AGED),
            *(f"new_gap:{name}" for name in AGED),
            *(f"new_count:{name}" for name in AGED),
            *(f"new_surge:{name}" for name in AGED),
            *(f"habit_{habit}:{actor}" for actor in ACTORS for habit in HABITS),
            *(WITHIN if whole_weeks else ()),
        )

    def look(self, rows: Ints, week: int) -> Floats:
        """The features of these rows, all of one week, by what was declared before it (and, for splits, in it)."""
        codes = self._codes[rows]
        slow, quick = self._slow.read(codes, week)[..., 0], self._quick.read(codes, week)[..., 0]
        surge = np.log((quick / QUICK_WEEKS + 0.05) / (slow / SLOW_WEEKS + 0.05))
        known = self._habits.read(self._actors[rows], week)
        usual = known[..., 1:] / np.maximum(known[..., :1], 1e-9)
        away = np.where(known[..., :1] > 0, self._now[rows][:, None, :] - usual, np.nan)
        parts = [
            self._seen.since_first(codes, week),
            self._seen.since_last(codes, week),
            np.log1p(slow),
            surge,
            away.reshape(len(rows), -1),
        ]
        return np.concatenate([*parts, self._within(rows)] if self._crowds else parts, axis=1)

    def _within(self, rows: Ints) -> Floats:
        parts = []
        for crowd in self._crowds:
            place = np.unique(crowd[rows], return_inverse=True)[1].reshape(-1)
            parts.append(np.log1p(np.bincount(place)[place]))
            together = np.bincount(place, weights=self._value[rows])[place]
        parts.append(self._value[rows] / np.maximum(together, LEAST_VALUE))
        return np.stack(parts, axis=1)

    def pass_by(self, rows: Ints, week: int) -> None:
        """From `week + 1` on these declarations are known."""
        flat = self._codes[rows].T.reshape(-1)
        ones = np.ones((len(flat), 1))
        self._slow.add(flat, ones, week)
        self._quick.add(flat, ones, week)
        self._seen.add(flat, week)
        actors = self._actors[rows]
        table = np.concatenate([np.ones((len(rows), 1)), self._now[rows]], axis=1)
        self._habits.add(actors.T.reshape(-1), np.tile(table, (actors.shape[1], 1)), week)


def _habits_of(panel: Panel) -> Floats:
    mfn = np.where(np.isfinite(panel.mfn), panel.mfn, panel.numbers["duty_rate"])
    indirect = panel.codes["origin"] != panel.codes["departure"]
    value = log_of(panel.numbers["cif_value"], LEAST_VALUE)
    return np.stack([mfn, panel.numbers["preference"], indirect.astype(np.float64), value], axis=1)
