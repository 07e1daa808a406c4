"""The fields that a column may be mapped to, their kinds and checks. Dots lead into a value: exporter.country."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from comity.trade.codes import check_container, check_country, check_currency, check_trader, check_vessel
from comity.trade.values import Problem


class Kind(StrEnum):
    """What a cell holds."""

    TEXT = "text"
    NUMBER = "number"
    COUNT = "count"
    MASS = "mass in kilograms"
    QUANTITY = "quantity"
    MOMENT = "date and time"
    WORDS = "words, separated by spaces"
    HS = "HS code"


Check = Callable[[str], Problem | None]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record. name: as in a mapping. group, key: the value it belongs to and its name there.

    is_row: each row gives its own (goods items of a declaration, consignments of a manifest).
    is_list: every row may add one to the record's list.
    """

    name: str
    kind: Kind
    check: Check | None
    group: str
    key: str
    is_row: bool
    is_list: bool


_PARTY: dict[str, Check | None] = {
    "id": check_trader,
    "name": None,
    "line": None,
    "city": None,
    "postcode": None,
    "country": check_country,
}
_PLACE: dict[str, Check | None] = {"code": None, "name": None, "country": check_country}
_DOCUMENT: dict[str, Check | None] = dict.fromkeys(["id", "category", "type", "status", "line"])
_GROUPS: dict[str, dict[str, Check | None]] = {
    **dict.fromkeys(["declarant", "agent", "exporter", "importer", "carrier", "consignor", "consignee"], _PARTY),
    **dict.fromkeys(["place_loading", "place_unloading", "goods_location"], _PLACE),
    **dict.fromkeys(["documents", "previous_documents", "authorisations", "guarantees"], _DOCUMENT),
    "additional_information": {"code": None, "text": None},
    "packages": {"quantity": None, "type": None, "marks": None},
    "transport_equipment": {"id": check_container, "seals": None},
    "invoice_amount": {"": None, "currency": check_currency},
    "item_price": {"": None, "currency": check_currency},
    "statistical_value": {"": None, "currency": check_currency},
    "supplementary_quantity": {"": None, "unit": None},
}
LISTS = frozenset(
    [
        "documents",
        "previous_documents",
        "authorisations",
        "guarantees",
        "additional_information",
        "packages",
        "transport_equipment",
    ]
)
_KINDS = {
    "accepted_at": Kind.MOMENT,
    "expected_at": Kind.MOMENT,
    "items_count": Kind.COUNT,
    "packages_total": Kind.COUNT,
    "item_no": Kind.COUNT,
    "packages.quantity": Kind.COUNT,
    "gross_mass_total_kg": Kind.MASS,
    "gross_mass_kg": Kind.MASS,
    "net_mass_kg": Kind.MASS,
    "invoice_amount": Kind.NUMBER,
    "item_price": Kind.NUMBER,
    "statistical_value": Kind.NUMBER,
    "supplementary_quantity": Kind.QUANTITY,
    "routing": Kind.WORDS,
    "transport_equipment.seals": Kind.WORDS,
    "hs_code": Kind.HS,
}
_CHECKS: dict[str, Check] = {
    "country_dispatch": check_country,
    "country_destination": check_country,
    "means_nationality": check_country,
    "origin": check_country,
    "means_id": check_vessel,
}
_CARRIAGE = (
    "carrier consignor consignee master_bill house_bill place_loading place_unloading goods_location routing "
    "mode_border means_id means_nationality conveyance_ref transport_equipment packages_total gross_mass_total_kg ucr"
)
_HEADER = (
    "lrn declaration_type function mrn accepted_at office declarant agent agent_function exporter importer "
    "authorisations country_dispatch country_destination items_count invoice_amount delivery_terms delivery_place "
    f"transaction_nature previous_documents guarantees additional_information {_CARRIAGE}"
)
_ITEM = (
    "item_no hs_code description cas_or_cus un_dangerous_goods origin gross_mass_kg net_mass_kg supplementary_quantity "
    "packages procedure item_price statistical_value valuation_method duty_regime consignor consignee documents "
    "previous_documents additional_information"
)
_REPORT = (
    "report_ref function office carrier mode_border means_id means_nationality conveyance_ref place_loading "
    "place_unloading expected_at"
)


def _fields(names: str, prefix: str = "") -> dict[str, Field]:
    found = {}
    for group in names.split():
        for key in _GROUPS.get(group, {"": None}):
            name = f"{group}.{key}" if key else group
            check = _GROUPS[group][key] if key else _CHECKS.get(group)
            is_list = not prefix and group in LISTS
            kind = _KINDS.get(name, Kind.TEXT)
            found[prefix + name] = Field(prefix + name, kind, check, group, key, bool(prefix), is_list)
    return found


DECLARATION_FIELDS: Mapping[str, Field] = MappingProxyType(_fields(_HEADER) | _fields(_ITEM, "items."))
MANIFEST_FIELDS: Mapping[str, Field] = MappingProxyType(
    _fields(_REPORT) | _fields(f"{_CARRIAGE} description hs_code", "consignments.")
)
