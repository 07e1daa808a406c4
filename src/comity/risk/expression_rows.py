"""Facts on their way into rules: checked once, then a plain tuple. NaN and infinity are refused here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from comity.risk.errors import FactError
from comity.risk.expression_tree import ValueType

Reader = Callable[[str, object], object]


def _text(column: str, value: object) -> object:
    if isinstance(value, str):
        return value
    raise _wrong(column, value, "text")


def _number(column: str, value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _wrong(column, value, "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise _wrong(column, value, "a finite number")
    return number


def _boolean(column: str, value: object) -> object:
    if isinstance(value, bool):
        return value
    raise _wrong(column, value, "true or false")


def _moment(column: str, value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    raise _wrong(column, value, "a date and time with a zone")


def _wrong(column: str, value: object, wanted: str) -> FactError:
    return FactError(
        f"A fact must be {wanted}", where=f"{column} = {value!r:.60}", remedy="Correct the record or leave it empty."
    )


_READERS: dict[ValueType, Reader] = {
    ValueType.TEXT: _text,
    ValueType.NUMBER: _number,
    ValueType.BOOLEAN: _boolean,
    ValueType.MOMENT: _moment,
}


class RowReader:
    """Reads some columns of facts into a tuple, each value of its column's type or None."""

    def __init__(self, columns: Iterable[str], types: Mapping[str, ValueType]) -> None:
        self.slots = {name: slot for slot, name in enumerate(sorted(columns))}
        self._plan = [(name, _READERS[types[name]]) for name in self.slots]

    def read(self, facts: Mapping[str, object]) -> tuple[object, ...]:
        """The values by slot. A column that the facts lack is NULL.

        Raises: FactError for a value of another type, NaN or infinity.
        """
        get = facts.get
        return tuple([None if (value := get(name)) is None else read(name, value) for name, read in self._plan])
