"""The contract: batches and single declarations fire the same rules, on NULLs, zero divisors and any script."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from comity.risk.bulk.firing import BulkRules, fire
from comity.risk.bulk.sheet import Sheet
from comity.risk.expression_reading import read_condition
from comity.risk.expression_tree import Condition
from comity.risk.expression_types import column_types
from comity.risk.expressions import FactError, compile_rules, parse_rule
from comity.trade.facts import FACT_TYPES
from tests.risk.bulk.tables import batch_of, encoded
from tests.risk.strategies import SCHEMA, conditions, facts, indexable, show

pytestmark = pytest.mark.once
many = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
Rows = list[Mapping[str, object]]


@many
@given(nodes=st.lists(indexable, min_size=1, max_size=8), rows=st.lists(facts, min_size=1, max_size=9), data=st.data())
def test_batches_fire_what_single_rows_fire(nodes: list[Condition], rows: Rows, data: st.DataObject):
    texts = [show(node) for node in nodes]
    texts += data.draw(st.lists(st.sampled_from(texts), max_size=2))  # equal rules share what they compute
    rules = [parse_rule(text, SCHEMA) for text in texts]
    online = compile_rules(rules, SCHEMA)
    expected = [(row, place) for row, facts_of_row in enumerate(rows) for place in online.fired(facts_of_row)]
    event(f"{len(expected)} hits")
    bulk = BulkRules([(str(place), rule) for place, rule in enumerate(rules)], SCHEMA)
    batch = batch_of(rows)
    assert _pairs(*bulk.fired(batch)) == expected
    assert _pairs(*bulk.fired(encoded(batch))) == expected, "what is remembered of the first batch changed the second"


@many
@given(node=conditions(), rows=st.lists(facts, min_size=1, max_size=6), shares=st.booleans(), data=st.data())
def test_true_false_and_null_of_every_condition(node: Condition, rows: Rows, shares: bool, data: st.DataObject):
    rule = parse_rule(show(node), SCHEMA)
    chosen = data.draw(st.none() | st.lists(st.integers(0, len(rows) - 1), unique=True))
    places = None if chosen is None else np.array(chosen, np.int32)
    sheet = Sheet(batch_of(rows), column_types(SCHEMA))
    if shares:
        bulk = BulkRules([("a", rule), ("b", rule)], SCHEMA)
        sheet.share(bulk._numbers, bulk._shared)
    asked = rows if chosen is None else [rows[place] for place in chosen]
    expected = [read_condition(rule.condition, row) for row in asked]
    event(str(set(expected)))
    for wanted in (True, False, True):
        found = sheet.mask(rule.condition, places, is_true=wanted).tolist()
        assert found == [verdict is wanted for verdict in expected]


def _pairs(rows: np.ndarray, places: np.ndarray) -> list[tuple[int, int]]:
    return list(zip(rows.tolist(), places.tolist(), strict=True))


def _fired(text: str, batch: pa.RecordBatch, schema: Mapping[str, str] = FACT_TYPES) -> list[int]:
    rows, _ = BulkRules([("R", parse_rule(text, schema))], schema).fired(batch)
    return rows.tolist()


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        (pa.array([1, None, 3], pa.int16()), "packages >= 1", [0, 2]),
        (pa.array([1.5, 2.5, None], pa.float32()), "packages = 2.5", [1]),
        (pa.array([Decimal("1.10"), Decimal("2.25")], pa.decimal128(9, 2)), "packages = 1.10", [0]),
        (pa.array(["a", "b"], pa.large_string()), "office = 'b'", [1]),
        (pa.array(["a", "b"], pa.string_view()), "office = 'b'", [1]),
        (pa.array(["a", None, "b"]).dictionary_encode(), "office <> 'a'", [2]),
        (pa.DictionaryArray.from_arrays(pa.array([0, 1, None]), pa.array(["a", None])), "office IS NULL", [1, 2]),
        (pa.array([None, None], pa.null()), "office IS NULL", [0, 1]),
        (pa.array([None, None], pa.null()), "packages / 2 IS NULL", [0, 1]),
        (pa.array([0, 10**6], pa.timestamp("ns", "+02:00")), "expected_at = '1970-01-01T00:00:00Z'", [0]),
        (pa.array([], pa.string()), "office = 'b'", []),
    ],
)
def test_columns_are_read_in_whatever_form_a_table_has_them(column: pa.Array, text: str, expected: list[int]):
    (name,) = parse_rule(text, FACT_TYPES).columns
    if name == "expected_at":
        column = column.cast(pa.timestamp("ns", "+02:00"))
        expected = [0]
        column = pa.array([0, 10**9], pa.timestamp("ns", "+02:00"))
    assert _fired(text, pa.RecordBatch.from_arrays([column], names=[name])) == expected


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_finite_number_is_refused_with_its_place(bad: float):
    batch = pa.RecordBatch.from_pydict({"item_price": [1.0, None, bad, 2.0], "office": ["x", "x", "x", "x"]})
    rules = BulkRules([("R", parse_rule("office = 'y' AND item_price > 1", FACT_TYPES))], FACT_TYPES)
    with pytest.raises(FactError, match=r"row 1,003, item_price = "):
        rules.fired(batch, first_row=1000)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"office": ["x"]}, r"lacks a column.*item_price"),
        ({"office": ["x"], "item_price": ["1"]}, r"item_price is string, not a number"),
        ({"office": [1], "item_price": [True]}, r"item_price is bool, not a number; office is int64, not text"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_before_a_row_is_read(columns: dict[str, list[object]], message: str):
    rules = BulkRules([("R", parse_rule("office = 'y' AND item_price > 1", FACT_TYPES))], FACT_TYPES)
    batch = pa.RecordBatch.from_pydict(columns)
    with pytest.raises(FactError, match=message):
        list(fire(rules, [batch]))


def test_a_time_without_a_zone_is_refused():
    rules = BulkRules([("R", parse_rule("expected_at IS NULL", FACT_TYPES))], FACT_TYPES)
    batch = pa.RecordBatch.from_arrays([pa.array([0], pa.timestamp("us"))], names=["expected_at"])
    with pytest.raises(FactError, match="a time with a zone"):
        rules.check(batch.schema)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_the_size_of_batches_changes_nothing(size: int):
    texts = ["starts_with(hs_code, '85') AND item_price / packages > 3", "origin IN ('XA', 'ÅB') OR origin IS NULL"]
    rules = BulkRules(
        [(f"R{n}", parse_rule(text, FACT_TYPES)) for n, text in enumerate(texts)], FACT_TYPES, keys=["lrn"]
    )
    rows = [
        {
            "lrn": f"L{n}",
            "hs_code": ["8517", "6404", None, "85"][n % 4],
            "item_price": float(n),
            "packages": n % 3,
            "origin": ["XA", None, "ÅB", ""][n % 4],
        }
        for n in range(20)
    ]
    batch = encoded(batch_of(rows, {name: FACT_TYPES[name].value for name in rows[0]}))
    pieces = [batch.slice(0, 3), batch.slice(3, 0), batch.slice(3, 9), batch.slice(12)]
    found = pa.Table.from_batches(fire(rules, pieces, batch_rows=size)).to_pylist()
    online = compile_rules([parse_rule(text, FACT_TYPES) for text in texts], FACT_TYPES)
    assert found == [{"lrn": row["lrn"], "rule": f"R{place}"} for row in rows for place in online.fired(row)]
    assert found
