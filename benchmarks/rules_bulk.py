"""A thousand rules on a table of declarations: the bulk evaluator beside DuckDB and Polars, in the same run.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install duckdb polars click django pyyaml numpy pyarrow
    PYTHONPATH=src /tmp/peers/bin/python benchmarks/rules_bulk.py [--rules 1000] [--rows 1000000] [--seed 1]

The rules are those of rules_online.py, the table is made up in the same mix, with one fact in twelve missing. Every way
must find the same hits. Times are CPU seconds of the whole process (all threads), reading of the Parquet file included;
what a peer needs to load the table once is told apart. A peer that is not installed is left out, and said to be.

Each peer is asked in every form that we know, over a table in memory, and its best one counts. DuckDB: a statement for
each rule, unions of fifty, sixty rules as bits of one number, a hundred as columns of flags; each with the texts as
VARCHAR and as ENUM, on one thread, which takes the least CPU. Polars: rules as columns of one lazy frame, and as
filters that are collected together, fifty at a time.
"""

from __future__ import annotations

import argparse
import importlib
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rules_online import COUNTRIES, WORDS, rule_text

from comity.risk.bulk.firing import BulkRules, fire
from comity.risk.expressions import parse_rule
from comity.trade.facts import FACT_TYPES

Hits = set[tuple[int, int]]
# Rows of each rule, and the hits that they come to, which nobody's time is charged for.
Pieces = list[tuple[Any, int]]
Told = Callable[[], Hits]
CHUNK = 262_144


def pick(rng: np.random.Generator, choices: list[str], rows: int) -> Any:
    """A column of made-up texts, one in twelve missing."""
    places = pa.array(rng.integers(0, len(choices), rows).astype(np.int32), mask=rng.random(rows) < 1 / 12)
    return pa.DictionaryArray.from_arrays(places, pa.array(choices))


def table(rows: int, seed: int) -> Any:
    """Goods items in the mix of rules_online.goods."""
    rng = np.random.default_rng(seed)
    codes = [f"{a:02d}{b:02d}{c:02d}" for a in range(1, 41) for b in range(1, 21) for c in range(10, 31)]
    traders = [f"T{number}" for number in range(1, 3001)]
    words = [" ".join(rng.choice(WORDS, 6)) for _ in range(min(rows, 50_000))]
    net = rng.uniform(1, 9000, rows)
    price = net * rng.lognormal(2, 1, rows)

    def maybe(values: Any) -> Any:
        return pa.array(values, mask=rng.random(rows) < 1 / 12)

    return pa.table(
        {
            "lrn": pa.array(np.arange(rows)).cast(pa.string()),
            "ucr": maybe(np.char.add("U", np.arange(rows).astype("U8")).astype(object)),
            "hs_code": pick(rng, codes, rows),
            "origin": pick(rng, COUNTRIES, rows),
            "country_dispatch": pick(rng, COUNTRIES, rows),
            "office": pick(rng, [f"XA{number:03d}" for number in range(1, 41)], rows),
            "exporter_id": pick(rng, traders, rows),
            "importer_id": pick(rng, traders, rows),
            "description": pick(rng, words, rows),
            "mode_border": pick(rng, [str(number) for number in range(1, 10)], rows),
            "gross_mass_kg": maybe(net * rng.uniform(1, 1.4, rows)),
            "net_mass_kg": maybe(net),
            "item_price": maybe(price),
            "unit_price_per_kg": maybe(price / net),
            "packages": maybe(rng.integers(0, 41, rows)),
            "seals": maybe(rng.integers(0, 3, rows)),
            "has_aeo_authorisation": maybe(rng.random(rows) < 0.2),
        }
    )


@contextmanager
def cpu(times: dict[str, float], name: str) -> Iterator[None]:
    """CPU seconds of all threads while inside."""
    before = time.process_time()
    yield
    times[name] = time.process_time() - before


def ours(path: Path, texts: list[str], times: dict[str, float]) -> Hits:
    """The bulk evaluator over the batches of the file."""
    with cpu(times, "comity: rules read"):
        rules = BulkRules([(str(n), parse_rule(text, FACT_TYPES)) for n, text in enumerate(texts)], FACT_TYPES)
    with cpu(times, "comity"):
        file = pq.ParquetFile(path, read_dictionary=rules.texts)
        found, first = [], 0
        for batch in file.iter_batches(CHUNK, columns=rules.columns(file.schema_arrow)):
            rows, places = rules.fired(batch, first_row=first)
            found.append((rows + first, places))
            first += batch.num_rows
    assert sum(len(rows) for rows, _ in found) == sum(
        batch.num_rows for batch in fire(rules, file.iter_batches(CHUNK, columns=rules.columns(file.schema_arrow)))
    )
    return set(zip(*(np.concatenate(part).tolist() for part in zip(*found, strict=True)), strict=True))


def duck_sql(text: str) -> str:
    """A rule in DuckDB's SQL: a quotient by zero is infinite there, not NULL."""
    for quotient, divisor in (("gross_mass_kg / packages", "packages"), ("net_mass_kg) / net_mass_kg", "net_mass_kg")):
        text = text.replace(quotient, quotient.removesuffix(divisor) + f"nullif({divisor}, 0)")
    return text


def by_rule(base: Any, texts: list[str]) -> Told:
    """DuckDB: one statement for each rule."""
    base.execute("CREATE OR REPLACE TABLE hits (id INTEGER, rule SMALLINT)")
    for number, text in enumerate(texts):
        base.execute(f"INSERT INTO hits SELECT id, {number} FROM t WHERE {text}")
    return lambda: set(base.execute("SELECT id, rule FROM hits").fetchall())


def by_union(base: Any, texts: list[str]) -> Told:
    """DuckDB: fifty rules in a statement, each a branch of a union."""
    base.execute("CREATE OR REPLACE TABLE hits (id INTEGER, rule SMALLINT)")
    for start in range(0, len(texts), 50):
        branches = (f"SELECT id, {n} FROM t WHERE {text}" for n, text in enumerate(texts[start : start + 50], start))
        base.execute(f"INSERT INTO hits {' UNION ALL '.join(branches)}")
    return lambda: set(base.execute("SELECT id, rule FROM hits").fetchall())


def by_mask(base: Any, texts: list[str], size: int = 60) -> Told:
    """DuckDB: sixty rules in one pass, each a bit of a number; rows without any are left out, the bits told apart."""
    found: Pieces = []
    for start in range(0, len(texts), size):
        rules = texts[start : start + size]
        bits = " + ".join(f"CASE WHEN {text} THEN {1 << n}::BIGINT ELSE 0 END" for n, text in enumerate(rules))
        columns = base.execute(f"SELECT id, m FROM (SELECT id, {bits} AS m FROM t) WHERE m <> 0").fetchnumpy()
        found += [(columns["id"][(columns["m"] >> n) & 1 == 1], start + n) for n in range(len(rules))]
    return lambda: joined(found)


def by_columns(base: Any, texts: list[str], size: int = 100) -> Told:
    """DuckDB: a hundred rules in one pass, each a column of flags."""
    found: Pieces = []
    for start in range(0, len(texts), size):
        rules = texts[start : start + size]
        flags = ", ".join(f"coalesce({text}, false) AS r{n}" for n, text in enumerate(rules))
        columns = base.execute(f"SELECT id, {flags} FROM t").fetchnumpy()
        found += [(columns["id"][columns[f"r{n}"]], start + n) for n in range(len(rules))]
    return lambda: joined(found)


def joined(pieces: Pieces) -> Hits:
    """All hits of some rules; not part of what is timed."""
    return {(row, rule) for rows, rule in pieces for row in rows.tolist()}


def duckdb(path: Path, texts: list[str], times: dict[str, float], *, best: bool) -> list[Hits]:
    """Every form in which the rules can be asked over a table in memory, with texts as VARCHAR and as ENUM."""
    try:
        engine = importlib.import_module("duckdb")
    except ImportError:
        print("duckdb is not installed: left out")
        return []
    rules = [duck_sql(text) for text in texts]
    found = []
    for kind in ("VARCHAR",) if best else ("VARCHAR", "ENUM"):
        base = engine.connect(config={"threads": 1})
        with cpu(times, f"duckdb {kind}: table loaded"):
            base.execute(f"CREATE TABLE t AS SELECT lrn::INTEGER AS id, * FROM read_parquet('{path}')")
            if kind == "ENUM":
                for column in ("hs_code", "origin", "country_dispatch", "office", "exporter_id", "importer_id"):
                    base.execute(
                        f"CREATE TYPE e_{column} AS ENUM (SELECT DISTINCT {column} FROM t WHERE {column} IS NOT NULL)"
                    )
                    base.execute(f"ALTER TABLE t ALTER {column} TYPE e_{column}")
        for form in (by_mask,) if best else (by_rule, by_union, by_mask, by_columns):
            with cpu(times, f"duckdb {kind} {form.__name__}"):
                told = form(base, rules)
            found.append(told())
            print(f"duckdb {kind} {form.__name__}: {times[f'duckdb {kind} {form.__name__}']:.1f} s", flush=True)
        base.close()
    return found


def polars(path: Path, texts: list[str], times: dict[str, float], *, best: bool) -> list[Hits]:
    """Rules as columns of one lazy frame, and as filters collected together; fifty at a time, only the hits kept."""
    try:
        engine = importlib.import_module("polars")
    except ImportError:
        print("polars is not installed: left out")
        return []
    with cpu(times, "polars: table loaded"):
        frame = engine.read_parquet(path).with_columns(engine.col("lrn").cast(engine.Int32).alias("id"))
        frame = frame.with_columns(engine.col(engine.Categorical).cast(engine.String))
    rules = [engine.sql_expr(duck_sql(text)) for text in polars_sql(texts)]
    as_columns: Pieces = []
    as_filters: Pieces = []
    with cpu(times, "polars columns"):
        for start in range(0, len(rules), 50):
            named = [
                rule.fill_null(False).alias(str(start + n))  # noqa: FBT003
                for n, rule in enumerate(rules[start : start + 50])
            ]
            flags = frame.lazy().select("id", *named).collect()
            as_columns += [(flags["id"].filter(flags[name]).to_numpy(), int(name)) for name in flags.columns[1:]]
    if best:
        return [joined(as_columns)]
    with cpu(times, "polars filters"):
        for start in range(0, len(rules), 50):
            lazy = [frame.lazy().filter(rule).select("id") for rule in rules[start : start + 50]]
            as_filters += [(rows["id"].to_numpy(), n) for n, rows in enumerate(engine.collect_all(lazy), start)]
    return [joined(as_columns), joined(as_filters)]


def polars_sql(texts: list[str]) -> list[str]:
    """Rules in the SQL that Polars reads: a constant column for contains."""
    return [
        text.replace("contains(lower(description), ", "strpos(lower(description), ").replace("STRPOS", "strpos")
        if "contains(" not in text
        else _position(text)
        for text in texts
    ]


def _position(text: str) -> str:
    before, _, after = text.partition("contains(lower(description), ")
    part, _, rest = after.partition(")")
    return f"{before}strpos(lower(description), {part}) > 0{rest}"


def report(times: dict[str, float]) -> None:
    """Every figure, and how many times ours each peer takes."""
    mine = times["comity"]
    print(f"{'CPU seconds':<32}{'':>10}{'ratio':>8}")
    for name, seconds in times.items():
        is_peer = ":" not in name and name != "comity"
        print(f"{name:<32}{seconds:>10.2f}" + (f"{seconds / mine:>8.1f}" if is_peer else ""))
    for peer, wanted in (("duckdb", 2), ("polars", 5)):
        forms = {name: seconds for name, seconds in times.items() if name.startswith(peer) and ":" not in name}
        if forms:
            best = min(forms, key=forms.__getitem__)
            print(f"{best}, its best form / ours: {forms[best] / mine:.1f} (wanted: {wanted})")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rules", type=int, default=1000)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--alone", action="store_true", help="without the peers")
    options.add_argument("--best", action="store_true", help="each peer in the form alone that was its best one")
    chosen = options.parse_args()
    rng = random.Random(chosen.seed)
    texts = [rule_text(rng) for _ in range(chosen.rules)]
    times: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "declarations.parquet"
        pq.write_table(table(chosen.rows, chosen.seed), path, row_group_size=CHUNK)
        print(f"{chosen.rules:,} rules, {chosen.rows:,} rows, {path.stat().st_size / 2**20:.0f} MiB of Parquet")
        hits = ours(path, texts, times)
        print(f"{len(hits):,} hits")
        for peer in () if chosen.alone else (duckdb, polars):
            for found in peer(path, texts, times, best=chosen.best):
                if found != hits:
                    print(f"{peer.__name__} differs: {len(found - hits)} more, {len(hits - found)} fewer")
                    sys.exit(1)
    report(times)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
