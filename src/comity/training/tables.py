"""Declarations as a table: the CSV of a traders' program, and the column mapping by which a node reads it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator

import yaml

from comity.common import show_instant
from comity.trade import Declaration, GoodsItem, Money, Party, Place, TransportEquipment
from comity.trade.values import DocumentReference, Packaging

MAPPING_NAME = "trade"

# Of one row: the declaration, the goods item and the container that it carries; either may be used up.
Row = tuple[Declaration, GoodsItem | None, TransportEquipment | None]
Cell = Callable[[Row], object]


def mapping_yaml() -> bytes:
    """The column mapping of the table, to lie in the home as mappings/trade.yaml."""
    mapping = {
        "name": MAPPING_NAME,
        "record": "declaration",
        "columns": {title: field for title, field, _ in _COLUMNS},
    }
    return yaml.safe_dump(mapping, sort_keys=False, allow_unicode=True).encode()


def write_table(declarations: Iterable[Declaration]) -> bytes:
    """The CSV: a row for each goods item, and more where a declaration has more containers than items."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow([title for title, _, _ in _COLUMNS])
    for declaration in declarations:
        for row in _rows_of(declaration):
            writer.writerow([cell(row) for _, _, cell in _COLUMNS])
    return buffer.getvalue().encode()


def _rows_of(declaration: Declaration) -> Iterator[Row]:
    items, boxes = declaration.items, declaration.consignment.transport_equipment
    for n in range(max(len(items), len(boxes), 1)):
        yield declaration, items[n] if n < len(items) else None, boxes[n] if n < len(boxes) else None


def _of_party(find: Callable[[Declaration], Party | None], read: Callable[[Party], str]) -> Cell:
    def cell(row: Row) -> str:
        party = find(row[0])
        return read(party) if party else ""

    return cell


def _of_place(find: Callable[[Declaration], Place | None], read: Callable[[Place], str]) -> Cell:
    def cell(row: Row) -> str:
        place = find(row[0])
        return read(place) if place else ""

    return cell


def _of_item(read: Callable[[GoodsItem], object]) -> Cell:
    def cell(row: Row) -> object:
        return read(row[1]) if row[1] else ""

    return cell


def _of_money(find: Callable[[GoodsItem], Money | None], read: Callable[[Money], object]) -> Cell:
    def cell(row: Row) -> object:
        money = find(row[1]) if row[1] else None
        return read(money) if money else ""

    return cell


def _of_package(read: Callable[[Packaging], object]) -> Cell:
    def cell(row: Row) -> object:
        return read(row[1].packages[0]) if row[1] and row[1].packages else ""

    return cell


def _of_previous(read: Callable[[DocumentReference], str]) -> Cell:
    def cell(row: Row) -> str:
        return read(row[0].previous_documents[0]) if row[0].previous_documents else ""

    return cell


def _invoice(read: Callable[[Money], object]) -> Cell:
    def cell(row: Row) -> object:
        return read(row[0].invoice_amount) if row[0].invoice_amount else ""

    return cell


def _party_columns(
    title: str, field: str, find: Callable[[Declaration], Party | None]
) -> tuple[tuple[str, str, Cell], ...]:
    return (
        (f"{title} No", f"{field}.id", _of_party(find, lambda party: party.id)),
        (f"{title} Name", f"{field}.name", _of_party(find, lambda party: party.name)),
        (f"{title} Street", f"{field}.line", _of_party(find, lambda party: party.address.line)),
        (f"{title} City", f"{field}.city", _of_party(find, lambda party: party.address.city)),
        (f"{title} Postcode", f"{field}.postcode", _of_party(find, lambda party: party.address.postcode)),
        (f"{title} Country", f"{field}.country", _of_party(find, lambda party: party.address.country)),
    )


def _place_columns(
    title: str, field: str, find: Callable[[Declaration], Place | None]
) -> tuple[tuple[str, str, Cell], ...]:
    return (
        (title, f"{field}.code", _of_place(find, lambda place: place.code)),
        (f"{title} Name", f"{field}.name", _of_place(find, lambda place: place.name)),
        (f"{title} Country", f"{field}.country", _of_place(find, lambda place: place.country)),
    )


# Title of the column, the field that it fills, how its cell is read off the declaration.
_COLUMNS: tuple[tuple[str, str, Cell], ...] = (
    ("Reference", "lrn", lambda row: row[0].lrn),
    ("Type", "declaration_type", lambda row: row[0].declaration_type),
    ("Function", "function", lambda row: row[0].function),
    ("MRN", "mrn", lambda row: row[0].mrn),
    ("Accepted", "accepted_at", lambda row: show_instant(row[0].accepted_at) if row[0].accepted_at else ""),
    ("Office", "office", lambda row: row[0].office),
    *_party_columns("Declarant", "declarant", lambda declaration: declaration.declarant),
    *_party_columns("Seller", "exporter", lambda declaration: declaration.exporter),
    *_party_columns("Buyer", "importer", lambda declaration: declaration.importer),
    *_party_columns("Carrier", "carrier", lambda declaration: declaration.consignment.carrier),
    ("From", "country_dispatch", lambda row: row[0].country_dispatch),
    ("To", "country_destination", lambda row: row[0].country_destination),
    ("Route", "routing", lambda row: " ".join(row[0].consignment.routing)),
    *_place_columns("Loading", "place_loading", lambda declaration: declaration.consignment.place_loading),
    *_place_columns("Unloading", "place_unloading", lambda declaration: declaration.consignment.place_unloading),
    *_place_columns("Location", "goods_location", lambda declaration: declaration.consignment.goods_location),
    ("Mode", "mode_border", lambda row: row[0].consignment.mode_border),
    ("Ship", "means_id", lambda row: row[0].consignment.means_id),
    ("Flag", "means_nationality", lambda row: row[0].consignment.means_nationality),
    ("Items", "items_count", lambda row: row[0].items_count),
    ("Packages Total", "packages_total", lambda row: row[0].consignment.packages_total),
    ("Gross Total kg", "gross_mass_total_kg", lambda row: row[0].consignment.gross_mass_total_kg),
    ("Invoice", "invoice_amount", _invoice(lambda money: money.amount)),
    ("Invoice Currency", "invoice_amount.currency", _invoice(lambda money: money.currency)),
    ("Terms", "delivery_terms", lambda row: row[0].delivery_terms),
    ("Terms Place", "delivery_place", lambda row: row[0].delivery_place),
    ("Nature", "transaction_nature", lambda row: row[0].transaction_nature),
    ("UCR", "ucr", lambda row: row[0].ucr),
    ("Previous", "previous_documents.id", _of_previous(lambda document: document.id)),
    ("Previous Class", "previous_documents.category", _of_previous(lambda document: document.category)),
    ("Previous Type", "previous_documents.type", _of_previous(lambda document: document.type)),
    ("Container", "transport_equipment.id", lambda row: row[2].id if row[2] else ""),
    ("Seals", "transport_equipment.seals", lambda row: " ".join(seal.id for seal in row[2].seals) if row[2] else ""),
    ("Item", "items.item_no", _of_item(lambda item: item.item_no)),
    ("HS", "items.hs_code", _of_item(lambda item: item.hs_code)),
    ("Goods", "items.description", _of_item(lambda item: item.description)),
    ("Origin", "items.origin", _of_item(lambda item: item.origin)),
    ("Gross kg", "items.gross_mass_kg", _of_item(lambda item: item.gross_mass_kg)),
    ("Net kg", "items.net_mass_kg", _of_item(lambda item: item.net_mass_kg)),
    ("Packages", "items.packages.quantity", _of_package(lambda packages: packages.quantity)),
    ("Package", "items.packages.type", _of_package(lambda packages: packages.type)),
    ("Marks", "items.packages.marks", _of_package(lambda packages: packages.marks)),
    ("Procedure", "items.procedure", _of_item(lambda item: item.procedure)),
    ("Price", "items.item_price", _of_money(lambda item: item.item_price, lambda money: money.amount)),
    ("Currency", "items.item_price.currency", _of_money(lambda item: item.item_price, lambda money: money.currency)),
    (
        "Statistical Value",
        "items.statistical_value",
        _of_money(lambda item: item.statistical_value, lambda money: money.amount),
    ),
    (
        "Statistical Currency",
        "items.statistical_value.currency",
        _of_money(lambda item: item.statistical_value, lambda money: money.currency),
    ),
    ("Valuation", "items.valuation_method", _of_item(lambda item: item.valuation_method)),
)
