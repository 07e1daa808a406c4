"""Rules, screening and a model over millions of goods items: `comity assess` as it stands, its time and its memory.

    .venv/bin/python benchmarks/assess.py --lists DIR [--rows 10000000] [--rules 1000] [--names 20000]
        [--entries 100000] [--engine local|spark] [--work FOLDER] [--without rules|screening|model]
        [--kill-after PARTS] [--check ROWS]

The table is made up by this script, by a seed: the rules and the mix of rules_online.py, so many distinct traders, one
name in a thousand distorted from the lists in DIR (UN and OFAC, filled up with made-up entries to --entries, as in
screening.py). The model is trained here on a made-up past of 150,000 declarations, with the trees that a node grows.
The command runs in a process of its own; wall, CPU and the most memory are those of that process and its children.
What was made stays in --work and is used again.

With --kill-after the command is killed (SIGKILL) in the midst of the part that follows so many finished ones, and goes
on with --resume; times are of both together. With --check so many rows are drawn from all over the table in the end,
and rules, screening and model are asked about each by itself: what the run wrote must be the same.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rules_bulk
import screening
from assess_check import check
from rules_online import COUNTRIES, rule_text

from comity.registers.values import WatchEntry

GROUP_ROWS = 262_144
PAST_ROWS, PAST_WEEKS = 150_000, 40
ADMINISTRATION = "AA"
SEED = 7


def traders(names: int, listed: list[WatchEntry]) -> list[str]:
    """Distinct names of firms and persons; one in a thousand is a listed one, written wrongly."""
    chance = random.Random(SEED)
    distorted = [name for kind, _, name in screening.distortions(listed) if kind in {"typo", "variant"}]
    found = dict.fromkeys(chance.sample(distorted, min(len(distorted), max(1, names // 1_000))))
    roots = [entry.names[0].text for entry in screening.filler(names, SEED + 1)]
    trades = ["Trading", "Logistics", "Foods", "Textiles", "Import Export", "Industries", "Marine", "Electronics"]
    forms = ["Ltd", "GmbH", "SARL", "LLC", "S.A.", "Co Ltd", "BV", "JSC"]
    for number, root in enumerate(roots):
        is_person = number % 5 == 0
        found[
            root
            if is_person
            else f"{root.split()[1]} {root.split()[-1]} {chance.choice(trades)} {chance.choice(forms)}"
        ] = None
    return list(found)[:names]


def facts(rows: int, names: list[str], path: Path) -> None:
    """The table, a row group at a time."""
    rng = np.random.default_rng(SEED)
    writer = None
    people = pa.array(names)
    ids = pa.array(trader_ids(len(names)))
    for start in range(0, rows, GROUP_ROWS):
        size = min(GROUP_ROWS, rows - start)
        made = rules_bulk.table(size, SEED + start)
        made = made.set_column(0, "lrn", pa.array(np.char.add("L", np.arange(start, start + size).astype("U9"))))
        # Few traders declare much: the share of a trader falls with its number.
        importer, exporter = ((rng.random(size) ** 2 * len(names)).astype(np.int32) for _ in range(2))
        for name, column in (
            ("importer_name", people.take(pa.array(importer))),
            ("exporter_name", people.take(pa.array(exporter))),
            ("exporter_country", pa.array(np.array(COUNTRIES)[exporter % len(COUNTRIES)])),
            ("declarant_id", ids.take(pa.array(importer % 500))),
            ("carrier_id", ids.take(pa.array(exporter % 300))),
        ):
            made = made.append_column(name, column)
        for name, places in (("importer_id", importer), ("exporter_id", exporter)):
            made = made.set_column(made.column_names.index(name), name, ids.take(pa.array(places)))
        writer = writer or pq.ParquetWriter(path, made.schema, compression="zstd")
        writer.write_table(made, row_group_size=GROUP_ROWS)
    if writer:
        writer.close()


def trader_ids(names: int) -> list[str]:
    """Numbers of traders; the first 3,000 are those that the rules name. Every twelfth trader has none."""
    ids = [f"T{place + 1}" if place < 3_000 else f"{ADMINISTRATION}{place:08d}" for place in range(names)]
    return ["" if place % 12 == 11 else own for place, own in enumerate(ids)]


def past(folder: Path, names: list[str]) -> None:
    """Declarations of earlier weeks with their outcomes, in the benchmark's form."""
    rng = np.random.default_rng(SEED + 1)
    made = rules_bulk.table(PAST_ROWS, SEED + 2)
    ids = trader_ids(len(names))
    importer, exporter = ((rng.random(PAST_ROWS) ** 2 * len(names)).astype(np.int32) for _ in range(2))
    week = np.sort(rng.integers(0, PAST_WEEKS, PAST_ROWS))
    price = np.nan_to_num(made["item_price"].to_numpy(), nan=100.0)
    illicit = (rng.random(PAST_ROWS) < np.where(importer % 37 == 0, 0.4, 0.02)).astype(np.int64)
    rates = {code: float(int(code) % 25) for code in made["hs_code"].combine_chunks().dictionary.to_pylist()}
    codes = [code or "010110" for code in made["hs_code"].to_pylist()]
    monday = date(2025, 1, 6)
    columns = {
        "declaration_id": [f"P{n}" for n in range(PAST_ROWS)],
        "date": [(monday + timedelta(days=7 * int(w))).isoformat() for w in week],
        "week": week,
        "dest": [ADMINISTRATION] * PAST_ROWS,
        "office": made["office"].cast(pa.string()).fill_null(""),
        "importer": [ids[n] for n in importer],
        "declarant": [ids[n % 500] for n in importer],
        "exporter": [ids[n] for n in exporter],
        "forwarder": [ids[n % 300] for n in exporter],
        "hs6": codes,
        "origin": made["origin"].cast(pa.string()).fill_null(""),
        "departure": made["country_dispatch"].cast(pa.string()).fill_null(""),
        "transport": made["mode_border"].cast(pa.string()).fill_null(""),
        "preference": rng.integers(0, 2, PAST_ROWS),
        "aeo": rng.integers(0, 2, PAST_ROWS),
        "net_mass": np.nan_to_num(made["net_mass_kg"].to_numpy(), nan=10.0),
        "quantity": rng.integers(1, 1_000, PAST_ROWS),
        "cif_value": np.where(illicit == 1, price * 0.4, price),
        "duty_rate": [rates.get(code, 0.0) for code in codes],
        "taxes_paid": price * 0.1,
        "ucr": [""] * PAST_ROWS,
        "illicit": illicit,
        "revenue": illicit * price * 0.1,
        "critical": np.zeros(PAST_ROWS, dtype=np.int64),
        "finding": np.where(illicit == 1, "UV", ""),
    }
    folder.mkdir()
    pq.write_table(pa.table(columns), folder / "imports.parquet")
    lines = ["hs6,mfn_rate", *(f"{code},{rate}" for code, rate in sorted(rates.items()))]
    (folder / "tariff.csv").write_text("\n".join(lines) + "\n")


def train(work: Path) -> None:
    """A model as a node trains it, and the histories that it is asked with."""
    ours = {name: module(name) for name in ("training", "worlds", "features", "heads", "artefacts", "states")}
    world = ours["worlds"].read_world(work / "past", with_exports=False)
    growth = ours["heads"].Growth(threads=1)
    variant = ours["features"].Variant.LOCAL
    plan = ours["training"].TrainingPlan(ADMINISTRATION, variant, growth, whole_weeks=False)
    ours["artefacts"].save_model(ours["training"].train(world, plan, print), work / "model")
    state = ours["states"].build_state(world, ADMINISTRATION, week=PAST_WEEKS)
    ours["states"].save_state(state, work / "histories.npz")


def module(name: str) -> ModuleType:
    """A module of prediction; it needs LightGBM."""
    return importlib.import_module(f"comity.risk.prediction.{name}")


def lists_in(lists: Path, entries: int, work: Path) -> list[WatchEntry]:
    """UN and OFAC, and made-up entries as FollowTheMoney lines up to the number wanted."""
    listed = [*screening.un_entries(lists), *screening.ofac_entries(lists)]
    with (work / "more.ftm.json").open("w", encoding="utf-8") as file:
        for entry in screening.filler(max(0, entries - len(listed))):
            names = [name.text for name in entry.names]
            line = {"id": entry.ref, "schema": "Person", "properties": {"name": names[:1], "alias": names[1:]}}
            file.write(json.dumps(line) + "\n")
    return listed


def prepared(chosen: argparse.Namespace) -> Iterator[str]:
    """Make what is not there yet; yields what was done."""
    work = chosen.work
    work.mkdir(parents=True, exist_ok=True)
    listed = lists_in(chosen.lists, chosen.entries, work)
    names = traders(chosen.names, listed)
    if not (work / "facts.parquet").exists():
        start = time.perf_counter()
        facts(chosen.rows, names, work / "facts.partial")
        (work / "facts.partial").rename(work / "facts.parquet")
        size = (work / "facts.parquet").stat().st_size / 2**20
        yield f"{chosen.rows:,} rows made in {time.perf_counter() - start:.0f} s, {size:,.0f} MiB of Parquet"
    rng = random.Random(1)
    profiles = [{"ref": f"P{n}", "expression": rule_text(rng)} for n in range(chosen.rules)]
    (work / "rules.yaml").write_text(json.dumps({"profiles": profiles}))
    if not (work / "past").exists() and chosen.without != "model":
        past(work / "past", names)
    if not (work / "model").exists() and chosen.without != "model":
        start = time.process_time()
        train(work)
        yield f"model trained on {PAST_ROWS:,} declarations in {time.process_time() - start:.0f} CPU s"


def assessed(words: list[str], out: Path, kill_after: int) -> None:
    """Run the command; killed once where that is wanted, and gone on with."""
    command = [sys.executable, "-m", "comity", *words]
    if kill_after:
        with subprocess.Popen(command) as process:
            while process.poll() is None and not _is_midway(out, kill_after):
                time.sleep(0.5)
            process.kill()
        finished = len(list(out.glob("*.parquet")))
        print(f"killed with {finished} tables finished and {_partial(out)} at work", flush=True)
        command.append("--resume")
    subprocess.run(command, check=True)


def _is_midway(out: Path, parts: int) -> bool:
    """Whether so many parts are finished in every step and another is at work."""
    finished = [len(list(out.glob(f"{step}-*.parquet"))) for step in ("part", "screened", "scored")]
    return min((found for found in finished if found), default=0) >= parts and _partial(out) > 0


def _partial(out: Path) -> int:
    return len(list(out.glob("*.partial")))


def main() -> None:
    """Make, run, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lists", type=Path, required=True)
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--rules", type=int, default=1_000)
    options.add_argument("--names", type=int, default=20_000)
    options.add_argument("--entries", type=int, default=100_000)
    options.add_argument("--engine", choices=["local", "spark"], default="local")
    options.add_argument("--work", type=Path, required=True)
    options.add_argument("--kill-after", type=int, default=0)
    options.add_argument("--check", type=int, default=0)
    options.add_argument("--without", choices=["screening", "model"], help="leave one step out")
    chosen = options.parse_args()
    for done in prepared(chosen):
        print(done, flush=True)
    work, lists = chosen.work, chosen.lists
    out = work / f"out-{chosen.engine}"
    shutil.rmtree(out, ignore_errors=True)
    words = ["assess", "--declarations", work / "facts.parquet", "--rules", work / "rules.yaml", "--out", out]
    words += ["--engine", chosen.engine]
    if chosen.without != "screening":
        ofac = ",".join(str(lists / f"ofac_{part}.csv") for part in ("sdn", "add", "alt"))
        words += ["--lists", f"un={lists / 'UN_consolidated.xml'}", "--lists", f"ofac={ofac}"]
        if (work / "more.ftm.json").stat().st_size:
            words += ["--lists", f"ftm={work / 'more.ftm.json'}"]
    if chosen.without != "model":
        words += ["--model", work / "model", "--history", work / "histories.npz"]
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores before", flush=True)
    start = time.perf_counter()
    assessed([str(word) for word in words], out, chosen.kill_after)
    wall = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"wall {wall:,.0f} s, CPU {used.ru_utime + used.ru_stime:,.0f} s, most memory of a process "
        f"{used.ru_maxrss / 1024:,.0f} MiB, load {os.getloadavg()[0]:.1f} after"
    )
    for prefix in ("part", "screened", "scored"):
        size = sum(path.stat().st_size for path in out.glob(f"{prefix}-*.parquet"))
        print(f"{prefix}-*.parquet: {size / 2**20:,.0f} MiB")
    if chosen.check:
        check(work, out, chosen.check)


if __name__ == "__main__":
    main()
