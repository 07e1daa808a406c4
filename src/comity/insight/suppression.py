"""Tables of counts from which nobody can be read off: small cells are not told, and no total gives them away. Pure.

Primary: a count from 1 to THRESHOLD - 1 is suppressed. Lines whose total is that small are put together into one, so
that every total can be told. Complementary: further counts are suppressed until, from all that is told, no suppressed
count can be narrowed to a range of fewer than THRESHOLD values. The range is exact: with lines and totals known, the
suppressed counts are flows in a network, and the largest change of one is a maximum flow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

THRESHOLD = 5
OTHER = "other"

Cell = tuple[int, int]
Node = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Table:
    """Counts by two properties. cells: None where suppressed; totals are told always, and are never small."""

    name: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[int | None, ...], ...]
    row_totals: tuple[int, ...]
    column_totals: tuple[int, ...]

    @property
    def total(self) -> int:
        """Of all."""
        return sum(self.row_totals)

    @property
    def suppressed(self) -> int:
        """How many counts are not told."""
        return sum(cell is None for row in self.cells for cell in row)


def table_of(name: str, counts: Mapping[tuple[str, str], int]) -> Table:
    """The table of these counts, suppressed. What has too few altogether gives an empty table."""
    merged = _merged(_merged(dict(counts), axis=0), axis=1)
    rows, columns = (tuple(sorted({key[axis] for key in merged}, key=_last_other)) for axis in (0, 1))
    if sum(merged.values()) < THRESHOLD:
        return Table(name, (), (), (), (), ())
    true = [[merged.get((row, column), 0) for column in columns] for row in rows]
    hidden = {(i, j) for i, row in enumerate(true) for j, count in enumerate(row) if 0 < count < THRESHOLD}
    _complete(true, hidden)
    return Table(
        name,
        rows,
        columns,
        tuple(tuple(None if (i, j) in hidden else count for j, count in enumerate(row)) for i, row in enumerate(true)),
        tuple(sum(row) for row in true),
        tuple(sum(row[j] for row in true) for j in range(len(columns))),
    )


def span_of(true: list[list[int]], hidden: set[Cell], cell: Cell) -> tuple[int, int]:
    """The least and the most that a suppressed count can be, for who knows all totals and all other counts."""
    count = true[cell[0]][cell[1]]
    return count - _flow(true, hidden, cell, is_up=False), count + _flow(true, hidden, cell, is_up=True)


def _complete(true: list[list[int]], hidden: set[Cell]) -> None:
    """Suppress more, the smallest first, until no suppressed count can be narrowed too far."""
    while exposed := next((cell for cell in sorted(hidden) if _is_narrow(true, hidden, cell)), None):
        beside = [
            (i, j)
            for i, row in enumerate(true)
            for j in range(len(row))
            if (i, j) not in hidden and (i == exposed[0] or j == exposed[1])
        ]
        beside = beside or [(i, j) for i, row in enumerate(true) for j in range(len(row)) if (i, j) not in hidden]
        if not beside:
            return
        hidden.add(min(beside, key=lambda cell: (true[cell[0]][cell[1]] == 0, true[cell[0]][cell[1]], cell)))


def _is_narrow(true: list[list[int]], hidden: set[Cell], cell: Cell) -> bool:
    least, most = span_of(true, hidden, cell)
    return most - least + 1 < THRESHOLD


def _merged(counts: dict[tuple[str, str], int], *, axis: int) -> dict[tuple[str, str], int]:
    """Lines with a small total put together; where that is still small, with the next smallest."""
    totals: dict[str, int] = {}
    for key, count in counts.items():
        totals[key[axis]] = totals.get(key[axis], 0) + count
    small = [name for name in sorted(totals, key=lambda each: (totals[each], each)) if 0 < totals[name] < THRESHOLD]
    large = sorted((name for name in totals if totals[name] >= THRESHOLD), key=lambda each: (totals[each], each))
    while small and large and sum(totals[name] for name in small) < THRESHOLD:
        small.append(large.pop(0))
    if not small:
        return {key: count for key, count in counts.items() if totals[key[axis]]}
    merged: dict[tuple[str, str], int] = {}
    for key, count in counts.items():
        name = OTHER if key[axis] in small else key[axis]
        new = (name, key[1]) if axis == 0 else (key[0], name)
        merged[new] = merged.get(new, 0) + count
    return {key: count for key, count in merged.items() if totals.get(key[axis], THRESHOLD)}


def _last_other(name: str) -> tuple[bool, str]:
    return name == OTHER, name


def _flow(true: list[list[int]], hidden: set[Cell], cell: Cell, *, is_up: bool) -> int:
    """By how much a suppressed count can grow or shrink while all totals stay: the others must make up for it.

    Rows and columns are nodes. A count can grow without bound, and shrink by what it is. At most THRESHOLD is asked.
    """
    room: dict[tuple[Node, Node], int] = {}
    for i, j in hidden - {cell}:
        room[("row", i), ("column", j)] = THRESHOLD
        room[("column", j), ("row", i)] = true[i][j]
    row, column = ("row", cell[0]), ("column", cell[1])
    start, end = (column, row) if is_up else (row, column)
    most = THRESHOLD if is_up else min(THRESHOLD, true[cell[0]][cell[1]])
    sent = 0
    while sent < most and (path := _path(room, start, end)):
        step = min(most - sent, *(room[edge] for edge in path))
        for a, b in path:
            room[a, b] -= step
            room[b, a] = room.get((b, a), 0) + step
        sent += step
    return sent


def _path(room: Mapping[tuple[Node, Node], int], start: Node, end: Node) -> list[tuple[Node, Node]]:
    """The edges of a shortest way with room left; none: an empty list."""
    came: dict[Node, Node] = {start: start}
    waiting = deque([start])
    while waiting and end not in came:
        here = waiting.popleft()
        for (a, b), left in room.items():
            if a == here and left > 0 and b not in came:
                came[b] = here
                waiting.append(b)
    if end not in came:
        return []
    path, here = [], end
    while here != start:
        path.append((came[here], here))
        here = came[here]
    return path[::-1]
