"""One batch under many rules: values and conditions, computed for some rows or once for all of them.

A part that several rules share is computed for whichever rows ask; once that has cost as much as the whole batch
would have, it is computed for the whole batch and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np

from comity.risk.bulk import texts
from comity.risk.bulk.columns import Array, Vector, missing_of, read_column
from comity.risk.expression_tree import (
    And,
    Arithmetic,
    Between,
    Call,
    Column,
    Compare,
    Condition,
    IsNull,
    IsTrue,
    Literal,
    Member,
    Negative,
    Node,
    Not,
    Or,
    TextTest,
    Value,
    ValueType,
    values_of,
)

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": np.equal,
    "<>": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_FLIPPED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_CALCULATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sheet:
    """The rows of one batch. numbers: of each node, the same for equal nodes; shared: those of several rules."""

    def __init__(self, batch: Any, types: Mapping[str, ValueType], *, first_row: int = 0) -> None:
        self.size: int = batch.num_rows
        self._batch = batch
        self._types = types
        self._first_row = first_row
        self._columns: dict[str, Vector] = {}
        self._kept: dict[int, Vector] = {}
        self._paid: dict[int, int] = {}
        self._ranked: dict[tuple[int, int], texts.Ranks] = {}
        self.numbers: Mapping[int, int] = {}
        self.shared: frozenset[int] = frozenset()

    def share(self, numbers: Mapping[int, int], shared: frozenset[int]) -> Sheet:
        """Let parts that several rules share be computed once. numbers: by the identity of a node."""
        self.numbers, self.shared = numbers, shared
        return self

    def column(self, name: str) -> Vector:
        """A whole column.

        Raises: FactError for NaN and infinity.
        """
        found = self._columns.get(name)
        if found is None:
            array = self._batch.column(name)
            found = read_column(array, name=name, type_=self._types[name], first_row=self._first_row)
            self._columns[name] = found
        return found

    def mask(self, node: Condition, rows: Array | None, *, is_true: bool = True) -> Array:
        """For each row whether a condition is true (or, asked so, false; where it is NULL it is neither)."""
        match node:
            case And(parts=parts) | Or(parts=parts):
                masks = [self.mask(part, rows, is_true=is_true) for part in parts]
                joined = np.logical_and if isinstance(node, And) == is_true else np.logical_or
                return cast(Array, joined.reduce(masks))
            case Not(part=part):
                return self.mask(part, rows, is_true=not is_true)
            case Between(value=value, low=low, high=high):
                bounds = (Compare(">=", value, low), Compare("<=", value, high))
                masks = [_verdict(self._compare(bound, rows), is_true=is_true) for bound in bounds]
                both = masks[0] & masks[1] if is_true else masks[0] | masks[1]
                return np.broadcast_to(both, self._length(rows))
            case _:
                found = self._once(node, rows, self._judge)
                return np.broadcast_to(_verdict(found, is_true=is_true), self._length(rows))

    def value(self, node: Value, rows: Array | None) -> Vector:
        """The value of each row."""
        match node:
            case Column(name=name):
                return self.column(name).at(rows)
            case Literal(value=value):
                return _constant(value)
            case _:
                return self._once(node, rows, self._compute)

    def _once(self, node: Node, rows: Array | None, compute: Callable[[Any, Array | None], Vector]) -> Vector:
        number = self.numbers.get(id(node))
        if number is None or number not in self.shared:
            return compute(node, rows)
        found = self._kept.get(number)
        if found is not None:
            return found.at(rows)
        if rows is not None:
            paid = self._paid.get(number, 0) + len(rows)
            self._paid[number] = paid
            if paid < self._price(node):
                return compute(node, rows)
        found = self._kept[number] = compute(node, None)
        return found.at(rows)

    def _price(self, node: Node) -> int:
        """About how many values must be looked at to know a part for the whole batch."""
        children = values_of(node)
        if children and isinstance(children[0], Column) and all(isinstance(other, Literal) for other in children[1:]):
            column = self.column(children[0].name)
            return self.size if column.texts is None else min(self.size, len(column.texts))
        if isinstance(node, TextTest) and isinstance(node.text, Call):
            return self._price(node.text)
        return self.size

    def _length(self, rows: Array | None) -> int:
        return self.size if rows is None else len(rows)

    # --- conditions: true or false where they are not missing

    def _judge(self, node: Condition, rows: Array | None) -> Vector:
        match node:
            case Compare():
                return self._compare(node, rows)
            case Member(value=value, choices=choices):
                found = self.value(value, rows)
                return Vector(_member(found, choices), found.missing)
            case TextTest(name=name, text=text, part=Literal(value=str(part))):
                found = self.value(text, rows)
                return Vector(texts.holds_constant(name, found, part), found.missing)
            case TextTest(name=name, text=text, part=part):
                whole, piece = self.value(text, rows), self.value(part, rows)
                return Vector(texts.holds(name, whole, piece), _either(whole.missing, piece.missing))
            case IsNull(value=value):
                missing = self._missing(value, rows)
                return Vector(np.zeros((), bool) if missing is None else missing)
            case IsTrue(value=value):
                return self.value(value, rows)
            case _:  # pragma: no cover - the other conditions are taken apart by mask
                raise AssertionError(node)

    def _missing(self, value: Value, rows: Array | None) -> Array | None:
        if isinstance(value, Column) and value.name not in self._columns:
            missing = missing_of(self._batch.column(value.name))  # its distinct values need not be known
            return missing if missing is None or rows is None else missing[rows]
        return self.value(value, rows).missing

    def _compare(self, node: Compare, rows: Array | None) -> Vector:
        left, right = self.value(node.left, rows), self.value(node.right, rows)
        missing = _either(left.missing, right.missing)
        if left.texts is None:
            return Vector(_COMPARISONS[node.operator](left.data, right.data), missing)
        if isinstance(node.right, Literal):
            return Vector(texts.compare_constant(node.operator, left, str(node.right.value)), missing)
        if isinstance(node.left, Literal):
            return Vector(texts.compare_constant(_FLIPPED[node.operator], right, str(node.left.value)), missing)
        return Vector(self._compare_texts(node.operator, left, right), missing)

    def _compare_texts(self, sign: str, left: Vector, right: Vector) -> Array:
        """Two texts in each row; how the distinct values of two columns stand to one another is found out once."""
        known = self._ranked.get((id(left.texts), id(right.texts)))
        if known is None and len(left.texts) + len(right.texts) > self.size // 4:
            left, right = texts.slim(left), texts.slim(right)
            known = texts.Ranks.of(left, right)
        elif known is None:
            known = texts.Ranks.of(left, right)
            self._ranked[id(left.texts), id(right.texts)] = known
        return known.compare(sign, left, right)

    # --- values

    def _compute(self, node: Value, rows: Array | None) -> Vector:
        match node:
            case Negative(operand=operand):
                inner = self.value(operand, rows)
                return Vector(-inner.data, inner.missing)
            case Arithmetic(operator=sign, left=left, right=right):
                return _calculate(sign, self.value(left, rows), self.value(right, rows))
            case Call(name="coalesce", arguments=arguments):
                return _coalesce([self.value(argument, rows) for argument in arguments], self._length(rows))
            case Call(name=name, arguments=arguments):
                inner = self.value(arguments[0], rows)
                match name:
                    case "abs":
                        return Vector(np.abs(inner.data), inner.missing)
                    case "length":
                        return texts.lengths(inner)
                    case _:
                        return texts.cased(name, inner)
            case _:  # pragma: no cover - columns and constants are read by value
                raise AssertionError(node)


def _verdict(found: Vector, *, is_true: bool) -> Array:
    test = found.data if is_true else ~found.data
    return test if found.missing is None else test & ~found.missing


def _either(one: Array | None, other: Array | None) -> Array | None:
    if one is None or other is None:
        return other if one is None else one
    return cast(Array, one | other)


def _constant(value: object) -> Vector:
    match value:
        case str():
            return texts.constant(value)
        case datetime():
            return Vector(np.array(_microseconds(value), np.int64))
        case _:
            return Vector(np.array(value))


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _member(found: Vector, choices: tuple[Literal, ...]) -> Array:
    if found.texts is not None:
        return texts.is_among(found, [str(choice.value) for choice in choices])
    plain = [_constant(choice.value).data for choice in choices]
    return cast(Array, np.logical_or.reduce([found.data == choice for choice in plain]))


def _calculate(sign: str, left: Vector, right: Vector) -> Vector:
    with np.errstate(all="ignore"):
        result = np.asarray(_CALCULATIONS[sign](left.data, right.data))
    # What is not finite is NULL: a quotient by zero is one of them.
    finite = np.isfinite(result)
    missing = _either(left.missing, right.missing)
    return Vector(result, missing if finite.all() else _either(missing, ~finite))


def _coalesce(found: list[Vector], size: int) -> Vector:
    if found[0].texts is not None:
        return texts.first_stated(found, size)
    data, missing = found[-1].data, found[-1].missing
    for vector in reversed(found[:-1]):
        if vector.missing is None:
            data, missing = vector.data, None
            continue
        data = np.where(vector.missing, data, vector.data)
        missing = None if missing is None else vector.missing & missing
    return Vector(np.broadcast_to(data, size), None if missing is None else np.broadcast_to(missing, size))
