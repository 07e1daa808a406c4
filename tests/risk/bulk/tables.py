"""Rows of facts as Arrow batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from tests.risk.strategies import SCHEMA

ARROW_TYPES = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "moment": pa.timestamp("us", "UTC"),
}


def batch_of(rows: Sequence[Mapping[str, object]], schema: Mapping[str, str] = SCHEMA) -> Any:
    """A batch with a column of each name of the schema."""
    columns = {name: [row.get(name) for row in rows] for name in schema}
    arrays = [pa.array(columns[name], ARROW_TYPES[str(word)]) for name, word in schema.items()]
    return pa.RecordBatch.from_arrays(arrays, names=list(schema))


def encoded(batch: Any) -> Any:
    """The same batch, its texts by their distinct values."""
    columns = [column.dictionary_encode() if pa.types.is_string(column.type) else column for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
