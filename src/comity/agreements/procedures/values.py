"""A procedure as a value: who plays which part, which states there are, who may do what when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from comity.agreements.clocks import ClockSpec
from comity.agreements.procedures.guards import Guard
from comity.agreements.values import Wording
from comity.agreements.vocabulary import Tag

SAME = "same"
BY_CLOCK = "clock"
# What a step with a ground for refusal may say besides the fields of its event.
GROUNDS, LAW_REFERENCE, REASON = "grounds", "law_reference", "reason"


class FieldType(StrEnum):
    """The closed types of fields."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    WORD = "word"
    DATE = "date"
    INSTANT = "instant"
    NUMBER = "number"
    MONEY = "money"
    PARTY = "party"
    COUNTRY = "country"
    HS = "hs"
    REF = "ref"
    FLAG = "flag"
    FILE = "file_ref"
    TEXTS = "list_of_text"
    WORDS = "list_of_word"
    HS_CODES = "list_of_hs"
    REFS = "list_of_ref"
    PARTIES = "list_of_party"


class StateKind(StrEnum):
    """open: something is being done. waiting: one side waits for the other. closed: nothing is owed any more."""

    OPEN = "open"
    WAITING = "waiting"
    CLOSED = "closed"


class GroundRule(StrEnum):
    """How many grounds a step names."""

    NONE = "false"
    ONE = "one"
    SOME = "some"


@dataclass(frozen=True, slots=True)
class Role:
    """A part in the procedure. is_many: several administrations may play it, as members do."""

    name: str
    title: Wording
    is_many: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that steps say. words: of a choice, each with its words for people. source: the clause that asks it."""

    name: str
    type: FieldType
    label: Wording
    help: Wording | None = None
    words: tuple[tuple[str, Wording], ...] = ()
    source: str = ""
    is_personal: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """A ground on which a step may refuse. needs_law: the reference of the law must be attached."""

    name: str
    label: Wording
    source: str = ""
    needs_law: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """A mark on a case beside its state."""

    name: str
    title: Wording


@dataclass(frozen=True, slots=True)
class State:
    """Where a case may stand. whose_turn: the roles from whom something is awaited."""

    name: str
    title: Wording
    kind: StateKind
    whose_turn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """What moves a case: a step of who plays one of the roles `by`, or the end of the clock `clock`.

    to: the next state, or "same". is_automatic: a node does it by itself, when the case allows it. needs_all: it moves
    the case only once everybody in the role has done it; until then each is a consent.
    starts, stops, pauses, resumes, extends: clocks. raises, clears: flags. of: grounds that it may name; empty: all.
    """

    name: str
    title: Wording
    sources: tuple[str, ...]
    to: str
    by: tuple[str, ...] = ()
    clock: str = ""
    needs: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    when: Guard | None = None
    starts: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    pauses: tuple[str, ...] = ()
    resumes: tuple[str, ...] = ()
    extends: tuple[str, ...] = ()
    raises: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()
    grounds: GroundRule = GroundRule.NONE
    of: tuple[str, ...] = ()
    needs_all: bool = False
    is_automatic: bool = False
    note: Wording | None = None
    source: str = ""

    @property
    def is_of_time(self) -> bool:
        """Whether it comes by itself when a clock has run down."""
        return bool(self.clock)

    @property
    def touches(self) -> tuple[str, ...]:
        """The clocks whose end it sets anew."""
        return (*self.starts, *self.extends, *self.resumes)


@dataclass(frozen=True, slots=True)
class Procedure:
    """A procedure. states: the first is where a case stands before its first step. events: the earlier has precedence.

    opened_by: the role that opens a case. digest: SHA-256 (hex) of the file, which two nodes may compare.
    """

    name: str
    edition: str
    title: Wording
    text: Wording
    source: str
    tag: Tag
    is_verified: bool
    roles: tuple[Role, ...]
    fields: tuple[Field, ...]
    grounds: tuple[Ground, ...]
    clocks: tuple[ClockSpec, ...]
    flags: tuple[Flag, ...]
    states: tuple[State, ...]
    events: tuple[Event, ...]
    digest: str = ""

    @property
    def initial(self) -> State:
        """Where a case stands before its first step."""
        return self.states[0]

    @property
    def openings(self) -> tuple[Event, ...]:
        """The events that open a case."""
        return tuple(event for event in self.events if self.initial.name in event.sources and not event.is_of_time)

    def grounds_of(self, event: Event) -> tuple[Ground, ...]:
        """The grounds that a step of this event may name; none where it names none."""
        if event.grounds is GroundRule.NONE:
            return ()
        return tuple(each for each in self.grounds if not event.of or each.name in event.of)

    def state(self, name: str) -> State:
        """Raises: KeyError."""
        return _named(self.states, name)

    def event(self, name: str) -> Event:
        """Raises: KeyError."""
        return _named(self.events, name)

    def field(self, name: str) -> Field:
        """Raises: KeyError."""
        return _named(self.fields, name)

    def role(self, name: str) -> Role:
        """Raises: KeyError."""
        return _named(self.roles, name)

    def ground(self, name: str) -> Ground:
        """Raises: KeyError."""
        return _named(self.grounds, name)

    def clock(self, name: str) -> ClockSpec:
        """Raises: KeyError."""
        return _named(self.clocks, name)

    def flag(self, name: str) -> Flag:
        """Raises: KeyError."""
        return _named(self.flags, name)


_Named = TypeVar("_Named", Role, Field, Ground, Flag, State, Event, ClockSpec)


def _named(known: tuple[_Named, ...], name: str) -> _Named:
    for each in known:
        if each.name == name:
            return each
    raise KeyError(name)
