"""Every page of the console is visited by the browser, or its name says why not."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve

from comity.console.urls import urlpatterns
from tests.browser.pages import NO_PAGES, PAGES

pytestmark = pytest.mark.once
# What stands for the ids of the world, by the kinds that paths ask for.
IDS = ("00000000-0000-7000-8000-000000000001", "1")


class _Any(dict[str, str]):
    def __init__(self, each: str) -> None:
        super().__init__()
        self._each = each

    def __missing__(self, key: str) -> str:
        return self._each


def name_of(template: str) -> str:
    """The name of the route that answers a path."""
    for each in IDS:
        try:
            return str(resolve(urlsplit(template.format_map(_Any(each))).path, "comity.console.urls").url_name)
        except Resolver404:
            continue
    raise AssertionError(f"no page answers {template}")


def is_deed(view: Callable[..., object]) -> bool:
    """Whether a view takes forms and shows nothing."""
    return any(methods == ["POST"] for methods in _methods(view))


def _methods(view: Callable[..., object]) -> Iterator[object]:
    """The methods that the decorators of a view name, the outermost first."""
    while view:
        told = inspect.getclosurevars(view).nonlocals.get("request_method_list")
        if told is not None:
            yield told
        view = getattr(view, "__wrapped__", None)  # type: ignore[assignment]


def test_every_page_of_the_console_is_visited():
    visited = {name_of(path) for paths in PAGES.values() for path in paths}
    pages = {each.name for each in urlpatterns if not is_deed(each.callback)}
    unseen = sorted(pages - visited - set(NO_PAGES))
    assert unseen == [], "put these into PAGES, or say in NO_PAGES why a browser cannot look at them"
    assert sorted(set(NO_PAGES) - pages) == [], "these are no pages any more"
    assert sorted(set(NO_PAGES) & visited) == [], "these are visited after all"


def test_a_page_that_is_not_visited_would_be_named():
    deeds = {each.name for each in urlpatterns if is_deed(each.callback)}
    assert {"approve_profile", "promote_model", "sign_out", "verify_log"} <= deeds
    assert not deeds & {"dashboard", "subject_request", "edit_profile", "sign_in", "purpose"}
    with pytest.raises(AssertionError, match="no page answers /nowhere"):
        name_of("/nowhere/{x}")
