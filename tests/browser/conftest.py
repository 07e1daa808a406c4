"""A served node and Debian's chromium; what needs either is skipped with a reason where there is none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long and quiet river"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class Node:
    """A served node: where it is, and the ids of its world."""

    url: str
    world: dict[str, str]

    def path(self, template: str) -> str:
        """The address of a path, with ids of the world put in."""
        return self.url + template.format(**self.world)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("no chromium at /usr/bin/chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def node(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """XC, served by uvicorn in a process of its own; it ends when its standard input closes."""
    home = tmp_path_factory.mktemp("node")
    environment = os.environ | {
        "COMITY_HOME": str(home),
        "COMITY_DATABASE_URL": "",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
    }
    log = (home / "log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.browser.node"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, (home / "log").read_text()
    told = json.loads(line)
    try:
        yield Node(told.pop("url"), told)
    finally:
        process.stdin.close()
        code = process.wait(30)
        process.stdout.close()
        log.close()
    assert code == 0, (home / "log").read_text()


@pytest.fixture
def visit(chromium: Browser, node: Node) -> Iterator[Callable[..., Page]]:
    """Opens a page of the node as one of its officers; complaints of the browser's console fail the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(path: str, *, username: str = "", purpose: bool = True, **options: object) -> Page:
        context = chromium.new_context(**({"locale": "en", "viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        # A refused page (403, 422) is no fault of the page; a breach of the security policy is.
        page.on(
            "console",
            lambda said: (
                complaints.append(said.text)
                if said.type == "error" and "Failed to load resource" not in said.text
                else None
            ),
        )
        if username:
            sign_in(page, node, username)
            if purpose:
                page.goto(node.path("/purpose"))
                page.locator("#id_purpose_1").check()
                page.locator("main button").click()
        page.goto(node.path(path))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(page: Page, node: Node, username: str) -> None:
    """By the form, as people do."""
    page.goto(node.path("/sign-in"))
    page.locator("#id_username").fill(username)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_url(node.path("/"))
