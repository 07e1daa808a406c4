"""What identifies a record, and by what it can be matched. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from comity.intake.values import KeyKind
from comity.trade import Consignment, Declaration, Manifest, Party

MAX_REFERENCE = 100
MAX_KEY = 200
_NOT_WORD = re.compile(r"[\W_]+")


def reference_of(record: Declaration | Manifest) -> str:
    """The reference that its sender gave it: LRN or report reference."""
    return record.lrn if isinstance(record, Declaration) else record.report_ref


def lodged_by(record: Declaration | Manifest) -> str:
    """Who answers for the reference: the declarant or the carrier.

    References are unique for each of them only: a stranger's equal reference must not replace a record.
    """
    party = record.declarant if isinstance(record, Declaration) else record.carrier
    return (party.id or party.name)[:MAX_REFERENCE] if party else ""


def normal_key(kind: KeyKind, text: str) -> str:
    """The form in which a key is compared: case, accents, punctuation and spaces do not count."""
    # Folding case can bring back what the first decomposition took apart (Unicode §3.13, compatibility caseless match).
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    joint = " " if kind.is_name else ""
    return _NOT_WORD.sub(joint, plain).strip()[:MAX_KEY].strip()


def keys_of(record: Declaration | Manifest) -> frozenset[tuple[KeyKind, str]]:
    """Every key of a record, in normal form."""
    found = _declaration_keys(record) if isinstance(record, Declaration) else _manifest_keys(record)
    normal = {(kind, normal_key(kind, text)) for kind, text in found if text}
    return frozenset((kind, text) for kind, text in normal if text)


def _declaration_keys(declaration: Declaration) -> Iterator[tuple[KeyKind, str]]:
    yield KeyKind.UCR, declaration.ucr
    yield from _party_keys(declaration.exporter, KeyKind.EXPORTER_ID, KeyKind.EXPORTER_NAME)
    yield from _party_keys(declaration.importer, KeyKind.IMPORTER_ID, KeyKind.IMPORTER_NAME)
    for party in (declaration.declarant, declaration.agent):
        yield from _party_keys(party, KeyKind.DECLARANT_ID, KeyKind.DECLARANT_NAME)
    yield from _consignment_keys(declaration.consignment)
    for item in declaration.items:
        yield from _party_keys(item.consignor, KeyKind.EXPORTER_ID, KeyKind.EXPORTER_NAME)
        yield from _party_keys(item.consignee, KeyKind.IMPORTER_ID, KeyKind.IMPORTER_NAME)


def _manifest_keys(manifest: Manifest) -> Iterator[tuple[KeyKind, str]]:
    yield KeyKind.MEANS_ID, manifest.means_id
    yield from _party_keys(manifest.carrier, KeyKind.CARRIER_ID, KeyKind.CARRIER_NAME)
    for consignment in manifest.consignments:
        yield from _consignment_keys(consignment)


def _consignment_keys(consignment: Consignment) -> Iterator[tuple[KeyKind, str]]:
    yield KeyKind.UCR, consignment.ucr
    yield KeyKind.BILL, consignment.master_bill
    yield KeyKind.BILL, consignment.house_bill
    yield KeyKind.MEANS_ID, consignment.means_id
    yield from _party_keys(consignment.carrier, KeyKind.CARRIER_ID, KeyKind.CARRIER_NAME)
    yield from _party_keys(consignment.consignor, KeyKind.EXPORTER_ID, KeyKind.EXPORTER_NAME)
    yield from _party_keys(consignment.consignee, KeyKind.IMPORTER_ID, KeyKind.IMPORTER_NAME)
    for equipment in consignment.transport_equipment:
        yield KeyKind.CONTAINER, equipment.id


def _party_keys(party: Party | None, id_kind: KeyKind, name_kind: KeyKind) -> Iterator[tuple[KeyKind, str]]:
    if party is not None:
        yield id_kind, party.id
        yield name_kind, party.name
