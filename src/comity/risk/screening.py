"""Screening in the assessment: the parties, the means of transport and the containers of records against watch lists.

A name by itself asks for papers and never selects by itself; an identifier or a birth date that agrees does, and so
does an officer who decided that both are the same. Reads only.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from comity.registers.matching import THRESHOLD, Match, Subject, plain_name
from comity.registers.screeners import ListScreener, screener_over
from comity.registers.values import EntryKind, Identifier, RegisterVersion
from comity.risk.models import ScreeningDecision
from comity.risk.rules import Lane, SourceKind
from comity.risk.values import Batch, FoundReason
from comity.risk.wording import Evidence
from comity.trade import Consignment, Declaration, Manifest, Party, RiskType

# SQLite takes at most 32,766 variables in a statement.
_AT_ONCE = 5_000
_WEIGHT_OF_NAME = (30.0, 60.0)
_WEIGHT_WITH_COUNTRY = 8.0
_WEIGHT_SUPPORTED = 90.0
_VERDICT_WORDS = {"agrees": "agrees", "near": "is near", "differs": "differs"}
CLAUSE = "Watch list"
_IMO_DIGITS = 7


class Verdict(StrEnum):
    """What an officer decided of a hit."""

    SAME = "same"
    NOT_SAME = "not_same"


@dataclass(frozen=True, slots=True)
class Hit:
    """A subject of a record that is like an entry of a list. roles: the parts that it plays in the record."""

    ref: str
    subject: Subject
    match: Match
    version: RegisterVersion
    roles: tuple[str, ...]


def screening_reasons(batch: Batch) -> list[list[FoundReason]]:
    """For each record: a reason for each subject of it that is like an entry of a list, decided ones marked so."""
    screener = screener_over(batch.registers)
    if screener is None:
        return [[] for _ in batch.records]
    hits = [list(_hits(screener, record.content)) for record in batch.records]
    decided = decisions_of([hit.ref for found in hits for hit in found])
    return [[_reason(hit, decided.get(hit.ref), batch.administration) for hit in found] for found in hits]


def decisions_of(refs: Sequence[str]) -> Mapping[str, ScreeningDecision]:
    """The decisions in force on these hits, by their references."""
    found: dict[str, ScreeningDecision] = {}
    for start in range(0, len(refs), _AT_ONCE):
        rows = ScreeningDecision.objects.filter(is_current=True, ref__in=refs[start : start + _AT_ONCE])
        found |= {row.ref: row for row in rows}
    return found


def subjects_of(record: Declaration | Manifest) -> Mapping[Subject, tuple[str, ...]]:
    """Who and what a record names, each once, with the parts that it plays."""
    roles: defaultdict[Subject, list[str]] = defaultdict(list)
    named = _of_declaration(record) if isinstance(record, Declaration) else _of_manifest(record)
    for role, subject in named:
        if role not in roles[subject]:
            roles[subject].append(role)
    return {subject: tuple(played) for subject, played in roles.items()}


def subject_key(subject: Subject) -> str:
    """A digest of the plain name and all that is known beside it: the same for other spacing, case and word order."""
    told = {
        "name": sorted(plain_name(subject.name).tokens),
        "kind": subject.kind.value if subject.kind else "",
        "birth_date": subject.birth_date,
        "country": subject.country,
        "numbers": sorted(each.number.upper() for each in subject.identifiers),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _hits(screener: ListScreener, record: Declaration | Manifest) -> Iterator[Hit]:
    known: set[str] = set()
    for subject, roles in subjects_of(record).items():
        for match in screener.screen(subject):
            version = screener.list_of(match)
            both = f"{subject_key(subject)} {screener.content_of(match)}"
            digest = hashlib.sha256(both.encode()).hexdigest()[:12]
            hit = Hit(f"{version.code[:20]}:{match.entry.ref[:60]}:{digest}", subject, match, version, roles)
            if hit.ref not in known:
                known.add(hit.ref)
                yield hit


def _reason(hit: Hit, decision: ScreeningDecision | None, administration: str) -> FoundReason:
    match, entry = hit.match, hit.match.entry
    weight, lane, is_mandatory = weigh(match, decision)
    title = f"{entry.name} on the list {hit.version.code}"
    if decision is not None:
        title = f"{'Cleared' if decision.verdict == Verdict.NOT_SAME else 'Confirmed'}: {title}"
    return FoundReason(
        source_kind=SourceKind.SCREENING,
        source_ref=hit.ref,
        title=title,
        text=_sentence(hit, decision),
        weight=weight,
        lane=lane,
        administration=administration,
        is_mandatory=is_mandatory,
        risk_type=RiskType.PROHIBITED,
        clause=entry.program or CLAUSE,
        evidence=tuple(_evidence(match)),
        facts=tuple(_facts(hit, decision)),
    )


def weigh(match: Match, decision: ScreeningDecision | None = None) -> tuple[float, Lane, bool]:
    """Weight, lane and whether it selects by itself: by the score, by what supports it, by what an officer decided."""
    if decision is not None and decision.verdict == Verdict.NOT_SAME:
        return 0.0, Lane.GREEN, False
    if decision is not None or (match.agrees("identifier", "birth date") and not _is_other_name(match)):
        return _WEIGHT_SUPPORTED, Lane.RED, True
    low, high = _WEIGHT_OF_NAME
    weight = low + (high - low) * (match.score - THRESHOLD) / (1 - THRESHOLD)
    weight += _WEIGHT_WITH_COUNTRY if match.agrees("country") else 0.0
    return round(max(low, weight), 1), Lane.YELLOW, False


def _is_other_name(match: Match) -> bool:
    """Whether the names differ: two who share a number may still be two, of two registers."""
    return any(part.feature == "name" and part.verdict == "differs" for part in match.parts)


def _sentence(hit: Hit, decision: ScreeningDecision | None) -> str:
    ours = hit.subject.name or ", ".join(each.number for each in hit.subject.identifiers)
    told = f"{_joined(hit.roles).capitalize()} ‘{ours}’ is like ‘{hit.match.listed}’ of {hit.version.label}"
    parts = [f"{part.feature} {_VERDICT_WORDS[part.verdict]}" for part in hit.match.parts]
    told += f", score {hit.match.score:.2f}: {', '.join(parts)}"
    if decision is not None:
        verdict = "not the same" if decision.verdict == Verdict.NOT_SAME else "the same"
        told += f". Decided on {decision.decided_at:%Y-%m-%d} by {decision.decided_by}: {verdict}, {decision.reason}"
    return told


def _evidence(match: Match) -> Iterator[Evidence]:
    for part in match.parts:
        text = f"{part.feature.capitalize()} {_VERDICT_WORDS[part.verdict]}"
        if part.ours or part.theirs:
            text += f": {part.ours or '–'} / {part.theirs or '–'}"
        yield Evidence(text, part.feature, part.ours, f"{part.verdict} {part.effect:+.2f}", part.theirs)


def _facts(hit: Hit, decision: ScreeningDecision | None) -> Iterator[tuple[str, str]]:
    entry, subject = hit.match.entry, hit.subject
    yield "List", hit.version.code
    yield "Publisher", hit.version.publisher
    yield "List of", str(hit.version.published_on)
    yield "Entry", entry.ref
    yield "Entry name", entry.name
    yield "Other names", "; ".join(name.text for name in entry.names[1:6])
    yield "Entry kind", entry.kind.value
    yield "Born", ", ".join(entry.birth_dates)
    yield "Countries", ", ".join(entry.countries)
    yield "Numbers", "; ".join(f"{each.type} {each.number}" for each in entry.identifiers[:6])
    yield "Program", entry.program
    yield "Listed on", entry.listed_on
    yield "Note", entry.note
    yield "Score", f"{hit.match.score:.3f}"
    yield "Our name", subject.name
    yield "Our country", subject.country
    yield "Our numbers", "; ".join(each.number for each in subject.identifiers)
    yield "Our part", _joined(hit.roles)
    yield "Subject key", subject_key(subject)
    if decision is not None:
        yield "Decided", decision.verdict
        yield "Decided by", decision.decided_by


def _joined(roles: Iterable[str]) -> str:
    return " and ".join(roles)


Named = Iterator[tuple[str, Subject]]


def _of_declaration(declaration: Declaration) -> Named:
    yield from _party("exporter", declaration.exporter)
    yield from _party("importer", declaration.importer)
    yield from _party("declarant", declaration.declarant)
    yield from _party("agent", declaration.agent)
    yield from _of_consignment(declaration.consignment)
    for item in declaration.items:
        yield from _party("consignor", item.consignor)
        yield from _party("consignee", item.consignee)


def _of_manifest(manifest: Manifest) -> Named:
    yield from _party("carrier", manifest.carrier)
    yield from _means(manifest.means_id)
    for consignment in manifest.consignments:
        yield from _of_consignment(consignment)


def _of_consignment(consignment: Consignment) -> Named:
    yield from _party("carrier", consignment.carrier)
    yield from _party("consignor", consignment.consignor)
    yield from _party("consignee", consignment.consignee)
    yield from _means(consignment.means_id)
    for equipment in consignment.transport_equipment:
        if equipment.id:
            number = Identifier("container", equipment.id)
            yield "container", Subject("", EntryKind.CONTAINER, identifiers=(number,))


def _party(role: str, party: Party | None) -> Named:
    if party is not None and (party.name or party.id):
        numbers = (Identifier("trader", party.id),) if party.id else ()
        yield role, Subject(party.name, country=party.address.country, identifiers=numbers)


def _means(means_id: str) -> Named:
    if not means_id:
        return
    number = means_id.upper().removeprefix("IMO").strip()
    if len(number) == _IMO_DIGITS and number.isdigit():
        yield "means of transport", Subject("", EntryKind.VESSEL, identifiers=(Identifier("imo", number),))
    else:
        yield "means of transport", Subject(means_id, EntryKind.VESSEL)
