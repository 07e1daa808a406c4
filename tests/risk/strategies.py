"""Random rules and facts, and two printers: the rule language itself, and SQLite's SQL as an independent oracle."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from comity.common import show_instant
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
)

SCHEMA = {
    "t1": "text",
    "t2": "text",
    "t3": "text",
    "n1": "number",
    "n2": "number",
    "n3": "integer",
    "b1": "boolean",
    "b2": "boolean",
    "m1": "moment",
    "m2": "moment",
}
TEXT, NUMBER, BOOLEAN, MOMENT = ValueType.TEXT, ValueType.NUMBER, ValueType.BOOLEAN, ValueType.MOMENT
COLUMNS = {TEXT: ("t1", "t2", "t3"), NUMBER: ("n1", "n2", "n3"), BOOLEAN: ("b1", "b2"), MOMENT: ("m1", "m2")}

# A small alphabet makes hits likely; the rest is what breaks naive code: quotes, accents, other scripts, signs of LIKE.
texts = st.one_of(
    st.text(alphabet="ab", max_size=3),
    st.sampled_from(
        ["", "85", "8517", "851712", "O'Brien", "50%", "a_b", "École", "ÅNGSTRÖM", "мука", "木材", "ß", "😀"]
    ),
    st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=6),
)
numbers = st.one_of(
    st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, 100.0]),
    st.integers(-1000, 1000).map(float),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3)),
)
moments = st.sampled_from([datetime(2026, month, 1, 8, second, tzinfo=UTC) for month in (1, 3) for second in (0, 1)])
PLAIN = {TEXT: texts, NUMBER: numbers, BOOLEAN: st.booleans(), MOMENT: moments}

facts = st.fixed_dictionaries(
    {name: st.none() | PLAIN[type_] for type_, names in COLUMNS.items() for name in names}
).map(lambda row: row | {"n3": None if row["n3"] is None else int(row["n3"])})


def literals(type_: ValueType) -> st.SearchStrategy[Literal]:
    # A minus before a number is an operator in the grammar: negative constants are Negative(Literal).
    plain = PLAIN[type_].map(abs) if type_ is NUMBER else PLAIN[type_]
    return plain.map(lambda value: Literal(value, type_))


def columns(type_: ValueType) -> st.SearchStrategy[Column]:
    return st.sampled_from(COLUMNS[type_]).map(lambda name: Column(name, type_))


def values(type_: ValueType, depth: int) -> st.SearchStrategy[Value]:
    leaves = columns(type_) | columns(type_) | literals(type_)
    if type_ is MOMENT:
        leaves = columns(type_)  # a text constant becomes a moment only beside a moment
    if depth == 0:
        return leaves
    inner = values(type_, depth - 1)
    more = [st.lists(inner, min_size=2, max_size=3).map(lambda a: Call("coalesce", tuple(a), type_))]
    if type_ is TEXT:
        more.append(st.builds(lambda name, a: Call(name, (a,), TEXT), st.sampled_from(["lower", "upper"]), inner))
    if type_ is NUMBER:
        more += [
            st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner),
            st.builds(Negative, inner),
            inner.map(lambda a: Call("abs", (a,), NUMBER)),
            values(TEXT, depth - 1).map(lambda a: Call("length", (a,), NUMBER)),
        ]
    return st.one_of(leaves, *more)


def tests_of(depth: int) -> st.SearchStrategy[Condition]:
    any_type = st.sampled_from([TEXT, NUMBER, MOMENT])
    signs = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])

    def bounds(type_: ValueType) -> st.SearchStrategy[Value]:
        return values(type_, depth) | literals(type_)

    return st.one_of(
        any_type.flatmap(lambda t: st.builds(Compare, signs, values(t, depth), bounds(t))),
        st.builds(Compare, st.sampled_from(["=", "<>"]), values(BOOLEAN, depth), values(BOOLEAN, depth)),
        any_type.flatmap(
            lambda t: st.builds(Member, values(t, depth), st.lists(literals(t), min_size=1, max_size=4).map(tuple))
        ),
        any_type.flatmap(lambda t: st.builds(Between, values(t, depth), bounds(t), bounds(t))),
        st.sampled_from(list(COLUMNS)).flatmap(lambda t: st.builds(IsNull, values(t, depth))),
        st.builds(TextTest, st.sampled_from(["starts_with", "contains"]), values(TEXT, depth), values(TEXT, depth)),
        st.builds(IsTrue, values(BOOLEAN, depth)),
    )


def conditions(depth: int = 3) -> st.SearchStrategy[Condition]:
    leaves = tests_of(2)
    if depth == 0:
        return leaves
    inner = conditions(depth - 1)
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        leaves,
        several.map(lambda parts: And(tuple(parts))),
        several.map(lambda parts: Or(tuple(parts))),
        inner.map(Not),
    )


# Rules as officers write them: a few demands that an index can use, and something more.
demands = st.one_of(
    st.builds(Compare, st.just("="), columns(TEXT), literals(TEXT)),
    st.builds(Compare, st.just("="), literals(TEXT), columns(TEXT)),
    st.builds(Compare, st.just("="), columns(NUMBER), literals(NUMBER)),
    st.builds(Member, columns(TEXT), st.lists(literals(TEXT), min_size=1, max_size=4).map(tuple)),
    st.builds(TextTest, st.just("starts_with"), columns(TEXT), literals(TEXT)),
)
indexable = st.one_of(
    conditions(2),
    demands,
    st.lists(demands | tests_of(1), min_size=2, max_size=4).map(lambda parts: And(tuple(parts))),
)


def show(node: Node) -> str:
    """The node in the rule language, with every bracket."""
    match node:
        case Column(name=name):
            return name
        case Literal(value=bool() as value):
            return "TRUE" if value else "FALSE"
        case Literal(value=str() as value):
            return _quoted(value)
        case Literal(value=datetime() as value):
            return _quoted(show_instant(value))
        case Literal(value=value):
            return repr(value)
        case Negative(operand=operand):
            return f"(- {show(operand)})"
        case Arithmetic(operator=sign, left=left, right=right) | Compare(operator=sign, left=left, right=right):
            return f"({show(left)} {sign} {show(right)})"
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(map(show, arguments))})"
        case Member(value=value, choices=choices):
            return f"({show(value)} IN ({', '.join(map(show, choices))}))"
        case Between(value=value, low=low, high=high):
            return f"({show(value)} BETWEEN {show(low)} AND {show(high)})"
        case IsNull(value=value):
            return f"({show(value)} IS NULL)"
        case TextTest(name=name, text=text, part=part):
            return f"{name}({show(text)}, {show(part)})"
        case IsTrue(value=value):
            return show(value)
        case And(parts=parts):
            return f"({' AND '.join(map(show, parts))})"
        case Or(parts=parts):
            return f"({' OR '.join(map(show, parts))})"
        case Not(part=part):
            return f"(NOT {show(part)})"


def sql(node: Node) -> str:
    """The node in SQLite's SQL. Booleans are 0 and 1, moments texts of one length; lower and upper are Python's."""
    match node:
        case Literal(value=bool() as value):
            return "1" if value else "0"
        case Literal(value=datetime() as value):
            return _quoted(moment_text(value))
        case Column() | Literal():
            return show(node)
        case Negative(operand=operand):
            return f"(- {sql(operand)})"
        case Arithmetic(operator=sign, left=left, right=right) | Compare(operator=sign, left=left, right=right):
            return f"({sql(left)} {sign} {sql(right)})"
        case Call(name="lower" | "upper" as name, arguments=arguments):
            return f"python_{name}({sql(arguments[0])})"
        case Call(name=name, arguments=arguments):
            return f"{name}({', '.join(map(sql, arguments))})"
        case Member(value=value, choices=choices):
            return f"({sql(value)} IN ({', '.join(map(sql, choices))}))"
        case Between(value=value, low=low, high=high):
            return f"({sql(value)} BETWEEN {sql(low)} AND {sql(high)})"
        case IsNull(value=value):
            return f"({sql(value)} IS NULL)"
        case TextTest(name="starts_with", text=text, part=part):
            return f"(substr({sql(text)}, 1, length({sql(part)})) = {sql(part)})"
        case TextTest(text=text, part=part):
            return f"(instr({sql(text)}, {sql(part)}) > 0)"
        case IsTrue(value=value):
            return f"({sql(value)} = 1)"
        case And(parts=parts):
            return f"({' AND '.join(map(sql, parts))})"
        case Or(parts=parts):
            return f"({' OR '.join(map(sql, parts))})"
        case Not(part=part):
            return f"(NOT {sql(part)})"


def moment_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
