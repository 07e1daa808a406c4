"""The typing of a rule: from bare nodes to nodes whose types fit, or an error that says what to write."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from comity.common import ComityError, parse_instant
from comity.risk.errors import RuleError
from comity.risk.expression_tokens import Token
from comity.risk.expression_tree import (
    Between,
    Call,
    Column,
    Compare,
    Condition,
    IsNull,
    IsTrue,
    Literal,
    Member,
    Node,
    Spot,
    TextTest,
    Value,
    ValueType,
)

MAX_DEPTH = 50
MAX_ALTERNATIVES = 8

_SCHEMA_TYPES = {
    "text": ValueType.TEXT,
    "number": ValueType.NUMBER,
    "integer": ValueType.NUMBER,
    "boolean": ValueType.BOOLEAN,
    "moment": ValueType.MOMENT,
}
_ARTICLE = {
    ValueType.TEXT: "text",
    ValueType.NUMBER: "a number",
    ValueType.BOOLEAN: "true or false",
    ValueType.MOMENT: "a date and time",
}
# name -> (types of the arguments, type of the result); starts_with and contains are conditions.
_FUNCTIONS: dict[str, tuple[tuple[ValueType, ...], ValueType]] = {
    "abs": ((ValueType.NUMBER,), ValueType.NUMBER),
    "lower": ((ValueType.TEXT,), ValueType.TEXT),
    "upper": ((ValueType.TEXT,), ValueType.TEXT),
    "length": ((ValueType.TEXT,), ValueType.NUMBER),
    "starts_with": ((ValueType.TEXT, ValueType.TEXT), ValueType.BOOLEAN),
    "contains": ((ValueType.TEXT, ValueType.TEXT), ValueType.BOOLEAN),
}
FUNCTIONS = (*_FUNCTIONS, "coalesce")


def column_types(schema: Mapping[str, str]) -> dict[str, ValueType]:
    """The types of columns, from words: text, number, integer, boolean, moment."""
    return {name: _SCHEMA_TYPES[str(word)] for name, word in schema.items()}


@dataclass(frozen=True, slots=True)
class Typer:
    """Builds typed nodes for one rule."""

    text: str
    columns: Mapping[str, ValueType]

    def spot(self, start: int, end: int, *children: Node) -> Spot:
        """The place of a new node above its children.

        Raises: RuleError where the tree would become too deep.
        """
        depth = 1 + max((child.spot.depth for child in children), default=0)
        if depth > MAX_DEPTH:
            raise self.error(
                start, end, f"The rule is more than {MAX_DEPTH} levels deep", "Split it into several profiles."
            )
        return Spot(start, end, depth)

    def error(self, start: int, end: int, what: str, remedy: str) -> RuleError:
        """What is wrong at a place."""
        return RuleError(what, text=self.text, start=start, end=end, remedy=remedy)

    def column(self, token: Token) -> Column:
        """A column of the schema."""
        if token.word not in self.columns:
            raise self.error(token.start, token.end, f"There is no column {token.word!r}", self._near(token.word))
        return Column(token.word, self.columns[token.word], self.spot(token.start, token.end))

    def number(self, token: Token) -> Literal:
        """A finite number."""
        value = float(token.word)
        if not math.isfinite(value):
            raise self.error(token.start, token.end, "The number is too large", "Numbers go up to 1.7e308.")
        return Literal(value, ValueType.NUMBER, self.spot(token.start, token.end))

    def value(self, node: Node, what: str = "here") -> Value:
        """The node as a value: a condition has no place in a calculation or a comparison."""
        if isinstance(node, Value):
            return node
        raise self.error(
            node.spot.start,
            node.spot.end,
            f"A condition cannot stand {what}",
            "Join conditions with AND, OR and NOT.",
        )

    def condition(self, node: Node) -> Condition:
        """The node as a condition: a boolean value alone is one, any other value must be compared."""
        if not isinstance(node, Value):
            return node
        spot = node.spot
        if node.type is ValueType.BOOLEAN:
            return IsTrue(node, self.spot(spot.start, spot.end, node))
        source = self.text[spot.start : spot.end]
        example = {ValueType.TEXT: "= 'text'", ValueType.NUMBER: "> 0", ValueType.MOMENT: "> '2026-03-01T08:00:00Z'"}
        raise self.error(
            spot.start,
            spot.end,
            f"This is {_ARTICLE[node.type]}, not a condition",
            f"Compare it, for example: {source} {example[node.type]}",
        )

    def numeric(self, node: Node) -> Value:
        """The node as a number."""
        value = self.value(node, "in a calculation")
        if value.type is not ValueType.NUMBER:
            raise self.error(
                value.spot.start,
                value.spot.end,
                f"Only numbers can be calculated with; this is {_ARTICLE[value.type]}",
                "Use a column that is a number.",
            )
        return value

    def compare(self, sign: Token, left_node: Node, right_node: Node) -> Compare:
        """left sign right, of one type; conditions and booleans know no order."""
        place = "in a comparison"
        left, right = self.same_type(self.value(left_node, place), self.value(right_node, place))
        if left.type is ValueType.BOOLEAN and sign.word not in {"=", "<>"}:
            raise self.error(sign.start, sign.end, "True and false have no order", "Write = or <>.")
        return Compare(sign.word, left, right, self.spot(left.spot.start, right.spot.end, left, right))

    def same_type(self, left: Value, right: Value) -> tuple[Value, Value]:
        """Both sides, a text constant beside a moment read as a moment.

        Raises: RuleError where the types differ, with the usual cure: quotes put on or taken off.
        """
        left, right = self._as_moment(left, right), self._as_moment(right, left)
        if left.type is right.type:
            return left, right
        texts = [side for side in (left, right) if side.type is ValueType.TEXT]
        numbers = [side for side in (left, right) if side.type is ValueType.NUMBER]
        remedy = "Compare two values of one type."
        if texts and numbers and isinstance(numbers[0], Literal):
            spot = numbers[0].spot
            remedy = f"Write the text in quotes: '{self.text[spot.start : spot.end]}'."
        elif texts and numbers and isinstance(texts[0], Literal):
            remedy = "Write the number without quotes."
        raise self.error(
            left.spot.start,
            right.spot.end,
            f"One side is {_ARTICLE[left.type]}, the other is {_ARTICLE[right.type]}",
            remedy,
        )

    def member(self, value: Value, choices: Sequence[Literal], end: int) -> Member:
        """value IN (choices)."""
        typed = [self.same_type(value, choice)[1] for choice in choices]
        kept = tuple(choice for choice in typed if isinstance(choice, Literal))
        return Member(value, kept, self.spot(value.spot.start, end, value, *kept))

    def between(self, value: Value, low: Value, high: Value) -> Between:
        """value BETWEEN low AND high."""
        typed_low, typed_high = self.same_type(value, low)[1], self.same_type(value, high)[1]
        if value.type is ValueType.BOOLEAN:
            raise self.error(value.spot.start, value.spot.end, "True and false have no order", "Write = TRUE.")
        return Between(value, typed_low, typed_high, self.spot(value.spot.start, high.spot.end, value, low, high))

    def is_null(self, node: Node, end: int) -> IsNull:
        """value IS NULL."""
        value = self.value(node, "before IS NULL")
        return IsNull(value, self.spot(value.spot.start, end, value))

    def call(self, name: Token, nodes: Sequence[Node], end: int) -> Node:
        """A function with its arguments."""
        if name.word not in FUNCTIONS:
            close = get_close_matches(name.word, FUNCTIONS, n=1)
            hint = f"Did you mean {close[0]}?" if close else f"Functions are: {', '.join(FUNCTIONS)}."
            raise self.error(name.start, name.end, f"There is no function {name.word!r}", hint)
        arguments = tuple(self.value(node, "as an argument") for node in nodes)
        spot = self.spot(name.start, end, *arguments)
        if name.word == "coalesce":
            return self._coalesce(arguments, spot)
        wanted, result = _FUNCTIONS[name.word]
        if len(arguments) != len(wanted):
            shape = f"{name.word}(column, 'part')" if len(wanted) == 2 else f"{name.word}(column)"
            raise self.error(
                name.start, end, f"{name.word} takes {len(wanted)}, not {len(arguments)}", f"Write {shape}."
            )
        for argument, type_ in zip(arguments, wanted, strict=True):
            if argument.type is not type_:
                raise self.error(
                    argument.spot.start,
                    argument.spot.end,
                    f"{name.word} wants {_ARTICLE[type_]}; this is {_ARTICLE[argument.type]}",
                    f"Use a column that is {_ARTICLE[type_]}.",
                )
        if result is ValueType.BOOLEAN:
            return TextTest(name.word, arguments[0], arguments[1], spot)
        return Call(name.word, arguments, result, spot)

    def _coalesce(self, arguments: tuple[Value, ...], spot: Spot) -> Call:
        if not 2 <= len(arguments) <= MAX_ALTERNATIVES:
            what = f"coalesce takes two to {MAX_ALTERNATIVES} values"
            raise self.error(spot.start, spot.end, what, "Write coalesce(column, 0).")
        first = arguments[0]
        typed = (first, *(self.same_type(first, argument)[1] for argument in arguments[1:]))
        return Call("coalesce", typed, first.type, spot)

    def _as_moment(self, value: Value, other: Value) -> Value:
        if other.type is not ValueType.MOMENT or not isinstance(value, Literal) or not isinstance(value.value, str):
            return value
        try:
            return replace(value, value=parse_instant(value.value), type=ValueType.MOMENT)
        except ComityError as error:
            raise self.error(value.spot.start, value.spot.end, error.what, error.remedy) from error

    def _near(self, word: str) -> str:
        close = get_close_matches(word, self.columns, n=3, cutoff=0.6)
        if word in FUNCTIONS:
            return f"{word} is a function; write {word}(…)."
        if close:
            return f"Did you mean {' or '.join(close)}?"
        return "Text stands between single quotes; columns are listed in the guide to rules."
