"""How far two names agree, and which parts of two subjects do: a table of features, each with its weight. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from comity.registers.matching.index import LEAST_LIKENESS
from comity.registers.matching.names import PlainName, similarity
from comity.registers.matching.words import COMMON_WORDS

# What a word counts that only one of the names has, beside one that both have.
_EXTRA_OURS = 0.55
_EXTRA_THEIRS = 0.4
# Of several such words all but the heaviest: a name loses one word easily, two rarely.
_FURTHER = 0.75


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that is compared, and what it adds to the score where it agrees, is near, or differs."""

    name: str
    agrees: float
    is_near: float
    differs: float


# The name gives the score from 0 to 1; each of these moves it. An identifier that agrees makes it 1.
FEATURES = {
    feature.name: feature
    for feature in (
        Feature("identifier", 1.0, 0.0, -0.05),
        Feature("birth date", 0.15, 0.08, -0.35),
        Feature("country", 0.05, 0.0, -0.04),
        Feature("word order", 0.0, -0.01, 0.0),
        Feature("script", 0.0, 0.0, -0.1),
        Feature("legal form", 0.01, 0.0, -0.02),
        Feature("weak name", 0.0, 0.0, -0.12),
    )
}


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which words of two names stand for each other. pairs: place in ours, place in theirs, likeness."""

    score: float
    pairs: tuple[tuple[int, int, float], ...]


Alike = Callable[[int, int], float]
# Likeness, place in ours, place in theirs.
Possible = list[tuple[float, int, int]]


def pair_words(alike: Alike, ours: Sequence[float], theirs: Sequence[float], *, is_person: bool) -> Pairing:
    """The best pairs of words, and what part of both names' weight they carry. ours, theirs: weights of words."""
    possible = [
        (likeness, place, other)
        for place in range(len(ours))
        for other in range(len(theirs))
        if (likeness := alike(place, other)) >= LEAST_LIKENESS
    ]
    return pair_possible(possible, ours, theirs, is_person=is_person)


def pair_possible(possible: Possible, ours: Sequence[float], theirs: Sequence[float], *, is_person: bool) -> Pairing:
    """The same of all pairs of words that are alike at all, by place in ours and then in theirs."""
    if not possible:
        return Pairing(0.0, ())
    if len(possible) > 1:
        possible.sort(key=lambda each: (-each[0], abs(each[1] - each[2])))
    used_ours: set[int] = set()
    used_theirs: set[int] = set()
    pairs: list[tuple[int, int, float]] = []
    agreed = whole = 0.0
    for likeness, place, other in possible:
        if place in used_ours or other in used_theirs:
            continue
        used_ours.add(place)
        used_theirs.add(other)
        pairs.append((place, other, likeness))
        weight = ours[place] + theirs[other]
        agreed += likeness * weight
        whole += weight
    left_ours = [weight for place, weight in enumerate(ours) if place not in used_ours]
    left_theirs = [weight for place, weight in enumerate(theirs) if place not in used_theirs]
    whole += _left_over(left_ours, left_theirs)
    if not whole:
        return Pairing(0.0, ())
    score = agreed / whole
    if is_person and len(pairs) < 2 and max(len(ours), len(theirs)) > 1:
        score *= 0.7  # one word of several is a given name or a family, not a person
    return Pairing(score, tuple(pairs))


def _left_over(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """What the words count that have no counterpart: wholly where both names have some."""
    if ours and theirs:
        return sum(ours) + sum(theirs)
    return _counted(ours, _EXTRA_OURS) + _counted(theirs, _EXTRA_THEIRS)


def _counted(left: Sequence[float], first: float) -> float:
    if not left:
        return 0.0
    heaviest = max(left)
    return first * heaviest + _FURTHER * (sum(left) - heaviest)


def compare_names(ours: PlainName, theirs: PlainName, *, is_person: bool = True) -> float:
    """How far two names agree, 0 to 1, without an index to know rare words by."""
    if ours.joined == theirs.joined:
        return 1.0
    pairing = pair_words(
        lambda place, other: similarity(ours.tokens[place], theirs.tokens[other]),
        [_plain_weight(word) for word in ours.tokens],
        [_plain_weight(word) for word in theirs.tokens],
        is_person=is_person,
    )
    return max(pairing.score, joined_score(ours.joined, theirs.joined, is_even=len(ours.tokens) == len(theirs.tokens)))


def joined_score(ours: str, theirs: str, *, is_even: bool) -> float:
    """How far two names agree where one writes as one word what the other parts.

    ours, theirs: the words without spaces; is_even: whether both names have as many words, which parts none otherwise.
    """
    if is_even or min(len(ours), len(theirs)) < 8:
        return 0.0
    ratio = fuzz.ratio(ours, theirs, score_cutoff=90) / 100
    return ratio * 0.97


def _plain_weight(word: str) -> float:
    if word in COMMON_WORDS:
        return 0.45
    return 1.0 if len(word) > 2 else 0.6
