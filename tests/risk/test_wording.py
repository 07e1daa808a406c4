"""A rule that fired, in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from comity.risk.expressions import parse_rule
from comity.risk.wording import Evidence, evidence_of, label_of
from comity.trade.facts import FACT_TYPES

FACTS: dict[str, object] = {
    "item_no": 2,
    "hs_code": "640411",
    "origin": "XA",
    "unit_price_per_kg": 2.1,
    "item_currency": "USD",
    "item_price": 210.0,
    "net_mass_kg": 100.0,
    "gross_mass_kg": 120.5,
    "packages": 12,
    "description": "Sports shoes of textile",
    "has_aeo_authorisation": False,
    "accepted_at": datetime(2026, 3, 1, 8, tzinfo=UTC),
    "exporter_name": "Alfa Shoes",
}


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("unit_price_per_kg < 5.00", ["Unit price 2.10 USD/kg is below 5.00"]),
        ("5 > unit_price_per_kg", ["Unit price 2.10 USD/kg is below 5"]),
        ("NOT (unit_price_per_kg >= 5)", ["Unit price 2.10 USD/kg is below 5"]),
        ("origin = 'XA' AND packages > 10", ["Origin is XA", "Packages 12 is above 10"]),
        ("origin IN ('XA', 'XB')", ["Origin is XA, one of XA, XB"]),
        ("origin IN ('XA')", ["Origin is XA"]),
        ("origin NOT IN ('XB', 'XC')", ["Origin XA is not one of XB, XC"]),
        ("origin <> 'XB'", ["Origin XA is not XB"]),
        ("net_mass_kg BETWEEN 50 AND 200", ["Net mass 100 kg is between 50 and 200"]),
        ("net_mass_kg NOT BETWEEN 150 AND 200", ["Net mass 100 kg is not between 150 and 200"]),
        ("starts_with(hs_code, '6404')", ["HS code 640411 begins with 6404"]),
        ("NOT starts_with(hs_code, '85')", ["HS code 640411 does not begin with 85"]),
        ("contains(lower(description), 'shoes')", ["Description sports shoes of textile contains ‘shoes’"]),
        ("NOT contains(description, 'boots')", ["Description Sports shoes of textile does not contain ‘boots’"]),
        ("importer_id IS NULL", ["Importer number is not stated"]),
        ("exporter_name IS NOT NULL", ["Exporter is stated"]),
        ("NOT has_aeo_authorisation", ["AEO authorisation: no"]),
        ("has_aeo_authorisation = FALSE", ["AEO authorisation: no"]),
        ("has_aeo_authorisation <> TRUE", ["AEO authorisation: no"]),
        ("gross_mass_kg > net_mass_kg", ["Gross mass 120.50 kg is above net mass 100"]),
        ("item_price / packages < 20", ["item_price / packages 17.50 is below 20"]),
        ("unit_price_per_kg / 1000 < 1", ["unit_price_per_kg / 1000 0.0021 is below 1"]),
        ("accepted_at < '2026-03-02T00:00:00Z'", ["Accepted at 2026-03-01T08:00:00Z is before 2026-03-02T00:00:00Z"]),
        ("origin = 'XB' OR packages = 12 OR packages > 1", ["Packages is 12"]),
        ("NOT (origin = 'XA' AND packages = 13)", ["Packages 12 is not 13"]),
        ("NOT (origin = 'XB' OR packages = 13)", ["Origin XA is not XB", "Packages 12 is not 13"]),
        ("NOT NOT origin = 'XA'", ["Origin is XA"]),
        ("NOT (NOT (origin = 'XA') AND TRUE)", ["Origin is XA"]),
        ("packages IN (1,2,3,4,5,6,7,8,9,12)", ["Packages is 12, one of 1, 2, 3, 4, 5, 6, 7, 8, …"]),
        ("coalesce(seals, 0) = 0", ["Number of seals 0 is 0"]),
        ("length(description) > 3", ["length(description) 23 is above 3"]),
    ],
)  # fmt: skip
def test_sentences(text: str, sentences: list[str]):
    rule = parse_rule(text, FACT_TYPES)
    assert [entry.text for entry in evidence_of(rule, FACTS)] == sentences


def test_evidence_carries_what_was_compared():
    rule = parse_rule("unit_price_per_kg < 5.00", FACT_TYPES)
    (entry,) = evidence_of(rule, FACTS)
    assert entry == Evidence(
        text="Unit price 2.10 USD/kg is below 5.00",
        column="unit_price_per_kg",
        value="2.10",
        comparison="is below",
        bound="5.00",
        item_no=2,
    )
    assert entry.to_json()["item_no"] == 2
    assert "bound" not in Evidence("only a sentence").to_json()


def test_long_texts_are_shortened_and_unknown_columns_named_by_their_words():
    rule = parse_rule("contains(description, 'x')", FACT_TYPES)
    (entry,) = evidence_of(rule, {"description": "x" * 200})
    assert len(entry.text) < 120
    assert entry.item_no == 0
    assert label_of("delivery_place") == "Delivery place"


def test_a_price_without_a_currency_has_no_loose_unit():
    rule = parse_rule("item_price > 1", FACT_TYPES)
    assert evidence_of(rule, {"item_price": 3.0})[0].text == "Item price 3 is above 1"
