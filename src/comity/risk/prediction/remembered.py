"""What histories remember of one trader, for a trader who asks what is held."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from comity.risk.prediction import partners_findings, partners_word
from comity.risk.prediction.arrays import Floats
from comity.risk.prediction.histories import COLUMNS, ILLICIT, INSPECTED, LONG_WEEKS, OWN
from comity.risk.prediction.novelty import AGED, SLOW_WEEKS
from comity.risk.prediction.panels import KEYS
from comity.risk.prediction.running import NEVER, FadingSums
from comity.risk.prediction.states import State

# The names of the memories of what partners told and found, in a state.
TOLD, FOUND = "word", "found"
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is kept of one trader in one role. declarations, controls, irregular: as they count now, halved every
    26 weeks; declarations is None where the role is remembered by controls alone. first_day: of the first week in which
    it was declared or controlled, None where only its name is kept. beside: with how many others, goods and routes.
    told, differing: of how many declarations a partner told something, and in how many matters that differed, halved
    every 30 weeks; found, found_irregular, alerts: of how many controls partners told, how many of those found
    something, and how many alerts, halved in the same time. None where nothing that partners told is kept.
    """

    declarations: float | None
    controls: float
    irregular: float
    first_day: date | None
    beside: int
    told: float | None = None
    differing: float | None = None
    found: float | None = None
    found_irregular: float | None = None
    alerts: float | None = None


def remembered(state: State, column: str, word: str) -> Remembered | None:
    """What the histories keep under this word of a column (importer, exporter, declarant, forwarder), or None."""
    found = _found(state, column, word)
    if word not in state.words[column]:
        return None if found is None else Remembered(None, 0.0, 0.0, None, 0, **found)
    code = state.words[column].index(word)
    book = state.books[column]
    number = int(book.numbers([np.array([code], dtype=np.int64)])[0])
    if number == book.size - 1:
        # Known by a partner's record alone, or of another administration's rows.
        return Remembered(None, 0.0, 0.0, None, 0, **(found or {}))
    own = number + _offset(state, OWN.keys, column)
    controls = _sums(state, "own.long", (own, COLUMNS, LONG_WEEKS))
    first = [_first(state, "own.looks", own)]
    declarations = None
    if column in AGED:
        aged = number + _offset(state, AGED, column)
        declarations = float(_sums(state, "novelty.slow", (aged, 1, SLOW_WEEKS))[0])
        first.append(_first(state, "novelty.seen", aged))
    told = differing = None
    if f"{TOLD}.sums" in state.memories:
        place = number + _offset(state, partners_word.KEYS, column)
        sums = _sums(state, f"{TOLD}.sums", (place, partners_word.COLUMNS, partners_word.MEMORY_WEEKS))
        told = float(sums[partners_word.MATCHED])
        differing = float(sums[partners_word.FIRST_DIFFERING :].sum())
    weeks = [week for week in first if week != NEVER]
    return Remembered(
        declarations=declarations,
        controls=float(controls[INSPECTED]),
        irregular=float(controls[ILLICIT]),
        first_day=_EPOCH + timedelta(days=state.first_day + 7 * min(weeks)) if weeks else None,
        beside=_beside(state, column, code),
        told=told,
        differing=differing,
        **(found or {}),
    )


def _found(state: State, column: str, word: str) -> dict[str, float] | None:
    """What partners' controls found of a word and how many alerts name it; None where they did not name it."""
    words = state.words.get(f"{FOUND}_{column}", ())
    if word not in words:
        return None
    books = [state.books[f"{FOUND}_{name}"] for name in partners_findings.KEYS]
    place = list(partners_findings.KEYS).index(column)
    code = np.array([words.index(word)], dtype=np.int64)
    number = int(books[place].numbers([code])[0]) + sum(book.size for book in books[:place])
    sums = _sums(state, f"{FOUND}.sums", (number, partners_findings.SUMMED, partners_findings.MEMORY_WEEKS))
    names = {
        "found": partners_findings.FOUND,
        "found_irregular": partners_findings.IRREGULAR,
        "alerts": partners_findings.ALERTS,
    }
    return {name: float(sums[which]) for name, which in names.items()}


def _offset(state: State, keys: tuple[str, ...], column: str) -> int:
    """Where the numbers of a key begin among several that stand side by side."""
    return sum(state.books[name].size for name in keys[: keys.index(column)])


def _sums(state: State, memory: str, place: tuple[int, int, float]) -> Floats:
    """place: the number, how many columns, and in how many weeks they halve."""
    number, columns, half_life = place
    arrays = state.memories[memory]
    sums = FadingSums(len(arrays["told_in"]), columns, half_life=half_life)
    sums.adopt(arrays)
    return sums.read(np.array([number], dtype=np.int64), state.week).reshape(-1)


def _first(state: State, memory: str, number: int) -> int:
    return int(state.memories[memory]["first"][number])


def _beside(state: State, column: str, code: int) -> int:
    """In how many combinations with others a code stands."""
    count = 0
    for name, columns in KEYS.items():
        if len(columns) > 1 and column in columns:
            book, place = state.books[name], columns.index(column)
            rest = math.prod(book.sizes[place + 1 :])
            count += int((book.values // rest % book.sizes[place] == code).sum())
    return count
