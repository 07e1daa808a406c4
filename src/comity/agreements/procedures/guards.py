"""Guards of events: a tiny closed language over fields, flags and states; read here, never run as a program. Pure.

guard := all ("or" all)*            all := one ("and" one)*            one := "not" one | "(" guard ")" | atom
atom  := FIELD | "has" FIELD | FIELD "is" WORD | "flag" NAME | "state" "in" "(" NAME ("," NAME)* ")"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(r"\s*([a-z][a-z0-9_]*|[(),]|\S)", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_RESERVED = frozenset({"not", "and", "or", "is", "has", "in", "state", "flag"})
MOST_TOKENS = 200
MOST_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition. op: and, or, not, true (a flag field), has, is, flag, state. names: its words; parts: its operands.

    text: as written; empty for a part.
    """

    op: str
    names: tuple[str, ...] = ()
    parts: tuple[Guard, ...] = ()
    text: str = ""

    @property
    def fields(self) -> frozenset[str]:
        """The fields whose value it reads: they must be seen by everybody who follows the case."""
        own = frozenset(self.names[:1]) if self.op in ("true", "is") else frozenset()
        return own.union(*(part.fields for part in self.parts))

    @property
    def present(self) -> frozenset[str]:
        """The fields of which it asks only whether they are there."""
        own = frozenset(self.names[:1]) if self.op == "has" else frozenset()
        return own.union(*(part.present for part in self.parts))

    @property
    def words(self) -> frozenset[tuple[str, str]]:
        """The fields that it compares, each with the word."""
        own = frozenset({(self.names[0], self.names[1])}) if self.op == "is" else frozenset()
        return own.union(*(part.words for part in self.parts))

    @property
    def flags(self) -> frozenset[str]:
        """The flags that it reads."""
        own = frozenset(self.names) if self.op == "flag" else frozenset()
        return own.union(*(part.flags for part in self.parts))

    @property
    def states(self) -> frozenset[str]:
        """The states that it names."""
        own = frozenset(self.names) if self.op == "state" else frozenset()
        return own.union(*(part.states for part in self.parts))


@dataclass(frozen=True, slots=True)
class Facts:
    """What a guard is held against. withheld: fields that are there, but that are not shown here."""

    state: str
    flags: frozenset[str]
    fields: Mapping[str, object]
    withheld: frozenset[str] = frozenset()


def holds(guard: Guard, facts: Facts) -> bool:
    """Whether the condition holds."""
    match guard.op:
        case "and":
            return all(holds(part, facts) for part in guard.parts)
        case "or":
            return any(holds(part, facts) for part in guard.parts)
        case "not":
            return not holds(guard.parts[0], facts)
        case "true":
            return facts.fields.get(guard.names[0]) is True
        case "has":
            return guard.names[0] in facts.fields or guard.names[0] in facts.withheld
        case "is":
            return facts.fields.get(guard.names[0]) == guard.names[1]
        case "flag":
            return guard.names[0] in facts.flags
        case _:
            return facts.state in guard.names


def could_hold(guard: Guard, facts: Facts, settable: frozenset[str]) -> bool:
    """Whether the condition holds or may still come to hold, once the fields that a step can set are set."""
    return _ternary(guard, facts, settable) is not False


def _ternary(guard: Guard, facts: Facts, settable: frozenset[str]) -> bool | None:
    """True, False, or None where it depends on what the step will say."""
    if guard.op == "not":
        inner = _ternary(guard.parts[0], facts, settable)
        return None if inner is None else not inner
    if guard.op in ("and", "or"):
        found = [_ternary(part, facts, settable) for part in guard.parts]
        deciding = guard.op == "or"
        return deciding if deciding in found else None if None in found else not deciding
    if guard.op in ("true", "has", "is") and guard.names[0] in settable:
        return None
    return holds(guard, facts)


_Inner = Callable[[int], Guard]


class GuardTroubleError(ValueError):
    """The text is no guard; its message says where it stops being one."""


def read_guard(text: str) -> Guard:
    """The condition in this text.

    Raises: GuardTroubleError.
    """
    tokens = _TOKEN.findall(text)
    if len(tokens) > MOST_TOKENS:
        raise GuardTroubleError(f"it has {len(tokens)} words; at most {MOST_TOKENS} are read")
    reading = _Reading(tokens)
    guard = reading.any(0)
    if reading.left:
        raise GuardTroubleError(f"{reading.left[0]!r} stands where `and`, `or` or the end was meant")
    return Guard(guard.op, guard.names, guard.parts, " ".join(text.split()))


class _Reading:
    def __init__(self, tokens: list[str]) -> None:
        self.left = tokens

    def any(self, depth: int) -> Guard:
        return self._joined("or", self._all, depth)

    def _all(self, depth: int) -> Guard:
        return self._joined("and", self._one, depth)

    def _joined(self, word: str, inner: _Inner, depth: int) -> Guard:
        parts = [inner(depth)]
        while self.left and self.left[0] == word:
            self.left = self.left[1:]
            parts.append(inner(depth))
        return parts[0] if len(parts) == 1 else Guard(word, parts=tuple(parts))

    def _one(self, depth: int) -> Guard:
        if depth > MOST_DEPTH:
            raise GuardTroubleError(f"it is nested deeper than {MOST_DEPTH} levels")
        word = self._next("a condition")
        if word == "not":
            return Guard("not", parts=(self._one(depth + 1),))
        if word == "(":
            guard = self.any(depth + 1)
            self._expect(")")
            return guard
        if word in ("has", "flag"):
            return Guard(word, (self._name(f"the name after `{word}`"),))
        if word == "state":
            return self._state()
        if word in _RESERVED or not _NAME.fullmatch(word):
            raise GuardTroubleError(f"{word!r} stands where a condition was meant")
        if self.left and self.left[0] == "is":
            self.left = self.left[1:]
            return Guard("is", (word, self._name("the word after `is`")))
        return Guard("true", (word,))

    def _state(self) -> Guard:
        self._expect("in")
        self._expect("(")
        names = [self._name("a state")]
        while self.left and self.left[0] == ",":
            self.left = self.left[1:]
            names.append(self._name("a state"))
        self._expect(")")
        return Guard("state", tuple(names))

    def _next(self, meant: str) -> str:
        if not self.left:
            raise GuardTroubleError(f"it ends where {meant} was meant")
        word, self.left = self.left[0], self.left[1:]
        return word

    def _expect(self, word: str) -> None:
        found = self._next(f"`{word}`")
        if found != word:
            raise GuardTroubleError(f"{found!r} stands where `{word}` was meant")

    def _name(self, meant: str) -> str:
        found = self._next(meant)
        if found in _RESERVED or not _NAME.fullmatch(found):
            raise GuardTroubleError(f"{found!r} stands where {meant} was meant")
        return found
