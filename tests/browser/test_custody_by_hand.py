"""Taking back and sharing a file, by keyboard alone and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from comity.training import photo

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Page]


def test_a_message_is_tightened_by_keyboard_alone(visit: Visit):
    page = visit("/messages/{sent}", username="ana")
    page.get_by_role("link", name="Tighten").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Tighten the limits")
    page.locator("#id_handling").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("button", name="What will happen?").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("It is handled as")
    page.get_by_role("button", name="Tighten it now").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".notice-good")).to_contain_text("told at once")


def test_without_javascript_a_file_is_attached_and_looked_at(visit: Visit):
    page = visit("/messages/{sent}", username="ana", java_script_enabled=False)
    page.get_by_role("link", name="Attach a file").click()
    page.locator("#id_file").set_input_files({"name": "crate.png", "mimeType": "image/png", "buffer": photo(8)})
    page.get_by_role("button", name="Share the file").click()
    expect(page.locator(".notice-good")).to_contain_text("The file is offered to")
    address = page.get_by_role("link", name="crate.png", exact=True).first.get_attribute("href")
    assert address is not None
    shown = page.request.get(page.url.partition("/messages")[0] + address)
    assert shown.headers["content-type"] == "image/png"
    assert shown.body() == photo(8)


def test_without_javascript_a_question_is_refused(visit: Visit):
    page = visit("/recalls", username="ana", java_script_enabled=False)
    page.get_by_role("link", name="wants to hand a message of ours on").click()
    page.get_by_role("button", name="Refuse").click()
    expect(page.locator(".notice-good")).to_contain_text("Refused. XA is told.")
