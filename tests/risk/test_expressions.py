"""The rule language by example: what it accepts, what it refuses and what it then says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from comity.risk.expressions import (
    MAX_LENGTH,
    FactError,
    RuleError,
    compile_rule,
    compile_rules,
    parse_rule,
)
from comity.trade.facts import FACT_TYPES

SCHEMA = {
    "hs_code": "text",
    "origin": "text",
    "price": "number",
    "packages": "integer",
    "aeo": "boolean",
    "at": "moment",
}
ROW = {"hs_code": "851712", "origin": "XA", "price": 4.5, "packages": 3, "aeo": False}


def is_true(text: str, **facts: object) -> bool:
    return compile_rule(parse_rule(text, SCHEMA), SCHEMA).is_true(ROW | facts)


def is_false(text: str, **facts: object) -> bool:
    return compile_rule(parse_rule(text, SCHEMA), SCHEMA).is_false(ROW | facts)


@pytest.mark.parametrize(
    "text",
    [
        "hs_code = '851712'",
        "HS_CODE = '851712' and Origin In ('XA', 'XB')",
        "starts_with(hs_code, '85') AND NOT contains(hs_code, '99')",
        "price BETWEEN 4 AND 5",
        "price NOT BETWEEN 5 AND 6",
        "origin NOT IN ('XB')",
        "origin <> 'XB' OR price > 100",
        "price * packages = 13.5",
        "price / packages < 2",
        "-price < 0 AND abs(-price) = 4.5",
        "packages IN (1, 2, 3, -4)",
        "length(lower(upper(hs_code))) = 6",
        "coalesce(at, '2026-01-01T00:00:00Z') < '2026-01-02T00:00:00+00:00'",
        "at IS NULL",
        "hs_code IS NOT NULL",
        "NOT aeo",
        "aeo = FALSE",
        "TRUE",
        "'XA' = origin",
        "1.5e0 < price",
        ".5 < price AND 2. < price",
        "1 + 2 * 3 = 7 AND (1 + 2) * 3 = 9 AND 10 - 4 - 3 = 3 AND 16 / 4 / 2 = 2",
        "price > 100 OR price > 1 AND origin = 'XA'",
        "NOT price > 100 AND origin = 'XA'",
        "price\n\t>\r\n1",
    ],
)
def test_what_is_true(text: str):
    assert is_true(text)
    assert not is_false(text)


@pytest.mark.parametrize(
    "text",
    ["at > '2026-01-01T00:00:00Z'", "price / 0 > 1", "price / (packages - 3) > 1", "NOT (price / 0 > 1)",
     "price * 1e308 * 1e308 > 1", "1e308 * 10 - 1e308 * 10 = 0", "price > 1 AND at > '2026-01-01T00:00:00Z'",
     "price > 100 OR price / 0 = 1", "abs(1 / 0) > 0", "length(coalesce(lower(hs_code), origin)) / 0 > 0"],
)  # fmt: skip
def test_null_is_neither_true_nor_false(text: str):
    assert not is_true(text)
    assert not is_false(text)


def test_null_in_text_and_boolean_columns():
    assert not is_true("contains(origin, 'X')", origin=None)
    assert not is_false("contains(origin, 'X')", origin=None)
    assert not is_true("NOT aeo", aeo=None)
    assert is_true("coalesce(aeo, TRUE)", aeo=None)
    assert is_true("price / 0 IS NULL")
    assert is_false("price IS NULL")
    assert is_false("1 IS NULL")
    assert not is_true("1 IS NULL")
    assert is_true("coalesce(price / 0, 7) = 7")


def test_false_forms():
    assert is_false("price BETWEEN 5 AND 6")
    assert is_false("price BETWEEN 5 AND 1 / 0")
    assert not is_false("price BETWEEN 4 AND 1 / 0")
    assert is_false("starts_with(hs_code, '86')")
    assert is_false("contains(hs_code, '9')")
    assert is_false("aeo")
    assert is_false("NOT (origin = 'XA')")
    assert is_false("price > 1 AND price > 5 AND at IS NULL")
    assert is_false("price > 6 OR price > 5")


REFUSALS = [
    ("orign = 'XA'", "no column 'orign'", "Did you mean origin?", (1, 1)),
    ("zzz = 'XA'", "no column 'zzz'", "single quotes", (1, 1)),
    ("price > 1 AND\n  orign = 'XA'", "no column", "origin", (2, 3)),
    ("length > 3", "no column 'length'", "is a function", (1, 1)),
    ("low(origin) = 'x'", "no function 'low'", "Did you mean lower?", (1, 1)),
    ("frobnicate(origin) = 'x'", "no function", "Functions are", (1, 1)),
    ("price < 5,00", "',' is not expected", "5.00", (1, 10)),
    ("hs_code = 8517", "One side is text, the other is a number", "'8517'", (1, 1)),
    ("price = '5'", "One side is a number, the other is text", "without quotes", (1, 1)),
    ("price = origin", "One side is a number, the other is text", "one type", (1, 1)),
    ("aeo = 'yes'", "One side is true or false", "one type", (1, 1)),
    ("price", "This is a number, not a condition", "price > 0", (1, 1)),
    ("origin AND aeo", "This is text, not a condition", "origin = 'text'", (1, 1)),
    ("at", "This is a date and time", "at > '2026", (1, 1)),
    ("price == 1", "'=='", "Write =.", (1, 7)),
    ("price != 1", "'!='", "Write <>.", (1, 7)),
    ("aeo && aeo", "'&&'", "AND", (1, 5)),
    ("aeo || aeo", "'||'", "OR", (1, 5)),
    ("!aeo", "'!'", "NOT", (1, 1)),
    ("price > 1 -- cheap", "'--'", "Comments", (1, 11)),
    ("price > 1;", "';'", "semicolon", (1, 10)),
    ('origin = "XA"', "'\"'", "single quotes", (1, 10)),
    ("origin = ‘XA’", "‘", "single quotes", (1, 10)),
    ("price ≤ 5", "≤", "<=", (1, 7)),
    ("price # 5", "'#'", "Use columns", (1, 7)),
    ("origin LIKE 'X%'", "'like'", "starts_with", (1, 8)),
    ("origin NOT LIKE 'X%'", "'like'", "starts_with", (1, 12)),
    ("origin NOT 'XA'", "IN is missing", "NOT IN", (1, 12)),
    ("origin = 'XA", "not closed", "single quote", (1, 10)),
    ("5kg > 1", "runs into letters", "space", (1, 1)),
    ("1.2.3 > 1", "runs into letters", "space", (1, 1)),
    ("1 < price < 3", "'<' is not expected", "BETWEEN", (1, 11)),
    ("price = NULL", "Nothing equals NULL", "IS NULL", (1, 7)),
    ("NULL", "'NULL' is not expected", "IS NULL", (1, 1)),
    ("price IS 3", "NULL is missing", "= TRUE", (1, 10)),
    ("price BETWEEN 3", "AND is missing", "BETWEEN low AND high", (1, 16)),
    ("price BETWEEN 'a' AND 'b'", "One side is a number", "without quotes", (1, 1)),
    ("aeo BETWEEN TRUE AND FALSE", "no order", "= TRUE", (1, 1)),
    ("aeo > FALSE", "no order", "= or <>", (1, 5)),
    ("price IN ()", "Only constants", "IN ('XA'", (1, 11)) ,
    ("price IN (packages)", "Only constants", "IN", (1, 11)),
    ("price IN (1, 'a')", "One side is a number", "without quotes", (1, 1)),
    ("price IN (", "Only constants", "IN", (1, 11)),
    ("price IN (1 2)", ") is missing", "commas", (1, 13)),
    ("price IN 1", "( is missing", "IN ('XA'", (1, 10)),
    ("(price > 1", ") is missing", "closing", (1, 11)),
    ("price > 1)", "')' is not expected", "opening", (1, 10)),
    ("price > 1 price > 2", "'price' is not expected", "AND or OR", (1, 11)),
    ("price >", "ends too early", "column", (1, 8)),
    ("", "empty", "origin = 'XA'", (1, 1)),
    ("   ", "empty", "origin", (1, 1)),
    ("AND price > 1", "'AND' is not expected", "between two conditions", (1, 1)),
    ("* 2 > 1", "'*' is not expected", "column", (1, 1)),
    ("price > 1e999", "too large", "1.7e308", (1, 9)),
    ("(price > 1) = TRUE", "cannot stand in a comparison", "AND, OR and NOT", (1, 2)),
    ("(price > 1) + 1 > 2", "cannot stand in a calculation", "AND, OR", (1, 2)),
    ("(price > 1) IS NULL", "cannot stand before IS NULL", "AND, OR", (1, 2)),
    ("(price > 1) IN (TRUE)", "cannot stand before IN", "AND, OR", (1, 2)),
    ("abs(price > 1) > 1", "cannot stand as an argument", "AND, OR", (1, 5)),
    ("origin + 1 > 2", "Only numbers", "number", (1, 1)),
    ("-origin = 'x'", "Only numbers", "number", (1, 2)),
    ("lower(price) = 'x'", "lower wants text", "text", (1, 7)),
    ("abs(price, 2) > 1", "abs takes 1, not 2", "abs(column)", (1, 1)),
    ("starts_with(origin)", "starts_with takes 2", "'part'", (1, 1)),
    ("abs() > 1", "abs takes 1, not 0", "abs(column)", (1, 1)),
    ("abs(price > 1", ") is missing", "abs", (1, 14)),
    ("coalesce(price) > 1", "coalesce takes two", "coalesce(column, 0)", (1, 1)),
    ("coalesce(price, 'a') > 1", "One side is a number", "quotes", (1, 10)),
    ("at > 'yesterday'", "Not a date and time", "2026-03-01T08:00:00Z", (1, 6)),
    ("at > '2026-01-01T00:00:00'", "no zone", "Z", (1, 6)),
    ("at > 2026", "a date and time, the other is a number", "one type", (1, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "what", "remedy", "place"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_what_is_refused(text: str, what: str, remedy: str, place: tuple[int, int]):
    with pytest.raises(RuleError) as refusal:
        parse_rule(text, SCHEMA)
    assert what in refusal.value.what
    assert remedy in refusal.value.remedy
    assert (refusal.value.line, refusal.value.column) == place
    assert refusal.value.code == "bad_rule"


def test_a_refusal_draws_the_place():
    with pytest.raises(RuleError) as refusal:
        parse_rule("price > 1 AND\n\torign = 'XA'", SCHEMA)
    assert refusal.value.show() == (
        "There is no column 'orign' (line 2, column 2).\n    \torign = 'XA'\n    \t^^^^^\nDid you mean origin?"
    )


class TestBounds:
    def test_length(self):
        parse_rule("aeo" + " " * (MAX_LENGTH - 3), SCHEMA)
        with pytest.raises(RuleError, match="4,001 characters"):
            parse_rule("aeo" + " " * (MAX_LENGTH - 2), SCHEMA)

    @pytest.mark.parametrize(
        "text",
        [
            "(" * 50 + "price > 1" + ")" * 50,
            "NOT " * 48 + "aeo",
            "abs(" * 48 + "price" + ")" * 48 + " > 1",
            "coalesce(" * 48 + "price" + ", 1)" * 48 + " > 1",
            "coalesce(1 / price, " * 47 + "price" + ")" * 47 + " > 1",
            "1 / (" * 48 + "price" + ")" * 48 + " > 1",
            "price" + " + price" * 48 + " > 1",
            "aeo" + " OR aeo" * 550,
            "NOT (aeo OR " * 24 + "aeo" + ")" * 24,
        ],
    )
    def test_the_deepest_rules_compile(self, text: str):
        compiled = compile_rule(parse_rule(text, SCHEMA), SCHEMA)
        assert not (compiled.is_true(ROW) and compiled.is_false(ROW))

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("(" * 51 + "price > 1" + ")" * 51, "inside one another"),
            ("NOT " * 51 + "aeo", "inside one another"),
            ("- " * 51 + "price > 1", "inside one another"),
            ("abs(" * 51 + "price" + ")" * 51 + " > 1", "inside one another"),
            ("price" + " + price" * 51 + " > 1", "levels deep"),
            ("coalesce(" + ", ".join(["price"] * 9) + ") > 1", "two to 8"),
        ],
    )
    def test_what_is_deeper_is_refused(self, text: str, what: str):
        with pytest.raises(RuleError, match=what):
            parse_rule(text, SCHEMA)


class TestFacts:
    @pytest.mark.parametrize(
        ("facts", "what"),
        [
            ({"price": float("nan")}, "a finite number"),
            ({"price": float("inf")}, "a finite number"),
            ({"price": 10**400}, "a finite number"),
            ({"price": "5"}, "a number"),
            ({"price": True}, "a number"),
            ({"origin": 5}, "text"),
            ({"aeo": 1}, "true or false"),
            ({"at": datetime(2026, 1, 1)}, "a zone"),
            ({"at": "2026-01-01T00:00:00Z"}, "a zone"),
        ],
    )
    def test_a_fact_of_another_type_is_refused(self, facts: dict[str, object], what: str):
        column = next(iter(facts))
        compiled = compile_rule(parse_rule(f"{column} IS NULL", SCHEMA), SCHEMA)
        with pytest.raises(FactError, match=what) as refusal:
            compiled.is_true(facts)
        assert column in refusal.value.where

    def test_decimals_and_other_zones_are_read(self):
        assert is_true("price = 0.1", price=Decimal("0.1"))
        local = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
        assert is_true("at = '2026-01-01T00:00:00Z'", at=local)
        assert is_true("at IN ('2026-01-01T00:00:00Z')", at=datetime(2026, 1, 1, tzinfo=UTC))

    def test_a_missing_column_is_null(self):
        assert compile_rule(parse_rule("price IS NULL", SCHEMA), SCHEMA).is_true({})


class TestManyRules:
    def test_none_at_all(self):
        assert compile_rules([], SCHEMA).fired(ROW) == []

    def test_a_rule_filed_under_several_constants_fires_once(self):
        rules = [parse_rule(text, SCHEMA) for text in ("origin IN ('XA', 'XA', 'XB')", "TRUE", "origin = 'XB'")]
        assert compile_rules(rules, SCHEMA).fired(ROW) == [0, 1]

    def test_prefixes_of_several_lengths(self):
        texts = ["starts_with(hs_code, '85')", "starts_with(hs_code, '8517')", "starts_with(hs_code, '8518')",
                 "starts_with(hs_code, '')", "starts_with(hs_code, '8517120')"]  # fmt: skip
        rules = compile_rules([parse_rule(text, SCHEMA) for text in texts], SCHEMA)
        assert rules.fired(ROW) == [0, 1, 3]
        assert rules.fired({}) == []

    def test_no_letter_of_a_rule_reaches_the_code(self):
        evil = "origin = '''); import os; os.abort() #' OR contains(origin, '\n__import__')"
        assert compile_rules([parse_rule(evil, SCHEMA)], SCHEMA).fired(ROW) == []

    def test_the_facts_of_trade_are_all_columns(self):
        for name, type_ in FACT_TYPES.items():
            parse_rule(f"{name} IS NULL", {name: type_})
