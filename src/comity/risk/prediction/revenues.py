"""The second head: what a control is worth in duties and taxes, from the amounts that were recorded with findings.

Expected revenue is the calibrated chance of a find times what a find of this kind comes to. The trees of the second
part learn from findings with an amount alone: an irregular one without is not one that came to nothing. Fitted on all
controls at once (Tweedie regression of revenue on features) a short history is learned by heart: nothing or much, where
the calibrated chance knows that it is between. On weeks that it never saw the product is brought to scale: one factor,
so that the order stays.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from comity.risk.prediction.arrays import Bools, Floats
from comity.risk.prediction.heads import Growth, Head, grow
from comity.risk.prediction.worlds import Outcomes

# Fewer finds with an amount above 0, and the dearest of them would be all that was learned.
LEAST_AMOUNTS, LEAST_KEPT_AMOUNTS = 20, 5
# From so many on trees grow as for the chance.
MANY_FINDS = 1000
# The factor leans on 1 as if so many finds had come to what was told, and stays within these bounds.
LEANING_FINDS, LEAST_SCALE, MOST_SCALE = 5.0, 0.25, 4.0
# Parts of the declarations by what was told, the most first, for the table on the card.
SHARES = (0.0, 0.05, 0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class RevenueHead:
    """What was learned of amounts. head: None where they were too few; told: of it on the card."""

    head: Head | None = None
    scale: float = 1.0
    told: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned from. fitted, kept: the rows to fit and to measure on; weight: of each fitted one.

    chances: calibrated, of the kept ones.
    """

    values: Floats
    outcomes: Outcomes
    fitted: Bools
    kept: Bools
    weight: Floats
    chances: Floats


def learn_amounts(lesson: Lesson, growth: Growth, currency: str) -> RevenueHead:
    """Fit, bring to scale and measure; without a head where there are too few amounts."""
    outcomes, valued = lesson.outcomes, lesson.outcomes.has_amount
    paid = valued & (outcomes.revenue > 0)
    known: dict[str, object] = {
        "currency": currency,
        "irregular": int((outcomes.illicit[lesson.fitted | lesson.kept] > 0).sum()),
        "with_amount": int((valued & (outcomes.illicit > 0))[lesson.fitted | lesson.kept].sum()),
        "above_zero": [int(paid[lesson.fitted].sum()), int(paid[lesson.kept].sum())],
        "needed": [LEAST_AMOUNTS, LEAST_KEPT_AMOUNTS],
    }
    if paid[lesson.fitted].sum() < LEAST_AMOUNTS or paid[lesson.kept].sum() < LEAST_KEPT_AMOUNTS:
        return RevenueHead(told=known)
    finds, kept = lesson.fitted & valued & (outcomes.illicit > 0), lesson.kept & valued
    weight = lesson.weight[finds[lesson.fitted]]
    # Little is there to learn from, and a dear find would pull a leaf of its own: small trees.
    small = growth if finds.sum() >= MANY_FINDS else replace(growth, trees=min(growth.trees, 60), leaves=4)
    head = grow(lesson.values[finds], outcomes.revenue[finds], weight, small, "tweedie")
    raw = lesson.chances[valued[lesson.kept]] * np.maximum(head.ask(lesson.values[kept]), 0.0)
    found, stands = outcomes.revenue[kept], _standing_for(outcomes, lesson.kept, kept)
    scale = scale_of(raw, found, stands)
    return RevenueHead(head, scale, known | {"scale": round(scale, 4), **_measured(raw, found, stands)})


def _standing_for(outcomes: Outcomes, wanted: Bools, rows: Bools) -> Floats:
    """For each of the rows for how many it stands: irregular ones with an amount for those without."""
    irregular = outcomes.illicit > 0
    share = float((irregular & wanted).sum()) / max(float((irregular & rows).sum()), 1.0)
    return np.where(irregular[rows], share, 1.0)


def scale_of(told: Floats, found: Floats, weight: Floats) -> float:
    """By what factor more was found than told, leaning on 1 where few finds say so."""
    total = float((told * weight).sum())
    finds = float(((found > 0) * weight).sum())
    if total <= 0.0 or not finds:
        return 1.0
    lean = LEANING_FINDS / finds
    scale = (float((found * weight).sum()) / total + lean) / (1.0 + lean)
    return min(max(scale, LEAST_SCALE), MOST_SCALE)


def _measured(raw: Floats, found: Floats, weight: Floats) -> dict[str, object]:
    """Told beside found, where every second row is judged by the factor of the others; and what the first rows held."""
    odd = np.arange(len(raw)) % 2 == 1
    told = np.empty(len(raw))
    for some, others in ((odd, ~odd), (~odd, odd)):
        told[some] = raw[some] * scale_of(raw[others], found[others], weight[others])
    order = np.argsort(-told, kind="stable")
    rows = []
    for low, high in pairwise(SHARES):
        some = order[round(low * len(order)) : round(high * len(order))]
        if len(some):
            heavy = weight[some]
            rows.append(
                {
                    "low": low,
                    "high": high,
                    "count": len(some),
                    "told": round(float(np.average(told[some], weights=heavy)), 2),
                    "found": round(float(np.average(found[some], weights=heavy)), 2),
                }
            )
    first = order[: int(np.ceil(0.05 * len(order)))]
    total = float((found * weight).sum())
    share = float((found * weight)[first].sum()) / total if total else None
    return {"rows": rows, "share_at_5_percent": None if share is None else round(share, 4)}
