"""A request as officers work on it: by the keyboard alone, and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Page]


def test_a_question_is_answered_by_keyboard_alone(visit: Visit):
    page = visit("/requests", username="ana")
    page.keyboard.press("j")
    expect(page.locator("[data-rows] .row-link").first).to_be_focused()
    page.goto(page.url.partition("/requests")[0] + "/requests?show=us&procedure=tfa12")
    page.get_by_role("row").filter(has_text="Clarification asked for").get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Which of the two invoices is meant?")
    page.get_by_role("link", name="Clarify", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_label("Clarification").focus()
    page.keyboard.type("The second one.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("What would be sent")
    page.get_by_role("button", name="Send", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".notice-good")).to_contain_text("on its way to XA")
    expect(page.locator("main")).to_contain_text("We wait for XA.")


def test_without_javascript_a_refusal_needs_its_ground(visit: Visit):
    page = visit("/requests/{asked}", username="ana", java_script_enabled=False)
    page.get_by_role("link", name="Refuse", exact=True).click()
    page.get_by_role("button", name="What would be sent?").click()
    expect(page.locator(".error-summary")).to_contain_text("Choose the ground")
    page.get_by_label("R3 ·").check()
    page.get_by_label("Reason in words").fill("An inquiry is under way.")
    page.get_by_role("button", name="What would be sent?").click()
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_label("Reason in words")).to_have_value("An inquiry is under way.")
    page.get_by_role("button", name="What would be sent?").click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("main")).to_contain_text("This request is closed.")


def test_the_picture_of_a_procedure_is_scrolled_by_keyboard_and_told_in_words(visit: Visit):
    page = visit("/procedures/tfa12", username="ana")
    page.locator(".diagram").focus()
    expect(page.locator(".diagram")).to_be_focused()
    words = page.locator("details").last
    words.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(words).to_contain_text("Sent → Received: Acknowledge receipt")
