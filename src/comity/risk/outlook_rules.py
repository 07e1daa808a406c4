"""A forecast from weekly counts of one's own records: what controls are likely to find, and what is in all. Pure.

Controls that reasons asked for look at the worst, so what they find says too much of the rest. What controls are likely
to find is told of as many controls as lately, by reason and by chance together: that can be checked afterwards. What
is in everything declared is told in two parts: of what reasons select, by what such controls found; of the rest, by
what random controls found, and only where there were enough of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum

from comity.risk.outlooks import LEAST_WEEKS, VOLUME_WEEKS, WORTH_TELLING, Key, Outlook, Series, joined, outlooks
from comity.trade import RiskType

KINDS = (RiskType.COUNTERFEIT, RiskType.UNDERVALUATION)
WEEKS_AHEAD = 4
# What is older counts less than a two-hundredth in a share.
HISTORY_WEEKS = 96
LEAST_CONTROLS, LEAST_FOUND, LEAST_RANDOM = 50, 5, 100
SHOWN_WEEKS = 24
MOST_TOLD = 400
METHOD = "outlooks/3"
_WEEK = timedelta(days=7)
# Below this neither figure says anything.
_LEAST_TOLD = 0.05


class Silence(StrEnum):
    """Why a forecast tells nothing."""

    NONE = ""
    NO_RECORDS = "no_records"
    FEW_WEEKS = "few_weeks"
    FEW_CONTROLS = "few_controls"
    FEW_FOUND = "few_found"


@dataclass(slots=True)
class RoutePast:
    """A heading on a route, week by week. found_*: by kind."""

    declared: list[int]
    by_reason: list[int]
    by_chance: list[int]
    found_by_reason: dict[str, list[int]] = field(default_factory=dict)
    found_by_chance: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def empty(cls, weeks: int) -> RoutePast:
        """Nothing in so many weeks."""
        zeros = {kind.value: [0] * weeks for kind in KINDS}
        again = {kind.value: [0] * weeks for kind in KINDS}
        return cls([0] * weeks, [0] * weeks, [0] * weeks, zeros, again)

    def controlled(self, week: int) -> int:
        """How many controls there were in a week."""
        return self.by_reason[week] + self.by_chance[week]

    def found(self, kind: RiskType, week: int) -> int:
        """What they found."""
        return self.found_by_reason[kind][week] + self.found_by_chance[kind][week]


@dataclass(frozen=True, slots=True)
class Past:
    """Weekly counts from a Monday on. weeks: how many whole ones there are."""

    first_day: date
    weeks: int
    routes: Mapping[Key, RoutePast]

    def week_of(self, monday: date) -> int:
        """The number of a week; it may lie before or after."""
        return (monday - self.first_day).days // 7


@dataclass(frozen=True, slots=True)
class Basis:
    """What a forecast rests on. by_chance: of the controlled, how many were drawn by chance."""

    digest: str
    past_from: date
    declared: int
    controlled: int
    by_chance: int
    found: int


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a heading on a route. everything: of all that is declared; None where nothing sure is known."""

    key: Key
    controls: Outlook | None
    everything: Outlook | None
    history: Sequence[tuple[int, int, int]]

    @property
    def weight(self) -> float:
        """By which the most telling come first."""
        return max(one.expected for one in (self.controls, self.everything) if one is not None)


@dataclass(frozen=True, slots=True)
class Foretold:
    """A forecast: what it rests on, and what it tells; or why it is silent."""

    silence: Silence
    basis: Basis
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class Came:
    """What came of an outlook. is_inside: whether what was found lies in its interval."""

    controls: int
    found: int
    is_inside: bool


def monday_before(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def foretell(past: Past, kind: RiskType, monday: date) -> Foretold:
    """What to expect in the four weeks from a Monday on, by what was before it alone."""
    first_week = past.week_of(monday)
    basis = _basis(past, kind, first_week)
    silence = _silence(basis, first_week)
    if silence:
        return Foretold(silence, basis)
    found = {one_key(one): one for one in _told_of(_controls(past, kind), first_week)}
    whole = _everything(past, kind, first_week) if basis.by_chance >= LEAST_RANDOM else {}
    told = [Told(key, found.get(key), whole.get(key), ()) for key in sorted({*found, *whole})]
    telling = [one for one in told if one.weight >= _LEAST_TOLD]
    telling.sort(key=lambda one: (-one.weight, one.key))
    shown = range(max(0, first_week - SHOWN_WEEKS), first_week)
    kept = [
        replace(one, history=[each[:3] for each in _weeks(past.routes[one.key], kind, shown)])
        for one in telling[:MOST_TOLD]
    ]
    return Foretold(Silence.NONE, basis, tuple(kept))


def what_came(past: Past, kind: RiskType, key: Key, monday: date, interval: tuple[int, int]) -> Came:
    """How an interval fared in the four weeks from a Monday on; all of them are over."""
    route, first = past.routes.get(key), past.week_of(monday)
    weeks = range(max(0, first), first + WEEKS_AHEAD)
    controls = sum(route.controlled(week) for week in weeks) if route else 0
    found = sum(route.found(kind, week) for week in weeks) if route else 0
    return Came(controls, found, interval[0] <= found <= interval[1])


def earlier_starts(past: Past, monday: date, most: int) -> Iterable[date]:
    """Mondays of spans that are over, the latest first, for which a forecast could have been made."""
    for back in range(1, most + 1):
        start = monday - back * WEEKS_AHEAD * _WEEK
        if past.week_of(start) < LEAST_WEEKS:
            return
        yield start


def is_worth(expected: float) -> bool:
    """Whether an interval may prove anything: one of nothing holds too easily."""
    return expected >= WORTH_TELLING


def one_key(one: Outlook) -> Key:
    """Of what an outlook tells."""
    return one.heading, one.origin, one.departure


def _basis(past: Past, kind: RiskType, first_week: int) -> Basis:
    weeks = range(first_week)
    counts = {"|".join(key): _weeks(route, kind, weeks) for key, route in sorted(past.routes.items())}
    declared, controlled, found, by_chance = (
        sum(each[place] for route in counts.values() for each in route) for place in range(4)
    )
    return Basis(
        digest=hashlib.sha256(json.dumps(counts, sort_keys=True, separators=(",", ":")).encode()).hexdigest(),
        past_from=past.first_day,
        declared=declared,
        controlled=controlled,
        by_chance=by_chance,
        found=found,
    )


def _silence(basis: Basis, first_week: int) -> Silence:
    if not basis.declared:
        return Silence.NO_RECORDS
    if first_week < LEAST_WEEKS:
        return Silence.FEW_WEEKS
    if basis.controlled < LEAST_CONTROLS:
        return Silence.FEW_CONTROLS
    return Silence.FEW_FOUND if basis.found < LEAST_FOUND else Silence.NONE


def _told_of(history: Mapping[Key, Series], first_week: int, *, is_sampled: bool = False) -> list[Outlook]:
    return outlooks(history, first_week=first_week, weeks=WEEKS_AHEAD, is_sampled=is_sampled)


def _controls(past: Past, kind: RiskType) -> dict[Key, Series]:
    """What was controlled takes the place of what was declared: so many controls will there be again."""
    history = {}
    for key, route in past.routes.items():
        seen = _added(route.by_reason, route.by_chance)
        history[key] = Series(seen, seen, _added(route.found_by_reason[kind], route.found_by_chance[kind]))
    return history


def _everything(past: Past, kind: RiskType, first_week: int) -> dict[Key, Outlook]:
    """What reasons select, and the rest by random controls, as one."""
    by_reason = {
        key: Series(route.by_reason, route.by_reason, route.found_by_reason[kind]) for key, route in past.routes.items()
    }
    rest = {
        key: Series(
            [max(0, all_ - some) for all_, some in zip(route.declared, route.by_reason, strict=True)],
            route.by_chance,
            route.found_by_chance[kind],
        )
        for key, route in past.routes.items()
    }
    selected = {one_key(one): one for one in _told_of(by_reason, first_week)}
    told = dict(selected)
    for one in _told_of(rest, first_week, is_sampled=True):
        chosen = selected.get(one_key(one))
        told[one_key(one)] = joined(chosen, one) if chosen else one
    return told


def _added(some: Sequence[int], others: Sequence[int]) -> list[int]:
    return [one + other for one, other in zip(some, others, strict=True)]


def _weeks(route: RoutePast, kind: RiskType, weeks: range) -> list[tuple[int, int, int, int]]:
    """Of each week: declared, controlled, found, controlled by chance."""
    part = slice(weeks.start, weeks.stop)
    by_chance = route.by_chance[part]
    controlled = _added(route.by_reason[part], by_chance)
    found = _added(route.found_by_reason[kind][part], route.found_by_chance[kind][part])
    return list(zip(route.declared[part], controlled, found, by_chance, strict=True))


def lately(history: Sequence[Sequence[int]], weeks: int = VOLUME_WEEKS) -> tuple[int, int, int]:
    """Declared, controlled and found in the last weeks of a history."""
    last = history[-weeks:]
    return sum(each[0] for each in last), sum(each[1] for each in last), sum(each[2] for each in last)
