"""How good a ranking is: precision, recall, revenue and critical goods in the top n %, AUC and average precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from comity.risk.prediction.arrays import Floats, Ints
from comity.risk.prediction.worlds import Outcomes

TIE_SEED = 0


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares from 0 to 1: precision, recall, revenue and critical goods in the top n %; AUC; average precision."""

    precision: float
    recall: float
    revenue: float
    critical: float
    auc: float
    average_precision: float

    @classmethod
    def mean(cls, several: list[Quality]) -> Quality:
        """The mean of each figure, leaving out what could not be computed."""
        names = cls.__slots__
        table = np.array([[getattr(one, name) for name in names] for one in several], dtype=np.float64)
        counts = np.isfinite(table).sum(axis=0)
        sums = np.nansum(table, axis=0)
        return cls(*(float(s / c) if c else float("nan") for s, c in zip(sums, counts, strict=True)))


def best_first(scores: Floats, seed: int = TIE_SEED) -> Ints:
    """Places by descending score; ties by chance, the same chance each time."""
    noise = np.random.default_rng(seed).random(len(scores))
    return np.lexsort((noise, -scores)).astype(np.int64)


def measure(scores: Floats, outcomes: Outcomes, *, percent: float = 5.0) -> Quality:
    """Judge scores against outcomes; rows nobody looked at count as regular."""
    illicit = outcomes.illicit > 0
    chosen = best_first(scores)[: int(np.ceil(percent / 100.0 * len(scores)))]
    return Quality(
        precision=float(illicit[chosen].mean()) if len(chosen) else float("nan"),
        recall=_part(illicit.astype(np.float64), chosen),
        revenue=_part(outcomes.revenue, chosen),
        critical=_part((outcomes.critical > 0).astype(np.float64), chosen),
        auc=area_under_roc(scores, illicit.astype(np.float64)),
        average_precision=average_precision(scores, illicit.astype(np.float64)),
    )


def _part(amount: Floats, chosen: Ints) -> float:
    total = float(amount.sum())
    return float(amount[chosen].sum()) / total if total else float("nan")


def average_precision(scores: Floats, hits: Floats) -> float:
    """The mean of the precision at each hit; equal scores stand at one place."""
    order = np.argsort(-scores, kind="stable")
    ranked, found = scores[order], np.cumsum(hits[order])
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    if not len(found) or not found[-1]:
        return float("nan")
    precision = found[last] / (last + 1)
    gained = np.diff(found[last], prepend=0.0) / found[-1]
    return float((precision * gained).sum())


def area_under_roc(scores: Floats, hits: Floats) -> float:
    """The chance that a hit stands above a miss, equal scores counting half."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2.0
    positives = float(hits.sum())
    negatives = len(hits) - positives
    if not positives or not negatives:
        return float("nan")
    ranks = float((middle[place.reshape(-1)] * hits).sum())
    return (ranks - positives * (positives + 1) / 2.0) / (positives * negatives)
