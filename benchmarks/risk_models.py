"""Ranking models side by side on worlds of the risk benchmark, alone and with partners' data, and what they cost.

    .venv/bin/python benchmarks/risk_models.py --world DIR [--variant exchange] [--administration AA]

Fit on weeks 0 to 51, score weeks 52 to 77, each administration for itself; figures are the mean of the administrations
at 5 % inspected. All models are scored in the same run on the same rows:

- comity: what `comity risk benchmark --task T2` does.
- XGBoost: 100 trees of depth 4 (the baseline configuration of DATE, KDD 2020) on facts, the shares and counts of
  histories and, in exchange, the comparison with partners' records.
- LightGBM, plain: 300 trees on what the declaration (and, in exchange, the partner's record) says; no histories.
- GBDT + LR: logistic regression on the leaves of those XGBoost trees (He et al., ADKDD 2014).
- logistic: logistic regression on the same columns as XGBoost, standardised.

The peers need `pip install xgboost-cpu scikit-learn` in an environment of your own; those that are not there are passed
over, and the table says so. Times are CPU seconds of this process, one thread: features and fit for one administration
(mean), rows scored per CPU second, and the latency of a single row without and with its explanation.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np

from comity.risk.prediction.arrays import Bools, Floats
from comity.risk.prediction.explaining import explain
from comity.risk.prediction.features import Table, Variant, declared_features, experienced_features
from comity.risk.prediction.heads import Growth, Head, fading_weights, grow
from comity.risk.prediction.panels import Panel, panel_of
from comity.risk.prediction.ranking import HALF_LIFE_WEEKS, LAST_FITTED, LAST_SCORED, WARM_UP_WEEKS
from comity.risk.prediction.scoring import Quality, measure
from comity.risk.prediction.worlds import Outcomes, World, read_world

# name -> (fit on values, hits, weights) -> (score values)
Scorer = Callable[[Floats], Floats]
PLAIN = ("mirror_",)
HISTORY = ("own_share:", "own_controls:", "mirror_")


def optional(name: str) -> ModuleType | None:
    """A peer's library, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def columns(table: Table, starts: tuple[str, ...]) -> Bools:
    """The columns of the declaration's facts and those that begin so."""
    facts = table.names.index("log_misclassification_stake")
    return np.array([place <= facts or name.startswith(starts) for place, name in enumerate(table.names)])


def xgboost_trees(values: Floats, hits: Floats) -> object:
    """The DATE paper's baseline: 100 trees of depth 4."""
    library = optional("xgboost")
    assert library is not None
    return library.XGBClassifier(n_estimators=100, max_depth=4, n_jobs=1, random_state=1).fit(values, hits)


def by_xgboost(values: Floats, hits: Floats) -> Scorer:
    """Gradient-boosted trees by XGBoost."""
    trees = xgboost_trees(values, hits)
    return lambda rows: trees.predict_proba(rows)[:, 1]


def by_leaves(values: Floats, hits: Floats) -> Scorer:
    """Logistic regression on the leaves of XGBoost's trees."""
    trees = xgboost_trees(values, hits)
    encoder = importlib.import_module("sklearn.preprocessing").OneHotEncoder(handle_unknown="ignore")
    leaves = encoder.fit_transform(trees.apply(values))
    linear = importlib.import_module("sklearn.linear_model").LogisticRegression(max_iter=200, C=0.05)
    linear.fit(leaves, hits)
    return lambda rows: linear.predict_proba(encoder.transform(trees.apply(rows)))[:, 1]


def by_logistic(values: Floats, hits: Floats) -> Scorer:
    """Logistic regression on standardised columns, a gap counted as the mean."""
    with np.errstate(invalid="ignore"):
        mean, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0) + 1e-9
    linear = importlib.import_module("sklearn.linear_model").LogisticRegression(max_iter=200, C=0.1)

    def scaled(rows: Floats) -> Floats:
        return np.clip(np.nan_to_num((rows - mean) / spread), -8, 8)

    linear.fit(scaled(values), hits)
    return lambda rows: linear.predict_proba(scaled(rows))[:, 1]


def by_plain_lightgbm(values: Floats, hits: Floats) -> Scorer:
    """LightGBM with its usual settings."""
    growth = Growth(seeds=1, features_part=1.0, rows_part=1.0, leaves=31, regular_part=1.0)
    return grow(values, hits, np.ones(len(hits)), growth).ask


PEERS: dict[str, tuple[tuple[str, ...], tuple[str, ...], Callable[[Floats, Floats], Scorer]]] = {
    "XGBoost": (("xgboost",), HISTORY, by_xgboost),
    "LightGBM, plain": ((), PLAIN, by_plain_lightgbm),
    "GBDT + LR": (("xgboost", "sklearn.preprocessing", "sklearn.linear_model"), HISTORY, by_leaves),
    "logistic": (("sklearn.linear_model",), HISTORY, by_logistic),
}


def quality_of(panel: Panel, scored: Bools, scores: Floats) -> Quality:
    """How good scores of the rows marked are."""
    told = panel.outcomes
    held = Outcomes(
        told.seen[scored], told.illicit[scored], told.revenue[scored], told.critical[scored], told.finding[scored]
    )
    return measure(scores, held)


class Bench:
    """One world and variant: every model on every administration."""

    def __init__(self, world: World, variant: Variant, seeds: int) -> None:
        self.world, self.variant = world, variant
        self.growth = Growth() if not seeds else replace(Growth(), seeds=seeds)
        self.found: dict[str, list[Quality]] = {}
        self.spent: dict[str, list[float]] = {}
        self.last: tuple[Head, Table, Floats] | None = None

    def run(self, administration: str) -> None:
        """All models on one administration."""
        start = time.process_time()
        panel = panel_of(self.world, self.world.rows_of(administration))
        declared = declared_features(self.world, panel, self.variant)
        table = declared.beside(experienced_features(self.world, panel, self.variant))
        self._note("features s", time.process_time() - start)
        fitted = (panel.week >= WARM_UP_WEEKS) & (panel.week <= LAST_FITTED) & panel.outcomes.seen
        scored = (panel.week > LAST_FITTED) & (panel.week <= LAST_SCORED)
        start = time.process_time()
        weight = fading_weights(panel.week[fitted].astype(np.float64), LAST_FITTED, HALF_LIFE_WEEKS)
        head = grow(table.values[fitted], panel.outcomes.illicit[fitted], weight, self.growth)
        self._note("fit s", time.process_time() - start)
        start = time.process_time()
        scores = head.ask(table.values[scored])
        self._note("rows/s", scored.sum() / (time.process_time() - start))
        self.found.setdefault("comity", []).append(quality_of(panel, scored, scores))
        self.last = (head, table, table.values[scored])
        for name, (needs, starts, fit) in PEERS.items():
            if all(optional(need) for need in needs):
                chosen = columns(table, starts)
                answer = fit(table.values[fitted][:, chosen], panel.outcomes.illicit[fitted])
                quality = quality_of(panel, scored, answer(table.values[scored][:, chosen]))
                self.found.setdefault(name, []).append(quality)

    def _note(self, what: str, amount: float) -> None:
        self.spent.setdefault(what, []).append(float(amount))

    def latency(self) -> None:
        """The time of a single row, without and with its explanation."""
        assert self.last is not None
        head, table, values = self.last
        usual = np.nanmedian(values, axis=0)
        for row in range(20):
            one = values[row : row + 1]
            start = time.process_time()
            head.ask(one)
            self._note("one row ms", 1000 * (time.process_time() - start))
            start = time.process_time()
            explain(head, table.names, usual, one)
            self._note("explained ms", 1000 * (time.process_time() - start))

    def show(self, name: str) -> None:
        """Print the table."""
        print(f"\n{name}, {self.variant.value}: mean of {len(self.found['comity'])} administration(s)")
        print(f"{'model':18s} {'P@5':>6s} {'R@5':>6s} {'V@5':>6s} {'C@5':>6s} {'AUC':>6s} {'AP':>6s}  AP/comity")
        best = Quality.mean(self.found["comity"]).average_precision
        for model in ["comity", *PEERS]:
            if model not in self.found:
                print(f"{model:18s} not installed: {', '.join(PEERS[model][0])}")
                continue
            q = Quality.mean(self.found[model])
            print(
                f"{model:18s} {q.precision:6.3f} {q.recall:6.3f} {q.revenue:6.3f} {q.critical:6.3f} {q.auc:6.3f} "
                f"{q.average_precision:6.3f}  {q.average_precision / best:.2f}"
            )
        print("; ".join(f"{what} {np.mean(amounts):,.1f}" for what, amounts in self.spent.items()), flush=True)


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--world", type=Path, action="append", required=True)
    parser.add_argument("--variant", choices=[each.value for each in Variant], action="append")
    parser.add_argument("--administration", action="append", help="default: all of the world")
    parser.add_argument("--seeds", type=int, default=0, help="models averaged; default: as the command does")
    chosen = parser.parse_args()
    for folder in chosen.world:
        world = read_world(folder, with_exports=True)
        for word in chosen.variant or [each.value for each in Variant]:
            bench = Bench(world, Variant(word), chosen.seeds)
            for administration in chosen.administration or world.administrations():
                bench.run(administration)
            bench.latency()
            bench.show(folder.name)


if __name__ == "__main__":
    main()
