"""An index over the words of many names: which names share words with a name, or words written otherwise. Pure.

A word is looked up as it stands, by its skeleton, by its sound and by one slip of the pen (a letter left out on either
side). Its likeness to each word found is worked out once, and names are then found by their words alone.
"""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from comity.registers.matching.names import PlainName, deletions, end_alike, similarity, skeleton, sound
from comity.registers.matching.words import COMMON_NAMES, COMMON_WORDS

LEAST_LIKENESS = 0.6
MAX_CANDIDATES = 80
# A word that more names share than this adds to names found by rarer words; it finds none by itself.
_MANY = 4_000
_ENOUGH = 40
# To look at the words of a name takes as long as to put down so many names of a word.
_STEPS_OF_A_NAME = 15
# A word of so many names is a name of its own, and no slip of the pen.
_KNOWN = 4
_BOTH_KNOWN = 0.75


@dataclass(frozen=True, slots=True)
class Found:
    """The words of the index that are like a word: number of the word -> likeness.

    worth: what a name is worth that has one of them, the least first; reach: how many names have one.
    """

    likeness: dict[int, float]
    worth: dict[int, float]
    reach: int


class NameIndex:
    """Names under numbers from 0 in the order in which they were given."""

    def __init__(self, names: Sequence[PlainName]) -> None:
        self.names = names
        self.joined = [name.joined for name in names]
        # Whether a word is one letter: it is like every word that begins so, which no list of like words tells.
        self.has_initial = [any(len(word) == 1 for word in name.tokens) for name in names]
        self.words: list[str] = []
        self.weights: list[float] = []
        self._numbers: dict[str, int] = {}
        self.words_of = [array("l", map(self._number, name.tokens)) for name in names]
        self._postings = self._posted()
        self._weigh()
        self._by_skeleton: defaultdict[str, list[int]] = defaultdict(list)
        self._by_sound: defaultdict[str, list[int]] = defaultdict(list)
        self._by_slip: defaultdict[int, list[int]] = defaultdict(list)
        self._by_join: defaultdict[str, list[int]] = defaultdict(list)
        self._file_words()
        self._file_joins()
        self.like = lru_cache(maxsize=65_536)(self._like)

    def _number(self, word: str) -> int:
        number = self._numbers.setdefault(word, len(self.words))
        if number == len(self.words):
            self.words.append(word)
        return number

    def _posted(self) -> list[list[int]]:
        """The names of each word, those of fewer words first: of names that share a word the shorter one is nearer."""
        postings: list[list[int]] = [[] for _ in self.words]
        for number in sorted(range(len(self.names)), key=lambda name: len(self.words_of[name])):
            for word in set(self.words_of[number]):
                postings[word].append(number)
        return postings

    def _weigh(self) -> None:
        """The rarer a word, the more it tells: from 0.2 for a word of many names to 1."""
        most = math.log(max(len(self.names), 1_000))
        for word, names in zip(self.words, self._postings, strict=True):
            rarity = math.log(max(len(self.names), 1_000) / len(names)) / most
            self.weights.append(_weight(word, rarity))

    def _file_words(self) -> None:
        for number, word in enumerate(self.words):
            if not word.isalpha() or len(word) < 3:
                continue
            bones = skeleton(word)
            if len(bones) >= 2:
                self._by_skeleton[bones].append(number)
            self._by_sound[sound(word)].append(number)
            if len(word) >= 3:
                for part in {word, *deletions(word)}:
                    self._by_slip[hash(part)].append(number)

    def _file_joins(self) -> None:
        for number, name in enumerate(self.names):
            if 2 <= len(name.tokens) <= 6:
                self._by_join[self.joined[number]].append(number)

    def weight_of(self, word: str) -> float:
        """How much a word tells: 1 where no name of the index has it."""
        number = self._numbers.get(word)
        return _weight(word, 1.0) if number is None else self.weights[number]

    def _like(self, word: str) -> Found:
        numbers = {self._numbers[word]} if word in self._numbers else set()
        if word.isalpha() and len(word) >= 3:
            numbers.update(self._by_skeleton.get(skeleton(word), ()), self._by_sound.get(sound(word), ()))
            if word[:2] in {"al", "el"} and word[2:] in self._numbers:
                numbers.add(self._numbers[word[2:]])
            if len(word) >= 3:
                for part in {word, *deletions(word)}:
                    numbers.update(self._by_slip.get(hash(part), ()))
        likeness = {number: self._alike(word, number) for number in numbers}
        likeness = {number: alike for number, alike in likeness.items() if alike >= LEAST_LIKENESS}
        weight = self.weight_of(word)
        worth = {number: alike * (weight + self.weights[number]) for number, alike in likeness.items()}
        reach = sum(len(self._postings[number]) for number in likeness)
        return Found(likeness, dict(sorted(worth.items(), key=lambda each: each[1])), reach)

    def _alike(self, word: str, number: int) -> float:
        """The likeness of two words; two that are both names of many are hardly one, written wrongly."""
        other = self.words[number]
        likeness = similarity(word, other)
        mine = self._numbers.get(word)
        if mine == number or len(word) < 3 or len(other) < 3:
            return likeness
        if skeleton(word) == skeleton(other) and end_alike(word, other):
            return likeness
        is_known = word in COMMON_NAMES or (mine is not None and len(self._postings[mine]) >= _KNOWN)
        is_other_known = other in COMMON_NAMES or len(self._postings[number]) >= _KNOWN
        return likeness * _BOTH_KNOWN if is_known and is_other_known else likeness

    def candidates(self, name: PlainName) -> list[int]:
        """Numbers of the names that may be this name, the likeliest first, at most 80."""
        found = sorted((self.like(word) for word in set(name.tokens) if len(word) > 1), key=lambda like: like.reach)
        totals: dict[int, float] = {}
        for like in found:
            if like.reach > _MANY and len(totals) >= _ENOUGH:
                self._add_to_known(like, totals)
            else:
                self._add(like, totals)
        joined = name.joined
        whole = [*self._by_join.get(joined, ()), *self._joins_of(name)]
        best = sorted(totals, key=totals.__getitem__, reverse=True)[:MAX_CANDIDATES]
        return list(dict.fromkeys([*whole, *best]))

    def _worths(self, like: Found) -> dict[int, float]:
        """What each name is worth by the word of it that is worth most."""
        here: dict[int, float] = {}
        for number, worth in like.worth.items():
            here.update(dict.fromkeys(self._postings[number], worth))
        return here

    def _add(self, like: Found, totals: dict[int, float]) -> None:
        here = self._worths(like)
        both = {name: totals[name] + here[name] for name in totals.keys() & here.keys()}
        totals.update(here)
        totals.update(both)

    def _add_to_known(self, like: Found, totals: dict[int, float]) -> None:
        if like.reach < _STEPS_OF_A_NAME * len(totals):
            here = self._worths(like)
            totals.update({name: totals[name] + here[name] for name in totals.keys() & here.keys()})
            return
        for name in totals:
            worth = [like.worth[number] for number in self.words_of[name] if number in like.worth]
            if worth:
                totals[name] += max(worth)

    def _joins_of(self, name: PlainName) -> list[int]:
        """Names of one word that this name writes as two."""
        number = self._numbers.get(name.joined) if len(name.tokens) > 1 else None
        return [] if number is None else list(self._postings[number][:MAX_CANDIDATES])


def _weight(word: str, rarity: float) -> float:
    weight = 0.2 + 0.8 * min(1.0, max(0.0, rarity))
    if len(word) <= 2:
        weight = min(weight, 0.4)
    if word in COMMON_NAMES:
        weight = min(weight, 0.6)
    return min(weight, 0.45) if word in COMMON_WORDS else weight
