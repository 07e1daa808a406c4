"""Sums that grow week by week and fade: what a key was known for before the present week.

Each key keeps its own numbers, so what happens to one key or in a later week never changes, not by a rounding, what was
read for another key or an earlier week.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from comity.risk.prediction.arrays import Floats, Ints

NEVER = -1_000
Numbers = npt.NDArray[np.float64] | npt.NDArray[np.int64]


class FadingSums:
    """For each key the sums of several columns, halved every `half_life` weeks. Weeks are told in ascending order."""

    def __init__(self, keys: int, columns: int, *, half_life: float) -> None:
        # One number seen as many, until something is added: what is adopted from a state needs no room of its own.
        self._sums = np.broadcast_to(np.float64(0), (keys, columns))
        self._told_in = np.broadcast_to(np.int64(0), (keys,))
        self._fade = 0.5 ** (1.0 / half_life)

    def arrays(self) -> dict[str, Numbers]:
        """All that it remembers."""
        return {"sums": self._sums, "told_in": self._told_in}

    def adopt(self, arrays: Mapping[str, Numbers]) -> None:
        """Remember what another of the same form did.

        Raises: ValueError where the form is another one.
        """
        if arrays["sums"].shape != self._sums.shape or arrays["told_in"].shape != self._told_in.shape:
            raise ValueError(f"sums of the form {arrays['sums'].shape}, not {self._sums.shape}")
        self._sums, self._told_in = np.asarray(arrays["sums"], np.float64), np.asarray(arrays["told_in"], np.int64)

    def read(self, keys: Ints, week: int) -> Floats:
        """The sums of each key as they stand in `week`; one more axis than `keys`, of the columns."""
        fade = self._fade ** (week - self._told_in[keys])
        return np.asarray(self._sums[keys] * fade[..., None], dtype=np.float64)

    def add(self, keys: Ints, values: Floats, week: int) -> None:
        """Add values (a row for each key, keys may repeat) as of the end of `week`: a week later they count once."""
        if not self._sums.flags.writeable:
            self._sums, self._told_in = self._sums.copy(), self._told_in.copy()
        touched, place = np.unique(keys, return_inverse=True)
        faded = self._sums[touched] * (self._fade ** (week + 1 - self._told_in[touched]))[:, None]
        for column in range(values.shape[1]):
            faded[:, column] += np.bincount(place.reshape(-1), weights=values[:, column], minlength=len(touched))
        self._sums[touched] = faded
        self._told_in[touched] = week + 1


class LastWeeks:
    """For each key the first and the last week in which something happened to it."""

    def __init__(self, keys: int) -> None:
        self._first = np.broadcast_to(np.int64(NEVER), (keys,))
        self._last = self._first

    def arrays(self) -> dict[str, Numbers]:
        """All that it remembers."""
        return {"first": self._first, "last": self._last}

    def adopt(self, arrays: Mapping[str, Numbers]) -> None:
        """Remember what another of the same form did.

        Raises: ValueError where the form is another one.
        """
        if arrays["first"].shape != self._first.shape or arrays["last"].shape != self._last.shape:
            raise ValueError(f"weeks of the form {arrays['first'].shape}, not {self._first.shape}")
        self._first, self._last = np.asarray(arrays["first"], np.int64), np.asarray(arrays["last"], np.int64)

    def since_first(self, keys: Ints, week: int, *, most: int = 60) -> Floats:
        """Weeks since it first happened; -1 where it never did."""
        return self._since(self._first[keys], week, most)

    def since_last(self, keys: Ints, week: int, *, most: int = 60) -> Floats:
        """Weeks since it last happened; -1 where it never did."""
        return self._since(self._last[keys], week, most)

    @staticmethod
    def _since(weeks: Ints, week: int, most: int) -> Floats:
        return np.where(weeks == NEVER, -1.0, np.minimum(week - weeks, most).astype(np.float64))

    def add(self, keys: Ints, week: int) -> None:
        """It happened to these keys in this week."""
        if not self._last.flags.writeable:
            self._first, self._last = self._first.copy(), self._last.copy()
        self._last[keys] = week
        self._first[keys] = np.where(self._first[keys] == NEVER, week, self._first[keys])


Memory = FadingSums | LastWeeks
