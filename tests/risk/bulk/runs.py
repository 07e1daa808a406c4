"""Small tables and rules for runs, and a run in a process of its own that waits to be stopped."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from comity.registers import EntryKind, Identifier, ListedName, WatchEntry
from comity.risk.bulk import Order, RuleLine, UsedList
from comity.risk.bulk.running import run
from comity.risk.expressions import compile_rules, parse_rule
from comity.risk.rules import Lane
from comity.trade.facts import FACT_TYPES
from tests.risk.bulk.tables import batch_of

TEXTS = (
    "starts_with(hs_code, '85') AND item_price / packages > 3",
    "origin IN ('XA', 'ÅB') OR origin IS NULL",
    "origin = 'nowhere'",
    "contains(lower(description), 'é') AND NOT has_aeo_authorisation",
)
COLUMNS = {name: FACT_TYPES[name].value for name in ("lrn", "item_no", "hs_code", "origin", "description")}
COLUMNS |= {name: FACT_TYPES[name].value for name in ("item_price", "packages", "has_aeo_authorisation")}


def lines() -> tuple[RuleLine, ...]:
    """Four rules, one of which never fires."""
    return tuple(RuleLine(f"R{n}", parse_rule(text, FACT_TYPES), 30, Lane.YELLOW) for n, text in enumerate(TEXTS))


def facts(count: int, seed: int = 1) -> list[dict[str, object]]:
    """Made-up goods items."""
    rng = random.Random(seed)
    return [
        {
            "lrn": f"L{n // 2}",
            "item_no": n % 2 + 1,
            "hs_code": rng.choice(["8517", "6404", None, "85"]),
            "origin": rng.choice(["XA", None, "ÅB", "", "XC"]),
            "description": rng.choice(["CAFÉ", "tea", None, "木材"]),
            "item_price": rng.choice([None, 0.0, 10.0, 400.0]),
            "packages": rng.choice([None, 0, 1, 40]),
            "has_aeo_authorisation": rng.choice([None, True, False]),
        }
        for n in range(count)
    ]


def write(path: Path, rows: list[dict[str, object]], group_rows: int = 10) -> Path:
    """Rows as a Parquet file."""
    columns = COLUMNS | (NAMED if rows and "means_id" in rows[0] else {})
    pq.write_table(pa.Table.from_batches([batch_of(rows, columns)]), path, row_group_size=group_rows)
    return path


def order(declarations: Path, out: Path, **changes: Any) -> Order:
    """An order with parts of twenty rows."""
    fields: dict[str, Any] = {"rules": lines(), "keys": ("lrn", "item_no"), "batch_rows": 7, "part_rows": 20}
    return Order(declarations, out=out, **(fields | changes))


def expected(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """What single rows fire."""
    online = compile_rules([line.rule for line in lines()], FACT_TYPES)
    return [
        {"lrn": row["lrn"], "item_no": row["item_no"], "rule": f"R{place}"}
        for row in rows
        for place in online.fired(row)
    ]


def written(out: Path) -> list[dict[str, object]]:
    """The hits of a run."""
    paths = sorted(out.glob("part-*.parquet"))
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


LISTED = (
    WatchEntry("P1", EntryKind.PERSON, (ListedName("Orban Tavrosh Kelimdar"),), countries=("XB",)),
    WatchEntry("C1", EntryKind.COMPANY, (ListedName("Velmora Shipping Company Ltd"),)),
    WatchEntry("V1", EntryKind.VESSEL, (ListedName("Gulden Mare"),), identifiers=(Identifier("imo", "9321483"),)),
    WatchEntry("B1", EntryKind.CONTAINER, (ListedName("MSKU 1234565"),), identifiers=(Identifier("c", "MSKU1234565"),)),
)
NAMED = {"exporter_name": "text", "exporter_country": "text", "exporter_id": "text"}
NAMED |= {"importer_name": "text", "means_id": "text", "container": "text"}


def used_lists() -> tuple[UsedList, ...]:
    """Two lists of made-up entries."""
    return UsedList("one", "1" * 64, LISTED[:2]), UsedList("two", "2" * 64, LISTED[2:])


def with_names(rows: list[dict[str, object]], seed: int = 1) -> list[dict[str, object]]:
    """The same rows, with parties, ships and containers, some of which are like an entry."""
    rng = random.Random(seed)
    people = [
        None,
        "",
        "Orban Tavrsh Kelimdar",
        "Kelimdar, Orban Tavrosh",
        "Ann Other",
        "VELMORA SHIPPING",
        "Ännchen Ö.",
    ]
    return [
        row
        | {
            "exporter_name": rng.choice(people),
            "exporter_country": rng.choice([None, "XB", "XC"]),
            "exporter_id": rng.choice([None, "", "XB77001122"]),
            "importer_name": rng.choice(people),
            "means_id": rng.choice([None, "IMO 9321483", "MV Gulden Mare", "Other Ship"]),
            "container": rng.choice([None, "MSKU1234565", "TCLU0000001"]),
        }
        for row in rows
    ]


def screened(out: Path) -> list[dict[str, object]]:
    """The hits of the screening of a run."""
    return [row for path in sorted(out.glob("screened-*.parquet")) for row in pq.read_table(path).to_pylist()]


if __name__ == "__main__":
    source, target = sys.argv[1:]

    def wait(progress: object) -> None:
        print(progress, flush=True)  # noqa: T201
        if getattr(progress, "rows", 0) > 30:
            sys.stdin.read()

    run(order(Path(source), Path(target), lists=used_lists()), tell=wait)
