"""From a typed tree to Python source. Only generated names reach the source; constants and columns come by number.

Three-valued logic is compiled away: each condition has a form that holds exactly when it is true and one that holds
exactly when it is false. A value is a list of guards (all hold exactly when the value is not NULL; they bind
temporaries on the way) and the text of the value itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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

_SIGNS = {"=": "==", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_CONTRARY = {"=": "!=", "<>": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


@dataclass(slots=True)
class Emitter:
    """Writes the source of conditions over a row; slots: column -> its place in the row."""

    slots: dict[str, int]
    constants: dict[str, object] = field(default_factory=dict)
    _temporaries: int = 0

    def constant(self, value: object) -> str:
        """The generated name of a constant."""
        name = f"k{len(self.constants)}"
        self.constants[name] = value
        return name

    def is_true(self, node: Condition) -> str:
        """Python that is truthy exactly where the condition is true."""
        match node:
            case And(parts=parts):
                return _joined(" and ", [self.is_true(part) for part in parts])
            case Or(parts=parts):
                return _joined(" or ", [self.is_true(part) for part in parts])
            case Not(part=part):
                return self.is_false(part)
            case IsNull(value=value):
                guards, _ = self._value(value)
                return f"not {_joined(' and ', guards)}" if guards else "False"
            case Between(value=value, low=low, high=high):
                guards, (middle, bottom, top) = self._values(value, low, high)
                return _joined(" and ", [*guards, f"{bottom} <= {middle} <= {top}"])
            case _:
                return self._atom(node, is_positive=True)

    def is_false(self, node: Condition) -> str:
        """Python that is truthy exactly where the condition is false (not where it is NULL)."""
        match node:
            case And(parts=parts):
                return _joined(" or ", [self.is_false(part) for part in parts])
            case Or(parts=parts):
                return _joined(" and ", [self.is_false(part) for part in parts])
            case Not(part=part):
                return self.is_true(part)
            case IsNull(value=value):
                return _joined(" and ", self._value(value)[0] or ["True"])
            case Between(value=value, low=low, high=high):
                guards, middle = self._value(value)
                below_guards, bottom = self._value(low)
                above_guards, top = self._value(high)
                below = _joined(" and ", [*below_guards, f"{middle} < {bottom}"])
                above = _joined(" and ", [*above_guards, f"{middle} > {top}"])
                return _joined(" and ", [*guards, f"({below} or {above})"])
            case _:
                return self._atom(node, is_positive=False)

    def _atom(self, node: Condition, *, is_positive: bool) -> str:
        match node:
            case Compare(operator=operator, left=left, right=right):
                guards, (a, b) = self._values(left, right)
                test = f"{a} {(_SIGNS if is_positive else _CONTRARY)[operator]} {b}"
            case Member(value=value, choices=choices):
                guards, inner = self._value(value)
                among = self.constant(frozenset(choice.value for choice in choices))
                test = f"{inner} {'in' if is_positive else 'not in'} {among}"
            case TextTest(name="starts_with", text=text, part=part):
                guards, (a, b) = self._values(text, part)
                test = f"{'' if is_positive else 'not '}{a}.startswith({b})"
            case TextTest(text=text, part=part):
                guards, (a, b) = self._values(text, part)
                test = f"{b} {'in' if is_positive else 'not in'} {a}"
            case IsTrue(value=value):
                guards, inner = self._value(value)
                test = inner if is_positive else f"not {inner}"
            case _:  # pragma: no cover - the other conditions are written by is_true and is_false
                raise AssertionError(node)
        return _joined(" and ", [*guards, test])

    def _values(self, *nodes: Value) -> tuple[list[str], list[str]]:
        written = [self._value(node) for node in nodes]
        return [guard for guards, _ in written for guard in guards], [text for _, text in written]

    def _value(self, node: Value) -> tuple[list[str], str]:
        match node:
            case Column(name=name):
                local = f"c{self.slots[name]}"
                return [f"{local} is not None"], local
            case Literal(value=value):
                return [], self.constant(value)
            case Negative(operand=operand):
                guards, inner = self._value(operand)
                return guards, f"(-{inner})"
            case Arithmetic():
                return self._arithmetic(node)
            case Call():
                return self._call(node)

    def _arithmetic(self, node: Arithmetic) -> tuple[list[str], str]:
        guards, (left, right) = self._values(node.left, node.right)
        if node.operator == "/":
            guards.append(f"{right} != 0")
        result = self._temporary()
        guards.append(f"isfinite({result} := {left} {node.operator} {right})")
        return guards, result

    def _call(self, node: Call) -> tuple[list[str], str]:
        if node.name == "coalesce":
            return self._coalesce(node)
        guards, inner = self._value(node.arguments[0])
        forms = {
            "abs": f"abs({inner})",
            "lower": f"{inner}.lower()",
            "upper": f"{inner}.upper()",
            "length": f"float(len({inner}))",
        }
        return guards, forms[node.name]

    def _coalesce(self, node: Call) -> tuple[list[str], str]:
        choice = "None"
        for argument in reversed(node.arguments):
            guards, inner = self._value(argument)
            choice = f"({inner} if {_joined(' and ', guards)} else {choice})" if guards else inner
        result = self._temporary()
        return [f"({result} := {choice}) is not None"], result

    def _temporary(self) -> str:
        self._temporaries += 1
        return f"t{self._temporaries}"


def _joined(word: str, parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({word.join(parts)})"
