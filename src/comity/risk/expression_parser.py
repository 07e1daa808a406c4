"""The grammar of a rule: a hand-written parser by descent.

or    := and (OR and)*
and   := not (AND not)*
not   := NOT not | test
test  := sum [sign sum | [NOT] IN (constant, …) | [NOT] BETWEEN sum AND sum | IS [NOT] NULL]
sum   := product (+|- product)*      product := unary (*|/ unary)*      unary := - unary | atom
atom  := number | 'text' | TRUE | FALSE | column | function(sum, …) | (or)
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.risk.errors import RuleError
from comity.risk.expression_tokens import KEYWORDS, Token, TokenKind, tokenize
from comity.risk.expression_tree import (
    And,
    Arithmetic,
    Condition,
    Literal,
    Negative,
    Node,
    Not,
    Or,
    Rule,
    ValueType,
    columns_of,
)
from comity.risk.expression_types import MAX_DEPTH, Typer, column_types

_PATTERNS = frozenset({"like", "ilike", "similar", "regexp", "glob", "match"})
_SIGNS = frozenset({"=", "<>", "<", "<=", ">", ">="})


def parse_rule(text: str, schema: Mapping[str, str]) -> Rule:
    """Read a rule against a schema (column -> text, number, integer, boolean or moment).

    Raises: RuleError with line, column, a drawing of the place and what to write instead.
    """
    return _Parser(text, Typer(text, column_types(schema))).rule()


class _Parser:
    """Walks the tokens of one rule once."""

    def __init__(self, text: str, typer: Typer) -> None:
        self._text = text
        self._typer = typer
        self._tokens = tokenize(text)
        self._place = 0
        self._nesting = 0

    def rule(self) -> Rule:
        if self._is_at_end():
            raise self._typer.error(0, 1, "The rule is empty", "Write a condition, for example: origin = 'XA'")
        condition = self._typer.condition(self._or())
        if not self._is_at_end():
            raise self._unexpected()
        return Rule(self._text, condition, columns_of(condition))

    # --- tokens

    @property
    def _token(self) -> Token:
        return self._tokens[self._place]

    def _is_at_end(self) -> bool:
        return self._token.kind is TokenKind.END

    def _take(self) -> Token:
        token = self._token
        self._place += 1
        return token

    def _is_next(self, *words: str) -> bool:
        token = self._token
        return token.word in words and (token.kind is TokenKind.KEYWORD or token.kind is TokenKind.SIGN)

    def _expect(self, word: str, remedy: str) -> Token:
        if not self._is_next(word):
            raise self._typer.error(self._token.start, self._token.end, f"{word} is missing here", remedy)
        return self._take()

    def _enter(self) -> None:
        self._nesting += 1
        if self._nesting > MAX_DEPTH:
            token = self._token
            raise self._typer.error(
                token.start,
                token.end,
                f"More than {MAX_DEPTH} brackets, NOTs or minus signs stand inside one another",
                "Split the rule into several profiles.",
            )

    def _is_pattern(self) -> bool:
        return self._token.kind is TokenKind.NAME and self._token.word in _PATTERNS

    def _unexpected(self) -> RuleError:
        token, before = self._token, self._tokens[self._place - 1]
        remedy = "Join conditions with AND or OR."
        if token.word in _SIGNS:
            remedy = "Compare twice and join with AND, or write a BETWEEN low AND high."
        elif token.word == "," and before.kind is TokenKind.NUMBER:
            remedy = "Write decimal numbers with a point: 5.00"
        elif token.word == ")":
            remedy = "There is no opening bracket for it."
        elif self._is_pattern():
            remedy = "Write starts_with(column, 'text') or contains(column, 'text')."
        return self._typer.error(token.start, token.end, f"{token.word!r} is not expected here", remedy)

    # --- conditions

    def _or(self) -> Node:
        first = self._and()
        if not self._is_next("OR"):
            return first
        parts = [self._typer.condition(first)]
        while self._is_next("OR"):
            self._take()
            parts.append(self._typer.condition(self._and()))
        return Or(tuple(parts), self._typer.spot(parts[0].spot.start, parts[-1].spot.end, *parts))

    def _and(self) -> Node:
        first = self._not()
        if not self._is_next("AND"):
            return first
        parts = [self._typer.condition(first)]
        while self._is_next("AND"):
            self._take()
            parts.append(self._typer.condition(self._not()))
        return And(tuple(parts), self._typer.spot(parts[0].spot.start, parts[-1].spot.end, *parts))

    def _not(self) -> Node:
        if not self._is_next("NOT"):
            return self._test()
        start = self._take().start
        self._enter()
        part = self._typer.condition(self._not())
        self._nesting -= 1
        return Not(part, self._typer.spot(start, part.spot.end, part))

    def _test(self) -> Node:
        left = self._sum()
        if self._is_next(*_SIGNS):
            sign = self._take()
            if self._is_next("NULL"):
                null = self._token
                raise self._typer.error(sign.start, null.end, "Nothing equals NULL", "Write IS NULL or IS NOT NULL.")
            return self._typer.compare(sign, left, self._sum())
        if self._is_next("IS"):
            return self._is(left)
        if self._is_next("NOT", "IN", "BETWEEN"):
            return self._in_or_between(left)
        if self._is_pattern():
            raise self._unexpected()
        return left

    def _is(self, left: Node) -> Node:
        self._take()
        is_negated = self._is_next("NOT")
        if is_negated:
            self._take()
        end = self._expect("NULL", "Write IS NULL or IS NOT NULL; for true and false write = TRUE.").end
        test = self._typer.is_null(left, end)
        return self._negated(test) if is_negated else test

    def _in_or_between(self, left: Node) -> Node:
        is_negated = self._is_next("NOT")
        if is_negated:
            self._take()
        if self._is_pattern():
            raise self._unexpected()
        value = self._typer.value(left, "before IN or BETWEEN")
        test: Condition
        if self._is_next("BETWEEN"):
            self._take()
            low = self._typer.value(self._sum(), "after BETWEEN")
            self._expect("AND", "Write BETWEEN low AND high.")
            test = self._typer.between(value, low, self._typer.value(self._sum(), "after BETWEEN"))
        else:
            self._expect("IN", "Write NOT IN (…) or NOT BETWEEN … AND ….")
            self._expect("(", "Write IN ('XA', 'XB').")
            choices = [self._constant()]
            while self._is_next(","):
                self._take()
                choices.append(self._constant())
            end = self._expect(")", "Close the list of IN; constants stand between commas.").end
            test = self._typer.member(value, choices, end)
        return self._negated(test) if is_negated else test

    def _negated(self, test: Condition) -> Not:
        return Not(test, self._typer.spot(test.spot.start, test.spot.end, test))

    def _constant(self) -> Literal:
        token = self._token
        node = None if self._is_at_end() or self._is_next(")") else self._unary()
        if isinstance(node, Literal):
            return node
        if isinstance(node, Negative) and isinstance(node.operand, Literal) and isinstance(node.operand.value, float):
            return Literal(-node.operand.value, ValueType.NUMBER, node.spot)
        raise self._typer.error(token.start, token.end, "Only constants can stand in a list", "Write IN ('XA', 'XB').")

    # --- values

    def _sum(self) -> Node:
        left = self._product()
        while self._is_next("+", "-"):
            left = self._arithmetic(self._take(), left, self._product())
        return left

    def _product(self) -> Node:
        left = self._unary()
        while self._is_next("*", "/"):
            left = self._arithmetic(self._take(), left, self._unary())
        return left

    def _arithmetic(self, sign: Token, left_node: Node, right_node: Node) -> Node:
        left, right = self._typer.numeric(left_node), self._typer.numeric(right_node)
        return Arithmetic(sign.word, left, right, self._typer.spot(left.spot.start, right.spot.end, left, right))

    def _unary(self) -> Node:
        if not self._is_next("-"):
            return self._atom()
        start = self._take().start
        self._enter()
        operand = self._typer.numeric(self._unary())
        self._nesting -= 1
        return Negative(operand, self._typer.spot(start, operand.spot.end, operand))

    def _atom(self) -> Node:
        token = self._token
        if token.kind is TokenKind.NUMBER:
            return self._typer.number(self._take())
        if token.kind is TokenKind.TEXT:
            self._take()
            return Literal(token.word, ValueType.TEXT, self._typer.spot(token.start, token.end))
        if self._is_next("TRUE", "FALSE"):
            self._take()
            return Literal(token.word == "TRUE", ValueType.BOOLEAN, self._typer.spot(token.start, token.end))
        if token.kind is TokenKind.NAME:
            return self._name()
        if self._is_next("("):
            return self._bracket()
        raise self._nothing()

    def _nothing(self) -> RuleError:
        token = self._token
        if token.kind is TokenKind.END:
            return self._typer.error(
                token.start, token.end + 1, "The rule ends too early", "Write a column or a constant."
            )
        remedy = "Write a column or a constant."
        if token.word == "NULL":
            remedy = "NULL can only stand in IS NULL and IS NOT NULL."
        elif token.word in KEYWORDS:
            remedy = f"{token.word} stands between two conditions or after a value."
        return self._typer.error(token.start, token.end, f"{token.word!r} is not expected here", remedy)

    def _name(self) -> Node:
        name = self._take()
        if not self._is_next("("):
            return self._typer.column(name)
        self._enter()
        self._take()
        arguments: list[Node] = []
        while not self._is_next(")"):
            arguments.append(self._or())
            if not self._is_next(","):
                break
            self._take()
        end = self._expect(")", f"Close the bracket of {name.word}.").end
        self._nesting -= 1
        return self._typer.call(name, arguments, end)

    def _bracket(self) -> Node:
        self._take()
        self._enter()
        inside = self._or()
        self._expect(")", "Every opening bracket needs a closing one.")
        self._nesting -= 1
        return inside
