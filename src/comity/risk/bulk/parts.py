"""A run cut into parts: which row groups of which files, what is asked of each, and the table that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from comity.risk.bulk.files import Found, opened, table_at
from comity.risk.bulk.firing import BulkRules, fire
from comity.risk.bulk.orders import RULE, Order
from comity.risk.errors import RunError

# Told how many rows of a part are done, and how many hits they have.
TellRows = Callable[[int, int], None]


class Step(StrEnum):
    """What is asked of a part; the value begins the name of the table that answers."""

    NAMES = "names"
    RULES = "part"
    SCREENING = "screened"
    MODEL = "scored"


@dataclass(frozen=True, slots=True)
class Part:
    """Some row groups of one file. first_row: of the whole table, for messages."""

    number: int
    path: str
    row_groups: tuple[int, ...]
    rows: int
    first_row: int


@dataclass(frozen=True, slots=True)
class Task:
    """One thing asked of one part."""

    step: Step
    part: Part

    @property
    def name(self) -> str:
        """The name of its file in the result."""
        return f"{self.step}-{self.part.number:05d}.parquet"


@dataclass(frozen=True, slots=True)
class RulesWork:
    """How rules are run over parts, wherever they are."""

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


def cut(order: Order, check: Callable[[Any], Any]) -> list[Part]:
    """Every part of the input. check: refuses a file's columns, or says what its answers will look like.

    The same input is always cut alike. Raises: RunError, FactError.
    """
    parts: list[Part] = []
    first_row = 0
    first_schema: Any = None
    for path in input_files(order.declarations):
        with opened(path, []) as file:
            metadata = file.metadata
            output = check(file.schema_arrow)
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


def run_rules(work: RulesWork, task: Task, tell: TellRows) -> Found:
    """Run the rules over a part and put its table in place.

    Raises: FactError, RunError.
    """
    part = task.part
    hits = np.zeros(len(work.rules), np.int64)
    rows = 0
    with opened(Path(part.path), work.rules.texts) as file:
        names = work.rules.columns(file.schema_arrow)
        # The keys are named too, so that a table without any rule's column still has its rows.
        reader = file.iter_batches(work.batch_rows, row_groups=list(part.row_groups), columns=names)
        with table_at(work.out / task.name, work.rules.output(file.schema_arrow)) as table:
            for fired, count in _fired(work, reader, part.first_row):
                hits += np.bincount(fired.column(RULE).indices.to_numpy(), minlength=len(work.rules))
                rows += count
                table.add(fired)
                tell(rows, int(hits.sum()))
            return table.close(Found(rows, tuple(hits.tolist())))


def _fired(work: RulesWork, reader: Iterator[Any], first_row: int) -> Iterator[tuple[Any, int]]:
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
