"""The node's own forecasts: counted from its records week by week, made on Mondays, kept, compared with what came."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from comity.risk.errors import OutlookNotFoundError
from comity.risk.models import LearnedOutcome, RouteForecast, RouteOutlook, RouteWeek
from comity.risk.outlook_history import count_weeks, past_before
from comity.risk.outlook_making import forecasts_turn
from comity.risk.outlook_rules import METHOD, Silence
from comity.risk.outlook_views import Held, OutlookFilter, forecast, forecasts, held, outlook, outlooks_of
from comity.trade import HSCode, RiskType
from tests.risk.cast import declaration, store
from tests.risk.outlook_world import MONDAY, WEEKS, keep, past

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
_KIND = RiskType.COUNTERFEIT


def lodge(lrn: str, at: datetime, **changes: object) -> str:
    """An import declaration that arrived; returns the id of its record."""
    return str(store(declaration(lrn, declaration_type="IM", country_destination="XA", **changes), at).record_id)


def decide(record_id: str, at: datetime, risk_type: str = "", *, is_random: bool = False) -> None:
    LearnedOutcome.objects.create(
        declaration_ref=str(uuid4()),
        decided_at=at,
        is_irregular=bool(risk_type),
        is_random=is_random,
        sources=[],
        learned_at=at,
        risk_type=risk_type,
        record_id=record_id,
    )


def test_records_are_counted_by_heading_route_and_week(settings: object) -> None:
    first = datetime(2026, 11, 3, 9, tzinfo=UTC)
    shoes = [lodge(f"L-{number}", first) for number in range(3)]
    bags = lodge("L-9", first, hs_code=HSCode("420221"), origin="XB")
    store(declaration("EX-1"), first)
    lodge("L-now", NOW)
    decide(shoes[0], first + timedelta(hours=5), "counterfeit")
    decide(shoes[0], first + timedelta(days=9), "undervaluation")
    decide(shoes[1], first + timedelta(days=8), is_random=True)
    decide(bags, first + timedelta(days=8), "smuggling")
    decide(str(uuid4()), first, "counterfeit")
    for _ in range(2):
        count_weeks("XA", MONDAY)
        known = past_before(MONDAY)
        assert (known.first_day, known.weeks) == (date(2026, 11, 2), 2)
        route = known.routes["6404", "XA", "XA"]
        assert (route.declared, route.by_reason, route.by_chance) == ([3, 0], [1, 0], [0, 1])
        assert route.found_by_reason == {"counterfeit": [1, 0], "undervaluation": [0, 0]}
        other = known.routes["4202", "XB", "XA"]
        assert (other.by_reason, other.found_by_reason["counterfeit"]) == ([0, 1], [0, 0])
        assert set(known.routes) == {("6404", "XA", "XA"), ("4202", "XB", "XA")}
        assert [row.declared for row in RouteWeek.objects.filter(heading="").order_by("first_day")] == [4, 0]


def test_a_node_without_records_says_so_and_tries_again_tomorrow() -> None:
    assert forecasts_turn(NOW) == 0
    shown = forecast(_KIND)
    assert shown is not None
    assert (shown.silence, shown.first_day, shown.last_day) == (Silence.NO_RECORDS, MONDAY, date(2026, 12, 13))
    assert forecasts_turn(NOW + timedelta(hours=3)) == 0
    assert forecast(_KIND) == shown
    keep(past())
    assert forecasts_turn(NOW + timedelta(days=1)) == 2


def test_forecasts_are_made_once_a_week_kept_and_compared() -> None:
    keep(past(WEEKS + 1))
    assert forecasts_turn(NOW) == 2
    assert forecasts_turn(NOW + timedelta(days=2)) == 0
    shown = forecast(_KIND)
    assert shown is not None
    assert (shown.silence, shown.method, shown.is_later, shown.checked_at) == (Silence.NONE, METHOD, False, None)
    made_at_its_time, afterwards = held(_KIND, is_later=False), held(_KIND, is_later=True)
    assert (made_at_its_time.forecasts, made_at_its_time.share) == (0, None)
    assert (afterwards.forecasts, afterwards.share is not None) == (6, True)
    before = RouteOutlook.objects.filter(forecast__first_day=MONDAY).values_list("expected", "came_found")
    assert {came for _, came in before} == {None}
    RouteWeek.objects.all().delete()
    keep(past(WEEKS + 5))
    assert forecasts_turn(NOW + timedelta(weeks=4)) == 2
    earlier = forecast(_KIND, MONDAY)
    assert earlier is not None
    assert (earlier.digest, earlier.worth > 5, earlier.checked_at is not None) == (shown.digest, True, True)
    assert held(_KIND, is_later=False).worth == earlier.worth
    assert [each.first_day for each in forecasts(_KIND)][:2] == [MONDAY + timedelta(weeks=4), MONDAY]
    assert RouteForecast.objects.count() == 2 * 8


def test_a_forecast_is_narrowed_and_one_outlook_shows_what_came_before() -> None:
    keep(past())
    forecasts_turn(NOW)
    shown = forecast(_KIND)
    assert shown is not None
    count, told = outlooks_of(shown)
    assert count == len(told) > 8
    assert outlooks_of(shown, OutlookFilter(heading="42"))[0] == 2
    assert {one.heading for one in outlooks_of(shown, OutlookFilter(country="HK"))[1]} == {"4202", "8517"}
    assert outlooks_of(shown, limit=1, offset=1)[1] == told[1:2]
    detail = outlook(told[0].number)
    assert detail.outlook == told[0]
    assert [span.first_day for span in detail.spans][-1] == MONDAY - timedelta(weeks=4)
    assert (len(detail.spans), detail.spans[-1].low is not None) == (6, True)
    assert detail.spans[-1].found == told[0].found_before
    assert {one.change for one in told} <= {"more", "less", "same"}
    with pytest.raises(OutlookNotFoundError):
        outlook(0)


def test_too_few_that_held_are_said_only_beyond_chance() -> None:
    held_of = {count: Held(4, 40, count, 0.94).is_poor for count in (30, 33, 36, 40)}
    assert held_of == {30: True, 33: True, 36: False, 40: False}
    assert not Held(1, 10, 2, 0.94).is_poor
    assert not Held(0, 0, 0, 0.0).is_poor
