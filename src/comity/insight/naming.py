"""Names and numbers of persons and companies: how they are compared, and who a message or a step names. Pure.

A name is compared without case, accents, punctuation, order of its words (up to four) and legal form; a number by its
letters and digits. Nothing is guessed: what matches is a candidate, and an officer confirms it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import permutations

from comity.agreements.procedures import Procedure
from comity.intake import KeyKind, normal_key
from comity.trade import Alert, Declaration, Finding, Manifest, Party, Subject, SubjectRole

LEGAL_FORMS = (
    *("ltd", "limited", "llc", "inc", "corp", "co", "company", "gmbh", "ag", "sa", "sas", "sarl", "srl", "spa", "bv"),
    *("nv", "oy", "ab", "as", "plc", "pte", "pty", "kg", "lda", "sl"),
)
MOST_WORDS = 4
_PARTS = re.compile(r"[;\n|]|,\s")
_AND = " and "
_NO_PERSONS = frozenset({"container", "means of transport"})
_PERSONS = frozenset({SubjectRole.CONSIGNOR, SubjectRole.CONSIGNEE, SubjectRole.CARRIER, SubjectRole.DECLARANT})


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks, as far as it was told. birth_date: no record carries one; who confirms the candidates sees it."""

    name: str = ""
    ids: tuple[str, ...] = ()
    birth_date: date | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody as a source names them. role: in the words of the source."""

    role: str
    id: str = ""
    name: str = ""
    country: str = ""

    @property
    def spelling(self) -> str:
        """What tells candidates apart: number, name and country as they stand."""
        return " · ".join(each for each in (self.name, self.id, self.country) if each)


def normal_name(text: str) -> str:
    """A name without case, accents and punctuation."""
    return normal_key(KeyKind.EXPORTER_NAME, text)


def normal_id(text: str) -> str:
    """A number without spaces and punctuation."""
    return normal_key(KeyKind.EXPORTER_ID, text)


def variants_of(asked: Asked) -> tuple[frozenset[str], frozenset[str]]:
    """The normal forms that are looked for: of the name, in any order of its words and with any legal form; of ids."""
    ids = frozenset(each for text in asked.ids if (each := normal_id(text)))
    words = [each for each in normal_name(asked.name).split() if each]
    core = [each for each in words if each not in LEGAL_FORMS] or words
    if not core:
        return frozenset(), ids
    orders = permutations(core) if len(core) <= MOST_WORDS else [tuple(core)]
    names = {" ".join(order) for order in orders}
    names |= {f"{name} {form}" for name in tuple(names) for form in LEGAL_FORMS} if len(core) <= 2 else set()
    names |= {f"{' '.join(core)} {form}" for form in LEGAL_FORMS} | {" ".join(words)}
    return frozenset(names), ids


def is_named(named: Named, names: frozenset[str], ids: frozenset[str]) -> bool:
    """Whether somebody who is named may be the one who asks."""
    by_id = bool(named.id) and normal_id(named.id) in ids
    return by_id or (bool(named.name) and normal_name(named.name) in names)


def named_in_record(content: Declaration | Manifest) -> tuple[Named, ...]:
    """Everybody whom a declaration or a manifest names, each once."""
    found = _in_declaration(content) if isinstance(content, Declaration) else _in_manifest(content)
    return tuple(dict.fromkeys(each for each in found if each.id or each.name))


def named_in_alert(alert: Alert) -> tuple[Named, ...]:
    """Persons and companies that an alert names; containers and ships are none."""
    return tuple(_of_subject(each) for each in alert.subjects if each.role in _PERSONS)


def named_in_finding(finding: Finding) -> tuple[Named, ...]:
    """Whom a finding names."""
    return tuple(_of_subject(each) for each in (finding.consignor, finding.consignee) if each is not None)


def named_in_step(procedure: Procedure, fields: Mapping[str, object]) -> tuple[Named, ...]:
    """What the fields of a step that are marked as personal say: each text, and each part of a list or of a line."""
    found: dict[Named, None] = {}
    for each in procedure.fields:
        if each.is_personal and each.name in fields:
            for text in _texts(fields[each.name]):
                parts = [text, *(part.strip() for part in _PARTS.split(text))]
                found |= dict.fromkeys(Named(each.name, name=part) for part in parts if part)
    return tuple(found)


def named_in_hit(ours: Mapping[str, str]) -> tuple[Named, ...]:
    """Whom the screening compared, by name, country, numbers and part as a hit has them; containers and ships are none.

    One who played several parts is there once for each.
    """
    parts = [each for each in ours.get("part", "").split(_AND) if each not in _NO_PERSONS]
    numbers = [each.strip() for each in ours.get("numbers", "").split(";")] if parts else []
    name, country = ours.get("name", ""), ours.get("country", "")
    found = (Named(part, number, name, country) for part in parts for number in numbers)
    return tuple(dict.fromkeys(each for each in found if each.id or each.name))


def keys_of(named: Iterable[Named]) -> frozenset[str]:
    """The normal forms under which they are found: `id:` or `name:` before each."""
    ids = {f"id:{normal_id(each.id)}" for each in named if normal_id(each.id)}
    return frozenset(ids | {f"name:{normal_name(each.name)}" for each in named if normal_name(each.name)})


def keyed(key: bytes, text: str) -> str:
    """A keyed hash of a normal form: the index tells nobody who is in it."""
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _in_declaration(content: Declaration) -> Iterator[Named]:
    yield from _of_party("declarant", content.declarant)
    yield from _of_party("agent", content.agent)
    yield from _of_party("exporter", content.exporter)
    yield from _of_party("importer", content.importer)
    for role in ("carrier", "consignor", "consignee"):
        yield from _of_party(role, getattr(content.consignment, role))
    for item in content.items:
        yield from _of_party("consignor", item.consignor)
        yield from _of_party("consignee", item.consignee)


def _in_manifest(content: Manifest) -> Iterator[Named]:
    yield from _of_party("carrier", content.carrier)
    for each in content.consignments:
        for role in ("carrier", "consignor", "consignee"):
            yield from _of_party(role, getattr(each, role))


def _of_party(role: str, party: Party | None) -> Iterator[Named]:
    if party is not None:
        yield Named(role, party.id, party.name, party.address.country)


def _of_subject(subject: Subject) -> Named:
    return Named(subject.role.value, subject.id, subject.name, subject.country)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
