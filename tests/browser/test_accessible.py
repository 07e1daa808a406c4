"""Every page: axe finds no violation, in light and dark; nothing runs off a narrow screen, in the longer language.

Axe is put into each page as it opens, not sent anew. A colour on a ground, in a size and weight, reads as well on any
page: contrast, by far the costliest rule, is asked of each such look once, in light and dark, where it first appears;
all other rules are asked of every page.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Node
from tests.browser.pages import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LIGHT, DARK = {"color_scheme": "light"}, {"color_scheme": "dark"}
FRENCH = {"color_scheme": "dark", "locale": "fr", "viewport": {"width": 400, "height": 800}}
LOOKS = [pytest.param(LIGHT, id="light"), pytest.param(DARK, id="dark"), pytest.param(FRENCH, id="narrow-french")]
AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
# What colours decide.
OF_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
ALL: dict[str, object] = {"resultTypes": ["violations"]}
BUT_COLOURS = {"rules": {"color-contrast": {"enabled": False}}, "resultTypes": ["violations"]}
# Marks the texts whose look was not seen yet, and tells these looks: all that the contrast rule reads.
NEW_LOOKS = """known => {
  const seen = new Set(known), fresh = [], grounds = new Map();
  const groundOf = element => {
    if (!element) return "";
    if (!grounds.has(element)) {
      const own = getComputedStyle(element), colour = own.backgroundColor;
      const told = [colour, own.backgroundImage, own.opacity, own.filter].join();
      grounds.set(element, colour.startsWith("rgb(") ? told : told + groundOf(element.parentElement));
    }
    return grounds.get(element);
  };
  for (const each of document.querySelectorAll("[data-look]")) each.removeAttribute("data-look");
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const holders = new Set();
  while (texts.nextNode()) if (texts.currentNode.data.trim()) holders.add(texts.currentNode.parentElement);
  for (const each of holders) {
    const style = getComputedStyle(each);
    const look = [each.className, style.color, groundOf(each), style.fontSize, style.fontWeight].join("|");
    if (seen.has(look) || !each.checkVisibility()) continue;
    seen.add(look);
    fresh.push(look);
    each.setAttribute("data-look", "");
  }
  return fresh;
}"""


def violations(page: Page, options: dict[str, object] = ALL) -> list[str]:
    """What axe found, with the elements, for people to read."""
    return told(Axe().run(page, options=options).response)


@pytest.fixture(scope="module")
def looks() -> set[str]:
    """Looks of text that some page had already."""
    return set()


def told(response: dict[str, Any]) -> list[str]:
    return [f"{each['id']}: {[item['html'][:160] for item in each['nodes'][:3]]}" for each in response["violations"]]


def off_the_screen(page: Page) -> list[str]:
    """Whether a person with a telephone has to push the page to and fro."""
    is_wider = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return ["the page is wider than the screen"] if is_wider else []


def unread(page: Page, seen: set[str]) -> list[str]:
    """Where contrast fails, in light or in dark, among the looks that no page had before; they are then seen."""
    fresh = page.evaluate(NEW_LOOKS, sorted(seen))
    seen.update(fresh)
    found: list[str] = []
    if fresh:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found += told(page.evaluate("options => axe.run({include: ['[data-look]']}, options)", OF_COLOURS))
        page.emulate_media(color_scheme="light")
    return found


@pytest.mark.parametrize("username", PAGES)
def test_axe_finds_nothing(visit: Callable[..., Page], node: Node, looks: set[str], username: str):
    """Each page by every rule; what its colours add, in the light and in the dark."""
    page = visit(PAGES[username][0], username=username, **LIGHT)
    page.context.add_init_script(path=AXE)
    problems: dict[str, list[str]] = {}
    for path in PAGES[username]:
        page.goto(node.path(path))
        found = told(page.evaluate("options => axe.run(options)", BUT_COLOURS))
        found += unread(page, looks)
        if page.locator("h1").count() != 1:
            found.append("a page has one heading of the first level")
        if found:
            problems[path] = found
    assert problems == {}


def test_a_look_that_reads_badly_is_found_once(visit: Callable[..., Page]):
    page = visit("/sign-in", **LIGHT)
    page.context.add_init_script(path=AXE)
    page.reload()
    seen: set[str] = set()
    assert unread(page, seen) == []
    page.evaluate("document.querySelector('h1').style.color = '#a0a0a0'")
    found = unread(page, seen)
    assert [each.split(":")[0] for each in found] == ["color-contrast"]  # grey on white; on black it reads well
    assert unread(page, seen) == []


@pytest.mark.parametrize("username", PAGES)
def test_french_words_keep_to_a_narrow_screen(visit: Callable[..., Page], node: Node, username: str):
    page = visit(PAGES[username][0], username=username, **FRENCH)
    problems: dict[str, list[str]] = {}
    for path in PAGES[username]:
        page.goto(node.path(path))
        if found := off_the_screen(page):
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


@pytest.mark.parametrize("look", LOOKS)
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
