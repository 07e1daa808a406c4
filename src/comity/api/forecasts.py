"""Forecasts: what controls are likely to find by heading and route, and how often such intervals held."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from dataclasses import asdict
from datetime import date

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from comity.api.fields import Country, Day, Given, Instant
from comity.api.guard import needs
from comity.api.paging import MOST_OFFSET, MOST_PER_PAGE
from comity.risk import outlook_views as views
from comity.risk.outlook_rules import KINDS, Silence
from comity.risk.outlook_views import ForecastView, Held, OutlookFilter, OutlookView
from comity.staff import Permission
from comity.trade import RiskType

router = Router(tags=["risk"])
_KIND = f"^({'|'.join(KINDS)})$"


class ForecastQuery(Given):
    """Which forecast, and which part of it."""

    kind: str = Field(pattern=_KIND, description="counterfeit or undervaluation")
    first_day: Day | None = Field(default=None, description="The Monday on which it begins; else the latest")
    heading: str = Field(default="", pattern=r"^([0-9]{1,4})?$", description="How the HS heading begins")
    country: Country = Field(default="", description="Of origin or of dispatch")
    limit: int = Field(default=50, ge=1, le=MOST_PER_PAGE, description="How many entries at most")
    offset: int = Field(default=0, ge=0, le=MOST_OFFSET, description="How many entries to pass over")


class ForecastOut(Schema):
    """A forecast as it was made. declared, controlled, by_chance, found: what it rests on.

    silence: empty, or why it tells nothing. digest: SHA-256 of the counts it was made from. is_later: made afterwards
    for weeks gone by. worth, held, promised: once they are over, how many intervals could prove anything and held, and
    the share that should have.
    """

    kind: RiskType
    first_day: date
    last_day: date
    weeks: int
    made_at: Instant
    is_later: bool
    method: str
    digest: str
    past_from: date | None
    declared: int
    controlled: int
    by_chance: int
    found: int
    silence: Silence
    checked_at: Instant | None
    worth: int
    held: int
    promised: float


class OutlookOut(Schema):
    """What is told of a heading on a route. declared, controlled, found: in the eight weeks before.

    controls, expected, low, high: of the controls to come, at as many as lately. all_*: of everything declared, where
    random controls allow it. came_controls, came_found, is_inside: once the weeks are over.
    """

    number: int
    heading: str
    origin: str
    departure: str
    declared: int
    controlled: int
    found: int
    found_before: int
    change: str
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


class HeldOut(Schema):
    """How often intervals of forecasts that are over held."""

    forecasts: int
    worth: int
    held: int
    promised: float


class Forecasts(Schema):
    """A forecast with a part of its outlooks, where most is expected first. forecast: null before the first one.

    made_in_time, made_afterwards: how often intervals of this kind held.
    """

    forecast: ForecastOut | None
    items: list[OutlookOut]
    total: int
    next_offset: int | None
    made_in_time: HeldOut
    made_afterwards: HeldOut


class SpanOut(Schema):
    """As many weeks as a forecast tells of, and gone by. low, high: of the forecast for them, where one is kept."""

    first_day: date
    declared: int
    controlled: int
    found: int
    low: int | None
    high: int | None


class OutlookDetailOut(Schema):
    """One outlook with its forecast and the spans before it, the oldest first."""

    forecast: ForecastOut
    outlook: OutlookOut
    spans: list[SpanOut]


@router.get(
    "/forecasts", response=Forecasts, summary="What is likely to be found", **needs(Permission.VIEW_CONSIGNMENTS)
)
def list_forecasts(request: HttpRequest, query: Query[ForecastQuery]) -> Forecasts:
    """By HS heading and route for four weeks, from this node's own declarations and controls, with intervals."""
    kind = RiskType(query.kind)
    total, rows = 0, list[OutlookView]()
    shown = views.forecast(kind, query.first_day)
    if shown is not None:
        chosen = OutlookFilter(query.heading, query.country)
        total, rows = views.outlooks_of(shown, chosen, limit=query.limit, offset=query.offset)
    end = query.offset + len(rows)
    return Forecasts(
        forecast=_forecast(shown) if shown else None,
        items=[_outlook(each) for each in rows],
        total=total,
        next_offset=end if rows and end < total else None,
        made_in_time=_held(views.held(kind, is_later=False)),
        made_afterwards=_held(views.held(kind, is_later=True)),
    )


@router.get(
    "/forecasts/outlooks/{number}",
    response=OutlookDetailOut,
    summary="One outlook",
    **needs(Permission.VIEW_CONSIGNMENTS),
)
def show_outlook(request: HttpRequest, number: int) -> OutlookDetailOut:
    """With what was declared, controlled and found before, and how earlier forecasts of it fared."""
    detail = views.outlook(number)
    return OutlookDetailOut(
        forecast=_forecast(detail.forecast),
        outlook=_outlook(detail.outlook),
        spans=[SpanOut(**asdict(each)) for each in detail.spans],
    )


def _forecast(shown: ForecastView) -> ForecastOut:
    return ForecastOut(**asdict(shown), last_day=shown.last_day)


def _outlook(one: OutlookView) -> OutlookOut:
    return OutlookOut(**asdict(one), change=one.change)


def _held(found: Held) -> HeldOut:
    return HeldOut(**asdict(found))
