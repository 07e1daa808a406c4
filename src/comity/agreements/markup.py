"""YAML read as text, lists and mappings with their lines, and nothing else. Pure.

No tags, no anchors, no aliases, one document, no key twice, bounds on size, depth and number. Scalars stay as they
are written: YAML would read the code of Norway as "false", 1.10 as 1.1 and 2026-01-01 as whatever it likes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import yaml

from comity.agreements.errors import AgreementFormError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 10
MAX_NODES = 30_000


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as written, and its line from 1. is_empty: nothing was written."""

    text: str
    line: int
    is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A list and the line where it begins."""

    items: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapping of texts and the line where it begins. lines: the line of each key."""

    items: dict[str, Node]
    lines: dict[str, int]
    line: int


Node = Scalar | Listed | Mapped


def read_yaml(data: bytes, *, limit_bytes: int = MAX_BYTES) -> Node:
    """The one document in these bytes.

    Raises: AgreementFormError naming the line.
    """
    try:
        text = _text(data, limit_bytes)
        return _Composer(yaml.parse(text, Loader=yaml.SafeLoader)).document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise AgreementFormError(f"Not YAML: {error.problem}", where=f"line {line}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise AgreementFormError(f"Not YAML: {str(error)[:200]}", where="line 1") from error


def read_json(data: bytes, *, limit_bytes: int = MAX_BYTES) -> Node:
    """The canonical form of an agreement as nodes; it has one line.

    Raises: AgreementFormError.
    """
    text = _text(data, limit_bytes)
    try:
        return _node_of(json.loads(text), 0)
    except (ValueError, RecursionError) as error:
        raise AgreementFormError("Not JSON", where="line 1") from error


def _text(data: bytes, limit_bytes: int) -> str:
    if len(data) > limit_bytes:
        raise AgreementFormError(
            f"The file has {len(data)} bytes", where="line 1", remedy=f"At most {limit_bytes} are read."
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise AgreementFormError("The file is not UTF-8", where=f"line {line}", remedy="Save it as UTF-8.") from error


def _node_of(value: object, depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise AgreementFormError(f"Nested deeper than {MAX_DEPTH} levels", where="line 1")
    if isinstance(value, dict):
        items = {key: _node_of(item, depth + 1) for key, item in value.items()}
        return Mapped(items, dict.fromkeys(items, 1), 1)
    if isinstance(value, list):
        return Listed(tuple(_node_of(item, depth + 1) for item in value), 1)
    return Scalar(value if isinstance(value, str) else json.dumps(value), 1)


class _Composer:
    """Makes nodes of the parser's events."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._count = 0

    def document(self) -> Node:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _error("There is a second document in the file", event, "Keep one document to a file.")
                root = self._node(self._next(), 1)
        if root is None:
            raise AgreementFormError("The file is empty", where="line 1")
        return root

    def _next(self) -> yaml.Event:
        self._count += 1
        event = next(self._events)
        if self._count > MAX_NODES:
            raise _error(f"More than {MAX_NODES} values", event, "Split the agreement.")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _error("Anchors and aliases (& and *) are not allowed", event, "Write the text out.")
        if tag := getattr(event, "tag", None):
            raise _error(f"Tags such as {tag} are not allowed", event, "Write plain text.")
        return event

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise _error(f"Nested deeper than {MAX_DEPTH} levels", event, "Flatten it.")
        if isinstance(event, yaml.ScalarEvent):
            # YAML 1.2.2 §6.5: but for literal style one line feed is what is left of an empty line.
            text = event.value if event.style == "|" else event.value.replace("\n", "\n\n")
            return Scalar(text, _line(event), not text and event.style is None)
        if isinstance(event, yaml.SequenceStartEvent):
            return Listed(tuple(self._elements(depth)), _line(event))
        return self._mapping(event, depth)

    def _elements(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _mapping(self, start: yaml.Event, depth: int) -> Mapped:
        items: dict[str, Node] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _error("A key must be a plain word", event, "Write `word: value`.")
            key = event.value
            if key in items:
                raise _error(f"The key {key!r} stands twice", event, f"It stood first on line {lines[key]}.")
            lines[key] = _line(event)
            items[key] = self._node(self._next(), depth + 1)
        return Mapped(items, lines, _line(start))


def _line(event: yaml.Event) -> int:
    return cast(yaml.Mark, event.start_mark).line + 1


def _error(what: str, event: yaml.Event, remedy: str) -> AgreementFormError:
    return AgreementFormError(what, where=f"line {_line(event)}", remedy=remedy)
