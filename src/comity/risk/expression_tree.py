"""The typed tree of a rule. Values and conditions are different classes, so a badly typed tree cannot be built."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ValueType(StrEnum):
    """What a column or a value is."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MOMENT = "moment"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a node stands in the text (half-open, from 0) and how deep the tree is below it."""

    start: int = 0
    end: int = 0
    depth: int = 1


NOWHERE = Spot()


@dataclass(frozen=True, slots=True)
class Column:
    """A fact, by name."""

    name: str
    type: ValueType
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. Numbers are doubles, moments are aware and in UTC."""

    value: str | float | bool | datetime
    type: ValueType
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Negative:
    """Minus a number."""

    operand: Value
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)

    @property
    def type(self) -> ValueType:
        """Always a number."""
        return ValueType.NUMBER


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """+ - * / of two numbers; NULL where a side is NULL, the divisor is 0, or the result is not finite."""

    operator: str
    left: Value
    right: Value
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)

    @property
    def type(self) -> ValueType:
        """Always a number."""
        return ValueType.NUMBER


@dataclass(frozen=True, slots=True)
class Call:
    """abs, lower, upper, length or coalesce."""

    name: str
    arguments: tuple[Value, ...]
    type: ValueType
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)


Value = Column | Literal | Negative | Arithmetic | Call


@dataclass(frozen=True, slots=True)
class Compare:
    """= <> < <= > >= of two values of one type."""

    operator: str
    left: Value
    right: Value
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Member:
    """value IN (constants)."""

    value: Value
    choices: tuple[Literal, ...]
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Between:
    """value BETWEEN low AND high: value >= low AND value <= high."""

    value: Value
    low: Value
    high: Value
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class IsNull:
    """value IS NULL: never NULL itself."""

    value: Value
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TextTest:
    """starts_with(text, part) or contains(text, part)."""

    name: str
    text: Value
    part: Value
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class IsTrue:
    """A boolean value standing alone as a condition."""

    value: Value
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class And:
    """All parts."""

    parts: tuple[Condition, ...]
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Or:
    """Any part."""

    parts: tuple[Condition, ...]
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary; NULL stays NULL."""

    part: Condition
    spot: Spot = field(default=NOWHERE, compare=False, repr=False)


Condition = Compare | Member | Between | IsNull | TextTest | IsTrue | And | Or | Not
Node = Value | Condition


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was read: its text and its tree."""

    text: str
    condition: Condition
    columns: frozenset[str]

    def source_of(self, node: Node) -> str:
        """The part of the text that a node was read from."""
        return self.text[node.spot.start : node.spot.end]


def values_of(node: Node) -> tuple[Node, ...]:
    """The nodes directly below a node."""
    match node:
        case Column() | Literal():
            return ()
        case Negative(operand=operand):
            return (operand,)
        case Arithmetic(left=left, right=right) | Compare(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments):
            return arguments
        case Member(value=value, choices=choices):
            return (value, *choices)
        case Between(value=value, low=low, high=high):
            return (value, low, high)
        case IsNull(value=value) | IsTrue(value=value):
            return (value,)
        case TextTest(text=text, part=part):
            return (text, part)
        case And(parts=parts) | Or(parts=parts):
            return parts
        case Not(part=part):
            return (part,)


def columns_of(node: Node) -> frozenset[str]:
    """Every column that a node names."""
    if isinstance(node, Column):
        return frozenset((node.name,))
    return frozenset().union(*(columns_of(child) for child in values_of(node)))
