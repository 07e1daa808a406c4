"""Partners' alerts against records: what of an alert is found in a record, and how strongly. Pure.

An alert that names parties, containers or a conveyance concerns those only: without one of them in the record there
is no match, whatever the goods. Goods and route then make the match stronger or weaker. An alert that names nobody
(or whose names were withheld) is matched by goods and route alone, weakly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from comity.intake import KeyKind, normal_key
from comity.risk.wording import Evidence
from comity.trade import Alert, Consignment, Declaration, Manifest, Party, Route, Subject, SubjectRole

# Why an alert stopped targeting in whose place a newer one stands.
CORRECTED_BY = "corrected by"
_LEGAL_FORMS = frozenset(
    {
        "ltd",
        "limited",
        "llc",
        "inc",
        "corp",
        "co",
        "company",
        "gmbh",
        "ag",
        "sa",
        "sas",
        "sarl",
        "srl",
        "spa",
        "bv",
        "nv",
        "oy",
        "ab",
        "as",
        "plc",
        "pte",
        "pty",
        "kg",
        "lda",
        "sl",
    }
)
_HS_LENGTH = 6
# The same traders, carriers and ships come all day, and the normal form of a text never changes.
_NAMES_KEPT = 10_000
_KEPT_LENGTH = 100

# How strong a match is, before the alert's own weight.
_BY_ID = 1.0
_BY_NAME = 0.85
_OTHER_GOODS = 0.75  # the party is named, the goods are others: a sender of one kind of contraband may change it
_GOODS_AND_ROUTE = 0.5
_GOODS_ONLY = 0.35
_ROUTE_ONLY = 0.2


@dataclass(frozen=True, slots=True)
class Match:
    """An alert found in a record. strength: from 0 to 1."""

    strength: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Traits:
    """What of a record an alert can name. Keys are "role:id:<id>" and "role:name:<name>|<country>", in normal form."""

    subjects: frozenset[str]
    hs_codes: frozenset[str]
    origins: frozenset[str]
    dispatches: frozenset[str]
    destinations: frozenset[str]
    places: frozenset[str]

    def keys(self) -> frozenset[str]:
        """Every key under which an alert that could match this record is filed."""
        prefixes = {f"hs:{code[:length]}" for code in self.hs_codes for length in range(2, _HS_LENGTH + 1)}
        ends = {f"from:{code}" for code in self.origins | self.dispatches}
        ends |= {f"to:{code}" for code in self.destinations} | {f"at:{code}" for code in self.places}
        return self.subjects | prefixes | ends


def normal_name(name: str) -> str:
    """A company's name without case, accents, punctuation and legal form."""
    words = _normal(KeyKind.EXPORTER_NAME, name).split()
    kept = [word for word in words if word not in _LEGAL_FORMS]
    return " ".join(kept or words)


def normal_id(text: str) -> str:
    """A number of a party, container or conveyance: only letters and digits count."""
    return _normal(KeyKind.EXPORTER_ID, text)


def trader_key(number: str, name: str, country: str) -> str:
    """The one form under which a trader is remembered: its number, else its name and country; empty for nobody."""
    return normal_id(number) or (f"{normal_name(name)}|{country}" if name else "")


def name_key(name: str, country: str) -> str:
    """The form under which a trader is remembered that has no number; empty without name and country."""
    plain = normal_name(name)
    return f"{plain}|{country}" if plain and country else ""


def party_key(party: Party | None) -> str:
    """The same of a party of a declaration."""
    return trader_key(party.id, party.name, party.address.country) if party is not None else ""


def _normal(kind: KeyKind, text: str) -> str:
    return _kept_normal(kind, text) if len(text) <= _KEPT_LENGTH else normal_key(kind, text)


@lru_cache(maxsize=_NAMES_KEPT)
def _kept_normal(kind: KeyKind, text: str) -> str:
    return normal_key(kind, text)


def traits_of(record: Declaration | Manifest) -> Traits:
    """What of a record an alert can name."""
    return _declaration_traits(record) if isinstance(record, Declaration) else _manifest_traits(record)


def signal_keys(alert: Alert) -> tuple[str, ...]:
    """The keys under which an alert is filed: its subjects, else its goods, else one end of its route."""
    subjects = dict.fromkeys(key for subject in alert.subjects for key in _subject_keys(subject))
    if subjects:
        return tuple(subjects)
    if alert.hs_codes:
        return tuple(dict.fromkeys(f"hs:{code[:_HS_LENGTH]}" for code in alert.hs_codes))
    return tuple(_route_keys(alert.route))[:1]


def match_alert(alert: Alert, traits: Traits) -> Match | None:
    """How an alert fits a record, or None."""
    goods = _goods_evidence(alert, traits)
    route = _route_evidence(alert.route, traits)
    if any(_subject_keys(subject) for subject in alert.subjects):
        return _match_subjects(alert, traits, goods, route)
    if (alert.hs_codes and not goods) or (_has_route(alert.route) and not route) or not (goods or route):
        return None
    strength = _GOODS_AND_ROUTE if goods and route else _GOODS_ONLY if goods else _ROUTE_ONLY
    return Match(strength, (*goods, *route))


def _match_subjects(
    alert: Alert, traits: Traits, goods: tuple[Evidence, ...], route: tuple[Evidence, ...]
) -> Match | None:
    strength, evidence = 0.0, []
    for subject in alert.subjects:
        found = [key for key in _subject_keys(subject) if key in traits.subjects]
        if found:
            is_by_id = ":id:" in found[0]
            strength = max(strength, _BY_ID if is_by_id else _BY_NAME)
            evidence.append(_subject_evidence(subject, is_by_id=is_by_id))
    if not evidence:
        return None
    if alert.hs_codes and not goods:
        strength *= _OTHER_GOODS
        listed = ", ".join(alert.hs_codes[:5])
        note = Evidence(f"The goods are others than the alert's (HS {listed})", "hs_code", "", "is not one of", listed)
        evidence.append(note)
    return Match(round(strength, 4), (*evidence, *goods, *route))


def _subject_keys(subject: Subject) -> list[str]:
    role = subject.role.value
    keys = [f"{role}:id:{normal_id(subject.id)}"] if normal_id(subject.id) else []
    if normal_name(subject.name) and subject.country:
        keys.append(f"{role}:name:{normal_name(subject.name)}|{subject.country}")
    return keys


def _subject_evidence(subject: Subject, *, is_by_id: bool) -> Evidence:
    role = subject.role.value.capitalize()
    if is_by_id:
        named = f"{subject.id} ({subject.name})" if subject.name else subject.id
        return Evidence(f"{role} {named} is named in the alert", "", named, "is", subject.id)
    named = f"{subject.name}, {subject.country}"
    return Evidence(f"{role} has the name and country in the alert: {named}", "", named, "is", named)


def _goods_evidence(alert: Alert, traits: Traits) -> tuple[Evidence, ...]:
    for code in alert.hs_codes:
        prefix = code[:_HS_LENGTH]
        for own in sorted(traits.hs_codes):
            if own.startswith(prefix):
                words = "is" if own == prefix else "begins with"
                return (Evidence(f"HS code {own} {words} the alert's {prefix}", "hs_code", own, words, prefix),)
    return ()


def _has_route(route: Route) -> bool:
    return bool(route.origin or route.dispatch or route.destination or route.place_loading)


def _route_keys(route: Route) -> Iterator[str]:
    if route.origin or route.dispatch:
        yield f"from:{route.origin or route.dispatch}"
    if route.place_loading:
        yield f"at:{route.place_loading}"
    if route.destination:
        yield f"to:{route.destination}"


def _route_evidence(route: Route, traits: Traits) -> tuple[Evidence, ...]:
    """Every part of the route that the alert states must be in the record; one part alone is no route."""
    stated = (
        ("origin", "Origin", route.origin, traits.origins | traits.dispatches),
        ("country_dispatch", "Country of dispatch", route.dispatch, traits.dispatches | traits.origins),
        ("country_destination", "Country of destination", route.destination, traits.destinations),
        ("place_loading", "Place of loading", route.place_loading, traits.places),
    )
    parts = [(column, label, wanted, wanted in found) for column, label, wanted, found in stated if wanted]
    if not parts or not all(is_found for *_, is_found in parts):
        return ()
    return tuple(
        Evidence(f"{label} {wanted} is on the alert's route", column, wanted, "is", wanted)
        for column, label, wanted, _ in parts
    )


def _declaration_traits(declaration: Declaration) -> Traits:
    consignment = declaration.consignment
    parties = [
        (SubjectRole.CONSIGNOR, declaration.exporter),
        (SubjectRole.CONSIGNEE, declaration.importer),
        (SubjectRole.DECLARANT, declaration.declarant),
        (SubjectRole.DECLARANT, declaration.agent),
        *((SubjectRole.CONSIGNOR, item.consignor) for item in declaration.items),
        *((SubjectRole.CONSIGNEE, item.consignee) for item in declaration.items),
    ]
    return Traits(
        subjects=frozenset((*_party_keys(parties), *_consignment_keys(consignment))),
        hs_codes=frozenset(item.hs_code.subheading for item in declaration.items if item.hs_code),
        origins=frozenset(item.origin for item in declaration.items if item.origin),
        dispatches=_some(declaration.country_dispatch),
        destinations=_some(declaration.country_destination),
        places=_places(consignment),
    )


def _manifest_traits(manifest: Manifest) -> Traits:
    subjects = set(_party_keys([(SubjectRole.CARRIER, manifest.carrier)]))
    subjects |= set(_thing_keys(SubjectRole.CONVEYANCE, manifest.means_id))
    places = {manifest.place_loading.code} if manifest.place_loading and manifest.place_loading.code else set()
    for consignment in manifest.consignments:
        subjects |= set(_consignment_keys(consignment))
        places |= _places(consignment)
    parts = manifest.consignments
    return Traits(
        subjects=frozenset(subjects),
        hs_codes=frozenset(part.hs_code.subheading for part in parts if part.hs_code),
        origins=frozenset(),
        dispatches=frozenset(part.place_loading.country for part in parts if part.place_loading)
        | _some(manifest.place_loading.country if manifest.place_loading else "") - {""},
        destinations=_some(manifest.place_unloading.country if manifest.place_unloading else ""),
        places=frozenset(places),
    )


def _consignment_keys(consignment: Consignment) -> Iterator[str]:
    yield from _party_keys(
        [
            (SubjectRole.CARRIER, consignment.carrier),
            (SubjectRole.CONSIGNOR, consignment.consignor),
            (SubjectRole.CONSIGNEE, consignment.consignee),
        ]
    )
    yield from _thing_keys(SubjectRole.CONVEYANCE, consignment.means_id)
    for equipment in consignment.transport_equipment:
        yield from _thing_keys(SubjectRole.CONTAINER, equipment.id)


def _party_keys(parties: Iterable[tuple[SubjectRole, Party | None]]) -> Iterator[str]:
    for role, party in parties:
        if party is not None:
            subject = Subject(role, party.id, party.name, party.address.country)
            yield from _subject_keys(subject)


def _thing_keys(role: SubjectRole, number: str) -> list[str]:
    return _subject_keys(Subject(role, number))


def _places(consignment: Consignment) -> frozenset[str]:
    return _some(consignment.place_loading.code if consignment.place_loading else "")


def _some(word: str) -> frozenset[str]:
    return frozenset((word,)) if word else frozenset()
