"""Every page: axe finds no violation, in light and dark, wide and narrow; nothing runs off a narrow screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Node

pytestmark = [pytest.mark.browser, pytest.mark.slow]

QUESTION = "?receiver=XA&kind=alert/1&purpose=control&handling=official&category=commodities&risk_type=counterfeit"
PAGES = {
    "": ["/sign-in"],
    "ana": [
        "/",
        "/queue",
        "/queue?state=selected&q=nothing-like-this",
        "/consignments/{inspected}",
        "/consignments/{ordered}",
        "/consignments/{untouched}/inspect",
        "/consignments/{untouched}/release",
        "/inspections/{open_inspection}/finding",
        "/share?record={inspected}",
        "/approvals",
        "/messages",
        "/messages/{alert_message}",
        "/messages/{received_finding}",
        "/messages?notices=all",
        "/messages/{sent}",
        "/messages/{sent}/take-back",
        "/messages/{sent}/take-back?mode=correct",
        "/messages/{sent}/take-back?mode=tighten",
        "/messages/{sent}/attach",
        "/messages/{held}",
        "/messages/{held}/hand-on",
        "/messages/{held}/ask-consent?to=XB",
        "/messages/{held}/keep",
        "/messages/{offer}",
        "/messages/{purged}",
        "/recalls",
        "/recalls?show=overdue&partner=XB",
        "/consents/{consent}",
        "/partners",
        "/agreements",
        "/agreements/{agreement_id}" + QUESTION,
        "/agreements/{agreement_id}" + QUESTION.replace("commodities", "persons"),
        "/proof?entry=1",
        "/profiles",
        "/profiles/write",
        "/purpose",
        "/second-factor",
        "/password",
        "/audit",
    ],
    "boris": ["/approvals", "/profiles", "/health", "/proof"],
    "chipo": [
        "/",
        "/health",
        "/partners",
        "/partners/XA",
        "/partners/XB",
        "/audit",
        "/officers",
        "/officers/add",
        "/officers/ana/roles",
        "/systems/issue",
    ],
}
LOOKS = [
    pytest.param({"color_scheme": "light"}, id="light"),
    pytest.param({"color_scheme": "dark"}, id="dark"),
    pytest.param({"color_scheme": "light", "viewport": {"width": 400, "height": 800}}, id="narrow"),
    pytest.param(
        {"color_scheme": "dark", "locale": "fr", "viewport": {"width": 400, "height": 800}}, id="narrow-french"
    ),
]


# What colours and the width of the screen decide. All else is the same in every look: the first one is asked for it,
# and the French one, whose words are others.
OF_THE_LOOK = ("color-contrast", "target-size", "scrollable-region-focusable")


def violations(page: Page, rules: tuple[str, ...] = ()) -> list[str]:
    """What axe found by these rules, or by all, with the elements, for people to read."""
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{each['id']}: {[item['html'][:160] for item in each['nodes'][:3]]}" for each in found]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("username", PAGES)
def test_axe_finds_nothing(visit: Callable[..., Page], node: Node, username: str, look: dict[str, object]):
    page = visit(PAGES[username][0], username=username, **look)
    rules = () if look in (LOOKS[0].values[0], LOOKS[3].values[0]) else OF_THE_LOOK
    problems: dict[str, list[str]] = {}
    for path in PAGES[username]:
        page.goto(node.path(path))
        found = violations(page, rules)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            found.append("the page is wider than the screen")
        if page.locator("h1").count() != 1:
            found.append("a page has one heading of the first level")
        if found:
            problems[path] = found
    assert problems == {}


@pytest.mark.parametrize("look", LOOKS[:2])
def test_axe_finds_nothing_on_what_forms_answer(visit: Callable[..., Page], look: dict[str, object]):
    page = visit("/share?record={inspected}", username="ana", **look)
    page.locator("main button").click()
    assert page.locator(".error-summary").count() == 1
    assert violations(page) == []
    page.locator("#id_title").fill("Counterfeit sports shoes")
    page.locator("#id_recipients_0").check()
    page.locator("main button").click()
    assert "Withheld by agreement article 1" in page.content()
    assert violations(page) == []


@pytest.mark.parametrize("look", [*LOOKS[:2], LOOKS[3]])
def test_axe_finds_nothing_on_what_will_happen(visit: Callable[..., Page], node: Node, look: dict[str, object]):
    page = visit("/messages/{sent}/take-back", username="ana", **look)
    page.locator("button[value=preview]").click()
    assert page.locator(".notice-warn").count() == 1
    assert violations(page) == []
    page.goto(node.path("/messages/{held}/hand-on"))
    page.locator("#id_recipients_0").check()
    page.locator("button[value=preview]").click()
    assert page.locator(".card .tag-amber").count() == 1
    assert violations(page) == []
    page.goto(node.path("/messages/{sent}/attach"))
    page.locator("#id_purpose").select_option("statistics")
    page.locator("#id_file").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"a picture"})
    page.locator("main form button").click()
    assert page.locator(".notice-bad").count() == 2
    assert violations(page) == []
