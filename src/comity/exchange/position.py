"""Which sequence numbers of a partner have arrived: one run from the start, and the islands beyond it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Position:
    """Sequences 1 to `contiguous` arrived; `islands` are the later ones, sorted, both ends included."""

    contiguous: int = 0
    islands: tuple[Range, ...] = ()

    @property
    def highest(self) -> int:
        """The highest sequence that arrived."""
        return self.islands[-1][1] if self.islands else self.contiguous

    @property
    def missing(self) -> tuple[Range, ...]:
        """The gaps below the highest sequence that arrived."""
        gaps, reached = [], self.contiguous
        for first, last in self.islands:
            gaps.append((reached + 1, first - 1))
            reached = last
        return tuple(gaps)

    def has(self, sequence: int) -> bool:
        """Whether this sequence arrived."""
        return sequence <= self.contiguous or any(first <= sequence <= last for first, last in self.islands)

    def with_ranges(self, ranges: Iterable[Range]) -> Position:
        """The position after these ranges arrived; what overlaps is merged."""
        (_, contiguous), *islands = merged([(1, self.contiguous), *self.islands, *ranges])
        return Position(contiguous, tuple(islands))


def merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """These ranges in order; those that touch or overlap become one."""
    joined: list[Range] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)
