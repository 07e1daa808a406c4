"""Chooses how trees grow on the weeks before the test period alone: fitted up to a week, judged on the weeks after it.

    python benchmarks/risk_settings.py --world DIR --world DIR --administration AA

Nothing of week 52 or later is looked at. Each line is one change of the present settings; figures are the mean over
worlds, administrations and folds. A change is worth taking where it is better in most of them, not by its mean alone.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np

from comity.risk.prediction.features import Variant, declared_features, experienced_features
from comity.risk.prediction.heads import Growth, fading_weights, grow
from comity.risk.prediction.panels import panel_of
from comity.risk.prediction.ranking import HALF_LIFE_WEEKS, LAST_FITTED, WARM_UP_WEEKS
from comity.risk.prediction.scoring import measure
from comity.risk.prediction.worlds import Outcomes, read_world

# Fitted up to the first week, judged up to the second: never beyond the fitted period of the ranking task.
FOLDS = ((31, 41), (41, LAST_FITTED))
BASE = Growth(seeds=2)
CHANGES: dict[str, tuple[Growth, float]] = {
    "as it is": (BASE, HALF_LIFE_WEEKS),
    "leaves 12": (replace(BASE, leaves=12), HALF_LIFE_WEEKS),
    "leaves 48": (replace(BASE, leaves=48), HALF_LIFE_WEEKS),
    "trees 150": (replace(BASE, trees=150), HALF_LIFE_WEEKS),
    "trees 600, rate .025": (replace(BASE, trees=600, rate=0.025), HALF_LIFE_WEEKS),
    "rows in a leaf 50": (replace(BASE, least_rows=50), HALF_LIFE_WEEKS),
    "features .1": (replace(BASE, features_part=0.1), HALF_LIFE_WEEKS),
    "features .4": (replace(BASE, features_part=0.4), HALF_LIFE_WEEKS),
    "smoothing 25": (replace(BASE, smoothing=25.0), HALF_LIFE_WEEKS),
    "half-life 15": (BASE, 15.0),
    "half-life 60": (BASE, 60.0),
}


def main() -> None:
    """Print a line for each change."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--world", type=Path, action="append", required=True)
    given.add_argument("--administration", action="append", required=True)
    given.add_argument("--variant", choices=[each.value for each in Variant], default="local")
    chosen = given.parse_args()
    figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in CHANGES}
    for folder in chosen.world:
        world = read_world(folder, with_exports=chosen.variant == "exchange")
        for administration in chosen.administration:
            panel = panel_of(world, world.rows_of(administration))
            variant = Variant(chosen.variant)
            table = declared_features(world, panel, variant).beside(experienced_features(world, panel, variant))
            for name, (growth, half_life) in CHANGES.items():
                begun = process_time()
                figures[name] += [_judge(panel, table.values, fold, growth, half_life) for fold in FOLDS]
                sys.stderr.write(f"{folder.name} {administration} {name}: {process_time() - begun:.1f} CPU s\n")
    base = np.array(figures["as it is"])
    sys.stdout.write(f"{'CHANGE':24}{'AP':>8}{'P@5':>8}{'V@5':>8}  AP BETTER IN\n")
    for name, each in figures.items():
        values = np.array(each)
        better = int((values[:, 0] > base[:, 0]).sum())
        mean = values.mean(axis=0)
        sys.stdout.write(f"{name:24}{mean[0]:8.4f}{mean[1]:8.3f}{mean[2]:8.3f}  {better} of {len(values)}\n")


def _judge(panel, values, fold, growth, half_life):  # type: ignore[no-untyped-def]  # a script
    last, end = fold
    seen = panel.outcomes.seen
    fitted = (panel.week >= WARM_UP_WEEKS) & (panel.week <= last) & seen
    later = np.flatnonzero((panel.week > last) & (panel.week <= end))
    weight = fading_weights(panel.week[fitted].astype(np.float64), last, half_life)
    scores = grow(values[fitted], panel.outcomes.illicit[fitted], weight, growth).ask(values[later])
    told = panel.outcomes
    held = Outcomes(
        told.seen[later], told.illicit[later], told.revenue[later], told.critical[later], told.finding[later]
    )
    quality = measure(scores, held)
    return quality.average_precision, quality.precision, quality.revenue


if __name__ == "__main__":
    main()
