"""The arrays that prediction works on, and the few ways of counting in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LEAST_MASS_KG = 0.01
LEAST_VALUE = 1.0


def log_of(values: Floats, least: float) -> Floats:
    """The natural logarithm, with everything below `least` raised to it: a declared zero is no reason to stop."""
    return np.asarray(np.log(np.maximum(values, least)), dtype=np.float64)


def joined(codes: Sequence[Ints]) -> Ints:
    """One code, counted from 0, for each combination of several codes that occurs."""
    key = codes[0].astype(np.int64)
    for further in codes[1:]:
        key = key * (int(further.max(initial=0)) + 1) + further
    return np.unique(key, return_inverse=True)[1].reshape(-1).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Codebook:
    """How the combinations of some columns' codes were numbered, so that later rows find the same numbers.

    sizes: how many codes each column had. values: the combinations that occurred, ascending; the number after the last
    is for all that never did.
    """

    sizes: tuple[int, ...]
    values: Ints

    @classmethod
    def of(cls, columns: Sequence[Ints], sizes: Sequence[int]) -> Codebook:
        """Number the combinations that occur in these columns."""
        return cls(tuple(sizes), np.unique(_mixed(columns, sizes)))

    @property
    def size(self) -> int:
        """How many numbers there are, the one for what never occurred among them."""
        return len(self.values) + 1

    def numbers(self, columns: Sequence[Ints]) -> Ints:
        """The number of each row; codes beyond a column's size are unknown, and so is the combination."""
        if not len(self.values):
            return np.zeros(len(columns[0]), dtype=np.int64)
        known = np.ones(len(columns[0]), dtype=np.bool_)
        for column, size in zip(columns, self.sizes, strict=True):
            known &= column < size
        wanted = _mixed(columns, self.sizes)
        place = np.minimum(np.searchsorted(self.values, wanted), len(self.values) - 1)
        return np.where(known & (self.values[place] == wanted), place, len(self.values)).astype(np.int64)


def _mixed(columns: Sequence[Ints], sizes: Sequence[int]) -> Ints:
    key = columns[0].astype(np.int64)
    for column, size in zip(columns[1:], sizes[1:], strict=True):
        key = key * size + column
    return key


def stacked(columns: Sequence[Ints], sizes: Sequence[int] = ()) -> tuple[Ints, int]:
    """Several columns of codes side by side, each shifted so that no two share a code; and how many codes there are.

    sizes: how many codes each column may have, where more may come than occur.
    """
    shifted, total = [], 0
    for place, column in enumerate(columns):
        shifted.append(column + total)
        total += sizes[place] if sizes else int(column.max(initial=-1)) + 1
    return np.stack(shifted, axis=1), total


def weeks_of(week: Ints) -> list[tuple[int, Ints]]:
    """The rows of each week that has any, weeks ascending, rows in the order of the table."""
    if not len(week):
        return []
    order = np.argsort(week, kind="stable")
    values, starts = np.unique(week[order], return_index=True)
    return [(int(value), rows) for value, rows in zip(values, np.split(order, starts[1:]), strict=True)]
