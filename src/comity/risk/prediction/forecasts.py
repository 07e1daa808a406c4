"""How much undervaluation, how many counterfeits are to be expected by goods and route, with intervals.

The share of a heading on a route leans on the heading (Beta prior), the volume on its own last weeks. The interval is
of the count: the share is uncertain, and so is what a given share brings (Poisson of a Beta, drawn with a fixed seed).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from comity.risk.prediction.arrays import Floats, Ints
from comity.risk.prediction.errors import TrainingError
from comity.risk.prediction.panels import Panel
from comity.risk.prediction.worlds import FINDINGS, World

HALF_LIFE_WEEKS, VOLUME_WEEKS = 12.0, 8
LEANING = 6.0
DRAWS, LOW, HIGH = 2_000, 0.05, 0.95
WORTH_TELLING = 0.25  # below, an interval of none holds too easily to prove anything


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to expect for a heading on a route in the coming weeks: declarations, findings, and nine cases in ten."""

    heading: str
    origin: str
    departure: str
    declarations: float
    share: float
    expected: float
    low: float
    high: float
    rows: Ints  # the heading's declarations on this route, places in the panel


def outlooks(world: World, panel: Panel, finding: str, *, first_week: int, weeks: int) -> list[Outlook]:
    """The headings and routes where most is expected in `weeks` weeks from `first_week` on, by what was before.

    Raises: TrainingError: the finding is unknown, or nothing was declared before.
    """
    if finding not in FINDINGS:
        raise TrainingError("There is no such finding", where=finding, remedy=f"Choose of {', '.join(FINDINGS)}.")
    past = panel.week < first_week
    if not past.any():
        raise TrainingError("Nothing was declared before", where=f"week {first_week}")
    key = panel.keys["hs4_route"]
    count = int(key.max()) + 1
    weight = 0.5 ** ((first_week - 1 - panel.week) / HALF_LIFE_WEEKS) * (past & panel.outcomes.seen)
    hits = panel.outcomes.finding == FINDINGS.index(finding)
    first_row = np.full(count, len(panel), dtype=np.int64)
    np.minimum.at(first_row, key, np.arange(len(panel)))
    base = _shares_of_headings(panel.codes["hs4"], weight, hits)[panel.codes["hs4"][first_row]]
    found = np.bincount(key, weights=weight * hits, minlength=count) + LEANING * base
    missed = np.bincount(key, weights=weight * ~hits, minlength=count) + LEANING * (1 - base)
    late = past & (panel.week >= first_week - VOLUME_WEEKS)
    volume = np.bincount(key, weights=late.astype(np.float64), minlength=count) / min(VOLUME_WEEKS, first_week) * weeks
    done = []
    rng = np.random.default_rng(0)
    for place in np.flatnonzero(volume > 0):
        shares = rng.beta(found[place], missed[place], DRAWS)
        low, high = np.quantile(rng.poisson(shares * volume[place]), [LOW, HIGH])
        share = float(found[place] / (found[place] + missed[place]))
        rows = np.flatnonzero(key == place).astype(np.int64)
        names = _names(world, panel, int(rows[0]))
        done.append(Outlook(*names, float(volume[place]), share, share * float(volume[place]), low, high, rows))
    return sorted(done, key=lambda one: (-one.expected, one.heading, one.origin, one.departure))


def _shares_of_headings(heading: Ints, weight: Floats, hits: Floats) -> Floats:
    size = int(heading.max()) + 1
    whole = (float((weight * hits).sum()) + 0.5) / (float(weight.sum()) + 10.0)
    found = np.bincount(heading, weights=weight * hits, minlength=size)
    return (found + 2 * LEANING * whole) / (np.bincount(heading, weights=weight, minlength=size) + 2 * LEANING)


def _names(world: World, panel: Panel, row: int) -> tuple[str, str, str]:
    codes, words = panel.codes, world.words
    return (
        words["hs6"][codes["hs6"][row]][:4],
        words["origin"][codes["origin"][row]],
        words["departure"][codes["departure"][row]],
    )


def coverage(panel: Panel, told: list[Outlook], finding: str, *, first_week: int, weeks: int) -> float:
    """The share of outlooks worth telling whose interval holds what was found afterwards, where all was inspected."""
    hit = (panel.outcomes.finding == FINDINGS.index(finding)) & (panel.week >= first_week)
    hit &= panel.week < first_week + weeks
    inside = [one.low <= float(hit[one.rows].sum()) <= one.high for one in told if one.expected >= WORTH_TELLING]
    return float(np.mean(inside)) if inside else float("nan")
