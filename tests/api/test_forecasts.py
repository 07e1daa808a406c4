"""Forecasts over HTTP: none yet, told and narrowed, one outlook, what is misspelt."""

from __future__ import annotations

from datetime import UTC, datetime

from comity.risk.outlook_making import forecasts_turn
from tests.api.conftest import Caller, MakeCaller
from tests.api.test_frame import check_problem
from tests.risk.outlook_world import keep, past

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


def test_a_forecast_is_told_over_http(caller: MakeCaller) -> None:
    system: Caller = caller("system")
    before = system.get("/forecasts?kind=counterfeit").json()
    assert (before["forecast"], before["items"], before["made_in_time"]["forecasts"]) == (None, [], 0)
    keep(past())
    forecasts_turn(NOW)
    whole = system.get("/forecasts?kind=counterfeit&limit=3").json()
    told = whole["forecast"]
    assert (told["first_day"], told["last_day"], told["silence"]) == ("2026-11-16", "2026-12-13", "")
    assert (len(whole["items"]), whole["next_offset"]) == (3, 3)
    assert whole["made_afterwards"]["worth"] > 20
    narrowed = system.get("/forecasts?kind=undervaluation&heading=61&country=BD").json()
    assert [(each["heading"], each["origin"]) for each in narrowed["items"]] == [("6109", "BD")]
    detail = system.get(f"/forecasts/outlooks/{whole['items'][0]['number']}").json()
    assert detail["outlook"] == whole["items"][0]
    assert len(detail["spans"]) == 6
    check_problem(system.get(f"/forecasts/outlooks/{'9' * 30}"), 404, "outlook_not_found")
    check_problem(system.get("/forecasts?kind=smuggling"), 422, "bad_field")
    check_problem(system.get("/forecasts"), 422, "bad_field")
