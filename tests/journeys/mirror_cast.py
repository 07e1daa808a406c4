"""Two administrations with an agreement on the mirror check, each a process with its own database."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from comity.agreements import parse_agreement
from comity.agreements.selectors import PAYLOAD_TYPE
from comity.common import show_instant
from comity.exchange.invitation import write_invitation
from comity.trade import Consignment, Declaration, GoodsItem, HSCode, Money, Party, TransportEquipment
from comity.trade.formats.wco_xml import write_wco_xml
from comity.trade.values import Packaging
from comity.trust import Keyring, keyring_files, make_keyring, sign_statement
from tests.custody.cast import AT, ROOT, Node, World
from tests.migrated import place_database
from tests.nest import begin

CODES = ("XA", "XC")
AGREEMENT = parse_agreement((Path(__file__).parent / "mirror_agreement.yaml").read_bytes())
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


@contextmanager
def pair(folder: Path, *, database_urls: dict[str, str] | None = None) -> Iterator[World]:
    """Two running nodes that share the agreement; none of them outlives this."""
    born = AT - timedelta(days=1)
    keyrings = {
        code: make_keyring(code, f"Customs of {code}", "https://127.0.0.1:1", ["127.0.0.1"], born) for code in CODES
    }
    nodes: dict[str, Node] = {}
    try:
        for code in CODES:
            nodes[code] = _start(folder / code, code, keyrings, (database_urls or {}).get(code, ""))
        signed = sign_statement(PAYLOAD_TYPE, AGREEMENT.to_bytes(), *(each.signing for each in keyrings.values()))
        words = {"agreement": base64.b64encode(signed.to_bytes()).decode(), "at": show_instant(AT)}
        for code in CODES:
            others = [base64.b64encode(write_invitation(keyrings[each])).decode() for each in CODES if each != code]
            nodes[code].say("meet_all", invitations=others, **words)
        assert [nodes[code].hear() for code in CODES] == [None] * len(CODES)
        yield World(nodes, keyrings)
    finally:
        for node in nodes.values():
            node.end()


def _start(home: Path, code: str, keyrings: dict[str, Keyring], url: str) -> Node:
    (home / "keys").mkdir(parents=True)
    for name, content in keyring_files(keyrings[code]).items():
        (home / "keys" / name).write_bytes(content)
    if not url:
        place_database(home)
    environment = {**os.environ, "COMITY_HOME": str(home), "DJANGO_SETTINGS_MODULE": "comity.node.settings"}
    environment |= {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "COMITY_DATABASE_URL": url}
    errors = home / "stderr.txt"
    with errors.open("ab") as trouble:
        process = begin("tests.journeys.mirror_node", environment=environment, errors=trouble)
    return Node(code, process, errors)
