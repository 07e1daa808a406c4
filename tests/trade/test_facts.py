"""Flat facts: one row for each item, every name in every row, numbers finite floats."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from comity.trade import (
    Consignment,
    Declaration,
    GoodsItem,
    HSCode,
    Manifest,
    Money,
    Party,
    Place,
    Seal,
    TransportEquipment,
)
from comity.trade.facts import FACT_TYPES, FactType, facts_of
from comity.trade.values import Address, DocumentReference, Packaging
from tests.trade.nouns import declarations, manifests, patient

EXPORTER = Party("XA1", "Alfa Sound", Address(country="XA"))
CONTAINER = TransportEquipment("CSQU3054383", (Seal("S1"), Seal("S2")))
ITEM = GoodsItem(
    item_no=1,
    hs_code=HSCode("851830", "00"),
    origin="XA",
    gross_mass_kg=Decimal("120.5"),
    net_mass_kg=Decimal(100),
    item_price=Money(Decimal(2500), "EUR"),
    packages=(Packaging(3, "CT"), Packaging(None, "BX"), Packaging(2, "CT")),
)


def test_a_declaration_gives_a_row_for_each_item(at: datetime) -> None:
    declaration = Declaration(
        lrn="L1",
        exporter=EXPORTER,
        importer=Party("XC9", "Chipo Trading"),
        authorisations=(DocumentReference("XA1", "AEOF"),),
        consignment=Consignment(place_loading=Place("XAPRT"), transport_equipment=(CONTAINER,), ucr="U1"),
        items=(ITEM, GoodsItem(2)),
    )
    first, second = facts_of(declaration, at)
    assert first["hs_code"] == "851830"
    assert (first["hs_heading"], first["hs_chapter"], first["national_code"]) == ("8518", "85", "00")
    assert first["unit_price_per_kg"] == 25.0
    assert first["packages"] == 5
    assert (first["container"], first["containers"], first["seals"]) == ("CSQU3054383", 1, 2)
    assert (first["exporter_id"], first["exporter_country"], first["importer_name"]) == ("XA1", "XA", "Chipo Trading")
    assert (first["ucr"], first["place_loading"], first["items_count"]) == ("U1", "XAPRT", 2)
    assert first["has_aeo_authorisation"] is True
    assert first["assessed_at"] == at
    assert (second["item_no"], second["hs_code"], second["packages"]) == (2, None, None)


def test_an_amount_without_currency_has_a_price_and_no_currency(at: datetime) -> None:
    (row,) = facts_of(Declaration("L1", items=(GoodsItem(1, item_price=Money(Decimal(5), "")),)), at)
    assert (row["item_price"], row["item_currency"]) == (5.0, None)


def test_a_price_of_nothing_is_a_price_and_no_mass_gives_no_unit_price(at: datetime) -> None:
    free = GoodsItem(1, item_price=Money(Decimal(0), "EUR"), net_mass_kg=Decimal(5))
    weightless = GoodsItem(2, item_price=Money(Decimal(5), "EUR"), net_mass_kg=Decimal(0))
    first, second = facts_of(Declaration("L1", items=(free, weightless)), at)
    assert (first["item_price"], first["unit_price_per_kg"]) == (0.0, 0.0)
    assert (second["net_mass_kg"], second["unit_price_per_kg"]) == (0.0, None)


def test_parties_of_the_item_stand_in_where_the_header_has_none(at: datetime) -> None:
    item = GoodsItem(1, consignor=EXPORTER, consignee=Party("XC9"))
    (row,) = facts_of(Declaration("L1", items=(item,)), at)
    assert (row["exporter_id"], row["importer_id"]) == ("XA1", "XC9")


def test_a_record_without_goods_still_gives_a_row(at: datetime) -> None:
    (row,) = facts_of(Declaration("L1"), at)
    assert (row["lrn"], row["item_no"], row["items_count"]) == ("L1", None, 0)
    (row,) = facts_of(Manifest("R1"), at)
    assert (row["record_kind"], row["lrn"]) == ("manifest", "R1")


def test_a_manifest_gives_a_row_for_each_consignment(at: datetime) -> None:
    manifest = Manifest(
        report_ref="R1",
        means_id="IMO9074729",
        place_loading=Place("XAPRT"),
        consignments=(
            Consignment(consignor=EXPORTER, hs_code=HSCode("8518"), gross_mass_total_kg=Decimal(7), packages_total=4),
            Consignment(place_loading=Place("XBPRT")),
        ),
    )
    first, second = facts_of(manifest, at)
    assert (first["hs_code"], first["hs_heading"]) == (None, "8518")
    assert (first["gross_mass_kg"], first["packages"], first["exporter_name"]) == (7.0, 4, "Alfa Sound")
    assert (first["means_id"], first["place_loading"]) == ("IMO9074729", "XAPRT")
    assert (second["item_no"], second["place_loading"]) == (2, "XBPRT")


TYPES = {
    FactType.TEXT: str,
    FactType.NUMBER: float,
    FactType.INTEGER: int,
    FactType.BOOLEAN: bool,
    FactType.MOMENT: datetime,
}


@patient
@given(st.one_of(declarations(), manifests()))
def test_every_row_has_every_fact_in_its_type(record: Any) -> None:
    for row in facts_of(record, datetime.fromisoformat("2026-03-02T09:30:00Z")):
        assert row.keys() == FACT_TYPES.keys()
        for name, value in row.items():
            assert value is None or type(value) is TYPES[FACT_TYPES[name]], name
            assert not isinstance(value, float) or math.isfinite(value)
