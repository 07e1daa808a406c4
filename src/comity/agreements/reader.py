"""Reading nodes as typed values; every error names the line and, for a word, the one that was probably meant. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from typing import NoReturn

from comity.agreements.errors import AgreementFormError
from comity.agreements.markup import Listed, Mapped, Node, Scalar
from comity.agreements.vocabulary import meant

MOST_CHARACTERS = 20_000
MOST_ENTRIES = 5_000
_PARAGRAPH = re.compile(r"\n\s*\n")
# Unicode bidirectional controls (UAX #9 §2): with them a signed text may read otherwise than it is.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"\d{1,15}", re.ASCII)


class Reader:
    """A mapping whose keys are taken out one after the other, so that what is left over is an error."""

    def __init__(self, node: Node, name: str) -> None:
        if not isinstance(node, Mapped):
            fail(f"{name} must be a mapping", node, "Write `word: value` lines beneath it.")
        self._node = node
        self._name = name
        self._taken: set[str] = set()

    @property
    def line(self) -> int:
        """Where the mapping begins."""
        return self._node.line

    def take(self, key: str) -> Node | None:
        """The value of a key, None where it is absent or empty."""
        self._taken.add(key)
        node = self._node.items.get(key)
        return None if isinstance(node, Scalar) and node.is_empty else node

    def need(self, key: str) -> Node:
        """The value of a key that must be there."""
        node = self.take(key)
        if node is None:
            near = get_close_matches(key, self._node.items, n=1)
            remedy = f"Line {self._node.lines[near[0]]} says {near[0]!r}." if near else f"Add `{key}: …`."
            fail(f"{self._name} has no {key!r}", self._node, remedy)
        return node

    def finish(self) -> None:
        """Raises: AgreementFormError where a key is left that nobody took."""
        for key, line in self._node.lines.items():
            if key not in self._taken:
                remedy = meant(key, frozenset(self._taken))
                raise AgreementFormError(f"{self._name} has no field {key!r}", where=f"line {line}", remedy=remedy)

    def keys(self) -> tuple[str, ...]:
        """Every key, as written."""
        return tuple(self._node.items)


def read_text(node: Node, name: str) -> str:
    """A text: paragraphs with single spaces, in Unicode normal form C. So layout never changes the canonical form."""
    if not isinstance(node, Scalar):
        fail(f"{name} must be a text", node, "Write words, not a list or mapping.")
    if len(node.text) > MOST_CHARACTERS:
        fail(f"{name} is longer than {MOST_CHARACTERS} characters", node, "Shorten it.")
    paragraphs = _PARAGRAPH.split(unicodedata.normalize("NFC", node.text))
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip())
    if not text:
        fail(f"{name} is empty", node, "Write it or leave the key out.")
    if any(letter in _TURNING or unicodedata.category(letter) in ("Cc", "Cs") for letter in text if letter != "\n"):
        fail(f"{name} holds a control character", node, "Remove it.")
    return text


def read_matching(node: Node, name: str, pattern: re.Pattern[str], form: str) -> str:
    """A text of a certain form."""
    text = read_text(node, name)
    if not pattern.fullmatch(text):
        fail(f"{name} is {text[:60]!r}", node, f"Write {form}.")
    return text


def read_word(node: Node, name: str, words: Sequence[str] | frozenset[str]) -> str:
    """A word of a closed vocabulary."""
    text = read_text(node, name)
    if text not in words:
        fail(f"{name}: there is no {text[:60]!r}", node, meant(text, frozenset(words)))
    return text


def read_list(node: Node, name: str) -> tuple[Node, ...]:
    """The elements of a list; a single value is a list of one."""
    if isinstance(node, Mapped):
        fail(f"{name} must be a list", node, "Write [first, second].")
    items = node.items if isinstance(node, Listed) else (node,)
    if not items or len(items) > MOST_ENTRIES:
        fail(f"{name} has {len(items)} entries", node, f"Write 1 to {MOST_ENTRIES}, or leave the key out.")
    return items


def read_words(node: Node, name: str, words: Sequence[str] | frozenset[str]) -> tuple[str, ...]:
    """Words of a closed vocabulary, none twice, sorted."""
    return unique([(read_word(item, name, words), item) for item in read_list(node, name)], name)


def unique(read: Sequence[tuple[str, Node]], name: str) -> tuple[str, ...]:
    """The values sorted. Raises: AgreementFormError where one stands twice."""
    seen: set[str] = set()
    for value, node in read:
        if value in seen:
            fail(f"{name} names {value!r} twice", node, "Name it once.")
        seen.add(value)
    return tuple(sorted(seen))


def read_day(node: Node, name: str) -> date:
    """A calendar day."""
    text = read_matching(node, name, _DAY, "a day as 2026-12-31")
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"{name}: there is no day {text}", node, "Look at the calendar.")


def read_number(node: Node, name: str, *, most: int) -> int:
    """A whole number from 1."""
    number = int(read_matching(node, name, _NUMBER, "a whole number"))
    if not 1 <= number <= most:
        fail(f"{name} is {number}", node, f"Write 1 to {most}.")
    return number


def read_flag(node: Node, name: str) -> bool:
    """true or false."""
    return read_word(node, name, ("true", "false")) == "true"


def fail(what: str, node: Node, remedy: str) -> NoReturn:
    """Raise the error of this node's line."""
    raise AgreementFormError(what, where=f"line {node.line}", remedy=remedy)
