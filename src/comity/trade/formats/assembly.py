"""Records from flat fields and back: every format gives its fields these names, which are those of the vocabulary.

A flat mapping holds converted values under field names; parties and places are made by the format, and so are lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from comity.trade.records import Consignment, Declaration, GoodsItem, Manifest
from comity.trade.values import (
    AdditionalInformation,
    Address,
    DocumentReference,
    HSCode,
    Packaging,
    Party,
    Place,
    Seal,
    TransportEquipment,
)

Flat = dict[str, Any]

_DECLARATION = [
    "lrn",
    "declaration_type",
    "function",
    "mrn",
    "accepted_at",
    "office",
    "declarant",
    "agent_function",
    "exporter",
    "importer",
    "authorisations",
    "country_dispatch",
    "country_destination",
    "items_count",
    "invoice_amount",
    "delivery_terms",
    "delivery_place",
    "transaction_nature",
    "ucr",
    "previous_documents",
    "guarantees",
    "additional_information",
    "items",
    "unread",
]
_CONSIGNMENT = [
    "carrier",
    "consignor",
    "consignee",
    "master_bill",
    "house_bill",
    "place_loading",
    "place_unloading",
    "goods_location",
    "routing",
    "mode_border",
    "means_id",
    "means_nationality",
    "conveyance_ref",
    "transport_equipment",
    "packages_total",
    "gross_mass_total_kg",
]
_MANIFEST_PART = [*_CONSIGNMENT, "description", "ucr"]
_ITEM = [
    "item_no",
    "description",
    "cas_or_cus",
    "un_dangerous_goods",
    "origin",
    "gross_mass_kg",
    "net_mass_kg",
    "supplementary_quantity",
    "packages",
    "item_price",
    "statistical_value",
    "valuation_method",
    "duty_regime",
    "consignor",
    "consignee",
    "documents",
    "previous_documents",
    "additional_information",
]
_AGENT = {f"agent.{name}": name for name in ("id", "name", "line", "city", "postcode", "country")}
_MANIFEST = [
    "report_ref",
    "function",
    "office",
    "carrier",
    "mode_border",
    "means_id",
    "means_nationality",
    "conveyance_ref",
    "place_loading",
    "place_unloading",
    "expected_at",
    "consignments",
    "unread",
]


def _given(flat: Mapping[str, Any], names: list[str]) -> Flat:
    found = {name: flat[name] for name in names if name in flat}
    return {name: tuple(value) if type(value) is list else value for name, value in found.items()}


def build_declaration(flat: Mapping[str, Any]) -> Declaration:
    """The declaration of flat fields; `lrn` must be there."""
    moved = Consignment(**_given(flat, _CONSIGNMENT))
    agent = build_party({name: flat[key] for key, name in _AGENT.items() if key in flat})
    return Declaration(**_given(flat, _DECLARATION), agent=agent, consignment=moved)


def split_declaration(declaration: Declaration) -> Flat:
    """The flat fields of a declaration."""
    agent = split_party(declaration.agent) if declaration.agent else {}
    named = {key: agent[name] for key, name in _AGENT.items() if name in agent}
    return _fields(declaration.consignment, _CONSIGNMENT) | _fields(declaration, _DECLARATION) | named


def build_manifest(flat: Mapping[str, Any]) -> Manifest:
    """The manifest of flat fields; `report_ref` must be there."""
    return Manifest(**_given(flat, _MANIFEST))


def split_manifest(manifest: Manifest) -> Flat:
    """The flat fields of a manifest."""
    return _fields(manifest, _MANIFEST)


def build_consignment(flat: Flat) -> Consignment:
    """One consignment of a manifest."""
    return Consignment(**_given(flat, _MANIFEST_PART), hs_code=hs_code_of(flat))


def split_consignment(consignment: Consignment) -> Flat:
    """The flat fields of a manifest's consignment."""
    return _fields(consignment, _MANIFEST_PART) | _split_hs(consignment.hs_code)


def build_item(flat: Flat) -> GoodsItem:
    """One goods item; `item_no` must be there."""
    procedure = flat.get("procedure_current", "") + flat.get("procedure_previous", "")
    return GoodsItem(**_given(flat, _ITEM), hs_code=hs_code_of(flat), procedure=procedure)


def split_item(item: GoodsItem) -> Flat:
    """The flat fields of a goods item."""
    procedure = {"procedure_current": item.procedure[:2], "procedure_previous": item.procedure[2:]}
    return _fields(item, _ITEM) | _split_hs(item.hs_code) | procedure


def hs_code_of(flat: Mapping[str, Any]) -> HSCode | None:
    """The HS code from `hs_code` (six digits and the national ones behind them) and `hs_more` (further national)."""
    digits = flat.get("hs_code", "")
    return HSCode(digits[:6], digits[6:] + flat.get("hs_more", "")) if digits else None


def plain_hs(text: str) -> str:
    """The digits of an HS code as people write it: 8518.30 00 is 85183000."""
    return text.replace(".", "").replace(" ", "")


def build_party(flat: Flat) -> Party | None:
    """A party, or nothing where no field was given."""
    if not flat:
        return None
    get = flat.get
    address = Address(get("line", ""), get("city", ""), get("postcode", ""), get("country", ""))
    return Party(get("id", ""), get("name", ""), address)


def split_party(party: Party) -> Flat:
    """The flat fields of a party."""
    return _fields(party, ["id", "name"]) | _fields(party.address, ["line", "city", "postcode", "country"])


def build_place(flat: Flat) -> Place | None:
    """A place, or nothing where no field was given."""
    return Place(**flat) if flat else None


def split_place(place: Place) -> Flat:
    """The flat fields of a place."""
    return _fields(place, ["code", "name", "country"])


def build_equipment(flat: Flat) -> TransportEquipment:
    """A container with its seals."""
    return TransportEquipment(flat.get("id", ""), tuple(flat.get("seals", ())))


def split_equipment(equipment: TransportEquipment) -> Flat:
    """The flat fields of a container."""
    return {"id": equipment.id, "seals": equipment.seals}


def build_document(flat: Flat) -> DocumentReference:
    """A document that is referred to."""
    return DocumentReference(**({"id": ""} | flat))


def split_document(document: DocumentReference) -> Flat:
    """The flat fields of a document reference."""
    return _fields(document, ["id", "category", "type", "status", "line"])


def build_packaging(flat: Flat) -> Packaging:
    """Packages of an item."""
    return Packaging(**flat)


def split_packaging(packaging: Packaging) -> Flat:
    """The flat fields of packages."""
    return _fields(packaging, ["quantity", "type", "marks"])


def build_statement(flat: Flat) -> AdditionalInformation:
    """A coded statement."""
    return AdditionalInformation(**flat)


def split_statement(statement: AdditionalInformation) -> Flat:
    """The flat fields of a coded statement."""
    return _fields(statement, ["code", "text"])


def build_seal(flat: Flat) -> Seal:
    """A seal."""
    return Seal(flat.get("id", ""))


def split_seal(seal: Seal) -> Flat:
    """The flat fields of a seal."""
    return {"id": seal.id}


def _fields(noun: object, names: list[str]) -> Flat:
    return {name: value for name in names if (value := getattr(noun, name)) not in (None, "", ())}


def _split_hs(code: HSCode | None) -> Flat:
    # Four national digits are written as the combined nomenclature's two and two more; any other number in one.
    if code is None:
        return {}
    if len(code.subheading) == 6 and len(code.national) == 4 and code.national.isdigit():
        return {"hs_code": code.subheading + code.national[:2], "hs_more": code.national[2:]}
    return {"hs_code": str(code)}


Builder = Callable[[Flat], Any]
Splitter = Callable[[Any], Flat]
