"""Forecasts from weekly counts: of controls and of everything declared, by the past alone, silent where it is thin."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pytest

from comity.risk.outlook_rules import (
    KINDS,
    WEEKS_AHEAD,
    Foretold,
    Past,
    Silence,
    earlier_starts,
    foretell,
    is_worth,
    lately,
    monday_before,
    what_came,
)
from comity.risk.outlooks import Outlook, interval, joined
from comity.trade import RiskType
from tests.risk.outlook_world import MONDAY, ROUTES, WEEKS, past

pytestmark = pytest.mark.once
_SPAN = timedelta(weeks=WEEKS_AHEAD)


@cache
def whole() -> Past:
    """Forty weeks, and the four that come."""
    return past(WEEKS + WEEKS_AHEAD)


@cache
def told(kind: RiskType) -> Foretold:
    return foretell(whole(), kind, MONDAY)


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_of_what_controls_find_hold(kind: RiskType) -> None:
    inside = [
        what_came(whole(), kind, one.key, start, (one.controls.low, one.controls.high)).is_inside
        for start in (MONDAY, *earlier_starts(past(), MONDAY, 5))
        for one in foretell(whole(), kind, start).told
        if one.controls and is_worth(one.controls.expected)
    ]
    assert len(inside) > 40
    assert 0.85 < sum(inside) / len(inside) <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_random_controls_keep_the_whole_from_being_told_too_high(kind: RiskType) -> None:
    place = KINDS.index(kind)
    really = sum(many * WEEKS_AHEAD * shares[place] for many, *shares in ROUTES.values())
    expected = sum(one.everything.expected for one in told(kind).told if one.everything)
    assert expected == pytest.approx(really, rel=0.35)
    # As if what reasons selected were like the rest, it would be far more.
    seen = [lately(one.history) for one in told(kind).told]
    naive = sum(found / controlled * declared / 2 for declared, controlled, found in seen if controlled)
    assert naive > 2 * really


def test_without_random_controls_only_controls_are_told() -> None:
    foretold = foretell(past(by_chance=0.0), RiskType.COUNTERFEIT, MONDAY)
    assert foretold.told
    assert [one for one in foretold.told if one.everything] == []


def test_nothing_of_the_weeks_told_is_looked_at() -> None:
    for kind in KINDS:
        foretold = foretell(past(), kind, MONDAY)
        assert foretold == told(kind)
    changed = past(WEEKS + WEEKS_AHEAD, seed=8)
    assert foretell(changed, RiskType.COUNTERFEIT, MONDAY).basis.digest != told(RiskType.COUNTERFEIT).basis.digest


def test_where_the_past_is_thin_nothing_is_told() -> None:
    kind, start = RiskType.COUNTERFEIT, past().first_day
    silences = [foretell(past(), kind, start + timedelta(weeks=weeks)).silence for weeks in (0, 7, 8)]
    assert silences == [Silence.NO_RECORDS, Silence.FEW_WEEKS, Silence.NONE]
    few = past(WEEKS)
    for route in few.routes.values():
        route.found_by_reason[kind] = route.found_by_chance[kind] = [0] * WEEKS
    assert foretell(few, kind, MONDAY).silence is Silence.FEW_FOUND
    for route in few.routes.values():
        route.by_reason = route.by_chance = [0] * WEEKS
    assert foretell(few, kind, MONDAY).silence is Silence.FEW_CONTROLS


def test_what_came_of_a_route_never_seen_is_nothing() -> None:
    came = what_came(whole(), RiskType.COUNTERFEIT, ("0101", "XA", "XA"), MONDAY, (0, 0))
    assert (came.controls, came.found, came.is_inside) == (0, 0, True)


def test_two_parts_make_one_with_both_their_spreads() -> None:
    low, high, promised = interval(4.0, 2.0)
    part = Outlook("6404", "XA", "XB", 40.0, 0.1, 4.0, low, high, promised, 2.0)
    both = joined(part, part)
    assert (both.declarations, both.expected, both.share, both.size) == (80.0, 8.0, 0.1, 4.0)
    assert both.low < 8 < both.high
    nothing = Outlook("6404", "XA", "XB", 10.0, 0.0, 0.0, 0, 0, 1.0, 2.0)
    assert joined(nothing, nothing) == nothing


def test_weeks_begin_on_mondays() -> None:
    assert monday_before(date(2026, 11, 22)) == MONDAY
    assert monday_before(MONDAY) == MONDAY
