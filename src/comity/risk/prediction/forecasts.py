"""How much undervaluation, how many counterfeits are to be expected by goods and route, with intervals, from a table.

The method is that of `comity.risk.outlooks`; here a table becomes its histories, and its own last weeks its test.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from comity.risk import outlooks as ahead
from comity.risk.outlooks import WORTH_TELLING, Key, Outlook, Series
from comity.risk.prediction.arrays import Bools, Ints
from comity.risk.prediction.errors import TrainingError
from comity.risk.prediction.panels import Panel
from comity.risk.prediction.worlds import FINDINGS, World


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of outlooks worth telling: how many there were, the share whose interval held, the share that should have."""

    count: int
    held: float
    promised: float


def outlooks(world: World, panel: Panel, finding: str, *, first_week: int, weeks: int) -> list[Outlook]:
    """The headings and routes where most is expected in `weeks` weeks from `first_week` on, by what was before.

    Raises: TrainingError: the finding is unknown, or nothing was declared before.
    """
    if finding not in FINDINGS:
        raise TrainingError("There is no such finding", where=finding, remedy=f"Choose of {', '.join(FINDINGS)}.")
    if not (panel.week < first_week).any():
        raise TrainingError("Nothing was declared before", where=f"week {first_week}")
    return ahead.outlooks(histories(world, panel, finding, first_week), first_week=first_week, weeks=weeks)


def coverage(world: World, panel: Panel, told: list[Outlook], finding: str, *, first_week: int, weeks: int) -> Coverage:
    """How the outlooks worth telling fared, where all was inspected afterwards."""
    history = histories(world, panel, finding, first_week + weeks)
    worth = [one for one in told if one.expected >= WORTH_TELLING]
    inside = [
        one.low <= sum(history[one.heading, one.origin, one.departure].found[first_week:]) <= one.high for one in worth
    ]
    if not inside:
        return Coverage(0, float("nan"), float("nan"))
    return Coverage(len(inside), float(np.mean(inside)), float(np.mean([one.promised for one in worth])))


def histories(world: World, panel: Panel, finding: str, until_week: int) -> dict[Key, Series]:
    """Each heading on each route week by week, before `until_week`."""
    key = panel.keys["hs4_route"]
    before: Bools = np.asarray(panel.week < until_week, dtype=np.bool_)
    seen: Bools = before & panel.outcomes.seen
    hits: Bools = seen & (panel.outcomes.finding == FINDINGS.index(finding))
    told = [_by_week(key, panel.week, which, until_week) for which in (before, seen, hits)]
    places, rows = np.unique(key, return_index=True)
    return {
        _named(world, panel, int(row)): Series(told[0][place], told[1][place], told[2][place])
        for place, row in zip(places.tolist(), rows.tolist(), strict=True)
    }


def _by_week(key: Ints, week: Ints, which: Bools, until_week: int) -> list[list[int]]:
    size = int(key.max()) + 1
    flat = np.bincount(key[which] * until_week + week[which], minlength=size * until_week)
    return [[int(count) for count in row] for row in flat.reshape(size, until_week)]


def _named(world: World, panel: Panel, row: int) -> Key:
    codes, words = panel.codes, world.words
    return (
        words["hs6"][codes["hs6"][row]][:4],
        words["origin"][codes["origin"][row]],
        words["departure"][codes["departure"][row]],
    )
