"""From the file of a procedure to its value. Pure. docs/procedures.md describes the form.

A word that nobody knows is an error with its line and the word that was probably meant; what could never happen
(a state that is not reached, a clock that nobody starts) is one too: see soundness.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from comity.agreements.clocks import CalendarChoice, ClockFormError, ClockSpec, Start, Term
from comity.agreements.errors import AgreementFormError
from comity.agreements.markup import Mapped, Node, read_yaml
from comity.agreements.procedures.guards import Guard, GuardTroubleError, read_guard
from comity.agreements.procedures.soundness import Lines, check_sound
from comity.agreements.procedures.values import (
    BY_CLOCK,
    GROUNDS,
    LAW_REFERENCE,
    REASON,
    SAME,
    Event,
    Field,
    FieldType,
    Flag,
    Ground,
    GroundRule,
    Procedure,
    Role,
    State,
    StateKind,
)
from comity.agreements.reader import (
    Reader,
    fail,
    read_flag,
    read_list,
    read_matching,
    read_text,
    read_word,
)
from comity.agreements.values import Wording
from comity.agreements.vocabulary import LANGUAGES, TERM, VERSION, Tag
from comity.trust import sha256_hex

FORM = "comity-procedure/1"
# Every text of a procedure stands in the languages of the console.
NEEDED_LANGUAGES = ("en", "fr")
ANY_OPEN, ANY_STATE, ANYBODY = "open", "any", "any"
MOST_BYTES = 256 * 1024
_GROUND = re.compile(r"[A-Z]{1,3}[0-9]{1,2}", re.ASCII)
_RESERVED_FIELDS = frozenset({GROUNDS, LAW_REFERENCE, REASON})
_RESERVED_STATES = frozenset({SAME, ANY_OPEN, ANY_STATE})
_CHOICES = (FieldType.WORD, FieldType.WORDS)
_Read = TypeVar("_Read")


def read_procedure(data: bytes) -> Procedure:
    """The procedure in this YAML.

    Raises: AgreementFormError naming the line and, for a word, the one that was probably meant.
    """
    root = read_yaml(data, limit_bytes=MOST_BYTES)
    reader = Reader(root, "The procedure")
    read_word(reader.need("form"), "form", (FORM,))
    head = _head(reader)
    roles = _section(reader, "roles", TERM, _role)
    fields = _section(reader, "fields", TERM, _field, is_needed=False)
    grounds = _section(reader, "grounds", _GROUND, _ground, is_needed=False)
    clocks = _section(reader, "clocks", TERM, _clock, is_needed=False)
    flags = _section(reader, "flags", TERM, _flag, is_needed=False)
    role_names = tuple(role.name for role in roles)
    states = _section(reader, "states", TERM, lambda name, item: _state(name, item, role_names))
    known = _Known(
        roles=role_names,
        fields=tuple(each.name for each in fields),
        clocks=tuple(each.name for each in clocks),
        flags=tuple(each.name for each in flags),
        grounds=tuple(each.name for each in grounds),
        states=states,
    )
    events = _section(reader, "events", TERM, lambda name, item: _event(name, item, known))
    reader.finish()
    procedure = Procedure(
        name=head.name,
        edition=head.edition,
        title=head.title,
        text=head.text,
        source=head.source,
        tag=head.tag,
        is_verified=head.is_verified,
        roles=roles,
        fields=fields,
        grounds=grounds,
        clocks=clocks,
        flags=flags,
        states=states,
        events=events,
        digest=sha256_hex(data),
    )
    check_sound(procedure, Lines.of(root))
    return procedure


def read_wording(node: Node, name: str) -> Wording:
    """A text in each of the needed languages, and perhaps in others."""
    reader = Reader(node, name)
    texts = []
    for language in LANGUAGES:
        text = reader.need(language) if language in NEEDED_LANGUAGES else reader.take(language)
        if text is not None:
            texts.append((language, read_text(text, f"{name} in {language}")))
    reader.finish()
    return Wording(tuple(sorted(texts)))


@dataclass(frozen=True, slots=True)
class _Head:
    name: str
    edition: str
    title: Wording
    text: Wording
    source: str
    tag: Tag
    is_verified: bool


@dataclass(frozen=True, slots=True)
class _Known:
    roles: tuple[str, ...]
    fields: tuple[str, ...]
    clocks: tuple[str, ...]
    flags: tuple[str, ...]
    grounds: tuple[str, ...]
    states: tuple[State, ...]

    @property
    def state_names(self) -> tuple[str, ...]:
        return tuple(state.name for state in self.states)


def _head(reader: Reader) -> _Head:
    verified = reader.take("verified")
    return _Head(
        name=read_matching(reader.need("procedure"), "procedure", TERM, "a word such as joint_inspection"),
        edition=read_matching(reader.need("edition"), "edition", VERSION, 'a number such as "1"'),
        title=read_wording(reader.need("title"), "title"),
        text=read_wording(reader.need("text"), "text"),
        source=read_text(reader.need("source"), "source"),
        tag=Tag(read_word(reader.need("tag"), "tag", tuple(Tag))),
        is_verified=read_flag(verified, "verified") if verified else False,
    )


def _section(
    reader: Reader,
    name: str,
    pattern: re.Pattern[str],
    read: Callable[[str, Reader], _Read],
    *,
    is_needed: bool = True,
) -> tuple[_Read, ...]:
    """The named things of a section, in the order of the file."""
    node = reader.need(name) if is_needed else reader.take(name)
    if node is None:
        return ()
    if not isinstance(node, Mapped):
        fail(f"{name} must be a mapping", node, "Write `name: {…}` lines beneath it.")
    found = []
    for key, item in node.items.items():
        if not pattern.fullmatch(key):
            form = "R1" if pattern is _GROUND else "like_this"
            raise AgreementFormError(
                f"{name}: {key[:60]!r} is no name", where=f"line {node.lines[key]}", remedy=f"Write it {form}."
            )
        inner = Reader(item, f"{name}.{key}")
        found.append(read(key, inner))
        inner.finish()
    return tuple(found)


def _role(name: str, reader: Reader) -> Role:
    many = reader.take("many")
    return Role(name, _title(reader, name), read_flag(many, "many") if many else False)


def _title(reader: Reader, name: str, key: str = "title") -> Wording:
    return read_wording(reader.need(key), f"{name}.{key}")


def _field(name: str, reader: Reader) -> Field:
    if name in _RESERVED_FIELDS:
        node = reader.need("type")
        fail(f"{name} is a field of every step with grounds", node, "Leave it out, or call it otherwise.")
    kind = FieldType(read_word(reader.need("type"), f"{name}.type", tuple(FieldType)))
    helping, personal = reader.take("help"), reader.take("personal")
    words: tuple[tuple[str, Wording], ...] = ()
    if kind in _CHOICES:
        node = reader.need("words")
        if not isinstance(node, Mapped):
            fail(f"{name}.words must be a mapping", node, "Write `word: {en: …, fr: …}` lines beneath it.")
        bad = [word for word in node.items if not TERM.fullmatch(word)]
        if bad:
            fail(f"{name}.words: {bad[0][:60]!r} is no word", node.items[bad[0]], "Write it like_this.")
        words = tuple((word, read_wording(item, f"{name}.words.{word}")) for word, item in node.items.items())
    return Field(
        name=name,
        type=kind,
        label=_title(reader, name, "label"),
        help=read_wording(helping, f"{name}.help") if helping else None,
        words=words,
        source=_source(reader),
        is_personal=read_flag(personal, "personal") if personal else False,
    )


def _ground(name: str, reader: Reader) -> Ground:
    law = reader.take("needs_law")
    return Ground(name, _title(reader, name, "label"), _source(reader), read_flag(law, "needs_law") if law else False)


def _flag(name: str, reader: Reader) -> Flag:
    return Flag(name, _title(reader, name))


def _clock(name: str, reader: Reader) -> ClockSpec:
    extendable, warn, verified = reader.take("extendable"), reader.take("warn"), reader.take("verified")
    calendar = reader.take("calendar")
    verified_node = verified or reader.need("term")
    try:
        return ClockSpec(
            name=name,
            term=_term(reader.need("term"), f"{name}.term"),
            start=Start(read_word(reader.need("start"), f"{name}.start", tuple(Start))),
            calendar=CalendarChoice(read_word(calendar, f"{name}.calendar", tuple(CalendarChoice)))
            if calendar
            else CalendarChoice.ASKED,
            extendable=_term(extendable, f"{name}.extendable") if extendable else None,
            source=_source(reader),
            tag=Tag(read_word(reader.need("tag"), f"{name}.tag", tuple(Tag))),
            is_verified=read_flag(verified, "verified") if verified else False,
            warn=_term(warn, f"{name}.warn") if warn else None,
        )
    except ClockFormError as error:
        fail(error.what, verified_node, error.remedy)


def _term(node: Node, name: str) -> Term:
    text = read_text(node, name)
    try:
        return Term.parse(text)
    except ClockFormError as error:
        fail(f"{name} is {text[:60]!r}", node, f"Write a number and a unit, as 90 calendar_days. ({error.what})")


def _state(name: str, reader: Reader, roles: Sequence[str]) -> State:
    if name in _RESERVED_STATES:
        fail(f"No state can be called {name}", reader.need("title"), "Call it otherwise.")
    turn = reader.take("whose_turn")
    kind = StateKind(read_word(reader.need("kind"), f"{name}.kind", tuple(StateKind)))
    if kind is StateKind.CLOSED and turn is not None:
        fail(f"{name} is closed, and nobody's turn", turn, "Leave whose_turn out.")
    return State(name, _title(reader, name), kind, _names(turn, f"{name}.whose_turn", roles))


def _event(name: str, reader: Reader, known: _Known) -> Event:
    roles, clock = _by(reader, name, known)
    grounds, note = reader.take("grounds"), reader.take("note")
    automatic, consent = reader.take("automatic"), reader.take("needs_all")
    when = reader.take("when")

    def names(key: str, words: Sequence[str]) -> tuple[str, ...]:
        return _names(reader.take(key), f"{name}.{key}", words)

    return Event(
        name=name,
        title=_title(reader, name),
        sources=_sources(reader, name, known),
        to=read_word(reader.need("to"), f"{name}.to", (*known.state_names, SAME)),
        by=roles,
        clock=clock,
        needs=names("needs", known.fields),
        may=names("may", known.fields),
        when=_guard(when, name) if when else None,
        starts=names("starts", known.clocks),
        stops=names("stops", known.clocks),
        pauses=names("pauses", known.clocks),
        resumes=names("resumes", known.clocks),
        extends=names("extends", known.clocks),
        raises=names("raises", known.flags),
        clears=names("clears", known.flags),
        grounds=GroundRule(read_word(grounds, f"{name}.grounds", tuple(GroundRule))) if grounds else GroundRule.NONE,
        of=names("of", known.grounds),
        needs_all=read_flag(consent, f"{name}.needs_all") if consent else False,
        is_automatic=read_flag(automatic, f"{name}.automatic") if automatic else False,
        note=read_wording(note, f"{name}.note") if note else None,
        source=_source(reader),
    )


def _by(reader: Reader, name: str, known: _Known) -> tuple[tuple[str, ...], str]:
    """Who does it: roles, `any` for every role, or `clock NAME`."""
    node = reader.need("by")
    items = read_list(node, f"{name}.by")
    first = read_text(items[0], f"{name}.by")
    if first == ANYBODY and len(items) == 1:
        return known.roles, ""
    word, _, clock = first.partition(" ")
    if word == BY_CLOCK and len(items) == 1 and clock:
        if clock not in known.clocks:
            fail(f"{name}.by: there is no clock {clock!r}", node, f"Known are: {', '.join(known.clocks) or 'none'}.")
        return (), clock
    return _names(node, f"{name}.by", known.roles), ""


def _sources(reader: Reader, name: str, known: _Known) -> tuple[str, ...]:
    """The states in which it may happen: a list, `open` for every state that is not closed, `any` for all."""
    node = reader.need("from")
    items = read_list(node, f"{name}.from")
    first = read_text(items[0], f"{name}.from")
    begun = known.states[1:]
    if len(items) == 1 and first == ANY_OPEN:
        return tuple(state.name for state in begun if state.kind is not StateKind.CLOSED)
    if len(items) == 1 and first == ANY_STATE:
        return tuple(state.name for state in begun)
    return _names(node, f"{name}.from", known.state_names)


def _names(node: Node | None, name: str, words: Sequence[str]) -> tuple[str, ...]:
    """Words of a closed vocabulary in the order written, none twice."""
    if node is None:
        return ()
    found: list[str] = []
    for item in read_list(node, name):
        word = read_word(item, name, words)
        if word in found:
            fail(f"{name} names {word!r} twice", item, "Name it once.")
        found.append(word)
    return tuple(found)


def _guard(node: Node, name: str) -> Guard:
    text = read_text(node, f"{name}.when")
    try:
        return read_guard(text)
    except GuardTroubleError as error:
        fail(f"{name}.when is no condition: {error}", node, "See docs/procedures.md, Guards.")


def _source(reader: Reader) -> str:
    node = reader.take("source")
    return read_text(node, "source") if node else ""
