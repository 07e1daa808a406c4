"""Forecasts of the node: made each Monday from its own records, kept as they were made, and compared with what came.

When the first one is made, those of earlier weeks are made too, each from what was known before it alone, and marked
so: else nobody could say for a month whether such forecasts hold here.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import transaction

from comity.risk.models import RouteForecast, RouteOutlook
from comity.risk.outlook_history import COUNTED_AGAIN, count_weeks, past_before
from comity.risk.outlook_rules import (
    KINDS,
    METHOD,
    WEEKS_AHEAD,
    Foretold,
    Past,
    Silence,
    Told,
    earlier_starts,
    foretell,
    is_worth,
    monday_before,
    what_came,
)
from comity.risk.outlooks import Key
from comity.trade import RiskType

log = logging.getLogger("comity.forecasts")

# Forecasts made afterwards, for spans that are over.
EARLIER = 6
KEPT = timedelta(weeks=104)
# One that had too little to go by is tried again after so long.
_AGAIN = timedelta(days=1)
_SPAN = timedelta(weeks=WEEKS_AHEAD)


def forecasts_turn(at: datetime) -> int:
    """What the clock does with forecasts: makes those of this week once, checks those that are over."""
    monday = monday_before(at.astimezone(UTC).date())
    made = {row.kind: row for row in RouteForecast.objects.filter(first_day=monday)}
    if all(kind.value in made and not _is_due_again(made[kind.value], at) for kind in KINDS):
        return 0
    return make_forecasts(at)


def make_forecasts(at: datetime) -> int:
    """Make the forecasts of this week that are missing or were silent, check what is over. Returns how many tell."""
    monday = monday_before(at.astimezone(UTC).date())
    count_weeks(settings.COMITY_ADMINISTRATION, monday)
    past = past_before(monday)
    made = sum(_make(past, kind, monday, at) for kind in KINDS)
    for kind in KINDS:
        _make_earlier(past, kind, monday, at)
    _check_over(past, monday, at)
    RouteForecast.objects.filter(first_day__lt=monday - KEPT).delete()
    log.info("forecasts of %s: %d made from %d weeks", monday, made, past.weeks)
    return made


def _is_due_again(row: RouteForecast, at: datetime) -> bool:
    return bool(row.silence) and at - row.made_at >= _AGAIN


@transaction.atomic
def _make(past: Past, kind: RiskType, monday: date, at: datetime, *, is_later: bool = False) -> bool:
    rows = RouteForecast.objects.filter(kind=kind.value, first_day=monday)
    if rows.filter(silence="").exists():
        return False
    rows.delete()
    foretold = foretell(past, kind, monday)
    if is_later and foretold.silence:
        return False
    forecast = _forecast_row(foretold, kind, monday, at)
    forecast.is_later = is_later
    forecast.save()
    RouteOutlook.objects.bulk_create([_outlook_row(forecast, one) for one in foretold.told], batch_size=100)
    return foretold.silence is Silence.NONE


def _make_earlier(past: Past, kind: RiskType, monday: date, at: datetime) -> None:
    """Where no span that is over has one yet."""
    if RouteForecast.objects.filter(kind=kind.value, silence="", first_day__lte=monday - _SPAN).exists():
        return
    for start in earlier_starts(past, monday, EARLIER):
        _make(past, kind, start, at, is_later=True)


def _forecast_row(foretold: Foretold, kind: RiskType, monday: date, at: datetime) -> RouteForecast:
    basis = foretold.basis
    return RouteForecast(
        kind=kind.value,
        first_day=monday,
        weeks=WEEKS_AHEAD,
        made_at=at,
        method=METHOD,
        digest=basis.digest,
        past_from=basis.past_from,
        declared=basis.declared,
        controlled=basis.controlled,
        by_chance=basis.by_chance,
        found=basis.found,
        silence=foretold.silence.value,
    )


def _outlook_row(forecast: RouteForecast, told: Told) -> RouteOutlook:
    heading, origin, departure = told.key
    controls, whole = told.controls, told.everything
    return RouteOutlook(
        forecast=forecast,
        heading=heading,
        origin=origin,
        departure=departure,
        controls=controls.declarations if controls else 0.0,
        expected=controls.expected if controls else 0.0,
        low=controls.low if controls else 0,
        high=controls.high if controls else 0,
        promised=controls.promised if controls else 1.0,
        all_expected=whole.expected if whole else None,
        all_low=whole.low if whole else None,
        all_high=whole.high if whole else None,
        history=[list(each) for each in told.history],
    )


def _check_over(past: Past, monday: date, at: datetime) -> None:
    """Compare what is over with what came; again for a while, since outcomes come in late."""
    over = RouteForecast.objects.filter(silence="", first_day__lte=monday - _SPAN)
    again = monday - _SPAN - timedelta(weeks=COUNTED_AGAIN)
    for forecast in [row for row in over if row.checked_at is None or row.first_day >= again]:
        if past.week_of(forecast.first_day) >= 0:
            _check(past, forecast, at)


@transaction.atomic
def _check(past: Past, forecast: RouteForecast, at: datetime) -> None:
    kind, rows = RiskType(forecast.kind), list(forecast.outlooks.all())
    for row in rows:
        came = what_came(past, kind, _key(row), forecast.first_day, (row.low, row.high))
        row.came_controls, row.came_found, row.is_inside = came.controls, came.found, came.is_inside
    RouteOutlook.objects.bulk_update(rows, ["came_controls", "came_found", "is_inside"], batch_size=100)
    forecast.worth, forecast.held, forecast.promised = _tally(rows)
    forecast.checked_at = at
    forecast.save(update_fields=["worth", "held", "promised", "checked_at"])


def _tally(rows: Sequence[RouteOutlook]) -> tuple[int, int, float]:
    """How many intervals could prove anything, how many of them held, how many should have."""
    worth = [row for row in rows if is_worth(row.expected)]
    if not worth:
        return 0, 0, 0.0
    return len(worth), sum(bool(row.is_inside) for row in worth), sum(row.promised for row in worth) / len(worth)


def _key(row: RouteOutlook) -> Key:
    return row.heading, row.origin, row.departure
