"""What partners' findings on shared actors are worth to a node's own model, beside the same model without them.

    python benchmarks/partners_findings.py --world DIR --administration AA [--seeds 2]

Of a world of several administrations one is the node; the others tell it what each of their controls found, of which
supplier, carrier and goods, so many weeks later. Nothing else of theirs is seen: no export record, no mirror check.
Who controls how much is by chance: everything, or a share. Declarations are seen as they arrive. Fitted on weeks 8 to
51, judged on all declarations of the weeks after, with what was told until each of them.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
import pyarrow as pa

from comity.risk.prediction.arrays import Bools
from comity.risk.prediction.features import Variant
from comity.risk.prediction.heads import Growth, fading_weights, grow
from comity.risk.prediction.ranking import HALF_LIFE_WEEKS, LAST_FITTED, WARM_UP_WEEKS
from comity.risk.prediction.scoring import Quality, measure
from comity.risk.prediction.told_findings import SCHEMA, ToldFindings, told_findings
from comity.risk.prediction.training import table_of
from comity.risk.prediction.worlds import COMPARED, Words, World, read_world

NAMED = ("exporter", "forwarder", "hs6", "origin")
# How trees grow where a node has few outcomes to learn from (risk.prediction.own_training), and where it has many.
FEW = Growth(trees=150, leaves=8, least_rows=10, features_part=0.15, seeds=3, regular_part=1.0)
MANY, ENOUGH = Growth(seeds=2), 20_000
# Own controls, partners' controls: shares.
CASES = ((1.0, 1.0), (0.1, 0.1), (0.1, 1.0), (0.03, 1.0))


def main() -> None:
    """Print a line for each case and variant."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--world", type=Path, required=True)
    given.add_argument("--administration", required=True)
    given.add_argument("--seeds", type=int, default=2)
    given.add_argument("--weeks-later", type=int, default=1)
    chosen = given.parse_args()
    truth = read_world(chosen.world, with_exports=False)
    print("own controls  partners'  told    variant   P@5    R@5    V@5    C@5    AUC    AP")
    for own, partners in CASES:
        figures: dict[Variant, list[Quality]] = {variant: [] for variant in Variant}
        told = 0
        for seed in range(1, chosen.seeds + 1):
            world = _as_node(truth, chosen.administration, (own, partners), seed, chosen.weeks_later)
            told = 0 if world.findings_told is None else len(world.findings_told.item)
            for variant in Variant:
                figures[variant].append(_judge(world, truth, chosen.administration, variant, seed))
        for variant, each in figures.items():
            mean = Quality.mean(each)
            shown = "  ".join(f"{getattr(mean, name):.3f}" for name in Quality.__slots__)
            seen = told if variant is Variant.EXCHANGE else 0
            print(f"{own:12.0%}  {partners:9.0%}  {seen:6d}  {variant.value:8}  {shown}", flush=True)
        print(f"CPU s until now: {process_time():.0f}", file=sys.stderr)


def _as_node(world: World, administration: str, shares: tuple[float, float], seed: int, later: int) -> World:
    """The world as one administration's own history, with what the others tell."""
    own = np.zeros(len(world.week), dtype=np.bool_)
    own[world.rows_of(administration)] = True
    chance = np.random.default_rng(seed).random(len(world.week))
    seen = world.outcomes.seen & (chance < np.where(own, *shares))
    found = world.outcomes
    nothing = Words(
        np.full((len(own), len(COMPARED)), np.nan), np.full(len(own), -1, dtype=np.int64), np.zeros(len(own), np.bool_)
    )
    return replace(
        world,
        outcomes=replace(
            found,
            seen=seen & own,
            illicit=np.where(seen, found.illicit, 0.0),
            revenue=np.where(seen, found.revenue, 0.0),
            critical=np.where(seen, found.critical, 0.0),
            finding=np.where(seen, found.finding, -1),
            valued=seen & found.has_amount,
        ),
        words_told=nothing,
        findings_told=_told(world, seen & ~own, later),
    )


def _told(world: World, told: Bools, later: int) -> ToldFindings:
    places = np.flatnonzero(told)
    columns: dict[str, object] = {
        "item": places,
        "issuer": [world.words["dest"][code] for code in world.codes["dest"][places]],
        "week": (world.week[places] + later).astype(np.float64),
        "is_alert": np.zeros(len(places)),
        "is_irregular": world.outcomes.illicit[places],
        "importer": [""] * len(places),
        "declarant": [""] * len(places),
    }
    columns |= {name: [world.words[name][code] for code in world.codes[name][places]] for name in NAMED}
    return told_findings(pa.table(columns).select(SCHEMA.names).cast(SCHEMA))


def _judge(world: World, truth: World, administration: str, variant: Variant, seed: int) -> Quality:
    panel, table = table_of(world, administration, variant, whole_weeks=False)
    outcomes = panel.outcomes
    fitted = outcomes.seen & (panel.week >= WARM_UP_WEEKS) & (panel.week <= LAST_FITTED)
    later = panel.week > LAST_FITTED
    growth = replace(MANY if fitted.sum() >= ENOUGH else FEW, seed=seed)
    weight = fading_weights(panel.week[fitted].astype(np.float64), LAST_FITTED, HALF_LIFE_WEEKS)
    head = grow(table.values[fitted], outcomes.illicit[fitted], weight, growth)
    rows, real = panel.rows[later], truth.outcomes
    judged = replace(
        real,
        seen=real.seen[rows],
        illicit=real.illicit[rows],
        revenue=real.revenue[rows],
        critical=real.critical[rows],
        finding=real.finding[rows],
        valued=None,
    )
    return measure(head.ask(table.values[later]), judged)


if __name__ == "__main__":
    main()
