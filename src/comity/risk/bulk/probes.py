"""What many rules demand of one column, answered together: which rows hold which of all the constants.

A probe is a column with a length of prefix, as in `expression_index`: every `column = constant`, `column IN (...)` and
`starts_with(column, constant)` of all the rules is one look-up over the distinct values and one sort of the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from comity.risk.bulk.columns import Array
from comity.risk.bulk.sheet import Sheet
from comity.risk.expression_index import demand_of, parts_of
from comity.risk.expression_tree import And, Condition, Or, Rule


@dataclass(slots=True)
class Probe:
    """A column with a length of prefix (0: the whole value), and all the constants that rules compare there."""

    column: str
    length: int
    places: dict[str, int] = field(default_factory=dict)

    def place(self, constant: str) -> int:
        """The number of a constant, given when it is first named."""
        return self.places.setdefault(constant, len(self.places))

    def sort(self, sheet: Sheet) -> SortedRows:
        """The rows of a batch by the constant that they hold; rows that hold none are left out."""
        vector = sheet.column(self.column)
        texts = pc.utf8_slice_codeunits(vector.texts, 0, self.length) if self.length else vector.texts
        found = pc.index_in(texts, value_set=pa.array(list(self.places), pa.string()))
        none = len(self.places)
        table = np.append(np.asarray(pc.fill_null(found, none)), none)
        table = table.astype(np.uint16 if none < 2**16 else np.int32)
        groups = table[vector.data]
        rows = np.flatnonzero(groups != none).astype(np.int32)
        held = groups[rows]
        ends = np.cumsum(np.bincount(held, minlength=none))
        return SortedRows(rows[np.argsort(held, kind="stable")], [0, *ends.tolist()], groups)


@dataclass(frozen=True, slots=True)
class SortedRows:
    """Rows in order of the constant that they hold. bounds: where the rows of each constant begin and end.

    groups: of every row the constant that it holds.
    """

    rows: Array
    bounds: list[int]
    groups: Array

    def count(self, places: Sequence[int]) -> int:
        """How many rows hold one of some constants."""
        bounds = self.bounds
        return sum(bounds[place + 1] - bounds[place] for place in places)

    def holding(self, places: Sequence[int]) -> Array:
        """The rows that hold one of some constants, each once."""
        bounds = self.bounds
        found = [self.rows[bounds[place] : bounds[place + 1]] for place in places]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def hold(self, rows: Array, places: Sequence[int]) -> Array:
        """Which of some rows hold one of some constants."""
        held = self.groups[rows]
        if len(places) == 1:
            return cast(Array, held == places[0])
        wanted = np.zeros(len(self.bounds), bool)
        wanted[list(places)] = True
        return wanted[held]


# One demand: the number of its probe and the numbers of its constants there.
Demanded = tuple[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Start:
    """A condition that can say which rows to look at: for each of its alternatives several demands, one of which will
    do. is_exact: whether the rows found are those where it is true, or only among them.
    """

    part: Condition
    alternatives: tuple[tuple[Demanded, ...], ...]
    is_exact: bool


@dataclass(slots=True)
class Probes:
    """All probes of a set of rules."""

    probes: list[Probe] = field(default_factory=list)
    _numbers: dict[tuple[str, int], int] = field(default_factory=dict)

    def starts_of(self, rule: Rule) -> list[Start]:
        """The parts of a rule that can say which rows to look at."""
        return [start for part in parts_of(rule) if (start := self._start(part)) is not None]

    def _start(self, part: Condition) -> Start | None:
        demanded = self._demanded(part)
        if demanded is not None:
            return Start(part, ((demanded,),), is_exact=True)
        if not isinstance(part, Or):
            return None
        alternatives = []
        for choice in part.parts:
            inner = choice.parts if isinstance(choice, And) else (choice,)
            options = tuple(found for each in inner if (found := self._demanded(each)) is not None)
            if not options:
                return None
            alternatives.append(options)
        return Start(part, tuple(alternatives), is_exact=False)

    def _demanded(self, part: Condition) -> Demanded | None:
        demand = demand_of(part)
        if demand is None:
            return None
        constants = sorted(constant for constant in demand.constants if isinstance(constant, str))
        if len(constants) < len(demand.constants):
            return None  # of numbers and flags a comparison is as quick
        key = (demand.column, demand.length)
        if key not in self._numbers:
            self._numbers[key] = len(self.probes)
            self.probes.append(Probe(*key))
        number = self._numbers[key]
        return number, tuple(self.probes[number].place(constant) for constant in constants)


class SortedSheet:
    """The probes of one batch, each sorted when it is first asked."""

    def __init__(self, probes: Sequence[Probe], sheet: Sheet) -> None:
        self._probes = probes
        self._sheet = sheet
        self._sorted: dict[int, SortedRows] = {}

    def candidates(self, starts: Sequence[Start]) -> Candidates | None:
        """The fewest rows that one of the parts leaves; None where none leaves less than half of the batch."""
        best: Candidates | None = None
        for start in starts:
            chosen = [min(options, key=self._count) for options in start.alternatives]
            count = sum(self._count(demanded) for demanded in chosen)
            if best is None or count < best.count:
                best = Candidates(start, chosen, count)
            if count == 0:
                break
        return best if best is not None and best.count * 2 <= self._sheet.size else None

    def rows(self, candidates: Candidates) -> Array:
        """The rows of candidates, each once."""
        found = [self._of(probe).holding(places) for probe, places in candidates.chosen]
        return found[0] if len(found) == 1 else np.unique(np.concatenate(found))

    def hold(self, start: Start, rows: Array) -> Array:
        """Which of some rows a part that is exact is true for."""
        (((probe, places),),) = start.alternatives
        return self._of(probe).hold(rows, places)

    def _count(self, demanded: Demanded) -> int:
        probe, places = demanded
        return self._of(probe).count(places)

    def _of(self, number: int) -> SortedRows:
        found = self._sorted.get(number)
        if found is None:
            found = self._sorted[number] = self._probes[number].sort(self._sheet)
        return found


@dataclass(frozen=True, slots=True)
class Candidates:
    """The part of a rule that leaves the fewest rows, and how many."""

    start: Start
    chosen: list[Demanded]
    count: int
