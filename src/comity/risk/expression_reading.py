"""What a rule sees in facts, node by node: for putting a result into words. Slow and plain."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, cast

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
    Not,
    Or,
    TextTest,
    Value,
)

Facts = Mapping[str, object]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CALCULATIONS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_CALLS: dict[str, Callable[[Any], object]] = {
    "abs": abs,
    "lower": lambda text: text.lower(),
    "upper": lambda text: text.upper(),
    "length": lambda text: float(len(text)),
}


def read_value(node: Value, facts: Facts) -> object:
    """The value of a node; None where it is NULL."""
    match node:
        case Column(name=name):
            return facts.get(name)
        case Literal(value=value):
            return value
        case Negative(operand=operand):
            inner = read_value(operand, facts)
            return None if inner is None else -cast(float, inner)
        case Arithmetic(operator=sign, left=left, right=right):
            return _calculate(sign, read_value(left, facts), read_value(right, facts))
        case Call(name="coalesce", arguments=arguments):
            values = (read_value(argument, facts) for argument in arguments)
            return next((value for value in values if value is not None), None)
        case Call(name=name, arguments=arguments):
            inner = read_value(arguments[0], facts)
            return None if inner is None else _CALLS[name](inner)


def read_condition(node: Condition, facts: Facts) -> bool | None:
    """Whether a condition is true, false, or NULL (None)."""
    match node:
        case And(parts=parts):
            return _all([read_condition(part, facts) for part in parts])
        case Or(parts=parts):
            return _contrary(_all([_contrary(read_condition(part, facts)) for part in parts]))
        case Not(part=part):
            return _contrary(read_condition(part, facts))
        case Compare(operator=sign, left=left, right=right):
            return _compare(sign, read_value(left, facts), read_value(right, facts))
        case Between(value=value, low=low, high=high):
            middle = read_value(value, facts)
            bottom, top = read_value(low, facts), read_value(high, facts)
            return _all([_compare(">=", middle, bottom), _compare("<=", middle, top)])
        case Member(value=value, choices=choices):
            found = read_value(value, facts)
            return None if found is None else found in {choice.value for choice in choices}
        case IsNull(value=value):
            return read_value(value, facts) is None
        case IsTrue(value=value):
            return cast("bool | None", read_value(value, facts))
        case TextTest(name=name, text=text, part=part_of):
            whole, piece = read_value(text, facts), read_value(part_of, facts)
            if whole is None or piece is None:
                return None
            return str(whole).startswith(str(piece)) if name == "starts_with" else str(piece) in str(whole)


def _compare(sign: str, left: object, right: object) -> bool | None:
    return None if left is None or right is None else _COMPARISONS[sign](left, right)


def _calculate(sign: str, left: object, right: object) -> float | None:
    if left is None or right is None or (sign == "/" and right == 0):
        return None
    result = _CALCULATIONS[sign](float(cast(float, left)), float(cast(float, right)))
    return result if math.isfinite(result) else None


def _all(results: list[bool | None]) -> bool | None:
    if False in results:
        return False
    return None if None in results else True


def _contrary(result: bool | None) -> bool | None:
    return None if result is None else not result
