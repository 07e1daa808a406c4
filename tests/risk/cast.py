"""Records, alerts and officers that the tests of risk and enforcement share."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from comity.common import Actor, ActorKind, new_id
from comity.intake.models import Arrival, Record, RecordKey
from comity.intake.rules import keys_of, lodged_by, reference_of
from comity.intake.selectors import record as stored_record
from comity.intake.values import RecordKind, StoredRecord
from comity.trade import (
    Alert,
    AlertCategory,
    Consignment,
    Declaration,
    GoodsItem,
    HSCode,
    Manifest,
    Money,
    Party,
    Place,
    RiskType,
    Subject,
    SubjectRole,
    TransportEquipment,
)
from comity.trade.encoding import declaration_to_json, manifest_to_json
from comity.trade.values import Address

NODE = Actor(ActorKind.NODE, "XA", "XA")
ANALYST = Actor(ActorKind.OFFICER, "ana", "XA", frozenset({"analyst"}))
OFFICER = Actor(ActorKind.OFFICER, "boris", "XA", frozenset({"officer"}))
SUPERVISOR = Actor(ActorKind.OFFICER, "chipo", "XA", frozenset({"supervisor", "analyst"}))
AUDITOR = Actor(ActorKind.OFFICER, "dora", "XA", frozenset({"auditor"}))
PARTNER = Actor(ActorKind.PARTNER, "XC", "XC")

EXPORTER = Party("XA-4711", "Alfa Shoes Ltd.", Address(country="XA"))
IMPORTER = Party("XC-9000", "Charlie Imports", Address(country="XC"))


def declaration(lrn: str = "LRN-1", **changes: object) -> Declaration:
    """Sports shoes from XA to XC; changes: fields of the declaration, or of its only goods item."""
    item_fields = {"hs_code", "description", "origin", "net_mass_kg", "item_price"}
    item = GoodsItem(
        item_no=1,
        hs_code=HSCode("640411"),
        description="Sports shoes of textile",
        origin="XA",
        gross_mass_kg=Decimal(120),
        net_mass_kg=Decimal(100),
        item_price=Money(Decimal(210), "USD"),
    )
    item = replace(item, **{name: value for name, value in changes.items() if name in item_fields})
    whole = Declaration(
        lrn=lrn,
        declaration_type="EX",
        office="XA001",
        declarant=Party("XA-D1", "Broker"),
        exporter=EXPORTER,
        importer=IMPORTER,
        country_dispatch="XA",
        country_destination="XC",
        consignment=Consignment(
            carrier=Party("XA-C1", "Oceanic Lines", Address(country="XA")),
            means_id="9321483",
            place_loading=Place("XAPOR"),
            transport_equipment=(TransportEquipment("MSKU0000002"),),
        ),
        ucr=f"UCR-{lrn}",
        items=(item,),
    )
    return replace(whole, **{name: value for name, value in changes.items() if name not in item_fields})


def manifest(ref: str = "MAN-1") -> Manifest:
    """Two consignments on one ship."""
    shoes = Consignment(
        consignor=EXPORTER,
        consignee=IMPORTER,
        hs_code=HSCode("640411"),
        place_loading=Place("XAPOR", country="XA"),
        transport_equipment=(TransportEquipment("MSKU0000002"),),
        packages_total=12,
        gross_mass_total_kg=Decimal(120),
        description="Shoes",
    )
    tea = Consignment(consignor=Party("XA-1", "Tea House"), hs_code=HSCode("090210"), description="Green tea")
    return Manifest(
        report_ref=ref,
        office="XC001",
        carrier=Party("XA-C1", "Oceanic Lines", Address(country="XA")),
        means_id="9321483",
        place_loading=Place("XAPOR", country="XA"),
        place_unloading=Place("XCPOR", country="XC"),
        consignments=(shoes, tea),
    )


def store(content: Declaration | Manifest, at: datetime, *, version: int = 1) -> StoredRecord:
    """The record as intake keeps it; a later version takes the place of the earlier one."""
    data = f"{reference_of(content)} {version}".encode()
    arrival = Arrival.objects.create(
        id=new_id(at),
        sha256=hashlib.sha256(data).hexdigest(),
        data=data,
        size_bytes=len(data),
        source="test",
        name="test.xml",
        received_at=at,
    )
    earlier = Record.objects.filter(reference=reference_of(content), is_current=True).first()
    Record.objects.filter(reference=reference_of(content)).update(is_current=False)
    row = Record.objects.create(
        record_id=earlier.record_id if earlier else new_id(at),
        version=version,
        is_current=True,
        kind=(RecordKind.DECLARATION if isinstance(content, Declaration) else RecordKind.MANIFEST).value,
        reference=reference_of(content),
        lodged_by=lodged_by(content),
        digest=arrival.sha256,
        ucr=content.ucr if isinstance(content, Declaration) else "",
        parsed=declaration_to_json(content) if isinstance(content, Declaration) else manifest_to_json(content),
        problems=[],
        arrival=arrival,
        line=1,
        received_at=at,
    )
    RecordKey.objects.bulk_create(
        RecordKey(record=row, kind=kind.value, value=value) for kind, value in keys_of(content)
    )
    return stored_record(row.record_id)


def alert(at: datetime, **changes: object) -> Alert:
    """XC's alert about the shoes of XA-4711."""
    made = Alert(
        ref="XC-A-2026-000001",
        issuer="XC",
        category=AlertCategory.COMMODITIES,
        title="Counterfeit sports shoes",
        risk_type=RiskType.COUNTERFEIT,
        issued_at=at,
        valid_from=at,
        valid_until=at + timedelta(days=90),
        subjects=(Subject(SubjectRole.CONSIGNOR, "XA-4711", "Alfa Shoes", "XA"),),
        hs_codes=("6404",),
        modus_operandi="Branded shoes declared without a brand",
        reliability="B",
        credibility="2",
    )
    return replace(made, **changes)
