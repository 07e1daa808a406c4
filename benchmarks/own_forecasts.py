"""How often intervals of the node's own forecasts hold on made-up trade, of controls and of everything declared.

    .venv/bin/python benchmarks/own_forecasts.py [--pasts 64] [--from-seed 0] [--by-chance 0.06]
    .venv/bin/python benchmarks/own_forecasts.py --routes 3000     # how long one forecast of so many routes takes

The trade is that of tests/risk/outlook_world.py, where what is irregular is known whether it was controlled or not. For
each past, kind and four starts a forecast is made by what was before. Printed: how many outlooks expect at least 0.25
findings, the share of intervals that held and that should have, the sums expected and come; then what was expected for
each that came, by groups of eight pasts and over single pasts. The forecasts of a past rest on the same few random
controls and miss alike: only many pasts show whether forecasts lean to one side.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from time import process_time

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from comity.risk.outlook_rules import KINDS, WEEKS_AHEAD, Past, earlier_starts, foretell, is_worth, what_came  # noqa: E402
from comity.risk.outlooks import Outlook  # noqa: E402
from comity.trade import RiskType  # noqa: E402
from tests.risk import outlook_world  # noqa: E402

GROUP = 8

# What was told, and what came.
Tried = tuple[Outlook, int]


def main() -> None:
    """Print what came of forecasts of controls, and of those of everything declared."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--pasts", type=int, default=64)
    asked.add_argument("--from-seed", type=int, default=0)
    asked.add_argument("--by-chance", type=float, default=outlook_world.BY_CHANCE)
    asked.add_argument("--routes", type=int, help="Only time a forecast of so many.")
    given = asked.parse_args()
    if given.routes:
        _print_time(given.routes)
        return
    controls: list[list[Tried]] = []
    whole: list[list[Tried]] = []
    for seed in range(given.from_seed, given.from_seed + given.pasts):
        past, known = outlook_world.both(outlook_world.WEEKS + WEEKS_AHEAD, seed, given.by_chance)
        starts = (outlook_world.MONDAY, *earlier_starts(past, outlook_world.MONDAY, 3))
        cases = [(kind, start) for kind in KINDS for start in starts]
        controls.append([one for kind, start in cases for one in _of_controls(past, kind, start)])
        whole.append([one for kind, start in cases for one in _of_everything(past, known, kind, start)])
    for name, pasts in (("controls", controls), ("everything declared", whole)):
        _print(name, pasts)


def _print_time(many: int) -> None:
    """CPU seconds of a forecast of each kind, each route with a past of its own."""
    weeks, routes = outlook_world.WEEKS + WEEKS_AHEAD, {}
    for seed in range(-(-many // len(outlook_world.ROUTES))):
        past, _ = outlook_world.both(weeks, seed)
        routes |= {(heading, origin, f"{way}{seed}"): route for (heading, origin, way), route in past.routes.items()}
    whole = Past(past.first_day, weeks, dict(list(routes.items())[:many]))
    for kind in KINDS:
        began = process_time()
        told = foretell(whole, kind, outlook_world.MONDAY).told
        print(f"{kind}: {len(whole.routes)} routes, {process_time() - began:.2f} CPU s, {len(told)} told")


def _print(name: str, pasts: Sequence[list[Tried]]) -> None:
    tried = [one for past in pasts for one in past]
    held = sum(one.low <= came <= one.high for one, came in tried) / len(tried)
    promised = sum(one.promised for one, _ in tried) / len(tried)
    expected, came = sum(one.expected for one, _ in tried), sum(came for _, came in tried)
    print(f"{name}: {len(tried)} intervals, {held:.1%} held, {promised:.1%} should have;", end=" ")
    print(f"{expected:.0f} expected, {came} came ({expected / came:.3f})")
    groups = [_ratio(pasts[place : place + GROUP]) for place in range(0, len(pasts), GROUP)]
    print(f"  by {GROUP} pasts:", " ".join(f"{each:.2f}" for each in groups))
    single = sorted(_ratio([past]) for past in pasts)
    tenths = [single[round(share * (len(single) - 1))] for share in (0.1, 0.5, 0.9)]
    print("  single pasts, lowest tenth, median, highest tenth:", " ".join(f"{each:.2f}" for each in tenths))


def _ratio(pasts: Sequence[list[Tried]]) -> float:
    tried = [one for past in pasts for one in past]
    return sum(one.expected for one, _ in tried) / sum(came for _, came in tried)


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
