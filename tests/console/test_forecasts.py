"""The pages of forecasts: what is missing, what is told, what came, one route drawn, a profile begun from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from comity.console.charts import spans_of
from comity.console.hs_words import goods_of
from comity.risk import outlook_views as views
from comity.risk.outlook_making import forecasts_turn
from comity.risk.outlook_rules import KINDS
from tests.console.visiting import text_of
from tests.risk.outlook_world import MONDAY, WEEKS, keep, past

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


def test_an_empty_page_says_what_is_missing(as_role):
    analyst: Client = as_role("analyst")
    assert "The node has not made a forecast yet." in text_of(analyst.get("/forecasts"))
    forecasts_turn(NOW)
    said = text_of(analyst.get("/forecasts"))
    assert "No import declaration from before this week is held here. The node tries again each day." in said
    assert "No forecast that was made in time is over yet" in said
    assert analyst.get("/forecasts/1").status_code == 404
    assert analyst.get(f"/forecasts/{'9' * 30}").status_code == 404


def test_a_forecast_is_told_narrowed_drawn_and_compared(as_role):
    keep(past(WEEKS + 4))
    forecasts_turn(NOW)
    supervisor: Client = as_role("supervisor")
    page = text_of(supervisor.get("/forecasts"))
    assert "Counterfeit goods, 16 Nov 2026 – 13 Dec 2026" in page
    assert "4202 CN HK leather goods and bags China (CN) → Hong Kong (HK)" in page
    assert "Made afterwards for earlier weeks" in page
    assert "In everything declared" in page
    assert "Forecasts" in text_of(supervisor.get("/queue"))
    narrowed = text_of(supervisor.get("/forecasts?kind=undervaluation&heading=61&country=bd"))
    assert "Undervaluation, 16 Nov" in narrowed
    assert ("6109 BD" in narrowed, "6109 TR" in narrowed) == (True, False)
    assert "Nothing matches." in text_of(supervisor.get("/forecasts?heading=99"))
    (first, *_) = views.outlooks_of(views.forecast(KINDS[0]))[1]
    drawn = supervisor.get(f"/forecasts/{first.number}")
    assert drawn.content.decode().count('class="bar"') == 6
    assert "19 Oct 2026 – 15 Nov 2026" in text_of(drawn)
    assert "Write a profile about them" not in text_of(drawn)
    analyst: Client = as_role("analyst")
    page = analyst.get(f"/forecasts/{first.number}")
    assert "Write a profile about them" in text_of(page)
    editor = analyst.get(page.context["profile_url"]).content.decode()
    assert f"hs_heading = &#x27;{first.heading}&#x27; and origin = &#x27;{first.origin}&#x27;" in editor
    assert '<option value="counterfeit" selected>' in editor
    forecasts_turn(NOW + timedelta(weeks=4))
    over = text_of(supervisor.get(f"/forecasts?week={MONDAY}"))
    assert "These weeks are over:" in over
    assert "Of those made in time," in over


@pytest.mark.once
def test_a_chapter_has_words_and_what_is_none_has_none():
    assert [goods_of(code) for code in ("6404", "7700", "9900", "", "xx01")] == ["footwear", "", "", "", ""]


@pytest.mark.once
def test_a_picture_holds_what_it_draws():
    picture = spans_of([("a", 0, None, None), ("b", 7, 2, 9)], ("c", 4.5, 1, 12))
    assert [each.whisker is None for each in picture.pillars] == [True, False, False]
    assert all(picture.left <= each.x <= picture.right and each.top >= 0 for each in picture.pillars)
    assert picture.pillars[-1].tall == 0
    assert picture.pillars[-1].whisker is not None
    assert picture.pillars[-1].whisker[0] < picture.point[1] < picture.pillars[-1].whisker[1]
