"""The rule language: a restricted boolean SQL expression over the facts of one goods item.

Read with `parse_rule`, run with `compile_rules` (many on one row) or `compile_rule` (one, both forms), put into words
with `comity.risk.wording`. The language is described for officers in docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comity.risk.errors import FactError, RuleError
from comity.risk.expression_index import CompiledRule, RuleSet
from comity.risk.expression_parser import parse_rule
from comity.risk.expression_tokens import MAX_LENGTH
from comity.risk.expression_tree import Rule, ValueType
from comity.risk.expression_types import FUNCTIONS, MAX_DEPTH

__all__ = [
    "FUNCTIONS",
    "MAX_DEPTH",
    "MAX_LENGTH",
    "CompiledRule",
    "FactError",
    "Rule",
    "RuleError",
    "RuleSet",
    "ValueType",
    "compile_rule",
    "compile_rules",
    "parse_rule",
]


def compile_rule(rule: Rule, schema: Mapping[str, str]) -> CompiledRule:
    """One rule, with its "is true" and "is false" forms."""
    return CompiledRule(rule, schema)


def compile_rules(rules: Sequence[Rule], schema: Mapping[str, str], *, is_indexed: bool = True) -> RuleSet:
    """Many rules, with a predicate index; without it every rule is run on every row."""
    return RuleSet(rules, schema, is_indexed=is_indexed)
