"""How often intervals of the node's own forecasts hold on made-up trade, of controls and of everything declared.

    .venv/bin/python benchmarks/own_forecasts.py [--pasts 8]

The trade is that of tests/risk/outlook_world.py, where what is irregular is known whether it was controlled or not. For
each past, kind and four starts a forecast is made by what was before. Printed: how many outlooks expect at least 0.25
findings, the share of intervals that held and that should have, the sums expected and come.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from comity.risk.outlook_rules import KINDS, WEEKS_AHEAD, Past, earlier_starts, foretell, is_worth, what_came  # noqa: E402
from comity.risk.outlooks import Outlook  # noqa: E402
from comity.trade import RiskType  # noqa: E402
from tests.risk import outlook_world  # noqa: E402

# What was told, and what came.
Tried = tuple[Outlook, int]


def main() -> None:
    """Print a line for controls and one for everything declared."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--pasts", type=int, default=8)
    controls: list[Tried] = []
    whole: list[Tried] = []
    for seed in range(asked.parse_args().pasts):
        past, known = outlook_world.both(outlook_world.WEEKS + WEEKS_AHEAD, seed)
        for kind in KINDS:
            for start in (outlook_world.MONDAY, *earlier_starts(past, outlook_world.MONDAY, 3)):
                controls.extend(_of_controls(past, kind, start))
                whole.extend(_of_everything(past, known, kind, start))
    for name, tried in (("controls", controls), ("everything declared", whole)):
        held = sum(one.low <= came <= one.high for one, came in tried) / len(tried)
        promised = sum(one.promised for one, _ in tried) / len(tried)
        expected, came = sum(one.expected for one, _ in tried), sum(came for _, came in tried)
        print(f"{name}: {len(tried)} intervals, {held:.1%} held, {promised:.1%} should have;", end=" ")
        print(f"{expected:.0f} expected, {came} came")


def _of_controls(past: Past, kind: RiskType, start: date) -> Iterator[Tried]:
    for each in foretell(past, kind, start).told:
        if each.controls and is_worth(each.controls.expected):
            interval = (each.controls.low, each.controls.high)
            yield each.controls, what_came(past, kind, each.key, start, interval).found


def _of_everything(past: Past, known: outlook_world.Known, kind: RiskType, start: date) -> Iterator[Tried]:
    first = past.week_of(start)
    for each in foretell(past, kind, start).told:
        if each.everything and is_worth(each.everything.expected):
            weeks = known[each.key, kind][first : first + WEEKS_AHEAD]
            yield each.everything, sum(weeks)


if __name__ == "__main__":
    main()
