"""How many findings of a kind goods on a route are likely to bring in the coming weeks, with intervals. Pure.

The share of a heading on a route leans on the heading; the volume is that of its own last weeks. How far such forecasts
were off is measured on this history itself: the same forecast is made for earlier weeks, and what came of it says by
which factor forecasts are to be corrected and how much wider than chance alone the outcomes lie (negative binomial).
An interval is the shortest run of whole numbers that holds nine cases in ten; since counts are whole, it promises a
little more, and says how much.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

HALF_LIFE_WEEKS, VOLUME_WEEKS, LEAST_WEEKS = 12.0, 8, 8
# How many controlled declarations of its heading a route leans on.
LEANING = 15.0
PAST_FORECASTS = 6
LEVEL = 0.9
WORTH_TELLING = 0.25  # below, an interval of none holds too easily to prove anything
_LEAST_MEAN, _LEAST_VOLUME = 0.05, 1.0
_LEAN_OF_FACTOR, _LEAN_OF_VOLUME = 4.0, 50.0
_SIZES = tuple(math.exp(math.log(0.3) + step * math.log(200.0) / 24) for step in range(25))
_DECAY = 0.5 ** (1 / HALF_LIFE_WEEKS)

Key = tuple[str, str, str]
# What came, and what was expected.
Came = tuple[int, float]
# What was controlled and what was found.
_Sums = dict[Key, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Series:
    """What of a heading was declared on a route, week by week: how much, how much was controlled, what was found."""

    declared: Sequence[int]
    seen: Sequence[int]
    found: Sequence[int]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to expect of a heading on a route: declarations, findings, the interval and how often it should hold.

    size: of the negative binomial; the less, the wider.
    """

    heading: str
    origin: str
    departure: str
    declarations: float
    share: float
    expected: float
    low: int
    high: int
    promised: float
    size: float


@dataclass(frozen=True, slots=True)
class Spread:
    """By which factor forecasts were to be corrected, and the size of the negative binomial: the less, the wider."""

    factor: float
    size: float


@dataclass(frozen=True, slots=True)
class _Guess:
    """known: how many findings the share rests on, with those of its heading on which it leans."""

    share: float
    volume: float
    known: float


def outlooks(history: Mapping[Key, Series], *, first_week: int, weeks: int, is_sampled: bool = False) -> list[Outlook]:
    """The headings and routes where most is expected in `weeks` weeks from `first_week` on, by what was before.

    is_sampled: so little was controlled that earlier forecasts of it say nothing of how far a share is off; then
    shares are not corrected by them, and intervals are wider by the few findings that the share rests on.
    """
    sums = _sums_before(history, (*sorted(_starts(first_week, weeks)), first_week))
    shares = fitted(_shares_before(history, sums, first_week, weeks), None if is_sampled else _LEAN_OF_FACTOR)
    volumes = fitted(_volumes_before(history, first_week, weeks), _LEAN_OF_VOLUME)
    size = _product(shares.size, volumes.size)
    told = []
    for key, guess in _guesses(history, sums[first_week], first_week, weeks).items():
        if guess.volume <= 0:
            continue
        declarations = guess.volume * volumes.factor
        share = min(1.0, guess.share * shares.factor)
        own_size = _product(size, guess.known) if is_sampled else size
        low, high, promised = interval(share * declarations, own_size)
        told.append(Outlook(*key, declarations, share, share * declarations, low, high, promised, own_size))
    return sorted(told, key=lambda one: (-one.expected, one.heading, one.origin, one.departure))


def joined(first: Outlook, second: Outlook) -> Outlook:
    """Two parts of what comes of one heading on one route, as one: the means add up, and so do the variances."""
    declarations, expected = first.declarations + second.declarations, first.expected + second.expected
    beyond_chance = sum(one.expected**2 / one.size for one in (first, second))
    if not beyond_chance:
        return second
    size = min(expected**2 / beyond_chance, _SIZES[-1])
    low, high, promised = interval(expected, size)
    key = (first.heading, first.origin, first.departure)
    return Outlook(*key, declarations, expected / declarations, expected, low, high, promised, size)


def _product(first: float, second: float) -> float:
    """The size of a product of two factors, each spread around one."""
    return 1 / (1 / first + 1 / second + 1 / (first * second))


def interval(mean: float, size: float, level: float = LEVEL) -> tuple[int, int, float]:
    """The shortest run of counts that holds at least `level` of a negative binomial, and what it really holds."""
    if mean <= 0:
        return 0, 0, 1.0
    low = high = max(0, math.floor(mean * (size - 1) / size))  # the likeliest count; from there on both sides fall
    chances = [math.exp(size * math.log(size / (size + mean)))]
    held = _chance(chances, low, mean, size)
    while held < level:
        below = _chance(chances, low - 1, mean, size) if low else 0.0
        above = _chance(chances, high + 1, mean, size)
        if below > above:
            low, held = low - 1, held + below
        else:
            high, held = high + 1, held + above
    return low, high, held


def _chance(known: list[float], count: int, mean: float, size: float) -> float:
    """Of a count; those before it are kept in `known`."""
    while len(known) <= count:
        known.append(known[-1] * (size + len(known) - 1) / len(known) * mean / (size + mean))
    return known[count]


def _guesses(history: Mapping[Key, Series], sums: _Sums, first_week: int, weeks: int) -> dict[Key, _Guess]:
    """Share and volume of every heading and route as they stood before a week."""
    headings: dict[str, tuple[float, float]] = {}
    for key, (seen, found) in sums.items():
        before = headings.get(key[0], (0.0, 0.0))
        headings[key[0]] = (before[0] + seen, before[1] + found)
    all_seen, all_found = (sum(each[place] for each in headings.values()) for place in (0, 1))
    whole = (all_found + 0.5) / (all_seen + 10.0)
    span = min(VOLUME_WEEKS, first_week)
    guesses = {}
    for key, (seen, found) in sums.items():
        of_heading = headings[key[0]]
        base = (of_heading[1] + 2 * LEANING * whole) / (of_heading[0] + 2 * LEANING)
        lately = sum(history[key].declared[first_week - span : first_week])
        known = found + LEANING * base
        guesses[key] = _Guess(known / (seen + LEANING), lately / span * weeks, known)
    return guesses


def _sums_before(history: Mapping[Key, Series], weeks: Sequence[int]) -> dict[int, _Sums]:
    """What was controlled and found before each of these weeks, what is old counting less. weeks: rising."""
    sums: dict[int, _Sums] = {week: {} for week in weeks}
    for key, series in history.items():
        seen = found = 0.0
        before = 0
        for week in weeks:
            for controlled, hits in zip(series.seen[before:week], series.found[before:week], strict=True):
                seen = seen * _DECAY + controlled
                found = found * _DECAY + hits
            sums[week][key], before = (seen, found), week
    return sums


def _starts(first_week: int, weeks: int) -> list[int]:
    """The weeks for which the same forecast is made again."""
    starts = (first_week - back * weeks for back in range(1, PAST_FORECASTS + 1))
    return [start for start in starts if start >= LEAST_WEEKS]


def _shares_before(history: Mapping[Key, Series], sums: Mapping[int, _Sums], first_week: int, weeks: int) -> list[Came]:
    """What was found, and what would have been expected, among what was controlled."""
    told = []
    for start in _starts(first_week, weeks):
        then = slice(start, start + weeks)
        for key, guess in _guesses(history, sums[start], start, weeks).items():
            expected = guess.share * sum(history[key].seen[then])
            if expected >= _LEAST_MEAN:
                told.append((sum(history[key].found[then]), expected))
    return told


def _volumes_before(history: Mapping[Key, Series], first_week: int, weeks: int) -> list[Came]:
    """What was declared, and what would have been expected."""
    told = []
    for start in _starts(first_week, weeks):
        then, span = slice(start, start + weeks), min(VOLUME_WEEKS, start)
        for series in history.values():
            expected = sum(series.declared[start - span : start]) / span * weeks
            if expected >= _LEAST_VOLUME:
                told.append((sum(series.declared[then]), expected))
    return told


def fitted(pairs: Sequence[Came], lean: float | None = _LEAN_OF_FACTOR) -> Spread:
    """The factor and the size that fit what came of forecasts. pairs: what came, what was expected.

    lean: how many expected cases the factor of 1 is worth; without a past nothing is corrected, and the size is modest.
    None: the factor stays 1. Where controls are few, most routes expect less than is compared, and those that expect
    more do so by luck: what came of them falls short, and would lower all the others.
    """
    if not pairs:
        return Spread(1.0, 3.0)
    factor = 1.0
    if lean is not None:
        factor = (sum(came for came, _ in pairs) + lean) / (sum(expected for _, expected in pairs) + lean)
    # Volumes are whole numbers: of thousands of routes many are alike.
    alike = Counter((came, expected * factor) for came, expected in pairs)
    most = max(came for came, _ in pairs)
    return Spread(factor, max(_SIZES, key=lambda size: _fit(alike, most, size) - 0.5 / size))


def _fit(alike: Mapping[Came, int], most: int, size: float) -> float:
    """The logarithm of the chance of what came, but for what no size changes. alike: how often it came of a mean."""
    rising = [size * math.log(size)]
    for count in range(most):
        rising.append(rising[-1] + math.log(size + count))
    return sum([many * (rising[came] - (size + came) * math.log(size + mean)) for (came, mean), many in alike.items()])
