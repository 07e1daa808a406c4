"""Entities in JSON lines by the FollowTheMoney model, as OpenSanctions and others publish lists."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from comity.registers.sources.making import Draft, gather
from comity.registers.sources.words import country_code, date_text
from comity.registers.values import BrokenRow, EntryKind, Identifier, Reading

_KINDS = {
    "Person": EntryKind.PERSON,
    "Company": EntryKind.COMPANY,
    "Organization": EntryKind.COMPANY,
    "PublicBody": EntryKind.COMPANY,
    "LegalEntity": EntryKind.COMPANY,
    "Vessel": EntryKind.VESSEL,
    "Airplane": EntryKind.OTHER,
    "CryptoWallet": EntryKind.OTHER,
}
_COUNTRIES = ("nationality", "citizenship", "country", "jurisdiction", "flag", "birthCountry", "mainCountry")
_NUMBERS = {
    "passportNumber": "passport",
    "idNumber": "national_id",
    "socialSecurityNumber": "national_id",
    "registrationNumber": "registration",
    "ogrnCode": "registration",
    "innCode": "tax",
    "taxNumber": "tax",
    "vatCode": "tax",
    "leiCode": "lei",
    "imoNumber": "imo",
    "mmsi": "mmsi",
    "callSign": "call_sign",
}
MAX_LINE = 1_000_000


def read_ftm(data: bytes) -> Reading:
    """Every person, legal entity and conveyance; entities of other schemas, such as addresses, are ignored."""
    found = list(_drafts(data))
    wanted = [draft for draft in found if draft is not None]
    entries, broken = gather(wanted)
    return Reading(entries, broken, ignored=len(found) - len(wanted))


def _drafts(data: bytes) -> Iterator[Draft | BrokenRow | None]:
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            yield _draft(number, line)
        except (ValueError, RecursionError) as error:
            yield BrokenRow(number, "", f"it is no entity: {str(error)[:200]}")


def _draft(number: int, line: bytes) -> Draft | None:
    if len(line) > MAX_LINE:
        raise ValueError(f"it has more than {MAX_LINE} bytes")
    entity = json.loads(line)
    if not isinstance(entity, dict) or not isinstance(entity.get("properties"), dict):
        raise ValueError("an object with properties is expected")
    kind = _KINDS.get(str(entity.get("schema", "")))
    if kind is None:
        return None
    said = _Said(entity["properties"])
    draft = Draft(str(entity.get("id", "")), kind, number)
    draft.names = [(text, False) for text in said.all("name", "alias", "previousName")]
    draft.names += [(text, True) for text in said.all("weakAlias")]
    draft.birth_dates = [date_text(text) for text in said.all("birthDate")]
    draft.countries = [country_code(text) for text in said.all(*_COUNTRIES)]
    draft.identifiers = [
        Identifier(word, text.removeprefix("IMO")) for name, word in _NUMBERS.items() for text in said.all(name)
    ]
    datasets = entity.get("datasets")
    draft.program = ", ".join(map(str, datasets[:5])) if isinstance(datasets, list) else ""
    draft.note = "; ".join(said.all("notes", "position")[:3])
    return draft


class _Said:
    """The properties of an entity: lists of texts, whatever else stands there is passed over."""

    def __init__(self, properties: Mapping[str, object]) -> None:
        self._properties = properties

    def all(self, *names: str) -> list[str]:
        """The texts of these properties."""
        values = [self._properties.get(name) for name in names]
        return [text for value in values if isinstance(value, list) for text in value if isinstance(text, str)]
