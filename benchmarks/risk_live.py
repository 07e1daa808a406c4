"""What a model costs in an assessment: the declarations of one week, asked one by one as they would arrive.

    python benchmarks/risk_live.py --world DIR --administration AA [--trees 300]

The state is built from all weeks before the last and read back from disk, as a node does; the model is trained on
them. Times are of this process, one thread: CPU seconds for the state, milliseconds a declaration without and with why.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from comity.risk.prediction.features import Variant
from comity.risk.prediction.heads import Growth
from comity.risk.prediction.states import build_state, load_state, save_state
from comity.risk.prediction.telling import tell
from comity.risk.prediction.training import TrainingPlan, train
from comity.risk.prediction.worlds import IMPORT_NUMBERS, IMPORT_WORDS, read_world

ASKED = 300


def main() -> None:
    """Print one line for each figure."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--world", type=Path, required=True)
    given.add_argument("--administration", required=True)
    given.add_argument("--trees", type=int, default=300)
    chosen = given.parse_args()
    world = read_world(chosen.world, with_exports=False)
    plan = TrainingPlan(chosen.administration, Variant.LOCAL, Growth(trees=chosen.trees), whole_weeks=False)
    model = train(world, plan, lambda _: None)
    week, begun = int(world.week.max()), process_time()
    built = build_state(world, chosen.administration, week=week)
    _say("state built, CPU s", process_time() - begun)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.npz"
        save_state(built, path)
        _say("state on disk, MB", path.stat().st_size / 1e6)
        begun = process_time()
        state = load_state(path)
        _say("state read, CPU s", process_time() - begun)
    places = [int(place) for place in world.rows_of(chosen.administration) if world.week[place] == week][:ASKED]
    rows = [
        {name: world.words[name][world.codes[name][place]] for name in IMPORT_WORDS}
        | {name: world.numbers[name][place] for name in IMPORT_NUMBERS if name != "week"}
        for place in places
    ]
    for what, least in (("score alone", 2.0), ("why from a chance of 10 %", 0.10), ("why for each", 0.0)):
        times, explained = [], 0
        for row in rows:
            begun = perf_counter()
            ((word,),) = tell(state, [model], [row], week=week, least=least)
            times.append(1000 * (perf_counter() - begun))
            explained += bool(word.why)
        middle, late = np.quantile(times, [0.5, 0.99])
        _say(f"{what}: ms, median (explained {explained} of {len(rows)})", middle)
        _say(f"{what}: ms, 99th of 100", late)
        _say(f"{what}: ms, mean", float(np.mean(times)))
    begun = process_time()
    tell(state, [model], rows, week=week, least=0.10)
    _say(f"{len(rows)} at once: CPU ms each", 1000 * (process_time() - begun) / len(rows))


def _say(what: str, figure: float) -> None:
    sys.stdout.write(f"{what:60}{figure:10.2f}\n")


if __name__ == "__main__":
    main()
