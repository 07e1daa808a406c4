"""The columns of a batch as arrays: text by its distinct values, numbers as doubles, moments in microseconds.

What a row may not hold is refused here, as `expression_rows` does for one record: another type, NaN, infinity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from comity.risk.errors import FactError
from comity.risk.expression_tree import ValueType

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Vector:
    """The values of some rows. missing: where they are NULL; None: nowhere. A constant has no dimension.

    For text, data are places in texts, the distinct values; a missing one stands one behind the last.
    """

    data: Array
    missing: Array | None = None
    texts: Any = None

    def at(self, rows: Array | None) -> Vector:
        """The same for some rows only."""
        if rows is None or self.data.ndim == 0:
            return self
        missing = self.missing
        if missing is not None and missing.ndim:
            missing = missing[rows]
        return Vector(self.data[rows], missing, self.texts)


def check_columns(schema: Any, types: Mapping[str, ValueType]) -> None:
    """Refuse a table that cannot be assessed, before anything is read.

    Raises: FactError naming every column that is missing or of another type.
    """
    absent = sorted(name for name in types if name not in schema.names)
    if absent:
        raise FactError(
            f"The table lacks {'a column that the rules name' if len(absent) == 1 else 'columns that the rules name'}",
            where=", ".join(absent),
            remedy="Add the column (empty where nothing is known), or leave out the rules that name it.",
        )
    twice = sorted(name for name in types if schema.names.count(name) > 1)
    if twice:
        raise FactError("A column stands in the table twice", where=", ".join(twice), remedy="Keep one of them.")
    wrong = [
        f"{name} is {schema.field(name).type}, not {_WANTED[type_]}"
        for name, type_ in sorted(types.items())
        if not _fits(schema.field(name).type, type_)
    ]
    if wrong:
        raise FactError(
            "A column has another type than the rules expect",
            where="; ".join(wrong),
            remedy="Write the table with the types that docs/rules.md lists.",
        )


def read_column(array: Any, *, name: str, type_: ValueType, first_row: int) -> Vector:
    """A column of a batch that passed `check_columns`. first_row: the number of its first row, for messages.

    Raises: FactError for NaN and infinity.
    """
    if pa.types.is_null(array.type):
        array = array.cast(_EMPTY_AS[type_])
    missing = missing_of(array)
    match type_:
        case ValueType.TEXT:
            return _read_text(array, missing)
        case ValueType.BOOLEAN:
            return Vector(_flags(_filled(array, filler=False)), missing)
        case ValueType.MOMENT:
            as_numbers = array.cast(pa.timestamp("us", array.type.tz), safe=False).cast(pa.int64())
            return Vector(np.asarray(_filled(as_numbers, filler=0)), missing)
        case ValueType.NUMBER:
            numbers = np.asarray(_filled(array.cast(pa.float64(), safe=False), filler=0.0))
            _refuse_infinite(numbers, name, first_row)
            return Vector(numbers, missing)


def missing_of(array: Any) -> Array | None:
    """Where a column is NULL; None: nowhere."""
    if pa.types.is_dictionary(array.type) and array.dictionary.null_count:
        array = array.cast(array.type.value_type)  # a dictionary may hold NULL itself
    return _flags(pc.is_null(array)) if array.null_count else None


def flags_of(array: Any) -> Array:
    """An Arrow array of true and false, none missing, as flags."""
    return _flags(array)


def kept_columns(names: Iterable[str], schema: Any) -> list[str]:
    """The columns of a table that are named, in the table's order."""
    wanted = set(names)
    return [name for name in schema.names if name in wanted]


def _read_text(array: Any, missing: Array | None) -> Vector:
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    texts = encoded.dictionary
    if texts.type != pa.string():
        texts = texts.cast(pa.string())
    codes = np.asarray(_filled(encoded.indices, filler=0)).astype(np.int32, copy=True)
    if texts.null_count:  # its rows are among the missing ones
        texts = pc.fill_null(texts, "")
    if missing is not None:
        codes[missing] = len(texts)
    return Vector(codes, missing, texts)


def _filled(array: Any, *, filler: object) -> Any:
    return pc.fill_null(array, pa.scalar(filler, array.type)) if array.null_count else array


def _flags(array: Any) -> Array:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=bool)


def _refuse_infinite(numbers: Array, name: str, first_row: int) -> None:
    finite = np.isfinite(numbers)
    if finite.all():
        return
    place = int(np.argmin(finite))
    raise FactError(
        "A fact must be a finite number",
        where=f"row {first_row + place + 1:,}, {name} = {numbers[place]}",
        remedy="Correct the row or leave the value empty.",
    )


def _is_text(type_: Any) -> bool:
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(check(type_) for check in checks)


def _fits(found: Any, wanted: ValueType) -> bool:
    if pa.types.is_null(found):
        return True
    match wanted:
        case ValueType.TEXT:
            return _is_text(found.value_type if pa.types.is_dictionary(found) else found)
        case ValueType.NUMBER:
            return bool(pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_decimal(found))
        case ValueType.BOOLEAN:
            return bool(pa.types.is_boolean(found))
        case ValueType.MOMENT:
            return bool(pa.types.is_timestamp(found) and found.tz is not None)


_WANTED = {
    ValueType.TEXT: "text",
    ValueType.NUMBER: "a number",
    ValueType.BOOLEAN: "true or false",
    ValueType.MOMENT: "a time with a zone",
}
_EMPTY_AS = {
    ValueType.TEXT: pa.string(),
    ValueType.NUMBER: pa.float64(),
    ValueType.BOOLEAN: pa.bool_(),
    ValueType.MOMENT: pa.timestamp("us", "UTC"),
}
