"""Two administrations with an agreement on the mirror check, and an export of the one that the other imports."""

from __future__ import annotations

import base64
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from comity.agreements import parse_agreement
from comity.trade import Consignment, Declaration, GoodsItem, HSCode, Money, Party, TransportEquipment
from comity.trade.formats.wco_xml import write_wco_xml
from comity.trade.values import Packaging
from tests.federation import Federation

AGREEMENT = parse_agreement((Path(__file__).parent / "mirror_agreement.yaml").read_bytes())
PAIR = Federation(("XA", "XC"), AGREEMENT, "tests.journeys.mirror_deeds.MirrorNode")
EXPORT = Declaration(
    lrn="XA-E-1",
    declaration_type="EXA",
    mrn="26XA00000000000001",
    declarant=Party("XA900", "Forwarder"),
    exporter=Party("XA123", "Blue Heron Trading"),
    importer=Party("XC456", "Kestrel Retail"),
    country_dispatch="XA",
    country_destination="XC",
    ucr="6XAXA123-2026-000017",
    consignment=Consignment(transport_equipment=(TransportEquipment("MSCU1234566"),)),
    items=(
        GoodsItem(
            1,
            HSCode("640411"),
            "Sports shoes",
            origin="XA",
            gross_mass_kg=Decimal("1040.00"),
            net_mass_kg=Decimal("980.00"),
            packages=(Packaging(120, "CT"),),
            item_price=Money(Decimal("24000.00"), "USD"),
        ),
    ),
)
IMPORT = replace(
    EXPORT, lrn="XC-I-1", declaration_type="IMA", mrn="26XC00000000000001", declarant=Party("XC900", "Broker")
)


def priced(declaration: Declaration, amount: str, **changes: object) -> Declaration:
    """The declaration with another price, and other things of its goods item."""
    (item,) = declaration.items
    changed = replace(item, item_price=Money(Decimal(amount), "USD"), **changes)  # type: ignore[arg-type]
    return replace(declaration, items=(changed,))


def paper(declaration: Declaration) -> str:
    """A declaration as its bytes travel to a driven node."""
    return base64.b64encode(write_wco_xml(declaration)).decode()
