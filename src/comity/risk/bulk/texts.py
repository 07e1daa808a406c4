"""Text by its distinct values: each is looked at once, however many rows hold it. The answers are Python's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from comity.risk.bulk.columns import Array, Vector, flags_of

_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "=": np.equal,
    "<>": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_ARROW_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "=": pc.equal,
    "<>": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}


def constant(text: str) -> Vector:
    """A constant text."""
    return Vector(np.zeros((), np.int32), None, pa.array([text], pa.string()))


def slim(vector: Vector) -> Vector:
    """The same with no more texts than rows."""
    if vector.data.ndim == 0 or len(vector.texts) <= len(vector.data):
        return vector
    places = np.arange(len(vector.data), dtype=np.int32)
    if vector.missing is not None:
        places[vector.missing] = len(places)
    return Vector(places, vector.missing, pc.fill_null(_strings(vector), ""))


def looked_up(vector: Vector, table: Array) -> Array:
    """For each row what a table says of its text; false or 0 for what is missing."""
    whole: Array = np.append(table, np.zeros(1, table.dtype))
    return whole[vector.data]


def is_among(vector: Vector, choices: Sequence[str]) -> Array:
    """Where the text is one of several."""
    vector = slim(vector)
    return looked_up(vector, flags_of(pc.is_in(vector.texts, pa.array(choices, pa.string()))))


def compare_constant(sign: str, vector: Vector, text: str) -> Array:
    """Each text beside a constant, by code points."""
    vector = slim(vector)
    return looked_up(vector, flags_of(_ARROW_SIGNS[sign](vector.texts, pa.scalar(text, pa.string()))))


@dataclass(frozen=True, slots=True)
class Ranks:
    """The distinct values of two columns in one order, by code points. texts: kept, so that they stay who they are."""

    left: Array
    right: Array
    texts: tuple[Any, Any]

    @classmethod
    def of(cls, left: Vector, right: Vector) -> Ranks:
        """The order of what two vectors hold."""
        encoded = pa.concat_arrays([left.texts, right.texts]).dictionary_encode()
        ranks = np.empty(len(encoded.dictionary), np.int32)
        ranks[np.asarray(pc.sort_indices(encoded.dictionary))] = np.arange(len(ranks), dtype=np.int32)
        keys = ranks[np.asarray(encoded.indices)]
        middle = len(left.texts)
        return cls(keys[:middle], keys[middle:], (left.texts, right.texts))

    def compare(self, sign: str, left: Vector, right: Vector) -> Array:
        """Two texts in each row."""
        result: Array = _SIGNS[sign](looked_up(left, self.left), looked_up(right, self.right))
        return result


def holds_constant(name: str, vector: Vector, part: str) -> Array:
    """starts_with or contains, with a constant."""
    vector = slim(vector)
    test = pc.starts_with if name == "starts_with" else pc.match_substring
    return looked_up(vector, flags_of(test(vector.texts, pattern=part)))


def holds(name: str, whole: Vector, part: Vector) -> Array:
    """starts_with or contains, with a text that differs from row to row: once for each pair."""
    wholes, parts = slim(whole), slim(part)
    width = len(parts.texts) + 1
    pairs = np.asarray(wholes.data.astype(np.int64) * width + parts.data)
    distinct, places = np.unique(pairs, return_inverse=True)
    long, short = [*wholes.texts.to_pylist(), ""], [*parts.texts.to_pylist(), ""]
    found = ((long[pair // width], short[pair % width]) for pair in distinct.tolist())
    if name == "starts_with":
        answers = [text.startswith(piece) for text, piece in found]
    else:
        answers = [piece in text for text, piece in found]
    return np.array(answers, bool)[places].reshape(pairs.shape)


def lengths(vector: Vector) -> Vector:
    """How many characters."""
    vector = slim(vector)
    counted = np.asarray(pc.utf8_length(vector.texts)).astype(np.float64)
    return Vector(looked_up(vector, counted), vector.missing)


def cased(name: str, vector: Vector) -> Vector:
    """lower or upper. Letters beyond ASCII as Python writes them: Arrow knows no final sigma and no ß in capitals."""
    vector = slim(vector)
    texts = vector.texts
    changed = (pc.ascii_lower if name == "lower" else pc.ascii_upper)(texts)
    beyond = pc.invert(pc.string_is_ascii(texts))
    if pc.any(beyond, min_count=0).as_py():
        strange = [getattr(text, name)() for text in texts.filter(beyond).to_pylist()]
        changed = pc.replace_with_mask(changed, beyond, pa.array(strange, pa.string()))
    return Vector(vector.data, vector.missing, changed)


def first_stated(vectors: Sequence[Vector], size: int) -> Vector:
    """coalesce: of each row the first text that is not missing."""
    texts = pa.concat_arrays([vector.texts for vector in vectors])
    data = np.full(size, len(texts), np.int64)
    open_rows = np.ones(size, bool)
    start = 0
    for vector in vectors:
        stated = open_rows if vector.missing is None else open_rows & ~vector.missing
        data = np.where(stated, vector.data + start, data)
        open_rows = open_rows & ~stated
        start += len(vector.texts)
    return Vector(data.astype(np.int32), open_rows if open_rows.any() else None, texts)


def _strings(vector: Vector) -> Any:
    return vector.texts.take(pa.array(vector.data, mask=vector.missing))
