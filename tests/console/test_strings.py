"""The French catalogue says everything that the console says, with the same placeholders."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from comity.console.words import WORDS
from comity.staff import Permission, Role
from tests.console.conftest import LOCALE
from tests.console.strings import template

_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def catalogue() -> dict[tuple[str, str], Message]:
    with (LOCALE / "fr" / "LC_MESSAGES" / "django.po").open("rb") as readable:
        return {(message.context or "", _first(message.id)): message for message in read_po(readable) if message.id}


def _first(text: str | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else text[0]


def test_french_is_complete_and_nothing_is_left_over():
    wanted = {(message.context or "", _first(message.id)) for message in template() if message.id}
    known = catalogue()
    assert len(wanted) > 600
    assert wanted - set(known) == set(), "run `python -m tests.console.strings` and translate what is new"
    assert set(known) - wanted == set()
    assert [key for key, message in known.items() if not _first(message.string)] == []


@pytest.mark.parametrize("form", [0, 1])
def test_placeholders_survive_translation(form: int):
    for message in catalogue().values():
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        source = message.id if isinstance(message.id, tuple) else (message.id,)
        if form < len(texts):
            assert sorted(_PLACEHOLDER.findall(texts[form])) == sorted(_PLACEHOLDER.findall(source[form])), message.id


def test_every_role_has_words_for_people():
    assert {role.value for role in Role} <= set(WORDS)
    assert Permission.SHARE.value not in WORDS
