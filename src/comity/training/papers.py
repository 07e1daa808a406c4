"""What is said about a shipment: its export declaration, its place in a manifest, its import declaration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from comity.trade import (
    Consignment,
    Declaration,
    GoodsItem,
    HSCode,
    Manifest,
    Money,
    Party,
    RiskType,
)
from comity.trade.values import Address, DocumentReference, Packaging
from comity.training.cast import CARRIER_NAMES, CHEAPER_HEADING, EXPORTER, IMPORTER, TRANSIT, Administration
from comity.training.numbers import movement_number, ship_number
from comity.training.shipments import Line, Shipment

_CURRENCY = "USD"
_CENT = Decimal("0.01")
# What the wrong does to the price that the importer declares.
_PRICE_SHARE = {RiskType.UNDERVALUATION: Decimal("0.45"), RiskType.COUNTERFEIT: Decimal("0.25")}
_MASS_SHARE = {RiskType.WRONG_QUANTITY: Decimal("0.6")}


@dataclass(frozen=True, slots=True)
class Voyage:
    """A ship on her way from one port to the next."""

    number: int
    start: Administration
    end: Administration
    sails_at: datetime


def export_declaration(shipment: Shipment) -> Declaration:
    """The export declaration at XA. It tells the truth but for a hidden imitation: a false price is told abroad."""
    at = shipment.ready_at
    return replace(
        _declaration(shipment, tuple(_item(n, line) for n, line in enumerate(shipment.lines, 1))),
        lrn=f"XA{at:%y%m%d}E{shipment.number:05d}",
        declaration_type="EXA",
        mrn=movement_number(at.year, EXPORTER.code, shipment.number),
        accepted_at=at,
        office=EXPORTER.office,
        declarant=shipment.forwarder,
    )


def import_declaration(shipment: Shipment, at: datetime) -> Declaration:
    """The import declaration at XC, bent where the shipment hides something that the importer must cover."""
    items = tuple(_bent(_item(n, line, "4000"), shipment.risk_type) for n, line in enumerate(shipment.lines, 1))
    draft = _declaration(shipment, items)
    return replace(
        draft,
        consignment=replace(draft.consignment, goods_location=IMPORTER.port),
        lrn=f"XC{at:%y%m%d}I{shipment.number:05d}",
        declaration_type="IMA",
        mrn=movement_number(at.year, IMPORTER.code, shipment.number),
        accepted_at=at,
        office=IMPORTER.office,
        declarant=shipment.importer,
        previous_documents=(DocumentReference(_bill_of(shipment), "X", "705"),),
    )


def manifest(voyage: Voyage, shipments: Sequence[Shipment]) -> Manifest:
    """The cargo report of a voyage, at the office of the port where it ends."""
    ship = ship_number(voyage.number)
    return Manifest(
        report_ref=f"{voyage.end.code}{voyage.sails_at:%y%m%d}M{voyage.number:04d}",
        function="9",
        office=voyage.end.office,
        carrier=carrier_of(voyage.start),
        mode_border="1",
        means_id=ship,
        means_nationality=voyage.start.code,
        conveyance_ref=f"V{voyage.number:04d}",
        place_loading=voyage.start.port,
        place_unloading=voyage.end.port,
        expected_at=voyage.sails_at + timedelta(days=2),
        consignments=tuple(_manifest_consignment(voyage, shipment, ship) for shipment in shipments),
    )


def carrier_of(start: Administration) -> Party:
    """The line that serves the port."""
    name = CARRIER_NAMES[0] if start is EXPORTER else CARRIER_NAMES[1]
    return Party(f"{start.code}900000001", name, Address("1 Quay Road", start.cities[0], "900", start.code))


def _declaration(shipment: Shipment, items: tuple[GoodsItem, ...]) -> Declaration:
    invoice = sum((item.item_price.amount for item in items if item.item_price), Decimal(0))
    return Declaration(
        lrn="",
        function="9",
        exporter=shipment.exporter,
        importer=shipment.importer,
        country_dispatch=EXPORTER.code,
        country_destination=IMPORTER.code,
        consignment=Consignment(
            carrier=carrier_of(EXPORTER),
            place_loading=EXPORTER.port,
            place_unloading=IMPORTER.port,
            goods_location=EXPORTER.port,
            routing=(EXPORTER.code, TRANSIT.code, IMPORTER.code),
            mode_border="1",
            means_id=ship_number(shipment.number // 40 + 1),
            means_nationality=EXPORTER.code,
            transport_equipment=shipment.equipment,
            packages_total=sum(line.packages for line in shipment.lines),
            gross_mass_total_kg=sum((item.gross_mass_kg for item in items if item.gross_mass_kg), Decimal(0)),
        ),
        items_count=len(items),
        invoice_amount=Money(invoice, _CURRENCY),
        delivery_terms="CIF",
        delivery_place=IMPORTER.port.code,
        transaction_nature="11",
        ucr=shipment.ucr,
        items=items,
    )


def _item(number: int, line: Line, procedure: str = "1000") -> GoodsItem:
    return GoodsItem(
        item_no=number,
        hs_code=HSCode(line.goods.hs),
        description=line.goods.description,
        origin=EXPORTER.code,
        gross_mass_kg=line.gross_kg,
        net_mass_kg=line.net_kg,
        packages=(Packaging(line.packages, line.goods.package, "XA GOODS"),),
        procedure=procedure,
        item_price=Money(line.value, _CURRENCY),
        statistical_value=Money(line.value, _CURRENCY),
        valuation_method="1",
    )


def _bent(item: GoodsItem, risk_type: RiskType | None) -> GoodsItem:
    if risk_type is RiskType.MISCLASSIFICATION and item.hs_code is not None:
        return replace(item, hs_code=HSCode(CHEAPER_HEADING.get(item.hs_code.subheading, item.hs_code.subheading)))
    if risk_type is RiskType.FALSE_ORIGIN:
        return replace(item, origin=TRANSIT.code)
    if risk_type in _PRICE_SHARE and item.item_price is not None:
        price = Money((item.item_price.amount * _PRICE_SHARE[risk_type]).quantize(_CENT), item.item_price.currency)
        return replace(item, item_price=price, statistical_value=price)
    if risk_type in _MASS_SHARE and item.net_mass_kg and item.gross_mass_kg and item.item_price:
        share = _MASS_SHARE[risk_type]
        price = Money((item.item_price.amount * share).quantize(_CENT), item.item_price.currency)
        net, gross = ((mass * share).quantize(Decimal("0.1")) for mass in (item.net_mass_kg, item.gross_mass_kg))
        return replace(item, net_mass_kg=net, gross_mass_kg=gross, item_price=price, statistical_value=price)
    return item


def _bill_of(shipment: Shipment) -> str:
    return f"{EXPORTER.owner}BL{shipment.number:06d}"


def _manifest_consignment(voyage: Voyage, shipment: Shipment, ship: str) -> Consignment:
    first = shipment.lines[0]
    return Consignment(
        carrier=carrier_of(voyage.start),
        consignor=shipment.exporter,
        consignee=shipment.importer,
        house_bill=_bill_of(shipment),
        place_loading=voyage.start.port,
        place_unloading=voyage.end.port,
        routing=(EXPORTER.code, TRANSIT.code, IMPORTER.code),
        mode_border="1",
        means_id=ship,
        conveyance_ref=f"V{voyage.number:04d}",
        transport_equipment=shipment.equipment,
        description=first.goods.description,
        hs_code=HSCode(first.goods.hs),
        packages_total=sum(line.packages for line in shipment.lines),
        gross_mass_total_kg=sum((line.gross_kg for line in shipment.lines), Decimal(0)),
        ucr=shipment.ucr,
    )
