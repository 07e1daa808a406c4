"""Health and partners as administrators use them: without JavaScript, and by the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Page]


def test_every_partner_is_asked_without_javascript(visit: Visit):
    page = visit("/", username="chipo", java_script_enabled=False)
    page.get_by_role("navigation").get_by_role("link", name="Health").click()
    page.get_by_role("button", name="Ask every partner now").click()
    expect(page.locator(".notice-good")).to_contain_text("2 partners were asked")
    expect(page.locator("main")).to_contain_text("on its way")
    page.get_by_role("link", name="Look again").first.click()
    page.get_by_role("link", name="Customs of Alfa (XA)").click()
    expect(page.locator("h1")).to_contain_text("Customs of Alfa (XA)")
    page.get_by_role("button", name="Suspend the exchange").click()
    expect(page.locator(".error-summary")).to_contain_text("Say why")
    page.get_by_label("Reason").fill("Their keys are in doubt")
    page.get_by_role("button", name="Suspend the exchange").click()
    expect(page.locator("main")).to_contain_text("Reason: Their keys are in doubt")
    page.get_by_role("button", name="Resume the exchange").click()
    expect(page.locator(".notice-good")).to_contain_text("goes on")


def test_the_alarm_leads_by_keyboard_to_what_to_do_and_to_the_evidence(visit: Visit):
    page = visit("/queue", username="ana")
    alarm = page.locator(".alarm a")
    alarm.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#two-histories")).to_be_in_viewport()
    page.get_by_role("link", name="Download the evidence").focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.startswith("two-histories-")
    details = page.locator("#two-histories details")
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(details).to_have_attribute("open", "")
    expect(details.locator("pre").first).to_be_visible()


def test_what_works_is_opened_by_keyboard(visit: Visit):
    page = visit("/health", username="boris")
    expect(page.get_by_role("button", name="Ask every partner now")).to_have_count(0)
    details = page.locator("details").last
    details.locator("summary").focus()
    page.keyboard.press("Space")
    expect(details.locator("table")).to_be_visible()
