"""Declarations and manifests: what traders and carriers lodge. Field names are those of the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from comity.trade.values import (
    AdditionalInformation,
    DocumentReference,
    HSCode,
    Money,
    Packaging,
    Party,
    Place,
    Quantity,
    TransportEquipment,
    Unread,
)


@dataclass(frozen=True, slots=True)
class GoodsItem:
    """One goods item of a declaration (WCO DM GovernmentAgencyGoodsItem)."""

    item_no: int
    hs_code: HSCode | None = None
    description: str = ""
    cas_or_cus: str = ""
    un_dangerous_goods: str = ""
    origin: str = ""
    gross_mass_kg: Decimal | None = None
    net_mass_kg: Decimal | None = None
    supplementary_quantity: Quantity | None = None
    packages: tuple[Packaging, ...] = ()
    procedure: str = ""
    item_price: Money | None = None
    statistical_value: Money | None = None
    valuation_method: str = ""
    duty_regime: str = ""
    consignor: Party | None = None
    consignee: Party | None = None
    documents: tuple[DocumentReference, ...] = ()
    previous_documents: tuple[DocumentReference, ...] = ()
    additional_information: tuple[AdditionalInformation, ...] = ()


@dataclass(frozen=True, slots=True)
class Consignment:
    """Goods moving together under one transport contract (WCO DM Consignment)."""

    carrier: Party | None = None
    consignor: Party | None = None
    consignee: Party | None = None
    master_bill: str = ""
    house_bill: str = ""
    place_loading: Place | None = None
    place_unloading: Place | None = None
    goods_location: Place | None = None
    routing: tuple[str, ...] = ()
    mode_border: str = ""
    means_id: str = ""
    means_nationality: str = ""
    conveyance_ref: str = ""
    transport_equipment: tuple[TransportEquipment, ...] = ()
    description: str = ""
    hs_code: HSCode | None = None
    packages_total: int | None = None
    gross_mass_total_kg: Decimal | None = None
    ucr: str = ""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A goods declaration (WCO DM Declaration with its GoodsShipment)."""

    lrn: str
    declaration_type: str = ""
    function: str = ""
    mrn: str = ""
    accepted_at: datetime | None = None
    office: str = ""
    declarant: Party | None = None
    agent: Party | None = None
    agent_function: str = ""
    exporter: Party | None = None
    importer: Party | None = None
    authorisations: tuple[DocumentReference, ...] = ()
    country_dispatch: str = ""
    country_destination: str = ""
    consignment: Consignment = Consignment()
    items_count: int | None = None
    invoice_amount: Money | None = None
    delivery_terms: str = ""
    delivery_place: str = ""
    transaction_nature: str = ""
    ucr: str = ""
    previous_documents: tuple[DocumentReference, ...] = ()
    guarantees: tuple[DocumentReference, ...] = ()
    additional_information: tuple[AdditionalInformation, ...] = ()
    items: tuple[GoodsItem, ...] = ()
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """A cargo report: what a conveyance carries, consignment by consignment (WCO DM cargo report)."""

    report_ref: str
    function: str = ""
    office: str = ""
    carrier: Party | None = None
    mode_border: str = ""
    means_id: str = ""
    means_nationality: str = ""
    conveyance_ref: str = ""
    place_loading: Place | None = None
    place_unloading: Place | None = None
    expected_at: datetime | None = None
    consignments: tuple[Consignment, ...] = ()
    unread: tuple[Unread, ...] = ()
