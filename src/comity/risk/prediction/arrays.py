"""The arrays that prediction works on, and the few ways of counting in them."""

from __future__ import annotations

from collections.abc import Sequence

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


def stacked(columns: Sequence[Ints]) -> tuple[Ints, int]:
    """Several columns of codes side by side, each shifted so that no two share a code; and how many codes there are."""
    shifted, total = [], 0
    for column in columns:
        shifted.append(column + total)
        total += int(column.max(initial=-1)) + 1
    return np.stack(shifted, axis=1), total


def weeks_of(week: Ints) -> list[tuple[int, Ints]]:
    """The rows of each week that has any, weeks ascending, rows in the order of the table."""
    order = np.argsort(week, kind="stable")
    values, starts = np.unique(week[order], return_index=True)
    return [(int(value), rows) for value, rows in zip(values, np.split(order, starts[1:]), strict=True)]
