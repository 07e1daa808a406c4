"""A rule written, checked and tried on the past by keyboard, without JavaScript; axe finds nothing on the way."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Node
from tests.browser.test_accessible import FRENCH, off_the_screen, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]
RULE = "hs_chapter = '64'"


def test_a_profile_is_checked_drafted_and_tried(visit: Callable[..., Page], node: Node):
    page = visit("/profiles/write", username="ana")
    problems = []
    page.locator("#id_expression").fill("hs_chapter = 64")
    page.locator("#id_expression").press("Tab")
    page.keyboard.press("Enter")
    drawn = page.locator("pre[tabindex]").inner_text()
    assert drawn.split("\n")[1:3] == ["    hs_chapter = 64", "    ^^^^^^^^^^^^^^^"]
    problems += _looked(page, "check")
    page.locator("#id_expression").fill(RULE)
    for field, text in (("title", "Footwear"), ("ref", "P-64"), ("owner", "Risk unit"), ("legal_basis", "s. 41")):
        page.locator(f"#id_{field}").fill(text)
    page.get_by_role("button", name="Keep it as a draft").press("Enter")
    assert page.locator("h1").inner_text() == "Footwear"
    page.get_by_role("button", name="Run the back-test").press("Enter")
    assert "It would have fired on" in page.locator("main").inner_text()
    assert page.locator("svg.chart polyline").count() == 1
    problems += _looked(page, "profile")
    page.goto(node.path("/profiles"))
    problems += _looked(page, "list")
    assert problems == []


def _looked(page: Page, name: str) -> list[str]:
    found = violations(page)
    if os.environ.get("COMITY_PICTURES"):
        page.screenshot(path=Path(os.environ["COMITY_PICTURES"]) / f"profiles-{name}.png", full_page=True)
    wide = page.viewport_size
    page.set_viewport_size(FRENCH["viewport"])  # type: ignore[arg-type]  # two numbers
    found += off_the_screen(page)
    assert wide is not None
    page.set_viewport_size(wide)
    return found
