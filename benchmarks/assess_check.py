"""Whether a run of `comity assess` wrote, of rows drawn from all over its table, what each by itself is answered.

Rules by the online evaluator, screening by the screener, the model by LightGBM, a row at a time. Half of the rows are
drawn from those that the screening found something for, since few are.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from comity.registers.matching import Screener
from comity.risk.bulk.lists import LISTS, kept_lists
from comity.risk.bulk.model_rows import columns_for, rows_of
from comity.risk.bulk.subjects import SUBJECT, named_in, roles_of, subject_of
from comity.risk.expressions import compile_rules, parse_rule
from comity.risk.prediction.artefacts import load_model
from comity.risk.prediction.states import live_features, load_state
from comity.trade.facts import FACT_TYPES

GROUPS = 8
Answers = dict[str, list[Any]]


def check(work: Path, out: Path, count: int) -> None:
    """Compare, print, and raise an AssertionError where something differs or rows are not all there."""
    rows = _drawn(work / "facts.parquet", out, count)
    keys = rows.column("lrn").to_pylist()
    told = 0
    for prefix, expected in (
        ("part", _rules(work, rows)),
        ("screened", _hits(out, rows)),
        ("scored", _scores(work, rows)),
    ):
        if not list(out.glob(f"{prefix}-*.parquet")):
            continue
        found = _found(out, prefix, keys)
        wrong = [key for key in keys if not _agree(found.get(key, []), expected.get(key, []))]
        assert not wrong, f"{prefix}: {len(wrong)} of {len(keys)} rows differ, such as {wrong[0]}"
        told += sum(map(len, expected.values()))
    whole = pq.ParquetFile(work / "facts.parquet").metadata.num_rows
    summary = json.loads((out / "summary.json").read_text())
    scored = [pq.ParquetFile(path).metadata.num_rows for path in sorted(out.glob("scored-*.parquet"))]
    assert summary["rows"] == whole
    assert not scored or sum(scored) == whole
    print(f"{whole:,} rows are there; {len(keys)} drawn ones have, one by one, the same {told:,} answers")


def _drawn(facts: Path, out: Path, count: int) -> Any:
    """Rows of some row groups, the first and the last among them."""
    chance = random.Random(11)
    with pq.ParquetFile(facts) as file:
        last = file.num_row_groups - 1
        groups = sorted({0, last, *chance.sample(range(last), min(last, GROUPS - 2))})
        hit: set[str] = set()
        for path in sorted(out.glob("screened-*.parquet")):
            hit.update(pq.read_table(path, columns=["lrn"])["lrn"].to_pylist())
        found = []
        for group in groups:
            table = file.read_row_group(group)
            is_hit = pc.is_in(table["lrn"], value_set=pa.array(sorted(hit), pa.string())).to_pylist()
            of_hits = [place for place, is_one in enumerate(is_hit) if is_one]
            half = max(1, count // len(groups) // 2)
            places = chance.sample(of_hits, min(half, len(of_hits))) + chance.sample(range(table.num_rows), half)
            found.append(table.take(pa.array(sorted(set(places)))))
    return pa.concat_tables(found)


def _found(out: Path, prefix: str, keys: Sequence[str]) -> Answers:
    found: Answers = {}
    for path in sorted(out.glob(f"{prefix}-*.parquet")):
        table = pq.read_table(path)
        for row in table.filter(pc.is_in(table["lrn"], value_set=pa.array(keys, pa.string()))).to_pylist():
            answer: Any = row.get("rule")
            if prefix == "screened":
                answer = (row["role"], row["entry"], row["listed"], row["score"])
            elif prefix == "scored":
                answer = (row["chance"], row["expected_revenue"])
            found.setdefault(row["lrn"], []).append(answer)
    return found


def _agree(ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
    return len(ours) == len(theirs) and all(map(_same, sorted(ours, key=str), sorted(theirs, key=str)))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple):
        return all(map(_same, one, other))
    return math.isclose(one, other, rel_tol=1e-12) if isinstance(one, float) and other is not None else one == other


def _rules(work: Path, rows: Any) -> Answers:
    profiles = json.loads((work / "rules.yaml").read_text())["profiles"]
    online = compile_rules([parse_rule(each["expression"], FACT_TYPES) for each in profiles], FACT_TYPES)
    return {row["lrn"]: [profiles[place]["ref"] for place in online.fired(_facts(row))] for row in rows.to_pylist()}


def _facts(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: row.get(name) for name in FACT_TYPES}


def _hits(out: Path, rows: Any) -> Answers:
    if not (out / LISTS).exists():
        return {}
    screener: Screener = kept_lists(out / LISTS, "").screener
    found: Answers = {}
    for role in roles_of(rows.schema):
        for key, known in zip(rows.column("lrn").to_pylist(), named_in(rows, role).to_pylist(), strict=True):
            subject = subject_of(tuple(known[name] for name in SUBJECT))
            for hit in screener.screen(subject):
                found.setdefault(key, []).append((role.role, hit.entry.ref, hit.listed, hit.score))
    return found


def _scores(work: Path, rows: Any) -> Answers:
    if not (work / "model").exists():
        return {}
    model, state = load_model(work / "model"), load_state(work / "histories.npz")
    columns = columns_for(rows.schema)
    found: Answers = {}
    for place, key in enumerate(rows.column("lrn").to_pylist()):
        asked, _ = rows_of(rows.slice(place, 1).combine_chunks().to_batches()[0], columns, state)
        answer = (None, None)
        if asked:
            _, values = live_features(state, asked, week=state.week)
            answer = (float(model.chances(values)[0]), float(model.revenues(values)[0]))
        found[key] = [answer]
    return found
