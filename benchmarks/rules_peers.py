"""Rules written in the languages of peers, for benchmarks: CEL and zen-engine.

Neither knows three-valued logic: every comparison is guarded against null, and NOT is taken apart into the form that
is true exactly where the inner condition is false.
"""

from __future__ import annotations

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
    Not,
    Or,
    TextTest,
    Value,
    columns_of,
)

_CONTRARY = {"=": "!=", "<>": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_SIGNS = {"=": "==", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_WORDS = {"cel": (" && ", " || ", "!"), "zen": (" and ", " or ", "not ")}


def written(node: Condition, language: str, *, is_true: bool = True) -> str:
    """An expression that is true exactly where the condition is true (or, asked so, false). language: cel or zen."""
    both, either, _ = _WORDS[language]
    match node:
        case And(parts=parts) | Or(parts=parts):
            word = both if isinstance(node, And) == is_true else either
            return "(" + word.join(written(part, language, is_true=is_true) for part in parts) + ")"
        case Not(part=part):
            return written(part, language, is_true=not is_true)
        case IsNull(value=value):
            return _missing(value, language, is_true=is_true)
        case Between(value=value, low=low, high=high):
            bounds = (Compare(">=", value, low), Compare("<=", value, high))
            return written(And(bounds), language, is_true=is_true)
        case _:
            return "(" + both.join([*_guards(node, language), _atom(node, language, is_true=is_true)]) + ")"


def _guards(node: Condition, language: str) -> list[str]:
    names = sorted(columns_of(node))
    guards = [f"has(f.{name})" if language == "cel" else f"{name} != null" for name in names]
    stack: list[object] = [node]
    while stack:
        inner = stack.pop()
        if isinstance(inner, Arithmetic):
            stack += [inner.left, inner.right]
            if inner.operator == "/":
                guards.append(f"{_value(inner.right, language)} != {_number(0.0, language)}")
        elif isinstance(inner, Compare):
            stack += [inner.left, inner.right]
        elif isinstance(inner, Call):
            stack += inner.arguments
    return guards


def _missing(value: Value, language: str, *, is_true: bool) -> str:
    shown = _value(value, language)
    if language == "cel":  # a fact that is missing is left out of the map
        return f"{'!' if is_true else ''}has({shown})"
    return f"({shown} {'==' if is_true else '!='} null)"


def _atom(node: Condition, language: str, *, is_true: bool) -> str:
    negation = "" if is_true else _WORDS[language][2]
    match node:
        case Compare(operator=sign, left=left, right=right):
            shown = (_SIGNS if is_true else _CONTRARY)[sign]
            return f"{_value(left, language)} {shown} {_value(right, language)}"
        case Member(value=value, choices=choices):
            listed = ", ".join(_value(choice, language) for choice in choices)
            return f"{negation}({_value(value, language)} in [{listed}])"
        case TextTest(name=name, text=text, part=part):
            whole, piece = _value(text, language), _value(part, language)
            called = "startsWith" if name == "starts_with" else "contains"
            return (
                f"{negation}{called}({whole}, {piece})" if language == "zen" else f"{negation}{whole}.{called}({piece})"
            )
        case IsTrue(value=value):
            return f"{_value(value, language)} == {'true' if is_true else 'false'}"
        case _:
            raise ValueError(node)


def _value(node: Value, language: str) -> str:
    match node:
        case Column(name=name):
            return f"f.{name}" if language == "cel" else name
        case Literal(value=str() as text):
            return f"'{text}'"
        case Literal(value=float() as number):
            return _number(number, language)
        case Arithmetic(operator=sign, left=left, right=right):
            return f"({_value(left, language)} {sign} {_value(right, language)})"
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(_value(argument, language) for argument in arguments)})"
        case _:
            raise ValueError(node)


def _number(number: float, language: str) -> str:
    return repr(number) if language == "cel" or number != int(number) else str(int(number))
