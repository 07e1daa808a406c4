"""Reads of forecasts: the present one and those before, what each tells, how often intervals held."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest

from comity.risk.errors import OutlookNotFoundError
from comity.risk.models import RouteForecast, RouteOutlook
from comity.risk.outlook_rules import Silence, lately
from comity.risk.outlooks import VOLUME_WEEKS
from comity.trade import RiskType

# Of fewer intervals nobody can say whether they hold.
_LEAST_JUDGED = 20
_MOST_NUMBER = 2**63


@dataclass(frozen=True, slots=True)
class ForecastView:
    """A forecast as it was made. is_later: afterwards, for weeks gone by; silence: why it tells nothing, or empty.

    controlled, by_chance, found: what it rests on. worth, held: once its weeks are over, of so many intervals so many
    held; promised: the share that should have.
    """

    kind: RiskType
    first_day: date
    weeks: int
    made_at: datetime
    is_later: bool
    method: str
    digest: str
    past_from: date | None
    declared: int
    controlled: int
    by_chance: int
    found: int
    silence: Silence
    checked_at: datetime | None
    worth: int
    held: int
    promised: float

    @property
    def last_day(self) -> date:
        """The last day that it tells of."""
        return self.first_day + timedelta(days=7 * self.weeks - 1)


@dataclass(frozen=True, slots=True)
class OutlookView:
    """What a forecast tells of a heading on a route. lately: declared, controlled, found in the eight weeks before.

    controls, expected, low, high: of the controls to come. all_*: of everything declared; None where it is not known.
    found_before: in as many weeks before as are told. came_*: None until the weeks are over.
    """

    number: int
    heading: str
    origin: str
    departure: str
    declared: int
    controlled: int
    found: int
    found_before: int
    controls: float
    expected: float
    low: int
    high: int
    promised: float
    all_expected: float | None
    all_low: int | None
    all_high: int | None
    came_controls: int | None
    came_found: int | None
    is_inside: bool | None

    @property
    def change(self) -> str:
        """Beside as many weeks before: more, less, or the same as far as chance allows to say."""
        if self.found_before < self.low:
            return "more"
        return "less" if self.found_before > self.high else "same"


@dataclass(frozen=True, slots=True)
class Held:
    """How often intervals held. forecasts: how many are over; worth: intervals that could prove anything."""

    forecasts: int
    worth: int
    held: int
    promised: float

    @property
    def share(self) -> float | None:
        """The share that held; None where there was none."""
        return self.held / self.worth if self.worth else None

    @property
    def is_poor(self) -> bool:
        """Whether fewer held than should have, by more than two standard errors."""
        if self.share is None or self.worth < _LEAST_JUDGED:
            return False
        error = math.sqrt(self.promised * (1 - self.promised) / self.worth)
        return self.share + 2 * error < self.promised


@dataclass(frozen=True, slots=True)
class Span:
    """As many weeks as a forecast tells of, and gone by. low, high: of the forecast for them, where one is kept."""

    first_day: date
    declared: int
    controlled: int
    found: int
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class OutlookDetail:
    """One outlook with its forecast, and the spans before it, the oldest first."""

    forecast: ForecastView
    outlook: OutlookView
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class OutlookFilter:
    """Which outlooks. heading: how it begins; country: of origin or of dispatch."""

    heading: str = ""
    country: str = ""


def forecasts(kind: RiskType, limit: int = 60) -> list[ForecastView]:
    """Every forecast of a kind that tells something, and the latest in any case; the latest first."""
    rows = list(RouteForecast.objects.filter(kind=kind.value).order_by("-first_day")[:limit])
    return [_forecast(row) for place, row in enumerate(rows) if not place or not row.silence]


def forecast(kind: RiskType, first_day: date | None = None) -> ForecastView | None:
    """The latest forecast of a kind, or the one that begins on a Monday; None where there is none."""
    rows = RouteForecast.objects.filter(kind=kind.value)
    row = (rows.filter(first_day=first_day) if first_day else rows).order_by("-first_day").first()
    return _forecast(row) if row else None


def outlooks_of(
    shown: ForecastView, chosen: OutlookFilter | None = None, *, limit: int = 50, offset: int = 0
) -> tuple[int, list[OutlookView]]:
    """How many outlooks there are, and some of them, where most is expected first."""
    wanted = chosen or OutlookFilter()
    rows = RouteOutlook.objects.filter(forecast__kind=shown.kind.value, forecast__first_day=shown.first_day)
    rows = rows.filter(heading__startswith=wanted.heading)
    if wanted.country:
        rows = rows.filter(Q(origin=wanted.country) | Q(departure=wanted.country))
    most = Greatest(F("expected"), Coalesce(F("all_expected"), 0.0))
    ordered = rows.order_by(most.desc(), "heading", "origin", "departure")
    return rows.count(), [_outlook(row, shown.weeks) for row in ordered[offset : offset + limit]]


def outlook(number: int) -> OutlookDetail:
    """One outlook with what came before.

    Raises: OutlookNotFoundError.
    """
    rows = RouteOutlook.objects.select_related("forecast").filter(pk=number)
    row = rows.first() if 0 < number < _MOST_NUMBER else None
    if row is None:
        raise OutlookNotFoundError("There is no such outlook", where=str(number))
    shown = _forecast(row.forecast)
    return OutlookDetail(shown, _outlook(row, shown.weeks), tuple(_spans(row, shown)))


def held(kind: RiskType, *, is_later: bool) -> Held:
    """How often intervals held. is_later: of forecasts made afterwards, or of those made at their time."""
    rows = RouteForecast.objects.filter(kind=kind.value, silence="", is_later=is_later, checked_at__isnull=False)
    told = [_forecast(row) for row in rows]
    worth = sum(each.worth for each in told)
    promised = sum(each.worth * each.promised for each in told) / worth if worth else 0.0
    return Held(len(told), worth, sum(each.held for each in told), promised)


def _spans(row: RouteOutlook, shown: ForecastView) -> Iterable[Span]:
    """From the weeks that the outlook keeps, whole spans only."""
    kept = {
        each.forecast.first_day: each
        for each in RouteOutlook.objects.select_related("forecast").filter(
            forecast__kind=shown.kind.value, heading=row.heading, origin=row.origin, departure=row.departure
        )
    }
    for back in range(len(row.history) // shown.weeks, 0, -1):
        start = len(row.history) - back * shown.weeks
        weeks = row.history[start : start + shown.weeks]
        first_day = shown.first_day - timedelta(days=7 * back * shown.weeks)
        told = kept.get(first_day)
        sums = lately(weeks, shown.weeks)
        yield Span(first_day, *sums, told.low if told else None, told.high if told else None)


def _forecast(row: RouteForecast) -> ForecastView:
    return ForecastView(
        kind=RiskType(row.kind),
        first_day=row.first_day,
        weeks=row.weeks,
        made_at=row.made_at,
        is_later=row.is_later,
        method=row.method,
        digest=row.digest,
        past_from=row.past_from,
        declared=row.declared,
        controlled=row.controlled,
        by_chance=row.by_chance,
        found=row.found,
        silence=Silence(row.silence),
        checked_at=row.checked_at,
        worth=row.worth,
        held=row.held,
        promised=row.promised,
    )


def _outlook(row: RouteOutlook, weeks: int) -> OutlookView:
    declared, controlled, found = lately(row.history, VOLUME_WEEKS)
    return OutlookView(
        number=row.pk,
        heading=row.heading,
        origin=row.origin,
        departure=row.departure,
        declared=declared,
        controlled=controlled,
        found=found,
        found_before=lately(row.history, weeks)[2],
        controls=row.controls,
        expected=row.expected,
        low=row.low,
        high=row.high,
        promised=row.promised,
        all_expected=row.all_expected,
        all_low=row.all_low,
        all_high=row.all_high,
        came_controls=row.came_controls,
        came_found=row.came_found,
        is_inside=row.is_inside,
    )
