"""How many intervals of the forecasts by heading and route hold, beside what they promise.

    .venv/bin/python benchmarks/forecasts.py WORLD [WORLD ...] [--weeks 4]

WORLD: a folder of the benchmark's form, all outcomes known. For each administration, UV and IP, forecasts are made for
several weeks of the table by what was before, and compared with what was found. Printed: how many outlooks expect at
least 0.25 findings, the sums expected and found, the share of intervals that held and that should have, their mean
width, and the same by what was expected. Wall seconds of the last forecast stand in the last column.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from comity.risk.outlooks import WORTH_TELLING, Outlook
from comity.risk.prediction.forecasts import histories, outlooks
from comity.risk.prediction.panels import panel_of
from comity.risk.prediction.worlds import World, read_world

FIRST_WEEKS = (30, 38, 46, 54, 62, 70)
BANDS = (WORTH_TELLING, 0.5, 1.0, 2.0, 5.0, float("inf"))


@dataclass(frozen=True)
class Tried:
    """An outlook and what was found."""

    outlook: Outlook
    found: int

    @property
    def has_held(self) -> bool:
        return self.outlook.low <= self.found <= self.outlook.high


def tried(world: World, finding: str, weeks: int) -> tuple[list[Tried], float]:
    """Every outlook worth telling of every administration, and the seconds of the last forecast."""
    done, seconds = [], 0.0
    for administration in world.administrations():
        panel = panel_of(world, world.rows_of(administration))
        for first in FIRST_WEEKS:
            begun = time.perf_counter()
            told = outlooks(world, panel, finding, first_week=first, weeks=weeks)
            seconds = time.perf_counter() - begun
            came = histories(world, panel, finding, first + weeks)
            for one in told:
                if one.expected >= WORTH_TELLING:
                    found = sum(came[one.heading, one.origin, one.departure].found[first:])
                    done.append(Tried(one, found))
    return done, seconds


def show(label: str, some: Sequence[Tried], tail: str = "") -> None:
    """A line of the table."""
    if not some:
        return
    count, expected = len(some), sum(each.outlook.expected for each in some)
    held, promised = sum(each.has_held for each in some), sum(each.outlook.promised for each in some)
    width = sum(each.outlook.high - each.outlook.low for each in some)
    print(
        f"{label:24} {count:6} {expected:9.1f} {sum(each.found for each in some):7} {held / count:7.1%}"
        f" {promised / count:9.1%} {width / count:6.2f} {tail}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worlds", nargs="+", type=Path, metavar="WORLD")
    parser.add_argument("--weeks", type=int, default=4)
    chosen = parser.parse_args()
    print(f"{'':24} {'count':>6} {'expected':>9} {'found':>7} {'held':>7} {'promised':>9} {'width':>6}")
    for folder in chosen.worlds:
        world = read_world(folder, with_exports=False)
        for finding in ("UV", "IP"):
            done, seconds = tried(world, finding, chosen.weeks)
            show(f"{folder.name} {finding}", done, f"{seconds:.2f} s")
            for low, high in pairwise(BANDS):
                show(f"   {low:g} to {high:g}", [each for each in done if low <= each.outlook.expected < high])


if __name__ == "__main__":
    main()
