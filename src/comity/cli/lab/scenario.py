"""A scenario: a YAML file of steps. What is wrong with it is said with its line and with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import yaml
from yaml.constructor import SafeConstructor

from comity.common import ComityError

MOST_NODES = 9
_LETTERS = "ABCDEFGHI"
_LENGTH = re.compile(r"(-?\d+(?:\.\d+)?) ?(seconds?|s|minutes?|min|hours?|h|days?|d)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class ScenarioError(ComityError):
    """A scenario cannot be read. where: the line."""

    code = "bad_scenario"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do or to expect. line: in the file, from 1."""

    name: str
    words: Mapping[str, object]
    line: int

    def text(self, name: str, default: str = "") -> str:
        """A word of the step."""
        return str(self.words.get(name, default))

    def codes(self, name: str) -> tuple[str, ...]:
        """One administration or several."""
        value = self.words.get(name, ())
        return tuple(str(each) for each in value) if isinstance(value, list) else (str(value),) if value else ()

    def number(self, name: str, default: float) -> float:
        """A number of the step."""
        value = self.words.get(name, default)
        return float(value) if isinstance(value, (int, float)) else default


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is played. nodes: how many at least."""

    title: str
    about: str
    nodes: int
    steps: tuple[Step, ...]


# Step -> its words. `!` must be given. code, codes: administrations; length: as "3 days".
STEPS: Mapping[str, Mapping[str, str]] = {
    "post": {"from": "code!", "to": "code!", "count": "number"},
    "partition": {"between": "codes!", "and": "codes!", "silent": "truth"},
    "heal": {},
    "latency": {"seconds": "number!"},
    "kill": {"node": "code!"},
    "restart": {"node": "code!"},
    "skew": {"node": "code!", "by": "length!"},
    "advance_clock": {"by": "length!"},
    "disk_full": {"node": "code!"},
    "disk_free": {"node": "code!"},
    "forge_receipts": {"node": "code!"},
    "show_two_histories": {"node": "code!", "to": "code!"},
    "steal_key": {"of": "code!"},
    "revoke_key": {"of": "code!"},
    "use_stolen_key": {"of": "code!", "to": "code!", "code": "text"},
    "suspend": {"node": "code!", "partner": "code!"},
    "resume": {"node": "code!", "partner": "code!"},
    "wait": {"seconds": "number!"},
    "expect_delivered": {"from": "codes", "to": "codes", "within": "number"},
    "expect_waiting": {"from": "code!", "to": "code!"},
    "expect_refused": {"at": "code!", "code": "text!", "within": "number"},
    "expect_split_view": {"at": "code!", "of": "code!", "within": "number"},
    "expect_warned": {"at": "code!", "text": "text!", "within": "number"},
    "expect_consistent": {},
}


def codes_of(count: int) -> tuple[str, ...]:
    """The administrations of so many nodes: XA, XB, …"""
    return tuple(f"X{letter}" for letter in _LETTERS[:count])


def read_scenario(text: str, *, name: str = "scenario") -> Scenario:
    """The scenario in this YAML.

    Raises: ScenarioError naming the line, what is wrong there, and what to write.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _wrong(
            name, mark.line + 1 if mark else 1, "This is no YAML", "Check indents, colons and quotes."
        ) from error
    parts = _mapping(name, root, "Write title, about, nodes and steps.")
    for key, node in parts.items():
        if key not in {"title", "about", "nodes", "steps"}:
            raise _wrong(name, _line(node), f"{key} is no part of a scenario", "Write title, about, nodes or steps.")
    if "steps" not in parts or not isinstance(parts["steps"], yaml.SequenceNode):
        raise _wrong(name, _line(root), "The scenario has no list of steps", "Write steps: and a list of them below.")
    count = _scalar(name, parts["nodes"]) if "nodes" in parts else 3
    if not isinstance(count, int) or not 2 <= count <= MOST_NODES:
        raise _wrong(name, _line(parts["nodes"]), "nodes is no number that fits", f"Write 2 to {MOST_NODES}.")
    return Scenario(
        title=str(_scalar(name, parts["title"])) if "title" in parts else name,
        about=str(_scalar(name, parts["about"])) if "about" in parts else "",
        nodes=count,
        steps=tuple(_step(name, node, codes_of(count)) for node in parts["steps"].value),
    )


def read_length(text: str) -> timedelta:
    """A length of time such as "3 days", "-2 h" or "90 s". Raises: ValueError."""
    match = _LENGTH.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    return timedelta(seconds=float(match[1]) * _UNITS[match[2][0]])


def _step(name: str, node: yaml.Node, codes: tuple[str, ...]) -> Step:
    if isinstance(node, yaml.ScalarNode):
        node = yaml.MappingNode("tag:yaml.org,2002:map", [(node, _nothing(node))], node.start_mark, node.end_mark)
    parts = _mapping(name, node, "Write a step as `- post: {from: XA, to: XB}`.")
    if len(parts) != 1:
        raise _wrong(name, _line(node), f"A step is one thing, here are {len(parts)}", "Begin each with a dash.")
    (verb, value), line = next(iter(parts.items())), _line(node)
    if verb not in STEPS:
        raise _wrong(name, line, f"There is no step {verb}", f"Known are: {', '.join(STEPS)}.")
    empty = isinstance(value, yaml.ScalarNode) and _scalar(name, value) is None
    given = {} if empty else _mapping(name, value, f"Write {_form(verb)}.")
    for word, each in given.items():
        if word not in STEPS[verb]:
            raise _wrong(name, _line(each), f"{verb} knows no {word}", f"Write {_form(verb)}.")
    for word, kind in STEPS[verb].items():
        if kind.endswith("!") and word not in given:
            raise _wrong(name, line, f"{verb} lacks {word}", f"Write {_form(verb)}.")
    return Step(verb, {word: _word(name, each, STEPS[verb][word], codes) for word, each in given.items()}, line)


def _word(name: str, node: yaml.Node, kind: str, codes: tuple[str, ...]) -> object:
    kind = kind.rstrip("!")
    value: object = (
        [_scalar(name, each) for each in node.value] if isinstance(node, yaml.SequenceNode) else _scalar(name, node)
    )
    if kind in {"code", "codes"}:
        named = value if isinstance(value, list) and kind == "codes" else [value]
        strangers = [each for each in named if each not in codes and each != "any"]
        if strangers:
            raise _wrong(name, _line(node), f"{strangers[0]} is no node here", f"Write one of {', '.join(codes)}.")
    if kind == "number" and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0):
        raise _wrong(name, _line(node), f"{value!r} is no number", "Write digits, such as 20.")
    if kind == "truth" and not isinstance(value, bool):
        raise _wrong(name, _line(node), f"{value!r} is neither true nor false", "Write true or false.")
    if kind == "length":
        try:
            return read_length(str(value))
        except ValueError as error:
            raise _wrong(
                name, _line(node), f"{value!r} is no length of time", "Write it as 3 days, 2 h or 90 s."
            ) from error
    return value


def _form(verb: str) -> str:
    words = ", ".join(f"{word}: {kind.rstrip('!')}" for word, kind in STEPS[verb].items())
    return f"`- {verb}: {{{words}}}`" if words else f"`- {verb}`"


def _mapping(name: str, node: yaml.Node | None, remedy: str) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(name, _line(node), "Here must stand names with values", remedy)
    parts: dict[str, yaml.Node] = {}
    for key, value in node.value:
        word = str(key.value)
        if word in parts:
            raise _wrong(name, _line(key), f"{word} stands here twice", "Leave one of them out.")
        parts[word] = value
    return parts


def _scalar(name: str, node: yaml.Node) -> object:
    if not isinstance(node, yaml.ScalarNode):
        raise _wrong(name, _line(node), "Here must stand one value", "Write a word or a number.")
    return cast(object, SafeConstructor().construct_object(node))


def _nothing(node: yaml.Node) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:null", "", node.start_mark, node.end_mark)


def _line(node: yaml.Node | None) -> int:
    return int(node.start_mark.line) + 1 if node is not None else 1


def _wrong(name: str, line: int, what: str, remedy: str) -> ScenarioError:
    return ScenarioError(what, where=f"{name}, line {line}", remedy=remedy)
