"""Many rules on one row: a predicate index, and one generated function for each group of rules.

A rule that demands `column = constant`, `column IN (constants)` or `starts_with(column, constant)` beside its other
conditions is filed under those constants. A row then runs the few rules filed under its own values, and the rules
that could not be filed. Which of several demands to file a rule under is measured on the rule set itself: the column
whose constants differ most among the rules splits them best.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from comity.risk.expression_code import Emitter
from comity.risk.expression_rows import RowReader
from comity.risk.expression_tree import (
    And,
    Call,
    Column,
    Compare,
    Condition,
    Literal,
    Member,
    Node,
    Or,
    Rule,
    TextTest,
    columns_of,
    values_of,
)
from comity.risk.expression_types import column_types

Row = tuple[object, ...]
Group = Callable[[Row, Callable[[int], None]], None]


@dataclass(frozen=True, slots=True)
class Demand:
    """A condition that a rule can be filed under. length: of the prefix; 0 where the whole value is compared."""

    part: Condition
    column: str
    length: int
    constants: frozenset[object]


class RuleSet:
    """Rules compiled together; `fired` answers which of them are true for a row of facts."""

    def __init__(self, rules: Sequence[Rule], schema: Mapping[str, str], *, is_indexed: bool = True) -> None:
        columns = frozenset[str]().union(*(rule.columns for rule in rules))
        self._reader = RowReader(columns, column_types(schema))
        groups = _file_rules(rules) if is_indexed else {_ALWAYS: _whole(rules)}
        functions = _compile(groups, self._reader.slots)
        self._always = functions.pop(_ALWAYS, None)
        probes: dict[tuple[int, int], dict[object, Group]] = defaultdict(dict)
        for (column, length, constant), function in functions.items():
            probes[self._reader.slots[column], length][constant] = function
        self._probes = [(slot, length, table) for (slot, length), table in probes.items()]

    def fired(self, facts: Mapping[str, object]) -> list[int]:
        """The places of the rules that are true for these facts, in order.

        Raises: FactError for a fact of another type than its column, NaN or infinity.
        """
        row = self._reader.read(facts)
        hits: list[int] = []
        hit = hits.append
        if self._always is not None:
            self._always(row, hit)
        for slot, length, table in self._probes:
            value = row[slot]
            function = table.get(value[:length] if length and isinstance(value, str) else value)
            if function is not None:
                function(row, hit)
        hits.sort()
        return hits


class CompiledRule:
    """One rule with both of its forms."""

    def __init__(self, rule: Rule, schema: Mapping[str, str]) -> None:
        self._reader = RowReader(rule.columns, column_types(schema))
        emitter = Emitter(self._reader.slots)
        forms = (emitter.is_true(rule.condition), emitter.is_false(rule.condition))
        columns = sorted(rule.columns)
        source = [_function(f"g{place}", columns, [(0, form)], emitter.slots) for place, form in enumerate(forms)]
        namespace = _run("\n".join(source), emitter.constants)
        self._is_true, self._is_false = namespace["g0"], namespace["g1"]

    def is_true(self, facts: Mapping[str, object]) -> bool:
        """True where the rule is true; false where it is false or NULL."""
        return _answers(self._is_true, self._reader.read(facts))

    def is_false(self, facts: Mapping[str, object]) -> bool:
        """True where the rule is false; false where it is true or NULL."""
        return _answers(self._is_false, self._reader.read(facts))


def _answers(function: Group, row: Row) -> bool:
    hits: list[int] = []
    function(row, hits.append)
    return bool(hits)


# A group is (column, length of the prefix, constant), or _ALWAYS for the rules that every row runs.
_Key = tuple[str, int, object]
_ALWAYS: _Key = ("", 0, None)
_Entry = tuple[int, Sequence[Condition]]


def _whole(rules: Sequence[Rule]) -> list[_Entry]:
    return [(place, parts_of(rule)) for place, rule in enumerate(rules)]


def parts_of(rule: Rule) -> Sequence[Condition]:
    """The conditions that must all be true for the rule to be."""
    return rule.condition.parts if isinstance(rule.condition, And) else (rule.condition,)


def _file_rules(rules: Sequence[Rule]) -> dict[_Key, list[_Entry]]:
    demands = [[demand for part in parts_of(rule) if (demand := demand_of(part))] for rule in rules]
    seen: dict[tuple[str, int], set[object]] = defaultdict(set)
    for of_rule in demands:
        for demand in of_rule:
            seen[demand.column, demand.length] |= demand.constants
    groups: dict[_Key, list[_Entry]] = defaultdict(list)
    for place, rule in enumerate(rules):
        best = min(demands[place], key=lambda d: len(d.constants) / len(seen[d.column, d.length]), default=None)
        if best is None:
            groups[_ALWAYS].append((place, parts_of(rule)))
            continue
        rest = tuple(part for part in parts_of(rule) if part is not best.part)
        for constant in best.constants:
            groups[best.column, best.length, constant].append((place, rest))
    return dict(groups)


def demand_of(part: Condition) -> Demand | None:
    """The demand that a condition is, or None."""
    match part:
        case Compare(operator="=", left=Column(name=name), right=Literal(value=value)):
            return Demand(part, name, 0, frozenset((value,)))
        case Compare(operator="=", left=Literal(value=value), right=Column(name=name)):
            return Demand(part, name, 0, frozenset((value,)))
        case Member(value=Column(name=name), choices=choices):
            return Demand(part, name, 0, frozenset(choice.value for choice in choices))
        case TextTest(name="starts_with", text=Column(name=name), part=Literal(value=str(value))) if value:
            return Demand(part, name, len(value), frozenset((value,)))
        case _:
            return None


def cost_of(node: Node) -> float:
    """What a condition costs, in about the time of one comparison."""
    own = 1.0
    if isinstance(node, Or):
        own = 3.0
    elif isinstance(node, TextTest) and node.name == "contains":
        own = 4.0
    elif isinstance(node, Call):
        own = 2.0
    return own + math.fsum(cost_of(child) for child in values_of(node) if not isinstance(child, Literal))


def _compile(groups: Mapping[_Key, Sequence[_Entry]], slots: dict[str, int]) -> dict[_Key, Group]:
    emitter = Emitter(slots)
    source, names = [], {}
    for number, (key, entries) in enumerate(groups.items()):
        used = frozenset[str]().union(*(columns_of(part) for _, parts in entries for part in parts))
        lines = []
        for place, parts in entries:
            # Only what is true counts, and no part can fail: the cheap parts may go first.
            tests = [emitter.is_true(part) for part in sorted(parts, key=cost_of)]
            lines.append((place, " and ".join(tests) or "True"))
        names[key] = f"g{number}"
        source.append(_function(f"g{number}", sorted(used), lines, slots))
    namespace = _run("\n".join(source), emitter.constants)
    return {key: namespace[name] for key, name in names.items()}


def _function(name: str, columns: Sequence[str], tests: Sequence[tuple[int, str]], slots: Mapping[str, int]) -> str:
    lines = [f"def {name}(row, hit):"]
    lines += [f" c{slots[column]} = row[{slots[column]}]" for column in columns]
    lines += [f" if {test}: hit({place})" for place, test in tests]
    return "\n".join(lines)


def _run(source: str, constants: Mapping[str, object]) -> dict[str, Group]:
    namespace: dict[str, object] = {**constants, "isfinite": math.isfinite, "__builtins__": {}}
    namespace |= {"abs": abs, "len": len, "float": float}
    # The source holds generated names and signs only: no letter of a rule's text reaches it (expression_code).
    exec(compile(source, "<rules>", "exec"), namespace)  # noqa: S102
    return {name: value for name, value in namespace.items() if name[0] == "g" and callable(value)}
