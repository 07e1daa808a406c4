"""What partners told of the same consignments, as a node knows it: which commitments agree with ours and which differ.

A row's own comparison is seen only where it had arrived when the row was assessed first; what came later is known of
its actors from the week after it came. Shares of small counts lean on what is usual.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from comity.risk.prediction.arrays import Floats, Ints, stacked, weeks_of
from comity.risk.prediction.panels import Panel
from comity.risk.prediction.running import FadingSums, Memory
from comity.risk.prediction.worlds import COMPARED, Words

KEYS = (
    "importer",
    "exporter",
    "declarant",
    "forwarder",
    "importer_exporter",
    "importer_hs4",
    "exporter_hs6",
    "hs6_origin",
    "hs4_route",
)
MEMORY_WEEKS, LEANING, USUAL_DIFFERING, USUAL_COVERED = 30.0, 3.0, 0.05, 0.3
# What is summed: declarations, those of which a partner told, of each matter what could be compared and what differed.
DECLARED, MATCHED, FIRST_COMPARED = 0, 1, 2
FIRST_DIFFERING = FIRST_COMPARED + len(COMPARED)
COLUMNS = FIRST_DIFFERING + len(COMPARED)


class PartnersWord:
    """The comparison of one administration's declarations with what partners told of them, week by week."""

    def __init__(self, words: Words, panel: Panel) -> None:
        self._values, self._week = words.values[panel.rows], words.week[panel.rows]
        self._had_arrived = words.had_arrived[panel.rows]
        self._declared = panel.week
        self._codes, total = stacked(*panel.picked(KEYS))
        self._sums = FadingSums(total, COLUMNS, half_life=MEMORY_WEEKS)
        self.memories: Mapping[str, Memory] = {"sums": self._sums}
        self.names = (
            "offer_matched",
            *(f"offer_differs_{what}" for what in COMPARED),
            *(f"offer_covered:{key}" for key in KEYS),
            *(f"offer_share_{what}:{key}" for what in COMPARED for key in KEYS),
            *(f"offer_compared:{key}" for key in KEYS),
        )

    def look(self, rows: Ints, week: int) -> Floats:
        """The features of these rows: their own comparison, and what was told of their actors before this week."""
        seen = self._had_arrived[rows]
        own = np.where(seen[:, None], self._values[rows], np.nan)
        sums = self._sums.read(self._codes[rows], week)
        covered = (sums[..., MATCHED] + LEANING * USUAL_COVERED) / (sums[..., DECLARED] + LEANING)
        compared, differing = sums[..., FIRST_COMPARED:FIRST_DIFFERING], sums[..., FIRST_DIFFERING:]
        shares = (differing + LEANING * USUAL_DIFFERING) / (compared + LEANING)
        parts = [seen[:, None].astype(np.float64), own, covered]
        parts += [shares.transpose(0, 2, 1).reshape(len(rows), -1), np.log1p(sums[..., MATCHED])]
        return np.concatenate(parts, axis=1)

    def weeks(self) -> list[int]:
        """Every week in which something was declared or told."""
        told = self._week[self._week >= 0]
        return sorted({*np.unique(self._declared).tolist(), *np.unique(told).tolist()})

    def pass_by(self, week: int) -> None:
        """From `week + 1` on it is known what was declared and what was told in this week."""
        declared = np.flatnonzero(self._declared == week).astype(np.int64)
        told = np.flatnonzero(self._week == week).astype(np.int64)
        table = np.zeros((len(declared) + len(told), COLUMNS))
        table[: len(declared), DECLARED] = 1.0
        known = np.isfinite(self._values[told])
        table[len(declared) :, MATCHED] = 1.0
        table[len(declared) :, FIRST_COMPARED:FIRST_DIFFERING] = known
        table[len(declared) :, FIRST_DIFFERING:] = np.where(known, self._values[told], 0.0)
        codes = self._codes[np.concatenate([declared, told])]
        if len(codes):
            self._sums.add(codes.T.reshape(-1), np.tile(table, (codes.shape[1], 1)), week)


def word_features(words: Words, panel: Panel) -> tuple[tuple[str, ...], Floats]:
    """Names and values of what partners told, a row for each declaration of the panel."""
    told = PartnersWord(words, panel)
    values = np.empty((len(panel), len(told.names)))
    declared = dict(weeks_of(panel.week))
    for week in told.weeks():
        rows = declared.get(week)
        if rows is not None:
            values[rows] = told.look(rows, week)
        told.pass_by(week)
    return told.names, values
