"""Cutting a body down to the fields that an article releases. Pure.

A field is a dotted path: `route.origin`. It stands for everything beneath it. In a list of objects it is cut in each
element; `subjects[consignor].name` is cut in the elements whose role is consignor. Only what is named is kept, and
what is left empty goes too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import takewhile

from comity.agreements.vocabulary import ROLES, SELECTOR

MAX_DEPTH = 16
MOST_PATHS = 4096
MOST_ROLES = 2
LONG_PATH = 256
_PLAIN_KEY = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
# A plain dict first: asking the abstract type takes five times as long.
_MAPPINGS = (dict, Mapping)
_LISTS = (list, tuple)
_DEEPER = (dict, list, tuple, Mapping)
_STEP = re.compile(r"([^.\[\]]+)(?:\[([^.\[\]]+)\])?", re.ASCII)


class _Nothing:
    """What is left of a value of which nothing is released."""


_NOTHING = _Nothing()


class _Node:
    """One name on the way to released fields. is_whole: everything beneath is released."""

    __slots__ = ("by_role", "children", "is_whole")

    def __init__(self) -> None:
        self.is_whole = False
        self.children: dict[str, _Node] = {}
        self.by_role: dict[str, _Node] = {}


_Nodes = tuple[_Node, ...]


class FieldSet:
    """Released fields, less those that are never released."""

    __slots__ = ("_fields", "_never", "_trees")

    def __init__(self, fields: Iterable[str], never: Iterable[str] = ()) -> None:
        self._fields = frozenset(fields)
        self._never = frozenset(never)
        self._trees: tuple[_Node, _Node] | None = None

    def covers(self, path: str) -> bool:
        """Whether what stands at this path is released."""
        ways = _ways(path) if len(path) > LONG_PATH else _ways_before(path)
        if ways is None:
            kept, never = self._compiled()
            return _covers(kept, path) and not _covers(never, path)
        return not self._fields.isdisjoint(ways) and self._never.isdisjoint(ways)

    def split(self, paths: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The paths that are released and those that are withheld, each sorted."""
        released: list[str] = []
        withheld: list[str] = []
        for path in sorted(paths):
            (released if self.covers(path) else withheld).append(path)
        return tuple(released), tuple(withheld)

    def cut(self, body: Mapping[str, object]) -> dict[str, object]:
        """A new body with the released fields alone. It shares no part with the old one."""
        kept, never = self._compiled()
        left = _drop(_keep(body, (kept,)), (never,))
        return left if isinstance(left, dict) else {}

    def _compiled(self) -> tuple[_Node, _Node]:
        if self._trees is None:
            self._trees = _tree(self._fields), _tree(self._never)
        return self._trees


def cut(body: Mapping[str, object], fields: Iterable[str], never: Iterable[str] = ()) -> dict[str, object]:
    """A new body with the named fields alone, less those of `never`."""
    return FieldSet(fields, never).cut(body)


def paths_of(body: Mapping[str, object]) -> frozenset[str]:
    """The paths of what a body holds, in the words of articles: elements of a list by their role, where they have one.

    Deeper than 16 levels a path stops: it then stands for everything beneath.
    """
    found: set[str] = set()
    _gather(body, "", 0, found)
    return frozenset(found)


def split_path(path: str) -> tuple[tuple[str, str], ...]:
    """A path as steps of (name, role); role is empty where the path does not choose. No steps: the text is no path."""
    steps = _steps(path)
    return steps if len(steps) == path.count(".") + 1 else ()


def _steps(path: str) -> tuple[tuple[str, str], ...]:
    """The steps of a path, up to the first that is none."""
    found = takewhile(bool, map(_STEP.fullmatch, path.split(".")))
    return tuple([(step[1], step[2] or "") for step in found if step])


def _ways(path: str) -> frozenset[str] | None:
    """Every path that stands for this one: what it lies beneath, with and without the roles that it names.

    None: it names so many roles that there would be too many.
    """
    steps = _steps(path)
    if sum(bool(role) for _, role in steps) > MOST_ROLES:
        return None
    ways, found = [""], set()
    for name, role in steps:
        ends = (name, f"{name}[{role}]") if role else (name,)
        ways = [f"{way}.{end}" if way else end for way in ways for end in ends]
        found.update(ways)
    return frozenset(found)


_ways_before = lru_cache(maxsize=MOST_PATHS)(_ways)  # bodies of one kind hold the same few paths


def _tree(fields: Iterable[str]) -> _Node:
    root = _Node()
    for field in fields:
        node = root
        for name, role in split_path(field):
            node = node.children.setdefault(name, _Node())
            node = node.by_role.setdefault(role, _Node()) if role else node
        node.is_whole = node is not root
    return root


def _covers(root: _Node, path: str) -> bool:
    nodes: _Nodes = (root,)
    for name, role in _steps(path):
        nodes = _beneath(nodes, name)
        nodes += tuple([node.by_role[role] for node in nodes if role in node.by_role])
        if not nodes:
            return False
        for node in nodes:
            if node.is_whole:
                return True
    return False


def _beneath(nodes: _Nodes, name: str) -> _Nodes:
    return tuple([node.children[name] for node in nodes if name in node.children])


def _of_element(element: object, nodes: _Nodes) -> _Nodes:
    """The nodes that hold for an element of a list: all, and those that chose its role."""
    role = element.get(SELECTOR) if isinstance(element, Mapping) else None
    return nodes + tuple(node.by_role[role] for node in nodes if isinstance(role, str) and role in node.by_role)


def _keep(value: object, nodes: _Nodes) -> object:
    if any(node.is_whole for node in nodes):
        return _copy(value)
    if isinstance(value, Mapping):
        items = ((key, _keep(item, inner)) for key, item in value.items() if (inner := _beneath(nodes, key)))
        return {key: item for key, item in items if item is not _NOTHING} or _NOTHING
    if isinstance(value, list | tuple):
        elements = (_keep(element, _of_element(element, nodes)) for element in value)
        return [element for element in elements if element is not _NOTHING] or _NOTHING
    return _NOTHING


def _drop(value: object, nodes: _Nodes) -> object:
    """The value without what the nodes name; the value is our own copy."""
    if not nodes:
        return value
    if any(node.is_whole for node in nodes):
        return _NOTHING
    if isinstance(value, dict):
        items = ((key, _drop(item, _beneath(nodes, key))) for key, item in value.items())
        left = {key: item for key, item in items if item is not _NOTHING}
        return left if left or not value else _NOTHING
    if isinstance(value, list):
        elements = (_drop(element, _of_element(element, nodes)) for element in value)
        rest = [element for element in elements if element is not _NOTHING]
        return rest if rest or not value else _NOTHING
    return value


def _copy(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item) for item in value]
    return value


def _gather(value: object, path: str, depth: int, found: set[str]) -> None:
    if isinstance(value, str):
        found.add(path)
    elif isinstance(value, _MAPPINGS) and (value or not path) and depth < MAX_DEPTH:
        left = LONG_PATH - len(path)
        for key, item in value.items():
            # Bodies say the same few short paths again and again.
            place = _joined_before(path, key) if len(key) < left else _joined(path, key)
            if isinstance(item, str):
                found.add(place)  # most of what a body holds, and nothing is beneath it
            else:
                _gather(item, place, depth + 1, found)
    elif isinstance(value, _LISTS) and depth < MAX_DEPTH and _is_deep(value):
        for element in value:
            _gather(element, path + _label(element), depth + 1, found)
    else:
        found.add(path)


def _is_deep(values: Sequence[object]) -> bool:
    """Whether there is anything beneath one of these values."""
    kinds = set(map(type, values))
    kinds.discard(str)
    return any(issubclass(kind, _DEEPER) for kind in kinds)


def _joined(path: str, key: str) -> str:
    shown = key if _PLAIN_KEY.fullmatch(key) else json.dumps(key)
    return f"{path}.{shown}" if path else shown


_joined_before = lru_cache(maxsize=MOST_PATHS)(_joined)


def _label(element: object) -> str:
    if not isinstance(element, _MAPPINGS) or SELECTOR not in element:
        return ""
    role = element[SELECTOR]
    return f"[{role}]" if isinstance(role, str) and role in ROLES else "[?]"
