"""As officers use it: the keyboard, no JavaScript, live counters, photos, the narrow screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from comity.training import photo
from tests.browser.conftest import Node, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Page]


def test_the_queue_is_walked_by_keyboard(visit: Visit):
    page = visit("/queue", username="ana")
    links = page.locator("[data-rows] .row-link")
    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(links.nth(2)).to_be_focused()
    page.keyboard.press("k")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("x")
    expect(page.locator("[data-rows] input[type=checkbox]").nth(1)).to_be_checked()
    expect(page.locator("tr.is-at")).to_have_count(1)
    reference = links.nth(1).inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(reference)
    # Beside it and back; the list is where it was left, and what is ticked is given without walking through all rows.
    page.keyboard.press("j")
    expect(page.locator("h1")).not_to_contain_text(reference)
    page.go_back()
    page.go_back()
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(2)).to_be_focused()
    page.locator("[data-rows] input[type=checkbox]").nth(1).uncheck()
    page.keyboard.press("a")
    expect(page.locator("[data-rows] input[type=checkbox]:checked")).to_have_count(1)
    expect(page.locator("#assign-to")).to_be_focused()


def test_keys_are_letters_where_someone_types(visit: Visit):
    page = visit("/queue", username="ana")
    page.locator("#id_q").fill("")
    page.locator("#id_q").press_sequentially("jkx")
    expect(page.locator("#id_q")).to_have_value("jkx")
    expect(page.locator("tr.is-at")).to_have_count(0)


def test_the_skip_link_comes_first_and_leads_to_the_content(visit: Visit):
    page = visit("/queue", username="ana")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_all_rows_are_ticked_at_once(visit: Visit):
    page = visit("/queue", username="ana")
    page.locator("#all-rows").check()
    boxes = page.locator("[data-rows] input[type=checkbox]")
    assert boxes.count() == page.locator("[data-rows] input[type=checkbox]:checked").count() > 5


def test_without_javascript_the_road_from_suspicion_to_alert_is_open(visit: Visit, node: Node):
    page = visit("/queue", username="ana", java_script_enabled=False)
    expect(page.locator("#all-rows")).to_be_hidden()
    page.locator("#id_lane").select_option("yellow")
    page.locator("#id_state").select_option("new")
    page.get_by_role("button", name="Show").click()
    page.locator(".row-link").first.click()
    page.get_by_role("link", name="Inspect", exact=True).click()
    page.get_by_role("button", name="Order the inspection").click()
    page.get_by_role("link", name="Record the finding").click()
    page.get_by_label("Irregular", exact=True).check()
    page.locator("#id_risk_type").select_option("undervaluation")
    page.locator("#id_description").fill("Invoices of two prices")
    page.locator("#id_exhibits").set_input_files({"name": "invoice.png", "mimeType": "image/png", "buffer": photo(5)})
    page.locator("main form button").click()
    expect(page.locator(".notice-good").first).to_contain_text("is recorded")
    page.get_by_role("link", name="Share an alert").click()
    page.locator("#id_title").fill("Two prices on one invoice")
    page.locator("#id_recipients_0").check()
    page.get_by_label("invoice.png").check()
    page.get_by_role("button", name="What would be released?").click()
    expect(page.locator("main")).to_contain_text("Withheld by agreement article 1")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".notice-good")).to_contain_text("is on its way to 1 partner")
    page.locator(".row-link").first.click()
    expect(page.locator("main")).to_contain_text("Two prices on one invoice")


def propose_an_alert(visit: Visit) -> None:
    """Something that changes a counter of everyone."""
    page = visit("/share?record={inspected}", username="ana")
    page.locator("#id_title").fill("Before a second officer")
    page.locator("#id_recipients_0").check()
    page.locator("#id_handling").select_option("restricted")
    page.locator("main button").click()
    page.locator("main button[value=send]").click()
    expect(page.locator(".notice-good")).to_contain_text("waits for a second officer")


def test_a_second_officers_counter_rises_while_his_page_stands_open(visit: Visit):
    watching = visit("/", username="boris")
    counter = watching.locator("[data-count=approvals]")
    before = int(counter.inner_text())
    propose_an_alert(visit)
    expect(counter).to_have_text(str(before + 1), timeout=20_000)


def test_the_bar_tells_of_new_ones_and_moves_nothing(visit: Visit):
    page = visit("/queue", username="ana")
    bar = page.locator("#new-bar")
    expect(bar).to_be_hidden()
    rows = page.locator("[data-rows]").inner_html()
    # As if the page had been opened before the last two arrived; the figure itself comes from the node's stream.
    page.evaluate("document.getElementById('new-bar').dataset.assessed -= 2")
    propose_an_alert(visit)
    expect(bar).to_be_visible(timeout=20_000)
    expect(bar).to_contain_text("2 new since this page was opened.")
    assert page.locator("[data-rows]").inner_html() == rows
    bar.get_by_role("link", name="Show them").click()
    expect(bar).to_be_hidden()


def test_a_wrong_form_takes_the_reader_to_what_is_wrong(visit: Visit):
    page = visit("/share", username="ana")
    page.locator("main button").click()
    expect(page.locator(".error-summary")).to_be_focused()
    page.locator(".error-summary a").first.click()
    focused = page.evaluate("document.activeElement.id")
    assert focused.startswith("id_")


def test_right_to_left_mirrors_the_frame(visit: Visit):
    page = visit("/sign-in")
    page.evaluate("document.documentElement.dir = 'rtl'")
    mark = page.locator(".mark").bounding_box()
    who = page.locator(".who").bounding_box()
    assert mark is not None
    assert who is not None
    assert mark["x"] > who["x"]
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def test_signing_in_and_out(visit: Visit, node: Node):
    page = visit("/queue")
    expect(page).to_have_url(node.path("/sign-in?next=/queue"))
    sign_in_here = page.locator("#id_username")
    expect(sign_in_here).to_be_visible()
    sign_in(page, node, "ana")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Sign in")


def test_a_proposal_is_tried_out_and_signed_by_keyboard_without_javascript(visit: Visit, node: Node):
    """From the list to the simulator and to the signature: only Tab, arrows, Space and Enter."""
    page = visit("/agreements", username="chipo", java_script_enabled=False)
    page.locator(".row-link").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h2").first).to_have_text("The others wait for our answer")
    page.get_by_role("link", name="Who would see what?").focus()
    page.keyboard.press("Enter")
    page.locator("#id_purpose").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("button", name="Show who would see what").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#to-XA")).to_contain_text("permitted")
    expect(page.locator(".sights tbody tr").first).to_contain_text("not named by article 1")
    page.goto(node.path("/agreements/{proposed}"))
    page.get_by_role("link", name="Answer with another version").focus()
    page.keyboard.press("Enter")
    text = page.locator("#id_text")
    text.focus()
    text.fill(text.input_value().replace("kinds: [alert/1]", "kinds: [allert/1]", 1))
    for _ in range(2):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == "preview":
            break
    page.keyboard.press("Enter")
    expect(page.locator(".error-summary")).to_contain_text("Did you mean 'alert/1'?")
    expect(page.locator(".source .is-bad")).to_contain_text("allert/1")
    text.fill(text.input_value().replace("allert/1", "alert/1").replace("retention_days: 1460", "retention_days: 700"))
    page.get_by_role("button", name="See what it means").click()
    expect(page.locator("#changes + .notice")).to_contain_text("narrows")
    page.get_by_role("button", name="Sign and propose").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".notice-good")).to_contain_text("It is on its way to XA, XB.")
