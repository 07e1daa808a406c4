"""Registers in the assessment: recognised traders lower a score; controls, rights, species and routes raise it.

Each reason names its register, the date of that and its clause. Reads only; what a register says is sorted once in a
process for as long as the registers stay the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from anyascii import anyascii

from comity.registers.selectors import bodies
from comity.registers.values import RegisterKind, RegisterVersion
from comity.risk.rules import Lane, SourceKind
from comity.risk.values import Batch, FoundReason
from comity.risk.wording import Evidence
from comity.trade import Consignment, Declaration, GoodsItem, HSCode, Manifest, Party, RiskType
from comity.trade.codes.places import country_name
from comity.trade.values import DocumentReference

# What an authorised economic operator takes off a score, in percent; WCO SAFE Framework, pillar 2. Never all of it.
RELIEF = {"aeoc": 20.0, "aeos": 30.0, "aeof": 40.0}
RECOGNISED_SHARE = 0.75
_NOT_VALID, _NOT_KNOWN = 15.0, 15.0
_LICENCE, _PROHIBITED, _RIGHT, _EMBARGO, _WATCH = 60.0, 90.0, 45.0, 90.0, 30.0
_APPENDIX = {"1": 70.0, "2": 45.0, "3": 30.0}
_PERMITS = ("C400", "E990", "N851", "CITES")
_WORDS = re.compile(r"[a-z0-9]+")
_NUMBER = re.compile(r"[^A-Z0-9]")
_MOST_OF_A_KIND = 5

_RISKS = {
    RegisterKind.CONTROLS: RiskType.PROHIBITED,
    RegisterKind.RIGHTS: RiskType.COUNTERFEIT,
    RegisterKind.SPECIES: RiskType.PROHIBITED,
    RegisterKind.ROUTES: RiskType.PROHIBITED,
}

Body = Mapping[str, Any]
Row = tuple[RegisterVersion, Body]


@dataclass(frozen=True, slots=True)
class Goods:
    """What registers are asked about: one goods item, or a consignment of a manifest."""

    item_no: int
    hs: str
    words: tuple[str, ...]
    description: str
    origins: frozenset[str]
    destination: str
    documents: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A record as registers see it. direction: import, export, or empty for goods that pass through."""

    parties: tuple[tuple[str, Party], ...]
    goods: tuple[Goods, ...]
    direction: str
    declares_aeo: bool
    day: str
    administration: str


@dataclass(slots=True)
class Registers:
    """The rows in force, sorted for looking up."""

    traders: dict[str, list[Row]] = field(default_factory=dict)
    has_traders: bool = False
    controls: dict[str, list[Row]] = field(default_factory=dict)
    rights: dict[str, list[Row]] = field(default_factory=dict)
    species: dict[str, list[tuple[tuple[str, ...], Row]]] = field(default_factory=dict)
    routes: list[Row] = field(default_factory=list)


def registered_reasons(batch: Batch) -> list[list[FoundReason]]:
    """For each record what the registers in force say of it."""
    versions = tuple(version for version in batch.registers if version.kind is not RegisterKind.WATCH_LIST)
    if not versions:
        return [[] for _ in batch.records]
    registers = _sorted(versions)
    return [list(_reasons(registers, asked_of(record.content, batch))) for record in batch.records]


@lru_cache(maxsize=2)
def _sorted(versions: tuple[RegisterVersion, ...]) -> Registers:
    registers = Registers()
    put: dict[RegisterKind, Callable[[Row], None]] = {
        RegisterKind.TRADERS: lambda row: _put(registers.traders, [_plain(row[1]["number"])], row),
        RegisterKind.CONTROLS: lambda row: _put(registers.controls, row[1]["hs"], row),
        RegisterKind.RIGHTS: lambda row: _put(registers.rights, _first_words([row[1]["mark"]]), row),
        RegisterKind.SPECIES: lambda row: _put_species(registers, row),
        RegisterKind.ROUTES: registers.routes.append,
    }
    for version in versions:
        registers.has_traders |= version.kind is RegisterKind.TRADERS
        for body in bodies(version.version_id):
            put[version.kind]((version, body))
    return registers


def _put(table: dict[str, list[Row]], keys: Iterable[str], row: Row) -> None:
    for key in keys:
        table.setdefault(key, []).append(row)


def _put_species(registers: Registers, row: Row) -> None:
    for name in (row[1]["taxon"], *row[1]["common_names"]):
        words = tuple(word for word in _words(name) if word not in {"spp", "sp"})
        if words:
            registers.species.setdefault(words[0], []).append((words, row))


def asked_of(record: Declaration | Manifest, batch: Batch) -> Asked:
    """The record as registers see it."""
    day, administration = batch.at.date().isoformat(), batch.administration
    if isinstance(record, Manifest):
        parties = [("carrier", record.carrier)]
        parties += [("consignor", part.consignor) for part in record.consignments]
        parties += [("consignee", part.consignee) for part in record.consignments]
        goods = tuple(_goods_of(part, number) for number, part in enumerate(record.consignments, start=1))
        return Asked(_named(parties), goods, "", declares_aeo=False, day=day, administration=administration)
    parties = [("importer", record.importer), ("exporter", record.exporter), ("declarant", record.declarant)]
    parties += [("consignee", record.consignment.consignee), ("consignor", record.consignment.consignor)]
    is_import, is_export = record.country_destination == administration, record.country_dispatch == administration
    return Asked(
        parties=_named(parties),
        goods=tuple(_item_of(record, item) for item in record.items),
        direction="import" if is_import and not is_export else "export" if is_export and not is_import else "",
        declares_aeo=any(entry.category.startswith("AEO") for entry in record.authorisations),
        day=day,
        administration=administration,
    )


def _named(parties: Sequence[tuple[str, Party | None]]) -> tuple[tuple[str, Party], ...]:
    return tuple((role, party) for role, party in parties if party is not None and party.id)


def _item_of(declaration: Declaration, item: GoodsItem) -> Goods:
    documents = (*item.documents, *item.previous_documents, *declaration.authorisations)
    return Goods(
        item_no=item.item_no,
        hs=_hs(item.hs_code),
        words=_words(item.description),
        description=item.description,
        origins=frozenset({item.origin, declaration.country_dispatch} - {""}),
        destination=declaration.country_destination,
        documents=_codes(documents),
    )


def _goods_of(consignment: Consignment, number: int) -> Goods:
    loading, unloading = consignment.place_loading, consignment.place_unloading
    return Goods(
        item_no=number,
        hs=_hs(consignment.hs_code),
        words=_words(consignment.description),
        description=consignment.description,
        origins=frozenset({loading.country} - {""}) if loading else frozenset(),
        destination=unloading.country if unloading else "",
        documents=frozenset(),
    )


def _codes(documents: Iterable[DocumentReference]) -> frozenset[str]:
    """How documents may be named in a register: by type, by category with it, by the beginning of the number."""
    told: set[str] = set()
    for each in documents:
        told |= {each.type.upper(), f"{each.category}{each.type}".upper(), each.category.upper()}
        told |= {word.upper() for word in _words(each.id)[:1]}
    return frozenset(told - {""})


def _reasons(registers: Registers, asked: Asked) -> Iterator[FoundReason]:
    yield from _of_traders(registers, asked)
    for found in (_of_controls, _of_rights, _of_species, _of_routes):
        by_ref: dict[str, FoundReason] = {}
        for goods in asked.goods:
            for reason in found(registers, asked, goods):
                by_ref.setdefault(reason.source_ref, reason)
        yield from list(by_ref.values())[:_MOST_OF_A_KIND]


def _of_traders(registers: Registers, asked: Asked) -> Iterator[FoundReason]:
    """At most one relief, the largest; and what is wrong with a status."""
    reliefs: dict[str, FoundReason] = {}
    is_known = False
    for role, party in asked.parties:
        for version, body in registers.traders.get(_plain(party.id), ()):
            is_known = True
            if _state(body, asked.day) == "valid":
                relief = _relief((version, body), role, party, asked)
                reliefs[relief.source_ref] = relief
            else:
                yield _status_reason((version, body), role, party, asked)
    if reliefs:
        yield min(reliefs.values(), key=lambda reason: (reason.weight, reason.source_ref))
    if asked.declares_aeo and registers.has_traders and not is_known:
        text = "The declaration names an AEO authorisation, and no party of it is in the register of traders"
        yield _bare("AEO status declared, not in the register", text, _NOT_KNOWN, Lane.GREEN, asked)


def _relief(row: Row, role: str, party: Party, asked: Asked) -> FoundReason:
    version, body = row
    is_own = body["issuer"] == asked.administration
    percent = round(RELIEF[body["status"]] * (1.0 if is_own else RECOGNISED_SHARE), 1)
    status = body["status"].upper()
    how = "own" if is_own else f"recognised under {body['arrangement'] or 'an arrangement'}"
    text = f"{role.capitalize()} {party.id} is {status} of {body['issuer']} ({how}): {percent:g} % off the score"
    return FoundReason(
        source_kind=SourceKind.REGISTER,
        source_ref=_ref(version, body["number"]),
        title=f"Authorised economic operator: {body['name']}",
        text=f"{text}, unless a reason selects by itself",
        weight=-percent,
        lane=Lane.GREEN,
        administration=str(body["issuer"])[:16],
        clause=body["arrangement"] or "WCO SAFE Framework, AEO",
        evidence=(Evidence(text, "exporter_id" if role == "exporter" else "importer_id", party.id, "is", status),),
        facts=_facts(version, body),
    )


def _status_reason(row: Row, role: str, party: Party, asked: Asked) -> FoundReason:
    _, body = row
    state = _state(body, asked.day)
    text = f"{role.capitalize()} {party.id} was {body['status'].upper()} of {body['issuer']}; the status is {state}"
    made = _bare(f"AEO status {state}: {body['name']}", text, _NOT_VALID, Lane.GREEN, asked)
    return _with(made, row, ref=body["number"])


def _of_controls(registers: Registers, asked: Asked, goods: Goods) -> Iterator[FoundReason]:
    for version, body in _by_hs(registers.controls, goods.hs):
        if not _is_valid(body, asked.day) or body["direction"] not in {"both", asked.direction or "both"}:
            continue
        other = goods.origins if body["direction"] == "import" else goods.origins | {goods.destination}
        if body["direction"] == "export":
            other = frozenset({goods.destination})
        if body["countries"] and "*" not in body["countries"] and not other & set(body["countries"]):
            continue
        wanted = {word.upper() for word in body["documents"]}
        if body["measure"] == "licence" and wanted & goods.documents:
            continue
        is_prohibited = body["measure"] == "prohibited"
        need = "is prohibited" if is_prohibited else f"needs {' or '.join(body['documents']) or 'a licence'}"
        told = "" if is_prohibited else ", which is not declared"
        text = f"Item {goods.item_no}, HS {goods.hs}: {body['title']} {need}{told}"
        weight, lane = (_PROHIBITED, Lane.RED) if is_prohibited else (_LICENCE, Lane.YELLOW)
        made = _bare(f"Controlled goods: {body['title']}", text, weight, lane, asked)
        made = replace(made, is_mandatory=is_prohibited)
        yield _with(made, (version, body), ref=body["ref"], goods=goods)


def _of_rights(registers: Registers, asked: Asked, goods: Goods) -> Iterator[FoundReason]:
    ids = {_plain(party.id) for _, party in asked.parties}
    for word in dict.fromkeys(goods.words):
        for version, body in registers.rights.get(word, ()):
            if not _is_valid(body, asked.day) or not _has(goods.words, _words(body["mark"])):
                continue
            if body["hs"] and not any(goods.hs.startswith(code) for code in body["hs"]):
                continue
            if body["keywords"] and not any(_has(goods.words, _words(key)) for key in body["keywords"]):
                continue
            if ids & {_plain(number) for number in (body["holder_id"], *body["licensees"]) if number}:
                continue
            text = (
                f"Item {goods.item_no} is described with the mark {body['mark']} of {body['holder']}; "
                "neither the holder nor a licensee is a party"
            )
            made = _bare(f"Recorded right: {body['mark']}", text, _RIGHT, Lane.YELLOW, asked)
            yield _with(made, (version, body), ref=body["ref"], goods=goods)


def _of_species(registers: Registers, asked: Asked, goods: Goods) -> Iterator[FoundReason]:
    for word in dict.fromkeys(goods.words):
        for words, (version, body) in registers.species.get(word, ()):
            if not _has(goods.words, words) or (body["hs"] and not any(goods.hs.startswith(c) for c in body["hs"])):
                continue
            permits = {each.upper() for each in body["documents"] or _PERMITS}
            if permits & goods.documents:
                continue
            text = (
                f"Item {goods.item_no} names {' '.join(words)}: {body['taxon']} stands in CITES appendix "
                f"{'I' * int(body['appendix'])}, and no permit is declared"
            )
            weight = _APPENDIX[body["appendix"]]
            made = _bare(f"CITES: {body['taxon']}", text, weight, Lane.YELLOW, asked)
            clause = {"1": "CITES Art. III", "2": "CITES Art. IV", "3": "CITES Art. V"}[body["appendix"]]
            yield _with(made, (version, body), ref=body["taxon"], goods=goods, clause=clause)


def _of_routes(registers: Registers, asked: Asked, goods: Goods) -> Iterator[FoundReason]:
    for version, body in registers.routes:
        if not _is_valid(body, asked.day):
            continue
        origins, destinations = set(body["origin"]), set(body["destination"])
        froms = goods.origins if "*" not in origins else goods.origins or frozenset({"*"})
        if "*" not in origins and not froms & origins:
            continue
        if "*" not in destinations and goods.destination not in destinations:
            continue
        if body["hs"] and not any(goods.hs.startswith(code) for code in body["hs"]):
            continue
        is_embargo = body["measure"] == "embargo"
        weight, lane = (_EMBARGO, Lane.RED) if is_embargo else (_WATCH, Lane.BLUE)
        route = f"{_countries(froms)} to {_countries([goods.destination])}"
        text = f"Item {goods.item_no}, HS {goods.hs or 'not declared'}, goes from {route}: {body['title']}"
        title = f"{'Embargo' if is_embargo else 'Watched route'}: {body['title']}"
        made = _bare(title, text, weight, lane, asked)
        made = replace(made, is_mandatory=is_embargo)
        yield _with(made, (version, body), ref=body["ref"], goods=goods)


def _bare(title: str, text: str, weight: float, lane: Lane, asked: Asked) -> FoundReason:
    """A reason of this node; which register it is from is added by `_with`."""
    return FoundReason(
        source_kind=SourceKind.REGISTER,
        source_ref="traders",
        title=title,
        text=text,
        weight=weight,
        lane=lane,
        administration=asked.administration,
    )


def _with(made: FoundReason, row: Row, *, ref: str, clause: str = "", goods: Goods | None = None) -> FoundReason:
    version, body = row
    evidence = (Evidence(made.text, "hs_code", goods.hs, item_no=goods.item_no),) if goods else ()
    return replace(
        made,
        source_ref=_ref(version, ref),
        text=f"{made.text} ({version.label})",
        clause=clause or str(body.get("clause", "")),
        risk_type=_RISKS.get(version.kind),
        evidence=evidence,
        facts=_facts(version, body),
    )


def _ref(version: RegisterVersion, ref: str) -> str:
    return f"{version.code}:{ref}"[:100]


def _facts(version: RegisterVersion, body: Body) -> tuple[tuple[str, str], ...]:
    told = [("Register", version.code), ("Publisher", version.publisher), ("Register of", str(version.published_on))]
    for name, value in body.items():
        words = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
        if words:
            told.append((name.replace("_", " ").capitalize(), words[:300]))
    return tuple(told)


def _by_hs(table: Mapping[str, Sequence[Row]], hs: str) -> Iterator[Row]:
    for size in (2, 4, 6, 8, 10):
        if len(hs) >= size:
            yield from table.get(hs[:size], ())


def _state(body: Body, day: str) -> str:
    if body["state"] in {"suspended", "revoked"}:
        return str(body["state"])
    return "valid" if _is_valid(body, day) else "not valid on this day"


def _is_valid(body: Body, day: str) -> bool:
    return (body.get("valid_from") or "") <= day <= (body.get("valid_until") or "9999")


def _has(words: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether the wanted words stand in the text one after the other."""
    size = len(wanted)
    return bool(size) and any(tuple(words[at : at + size]) == tuple(wanted) for at in range(len(words) - size + 1))


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORDS.findall(anyascii(text).lower()))


def _first_words(texts: Iterable[str]) -> list[str]:
    return [words[0] for text in texts if (words := _words(text))]


def _plain(number: str) -> str:
    return _NUMBER.sub("", number.upper())


def _hs(code: HSCode | None) -> str:
    return str(code) if code else ""


def _countries(codes: Iterable[str]) -> str:
    return (
        " and ".join(country_name(code) if len(code) == 2 else "anywhere" for code in sorted(codes)) or "nowhere told"
    )
