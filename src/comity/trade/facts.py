"""Flat facts of a record, one row for each goods item: what rules and models may name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from comity.trade.records import Consignment, Declaration, GoodsItem, Manifest
from comity.trade.values import HSCode, Money, Packaging, Party, Place


class FactType(StrEnum):
    """The type of a fact: text, number (float), integer, boolean, moment (aware datetime in UTC)."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    MOMENT = "moment"


_TEXTS = (
    "record_kind",
    "lrn",
    "mrn",
    "ucr",
    "declaration_type",
    "procedure",
    "office",
    "hs_code",
    "hs_heading",
    "hs_chapter",
    "national_code",
    "description",
    "origin",
    "country_dispatch",
    "country_destination",
    "place_loading",
    "place_unloading",
    "mode_border",
    "means_id",
    "exporter_id",
    "exporter_name",
    "exporter_country",
    "importer_id",
    "importer_name",
    "declarant_id",
    "carrier_id",
    "container",
    "item_currency",
    "valuation_method",
)
_NUMBERS = ("gross_mass_kg", "net_mass_kg", "item_price", "unit_price_per_kg", "invoice_amount")
_INTEGERS = ("item_no", "containers", "seals", "packages", "items_count")
_MOMENTS = ("accepted_at", "expected_at", "assessed_at")

FACT_TYPES: Mapping[str, FactType] = MappingProxyType(
    dict.fromkeys(_TEXTS, FactType.TEXT)
    | dict.fromkeys(_NUMBERS, FactType.NUMBER)
    | dict.fromkeys(_INTEGERS, FactType.INTEGER)
    | {"has_aeo_authorisation": FactType.BOOLEAN}
    | dict.fromkeys(_MOMENTS, FactType.MOMENT)
)

Row = dict[str, object]


def facts_of(record: Declaration | Manifest, at: datetime) -> list[Row]:
    """One row for each goods item, or for each consignment of a manifest; a record without any gives one row.

    Every row has every name of FACT_TYPES; what was not declared is None. at: the time of assessment (assessed_at).
    """
    if isinstance(record, Declaration):
        header = _EMPTY | _declaration_facts(record) | {"assessed_at": at}
        return [header | _item_facts(record, item) for item in record.items] or [header]
    header = _EMPTY | _manifest_facts(record) | {"assessed_at": at}
    rows = [header | _manifest_row(record, part, number) for number, part in enumerate(record.consignments, start=1)]
    return rows or [header]


_EMPTY: Row = dict.fromkeys(FACT_TYPES)


def _declaration_facts(declaration: Declaration) -> Row:
    importer = declaration.importer or declaration.consignment.consignee
    exporter = declaration.exporter or declaration.consignment.consignor
    return {
        "record_kind": "declaration",
        "lrn": declaration.lrn or None,
        "mrn": declaration.mrn or None,
        "declaration_type": declaration.declaration_type or None,
        "office": declaration.office or None,
        "accepted_at": declaration.accepted_at,
        "country_dispatch": declaration.country_dispatch or None,
        "country_destination": declaration.country_destination or None,
        "declarant_id": _id_of(declaration.declarant),
        "items_count": len(declaration.items) if declaration.items_count is None else declaration.items_count,
        "invoice_amount": _amount_of(declaration.invoice_amount),
        "has_aeo_authorisation": any(entry.category.startswith("AEO") for entry in declaration.authorisations),
        **_consignment_facts(declaration.consignment),
        "ucr": declaration.ucr or declaration.consignment.ucr or None,
        **_exporter_facts(exporter),
        **_importer_facts(importer),
    }


def _item_facts(declaration: Declaration, item: GoodsItem) -> Row:
    price = _amount_of(item.item_price)
    net_mass_kg = _number_of(item.net_mass_kg)
    facts: Row = {
        "item_no": item.item_no,
        "procedure": item.procedure or None,
        "description": item.description or None,
        "origin": item.origin or None,
        "gross_mass_kg": _number_of(item.gross_mass_kg),
        "net_mass_kg": net_mass_kg,
        "item_price": price,
        "item_currency": item.item_price.currency or None if item.item_price else None,
        "unit_price_per_kg": price / net_mass_kg if price is not None and net_mass_kg else None,
        "packages": _packages_of(item.packages),
        "valuation_method": item.valuation_method or None,
        **_hs_facts(item.hs_code),
    }
    if declaration.exporter is None and item.consignor is not None:
        facts |= _exporter_facts(item.consignor)
    if declaration.importer is None and item.consignee is not None:
        facts |= _importer_facts(item.consignee)
    return facts


def _manifest_facts(manifest: Manifest) -> Row:
    return {
        "record_kind": "manifest",
        "lrn": manifest.report_ref or None,
        "office": manifest.office or None,
        "expected_at": manifest.expected_at,
        "mode_border": manifest.mode_border or None,
        "means_id": manifest.means_id or None,
        "carrier_id": _id_of(manifest.carrier),
        "place_loading": _code_of(manifest.place_loading),
        "place_unloading": _code_of(manifest.place_unloading),
        "items_count": len(manifest.consignments),
        "has_aeo_authorisation": False,
    }


def _manifest_row(manifest: Manifest, consignment: Consignment, number: int) -> Row:
    facts = _consignment_facts(consignment)
    common = _manifest_facts(manifest)
    return {
        **{name: common.get(name) if value is None else value for name, value in facts.items()},
        "item_no": number,
        "ucr": consignment.ucr or None,
        "description": consignment.description or None,
        "gross_mass_kg": _number_of(consignment.gross_mass_total_kg),
        "packages": consignment.packages_total,
        **_hs_facts(consignment.hs_code),
        **_exporter_facts(consignment.consignor),
        **_importer_facts(consignment.consignee),
    }


def _consignment_facts(consignment: Consignment) -> Row:
    equipment = consignment.transport_equipment
    return {
        "place_loading": _code_of(consignment.place_loading),
        "place_unloading": _code_of(consignment.place_unloading),
        "mode_border": consignment.mode_border or None,
        "means_id": consignment.means_id or None,
        "carrier_id": _id_of(consignment.carrier),
        "container": equipment[0].id or None if equipment else None,
        "containers": len(equipment),
        "seals": sum(len(entry.seals) for entry in equipment),
    }


def _hs_facts(code: HSCode | None) -> Row:
    if code is None:
        return {}
    digits = code.subheading
    return {
        "hs_code": digits if len(digits) == 6 else None,
        "hs_heading": code.heading if len(digits) >= 4 else None,
        "hs_chapter": code.chapter if len(digits) >= 2 else None,
        "national_code": code.national or None,
    }


def _exporter_facts(party: Party | None) -> Row:
    if party is None:
        return {}
    return {
        "exporter_id": party.id or None,
        "exporter_name": party.name or None,
        "exporter_country": party.address.country or None,
    }


def _importer_facts(party: Party | None) -> Row:
    return {} if party is None else {"importer_id": party.id or None, "importer_name": party.name or None}


def _packages_of(packages: Iterable[Packaging]) -> int | None:
    quantities = [entry.quantity for entry in packages if entry.quantity is not None]
    return sum(quantities) if quantities else None


def _number_of(number: Decimal | None) -> float | None:
    return None if number is None else float(number)


def _amount_of(money: Money | None) -> float | None:
    return None if money is None else float(money.amount)


def _id_of(party: Party | None) -> str | None:
    return party.id or None if party else None


def _code_of(place: Place | None) -> str | None:
    return place.code or place.name or None if place else None
