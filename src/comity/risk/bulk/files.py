"""Files of a run: written beside their place and renamed when they are whole, so that what stands there is finished.

What a table holds stands in its own footer: a run that was stopped needs no other notes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from comity.risk.errors import RunError

_FOOTER = b"comity"
_PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in some rows. counts: what of, the step knows: hits of each rule, of each list."""

    rows: int
    counts: tuple[int, ...]


@dataclass(slots=True)
class Table:
    """A table on its way to its place."""

    writer: Any
    found: Found | None = None

    def add(self, batch: Any) -> None:
        """Write rows, if there are any."""
        if batch.num_rows:
            self.writer.write_batch(batch)

    def close(self, found: Found) -> Found:
        """Say what was found; without it nothing comes to stand in the place."""
        self.found = found
        self.writer.add_key_value_metadata({_FOOTER: json.dumps({"rows": found.rows, "counts": found.counts})})
        return found


@contextmanager
def table_at(place: Path, schema: Any) -> Iterator[Table]:
    """A table to be filled and closed; where that does not come to its end nothing is left of it."""
    partial = place.with_name(f"{place.name}.{os.getpid()}{_PARTIAL}")
    try:
        with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            table = Table(writer)
            yield table
        if table.found is not None:
            make_durable(partial)
            partial.replace(place)
    finally:
        partial.unlink(missing_ok=True)


def found_in(place: Path, rows: int, counts: int) -> Found | None:
    """What a finished table says that was found; None where it is missing, or is not what it should be."""
    try:
        metadata = pq.read_metadata(place).metadata or {}
        told = json.loads(metadata[_FOOTER])
        found = Found(int(told["rows"]), tuple(int(count) for count in told["counts"]))
    except (OSError, pa.ArrowInvalid, KeyError, ValueError, TypeError):
        return None
    return found if found.rows == rows and len(found.counts) == counts else None


def opened(path: Path, texts: list[str]) -> Any:
    """A Parquet file. texts: columns to be read by their distinct values.

    Raises: RunError.
    """
    try:
        return pq.ParquetFile(path, read_dictionary=texts)
    except (OSError, pa.ArrowInvalid) as error:
        raise RunError("The file is no Parquet, or is damaged", where=str(path), remedy=str(error)[:200]) from error


def write_json(path: Path, content: dict[str, object]) -> None:
    """Write a note of the run, whole or not at all."""
    partial = path.with_name(f"{path.name}{_PARTIAL}")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def make_durable(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def drop_partial(out: Path) -> None:
    """Remove what a stopped run had not finished."""
    for path in out.glob(f"*{_PARTIAL}"):
        path.unlink()
