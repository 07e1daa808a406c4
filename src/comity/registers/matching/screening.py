"""Subjects against the entries of watch lists: which entries may be the same, and which parts agree. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from comity.registers.matching.index import LEAST_LIKENESS, NameIndex
from comity.registers.matching.names import PlainName, plain_name, similarity
from comity.registers.matching.scoring import FEATURES, Pairing, Possible, joined_score, pair_possible
from comity.registers.matching.words import COMMON_NAMES
from comity.registers.values import EntryKind, Identifier, WatchEntry

# From here on two names are told to an officer. Chosen on one draw of names, tried on others: docs/decisions/0027.
THRESHOLD = 0.775
# What the words that agree must tell together, on the scale on which the rarest word tells 1; and where a word of
# either name has no counterpart.
_ENOUGH_SAME = 1.0
_ENOUGH_ALIKE = 1.2
_ENOUGH_OF_PART = 1.5
_FEW_WORDS = -0.4
_ALL_COMMON = -0.1
_OTHERWISE = -0.05
# A name loses a word, or has one written otherwise; both at once it is another name.
_BOTH_AT_ONCE = -0.08
_MAX_MATCHES = 10
# A name that scores less is another one, whatever stands beside it.
_LEAST_SCORE = 0.6
# Shorter numbers agree by chance.
_LEAST_DIGITS = 5
_PLAIN_NUMBER = re.compile(r"[^A-Z0-9]")
_PARENTHESES = re.compile(r"\(([^()]{3,80})\)")
_THINGS = frozenset({EntryKind.VESSEL, EntryKind.CONTAINER})


@dataclass(frozen=True, slots=True)
class Subject:
    """Who or what is screened. kind: None where a name may be a person's or a firm's. birth_date: as in WatchEntry."""

    name: str
    kind: EntryKind | None = None
    birth_date: str = ""
    country: str = ""
    identifiers: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that was compared. verdict: agrees, near or differs; effect: what it did to the score."""

    feature: str
    verdict: str
    effect: float
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that may be the subject. place: of the entry as it was given; listed: the name that was nearest."""

    place: int
    entry: WatchEntry
    listed: str
    score: float
    parts: tuple[Part, ...]

    def agrees(self, *features: str) -> bool:
        """Whether one of these features agrees."""
        return any(part.feature in features and part.verdict == "agrees" for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Listed:
    """A name in the index: whose it is, and whether it is weak."""

    place: int
    text: str
    is_weak: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """A subject with its name made plain, and what the index knows of its words.

    likes: of each word, by number; least: what the name must score, if what stands beside it is to lift it enough.
    """

    subject: Subject
    name: PlainName
    joined: str
    weights: list[float]
    likes: list[dict[int, float]]
    has_initial: bool
    least: float


class Screener:
    """Entries, indexed by every name and number of theirs."""

    def __init__(self, entries: Iterable[WatchEntry]) -> None:
        self.entries = tuple(entries)
        self._parties = _Names(self.entries, is_thing=False)
        self._vessels = _Names(self.entries, is_thing=True)
        self._by_number: defaultdict[str, list[int]] = defaultdict(list)
        for place, entry in enumerate(self.entries):
            for number in {plain_number(each.number) for each in entry.identifiers}:
                if is_telling(number):
                    self._by_number[number].append(place)

    def screen(self, subject: Subject, *, threshold: float = THRESHOLD) -> list[Match]:
        """The entries that may be the subject, the likeliest first, at most 10."""
        best: dict[int, Match] = {}
        names = self._vessels if subject.kind in _THINGS else self._parties
        ours = plain_name(subject.name, is_vessel=subject.kind is EntryKind.VESSEL)
        if ours.tokens:
            for match in names.matches(subject, ours, threshold):
                known = best.get(match.place)
                if known is None or known.score < match.score:
                    best[match.place] = match
        for place in self._numbered(subject):
            if place not in best or not best[place].agrees("identifier"):
                match = self._by_identifier(subject, ours, place)
                best[place] = max(match, best.get(place, match), key=lambda each: each.score)
        found = [match for match in best.values() if match.score >= threshold]
        return sorted(found, key=lambda match: (-match.score, match.entry.ref))[:_MAX_MATCHES]

    def _numbered(self, subject: Subject) -> Iterator[int]:
        for number in {form for each in subject.identifiers for form in _forms(each)}:
            for place in self._by_number.get(number, ()):
                if (self.entries[place].kind in _THINGS) == (subject.kind in _THINGS):
                    yield place

    def _by_identifier(self, subject: Subject, ours: PlainName, place: int) -> Match:
        """A number that agrees, whatever the names are."""
        entry = self.entries[place]
        parts = [Part("name", "differs", 0.0, subject.name, entry.name)] if ours.tokens else []
        parts += _beside_the_name(subject, entry)
        return Match(place, entry, entry.name, 0.9, tuple(parts))


class _Names:
    """The names of parties, or of vessels and other things, in an index."""

    def __init__(self, entries: Sequence[WatchEntry], *, is_thing: bool) -> None:
        self._entries = entries
        self._listed: list[_Listed] = []
        plain: list[PlainName] = []
        for place, entry in enumerate(entries):
            if (entry.kind in _THINGS) is not is_thing:
                continue
            for text, is_weak in _ways(entry):
                name = plain_name(text, is_vessel=is_thing)
                if name.tokens:
                    plain.append(name)
                    self._listed.append(_Listed(place, text, is_weak))
        self._index = NameIndex(plain)

    def matches(self, subject: Subject, ours: PlainName, threshold: float) -> Iterator[Match]:
        """Every entry found by a name that may reach the threshold, with its score."""
        asked = _Asked(
            subject,
            ours,
            ours.joined,
            [self._index.weight_of(word) for word in ours.tokens],
            [self._index.like(word).likeness if len(word) > 1 else {} for word in ours.tokens],
            any(len(word) == 1 for word in ours.tokens),
            max(_LEAST_SCORE, threshold - _most_beside(subject)),
        )
        for number in self._index.candidates(ours):
            match = self._compare(asked, number)
            if match is not None:
                yield match

    def _compare(self, asked: _Asked, number: int) -> Match | None:
        index, ours = self._index, asked.name
        listed, theirs, words = self._listed[number], index.names[number], index.words_of[number]
        entry = self._entries[listed.place]
        theirs_weights = [index.weights[word] for word in words]
        is_same = asked.joined == index.joined[number]
        possible = self._possible(asked, number)
        pairing = pair_possible(possible, asked.weights, theirs_weights, is_person=entry.kind is EntryKind.PERSON)
        is_even = len(ours.tokens) == len(theirs.tokens)
        joined = joined_score(asked.joined, index.joined[number], is_even=is_even)
        name_score = 1.0 if is_same else max(pairing.score, joined)
        if name_score < asked.least:
            return None
        parts = [Part("name", "agrees" if is_same else "near", round(name_score, 3), asked.subject.name, listed.text)]
        parts += _of_words(ours, theirs, asked.weights, pairing)
        if listed.is_weak:
            parts.append(_part("weak name", "differs", "", listed.text))
        parts += _of_writing(ours, theirs)
        parts += _beside_the_name(asked.subject, entry)
        return _scored(listed, entry, tuple(parts))

    def _possible(self, asked: _Asked, number: int) -> Possible:
        """The pairs of words that are alike, as `scoring.pair_words` would ask for them one by one."""
        words = self._index.words_of[number]
        if not asked.has_initial and not self._index.has_initial[number]:
            return [
                (likeness, place, other)
                for place, like in enumerate(asked.likes)
                for other, word in enumerate(words)
                if (likeness := like.get(word, 0.0)) >= LEAST_LIKENESS
            ]
        ours, theirs = asked.name.tokens, self._index.names[number].tokens
        return [
            (likeness, place, other)
            for place, mine in enumerate(ours)
            for other, their in enumerate(theirs)
            if (
                likeness := similarity(mine, their)
                if len(mine) == 1 or len(their) == 1
                else asked.likes[place].get(words[other], 0.0)
            )
            >= LEAST_LIKENESS
        ]


def _most_beside(subject: Subject) -> float:
    """The most that what is known of a subject beside its name can add to the score."""
    known = {
        "legal form": True,
        "birth date": bool(subject.birth_date),
        "country": bool(subject.country),
        "identifier": bool(subject.identifiers),
    }
    return sum(FEATURES[feature].agrees for feature, is_known in known.items() if is_known)


def _of_words(ours: PlainName, theirs: PlainName, weights: Sequence[float], pairing: Pairing) -> Iterator[Part]:
    """What the pairs of words tell beside the score of the name: how much, how exactly, in which order."""
    if ours.joined == theirs.joined:
        if sum(weights) < _ENOUGH_SAME:
            yield _few(ours, _FEW_WORDS * (_ENOUGH_SAME - sum(weights)))
        return
    told = sum(likeness * weights[place] for place, _, likeness in pairing.pairs)
    inexact = sum(likeness < 1 for _, _, likeness in pairing.pairs)
    is_part = len(pairing.pairs) < max(len(ours.tokens), len(theirs.tokens))
    enough = _ENOUGH_OF_PART if is_part else _ENOUGH_ALIKE if inexact else _ENOUGH_SAME
    if told < enough:
        is_common = is_part and all(ours.tokens[place] in COMMON_NAMES for place, _, _ in pairing.pairs)
        yield _few(ours, _FEW_WORDS * (enough - told) + (_ALL_COMMON if is_common else 0.0))
    if inexact > 1 and ours.is_latin and theirs.is_latin:
        yield Part("several words written otherwise", "differs", _OTHERWISE * (inexact - 1), "", "")
    if inexact and is_part:
        yield Part("a word missing and another written otherwise", "differs", _BOTH_AT_ONCE, "", "")
    if _is_turned(pairing.pairs):
        yield _part("word order", "near", "", "")


def _few(ours: PlainName, effect: float) -> Part:
    return Part("few or common words", "differs", round(effect, 3), " ".join(ours.tokens), "")


def _scored(listed: _Listed, entry: WatchEntry, parts: tuple[Part, ...]) -> Match:
    score = min(1.0, max(0.0, sum(part.effect for part in parts)))
    return Match(listed.place, entry, listed.text, round(score, 3), parts)


def _ways(entry: WatchEntry) -> Iterator[tuple[str, bool]]:
    """Each name as it stands; one with a part in parentheses also without it, and the part by itself as a weak one."""
    for name in entry.names:
        if found := _PARENTHESES.search(name.text):
            yield _PARENTHESES.sub(" ", name.text), name.is_weak
            yield found[1], True
        yield name.text, name.is_weak


def _is_turned(pairs: Sequence[tuple[int, int, float]]) -> bool:
    others = [other for _, other, _ in sorted(pairs)]
    return others != sorted(others)


def _of_writing(ours: PlainName, theirs: PlainName) -> Iterator[Part]:
    if ours.is_latin != theirs.is_latin:
        yield _part("script", "differs", "Latin" if ours.is_latin else "other", "Latin" if theirs.is_latin else "other")
    if ours.forms and theirs.forms:
        verdict = "agrees" if ours.forms & theirs.forms else "differs"
        yield _part("legal form", verdict, ", ".join(sorted(ours.forms)), ", ".join(sorted(theirs.forms)))


def _beside_the_name(subject: Subject, entry: WatchEntry) -> Iterator[Part]:
    if subject.birth_date and entry.birth_dates:
        verdict = max((_same_date(subject.birth_date, date) for date in entry.birth_dates), key=_VERDICTS.index)
        yield _part("birth date", verdict, subject.birth_date, ", ".join(entry.birth_dates))
    if subject.country and entry.countries:
        verdict = "agrees" if subject.country in entry.countries else "differs"
        yield _part("country", verdict, subject.country, ", ".join(entry.countries))
    if subject.identifiers and entry.identifiers:
        yield from _of_numbers(subject, entry)


_VERDICTS = ("differs", "near", "agrees")


def _same_date(ours: str, theirs: str) -> str:
    """Whether two dates agree as far as the less exact one goes; the same year alone is near."""
    size = min(len(ours), len(theirs))
    if ours[:size] == theirs[:size]:
        return "agrees" if size >= len("1971-05-28") else "near"
    is_swapped = len(ours) == len(theirs) == 10 and ours[5:] == f"{theirs[8:]}-{theirs[5:7]}" and ours[:4] == theirs[:4]
    return "near" if is_swapped else "differs"


def _of_numbers(subject: Subject, entry: WatchEntry) -> Iterator[Part]:
    theirs = {plain_number(each.number): each for each in entry.identifiers}
    for each in subject.identifiers:
        for number in _forms(each):
            if number in theirs and is_telling(number):
                listed = theirs[number]
                yield _part("identifier", "agrees", each.number, f"{listed.type} {listed.number}")
                return
    ours_types, their_types = {each.type for each in subject.identifiers}, {each.type for each in entry.identifiers}
    for kind in sorted(ours_types & their_types - {"document"}):
        mine = ", ".join(each.number for each in subject.identifiers if each.type == kind)
        yield _part("identifier", "differs", mine, ", ".join(e.number for e in entry.identifiers if e.type == kind))


def _part(feature: str, verdict: str, ours: str, theirs: str) -> Part:
    rule = FEATURES[feature]
    effect = {"agrees": rule.agrees, "near": rule.is_near, "differs": rule.differs}[verdict]
    return Part(feature, verdict, effect, ours, theirs)


def _forms(identifier: Identifier) -> set[str]:
    """A number as it stands, and without the country in front, as EORI numbers have it; without IMO in front."""
    plain = plain_number(identifier.number).removeprefix("IMO")
    return {plain, plain[2:]} if plain[:2].isalpha() else {plain}


def plain_number(number: str) -> str:
    """A number by its capital letters and digits."""
    return _PLAIN_NUMBER.sub("", number.upper())


def is_telling(number: str) -> bool:
    """Whether two that have this number are hardly two by chance."""
    return sum(sign.isdigit() for sign in number) >= _LEAST_DIGITS
