"""The rule language against SQLite, against its own reading, and against itself with and without the index."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from comity.risk.expression_reading import read_condition
from comity.risk.expression_tree import Condition, Not, columns_of
from comity.risk.expressions import RuleError, compile_rule, compile_rules, parse_rule
from comity.risk.wording import evidence_of
from tests.risk.strategies import SCHEMA, conditions, facts, indexable, moment_text, show, sql

many = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def bound(value: object) -> object:
    if isinstance(value, datetime):
        return moment_text(value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def ask_sqlite(node: Condition, row: Mapping[str, object]) -> bool | None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for name in ("lower", "upper"):
            connection.create_function(
                f"python_{name}", 1, lambda t, do=name: None if t is None else getattr(t, do)(), deterministic=True
            )
        named = ", ".join(f"? AS {name}" for name in row)
        found = connection.execute(f"SELECT {sql(node)} FROM (SELECT {named})", [bound(row[name]) for name in row])
        answer = found.fetchone()[0]
    return None if answer is None else bool(answer)


@many
@given(node=conditions(), row=facts)
def test_every_way_of_running_a_rule_agrees_with_sqlite(node: Condition, row: Mapping[str, object]):
    rule = parse_rule(show(node), SCHEMA)
    assert rule.condition == node
    assert rule.columns == columns_of(node)
    expected = ask_sqlite(node, row)
    event(str(expected))
    compiled = compile_rule(rule, SCHEMA)
    assert (compiled.is_true(row), compiled.is_false(row)) == (expected is True, expected is False)
    assert read_condition(node, row) is expected


@many
@given(node=conditions(2), row=facts)
def test_what_is_true_can_be_told_and_what_is_false_is_true_of_its_contrary(node: Condition, row: Mapping[str, object]):
    verdict = read_condition(node, row)
    if verdict is not None:
        told = parse_rule(show(node if verdict else Not(node)), SCHEMA)
        evidence = evidence_of(told, row)
        assert evidence
        assert all(entry.text for entry in evidence)


@many
@given(nodes=st.lists(indexable, min_size=1, max_size=12), rows=st.lists(facts, min_size=1, max_size=4))
def test_the_index_never_changes_what_fires(nodes: list[Condition], rows: list[Mapping[str, object]]):
    rules = [parse_rule(show(node), SCHEMA) for node in nodes]
    quick = compile_rules(rules, SCHEMA)
    plain = compile_rules(rules, SCHEMA, is_indexed=False)
    for row in rows:
        expected = [place for place, node in enumerate(nodes) if read_condition(node, row) is True]
        event(f"{len(expected)} of {len(nodes)} fire")
        assert quick.fired(row) == expected
        assert plain.fired(row) == expected


@many
@given(text=st.text(max_size=60) | st.text(alphabet="()'ab1.,<>=+-*/ ANDORT nottn1b", max_size=80))
def test_garbage_never_crashes_the_parser(text: str):
    with contextlib.suppress(RuleError):
        compile_rule(parse_rule(text, SCHEMA), SCHEMA)


@many
@given(text=st.text(alphabet="()'ab1.,<>=+-*/ \n\tANDORnt", max_size=80))
def test_a_refusal_points_into_the_text(text: str):
    try:
        parse_rule(text, SCHEMA)
    except RuleError as error:
        refusal = error
    else:
        return
    lines = text.split("\n")
    assert 1 <= refusal.line <= len(lines)
    assert 1 <= refusal.column <= len(lines[refusal.line - 1]) + 1
    assert refusal.show().split("\n")[1] == f"    {lines[refusal.line - 1]}"
    assert "^" in refusal.show().split("\n")[2]
