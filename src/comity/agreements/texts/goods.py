"""Sets of lists of HS codes, exactly. Pure.

A message may name several codes; a permit needs all of them within its prefixes, a prohibition is met by one that
touches its own. So what articles say of goods are sets of lists of codes. The codes that no prefix tells apart form a
class; a list is known by the classes of its codes. A cell holds the lists whose codes are all of some classes and that
have a code of each of some further sets of classes; cells are closed under intersection, and a cell less a cell is a
few disjoint cells. Sets of classes are the bits of a whole number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from comity.agreements.vocabulary import HS_PREFIX
from comity.trade.codes import check_hs

_LENGTH = 6
_ENDINGS = tuple(sorted((f"{number:02d}" for number in range(100)), key=lambda each: (each[1] != "0", each)))

Signature = tuple[frozenset[str], frozenset[str]]
Cell = tuple[int, frozenset[int]]


class CodeClasses:
    """HS codes, told apart as far as these prefixes do. examples: one code of each class."""

    __slots__ = ("_beneath", "_index", "_prefixes", "every", "examples")

    def __init__(self, prefixes: Iterable[str]) -> None:
        self._prefixes = frozenset(prefixes)
        beneath: defaultdict[str, set[str]] = defaultdict(set)
        for prefix in self._prefixes:
            for length in range(len(prefix)):
                beneath[prefix[:length]].add(prefix)
        self._beneath = {node: frozenset(found) for node, found in beneath.items()}
        known: dict[Signature, str] = {}
        for code in sorted(self._candidates(), key=self._strangeness):
            known.setdefault(self._signature(code), code)
        self.examples = tuple(known.values())
        self._index = {signature: number for number, signature in enumerate(known)}
        self.every = (1 << len(known)) - 1

    def of(self, code: str) -> int:
        """The number of the class of a code."""
        return self._index[self._signature(code)]

    def within(self, prefixes: Iterable[str]) -> int:
        """The classes whose codes begin with one of the prefixes."""
        asked = frozenset(prefixes)
        return self._where(lambda signature: bool(signature[0] & asked))

    def touching(self, prefixes: Iterable[str]) -> int:
        """The classes whose codes lie in the prefixes or are so broad that they may."""
        asked = frozenset(prefixes)
        return self._where(lambda signature: bool((signature[0] | signature[1]) & asked))

    def names(self, classes: int) -> Iterator[tuple[str, str]]:
        """The classes of a set by what they are: ("within", prefix), and of what is left ("beyond", prefix) for further
        codes of a prefix, ("alone", code) for a code so broad that it may be in a prefix, ("others", "").
        """
        left = classes
        for prefix in sorted(self._prefixes, key=lambda each: (len(each), each)):
            group = self.within((prefix,))
            if group & left and not group & ~classes:
                left &= ~group
                yield "within", prefix
        for signature, number in self._index.items():
            if left >> number & 1:
                if signature[1]:
                    yield "alone", self.examples[number] or "–"
                else:
                    longest = max(signature[0], key=len, default="")
                    yield ("beyond", longest) if longest else ("others", "")

    def _where(self, holds: Callable[[Signature], bool]) -> int:
        return sum(1 << number for signature, number in self._index.items() if holds(signature))

    def _signature(self, code: str) -> Signature:
        starts = (code[:length] for length in range(len(code) + 1)) if len(code) <= _LENGTH else _starts(code)
        return frozenset(each for each in starts if each in self._prefixes), self._beneath.get(code, frozenset())

    def _strangeness(self, code: str) -> tuple[bool, bool, int, str]:
        """The least for codes that articles name, the narrow ones first, then for other HS codes."""
        return not HS_PREFIX.fullmatch(code), code not in self._prefixes, -len(code), code

    def _candidates(self) -> Iterator[str]:
        """A code of every class: each node on the way to a prefix, and one beyond each that leaves the way there."""
        nodes = {"", *self._beneath, *self._prefixes}
        for node in nodes:
            yield node
            if len(node) < _LENGTH and len(node) % 2 == 0:
                beyond = [code for ending in _ENDINGS if (code := node + ending) not in nodes]
                yield next((code for code in beyond if check_hs(code) is None), beyond[0] if beyond else f"{node}~")


@dataclass(frozen=True, slots=True)
class GoodsSet:
    """A set of lists of codes. has_none: the list without codes belongs to it. cells: disjoint."""

    has_none: bool
    cells: tuple[Cell, ...]

    def __bool__(self) -> bool:
        return self.has_none or bool(self.cells)

    def meet(self, other: GoodsSet) -> GoodsSet:
        """What belongs to both."""
        if self is other:
            return self
        met = (_meet(one, two) for one in self.cells for two in other.cells)
        return GoodsSet(self.has_none and other.has_none, tuple(cell for cell in met if cell is not None))

    def minus(self, other: GoodsSet) -> GoodsSet:
        """What belongs to this one alone."""
        if self is other:
            return GoodsSet(has_none=False, cells=())
        cells = self.cells
        for barred in other.cells:
            cells = tuple(piece for cell in cells for piece in _minus(cell, barred))
        return GoodsSet(self.has_none and not other.has_none, cells)

    def has(self, classes: Iterable[int]) -> bool:
        """Whether a list with codes of these classes belongs to it."""
        bits = 0
        for number in classes:
            bits |= 1 << number
        if not bits:
            return self.has_none
        return any(not bits & ~within and all(bits & hit for hit in hits) for within, hits in self.cells)


def every_list(classes: CodeClasses) -> GoodsSet:
    """All lists of codes."""
    return GoodsSet(has_none=True, cells=((classes.every, frozenset()),))


def all_within(classes: CodeClasses, prefixes: Iterable[str]) -> GoodsSet:
    """Lists with codes, all of which begin with one of the prefixes: what a permit asks for."""
    cell = _cell(classes.within(prefixes), ())
    return GoodsSet(has_none=False, cells=(cell,) if cell else ())


def any_touching(classes: CodeClasses, prefixes: Iterable[str]) -> GoodsSet:
    """Lists without codes, or with one that lies in the prefixes or may: what a prohibition applies to."""
    cell = _cell(classes.every, (classes.touching(prefixes),))
    return GoodsSet(has_none=True, cells=(cell,) if cell else ())


def _starts(code: str) -> Iterator[str]:
    return (code[:length] for length in range(_LENGTH + 1))


def _cell(within: int, hits: Iterable[int]) -> Cell | None:
    """A cell in its least form; None where no list is in it."""
    narrowed = {hit & within for hit in hits}
    if not within or 0 in narrowed:
        return None
    narrowed.discard(within)  # every list with codes meets it
    least = (hit for hit in narrowed if not any(other != hit and not other & ~hit for other in narrowed))
    return within, frozenset(least)


def _meet(one: Cell, other: Cell) -> Cell | None:
    return _cell(one[0] & other[0], one[1] | other[1])


def _minus(cell: Cell, barred: Cell) -> Iterator[Cell]:
    """The lists that break the first, the second … of the conditions of what is barred, having met those before."""
    if _meet(cell, barred) is None:
        yield cell
        return
    within, hits = barred
    before: list[int] = []
    pieces = [_cell(cell[0], (*cell[1], cell[0] & ~within))]
    for hit in sorted(hits):
        pieces.append(_cell(cell[0] & within & ~hit, (*cell[1], *before)))
        before.append(hit)
    yield from (piece for piece in pieces if piece is not None)
