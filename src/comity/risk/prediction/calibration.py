"""From a score to a chance that can be taken at its word: isotonic regression on weeks the trees never saw."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from comity.risk.prediction.arrays import Floats

# Chances are never told as certain: a table of some thousand rows cannot know that.
LEAST, MOST = 0.001, 0.995


@dataclass(frozen=True, slots=True)
class Calibration:
    """A rising line through points: score in, chance out."""

    scores: tuple[float, ...]
    chances: tuple[float, ...]

    def apply(self, scores: Floats) -> Floats:
        """The chance for each score, between the points by a straight line."""
        return np.asarray(np.interp(scores, self.scores, self.chances), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Of the declarations whose chance was told as between low and high: how many, the mean told, the share found."""

    low: float
    high: float
    count: int
    told: float
    found: float


def calibrate(scores: Floats, hits: Floats) -> Calibration:
    """Fit by pooling adjacent violators (Ayer et al., 1955; Zadrozny and Elkan, KDD 2002)."""
    order = np.argsort(scores, kind="stable")
    blocks: list[tuple[float, float, float]] = []  # sum of hits, rows, sum of scores
    for score, hit in zip(scores[order].tolist(), hits[order].tolist(), strict=True):
        block = (hit, 1.0, score)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    return Calibration(
        tuple(total / rows for _, rows, total in blocks),
        tuple(min(max(found / rows, LEAST), MOST) for found, rows, _ in blocks),
    )


def reliability(chances: Floats, hits: Floats) -> list[ReliabilityBin]:
    """The reliability table; bins without a declaration are left out."""
    edges = (0.0, 0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
    bins = []
    for low, high in pairwise(edges):
        inside = (chances >= low) & ((chances < high) | (high == edges[-1]))
        if inside.any():
            told, found = float(chances[inside].mean()), float(hits[inside].mean())
            bins.append(ReliabilityBin(low, high, int(inside.sum()), told, found))
    return bins
