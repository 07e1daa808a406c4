"""A run cut into parts: which row groups of which files, and the table that is written for each.

A part is written beside its place and renamed when it is whole, so that what stands there is finished. What it found
stands in its own footer: a run that was stopped needs no other notes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from comity.risk.bulk.firing import BulkRules, fire
from comity.risk.bulk.orders import RULE, Order
from comity.risk.errors import RunError

_FOOTER = b"comity"
_PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class Part:
    """Some row groups of one file. first_row: of the whole table, for messages."""

    number: int
    path: str
    row_groups: tuple[int, ...]
    rows: int
    first_row: int

    @property
    def name(self) -> str:
        """The name of its file in the result."""
        return f"part-{self.number:05d}.parquet"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a part. hits: of each rule, in the order of the rules."""

    rows: int
    hits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """How parts are assessed, wherever they are."""

    rules: BulkRules
    out: Path
    batch_rows: int


def input_files(path: Path) -> list[Path]:
    """A Parquet file, or those of a folder in the order of their names.

    Raises: RunError where there is none.
    """
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path] if path.is_file() else []
    if not files:
        raise RunError("There is no Parquet file", where=str(path), remedy="Name a file, or a folder of *.parquet.")
    return files


def cut(order: Order, rules: BulkRules) -> list[Part]:
    """Every part of the input, after every file's columns were checked. The same input is always cut alike.

    Raises: RunError, FactError.
    """
    parts: list[Part] = []
    first_row = 0
    first_schema: Any = None
    for path in input_files(order.declarations):
        with _opened(path, []) as file:
            schema, metadata = file.schema_arrow, file.metadata
            rules.check(schema)
            output = rules.output(schema)
            first_schema = first_schema or output
            if output != first_schema:
                raise RunError("The keys of two files are of different types", where=str(path))
            groups: list[int] = []
            rows = 0
            for group in range(metadata.num_row_groups):
                groups.append(group)
                rows += metadata.row_group(group).num_rows
                if rows >= order.part_rows or group == metadata.num_row_groups - 1:
                    parts.append(Part(len(parts), str(path.resolve()), tuple(groups), rows, first_row))
                    first_row += rows
                    groups, rows = [], 0
    return parts


def assess_part(work: Work, part: Part, tell: Callable[[int, int], None] = lambda _rows, _hits: None) -> Found:
    """Assess a part and put its table in place. tell: is told how many rows and hits there are so far.

    Raises: FactError, RunError.
    """
    place = work.out / part.name
    partial = place.with_name(f"{part.name}.{os.getpid()}{_PARTIAL}")
    hits = np.zeros(len(work.rules), np.int64)
    rows = 0
    try:
        with _opened(Path(part.path), work.rules.texts) as file:
            names = work.rules.columns(file.schema_arrow)
            # The keys are named too, so that a table without any rule's column still has its rows.
            reader = file.iter_batches(work.batch_rows, row_groups=list(part.row_groups), columns=names)
            with pq.ParquetWriter(partial, work.rules.output(file.schema_arrow), compression="zstd") as writer:
                for fired, count in _fired(work, reader, part.first_row):
                    hits += np.bincount(fired.column(RULE).indices.to_numpy(), minlength=len(work.rules))
                    rows += count
                    if fired.num_rows:
                        writer.write_batch(fired)
                    tell(rows, int(hits.sum()))
                found = Found(rows, tuple(hits.tolist()))
                writer.add_key_value_metadata({_FOOTER: json.dumps({"rows": rows, "hits": found.hits})})
        _make_durable(partial)
        partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)
    return found


def finished_part(out: Path, part: Part) -> Found | None:
    """What was found in a part that is in place; None where it is not, or is not what it should be."""
    try:
        metadata = pq.read_metadata(out / part.name).metadata or {}
        told = json.loads(metadata[_FOOTER])
        found = Found(int(told["rows"]), tuple(int(count) for count in told["hits"]))
    except (OSError, pa.ArrowInvalid, KeyError, ValueError):
        return None
    return found if found.rows == part.rows else None


def drop_partial(out: Path) -> None:
    """Remove what a stopped run had not finished."""
    for path in out.glob(f"*{_PARTIAL}"):
        path.unlink()


def _fired(work: Work, reader: Iterator[Any], first_row: int) -> Iterator[tuple[Any, int]]:
    counts: list[int] = []

    def counted() -> Iterator[Any]:
        for batch in reader:
            counts.append(batch.num_rows)
            yield batch

    told = 0
    for fired in fire(work.rules, counted(), batch_rows=work.batch_rows, first_row=first_row):
        read = sum(counts)
        yield fired, read - told
        told = read


def _opened(path: Path, texts: list[str]) -> Any:
    try:
        return pq.ParquetFile(path, read_dictionary=texts)
    except (OSError, pa.ArrowInvalid) as error:
        raise RunError("The file is no Parquet, or is damaged", where=str(path), remedy=str(error)[:200]) from error


def _make_durable(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
