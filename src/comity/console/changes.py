"""What changes between two versions, where agreements collide and what they leave out: exact, in words for people."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from comity.agreements import KINDS, Agreement, Period, Wording
from comity.agreements.texts import (
    Conflict,
    Difference,
    Gap,
    Property,
    Shadow,
    TooIntricateError,
    Turn,
    conflicts,
    difference,
    gaps,
    say_change,
    say_conflict,
    say_gap,
    say_shadow,
    shadowed,
)
from comity.agreements.vocabulary import fields_of_kinds
from comity.console.bodies import readable_paths
from comity.console.templatetags.comity import day
from comity.console.words import word
from comity.trade import Handling

PROPERTIES: Mapping[str, str | Promise] = {
    "title": _("Title"),
    "text": _("Text"),
    "version": _("Version"),
    "parties": _("Parties"),
    "languages": _("Languages"),
    "in_force": _("Days in force"),
    "definitions": _("Definitions"),
    "witnesses": _("Witnesses of the logs"),
    "seal": _("Seal"),
    "second_signature": _("Second signature"),
    "supersedes": _("Takes the place of"),
    "depositary": _("Depositary"),
    "reservations": _("Reservations"),
    "procedures": _("Procedures"),
    "obligations": _("Obligations"),
    "calendars": _("Working days"),
    "effect": _("Permits or prohibits"),
    "senders": _("Who sends"),
    "receivers": _("Who receives"),
    "kinds": _("What"),
    "purposes": _("Purposes"),
    "handling_at_most": _("Handling at most"),
    "handling_at_least": _("Handling at least"),
    "goods": _("Goods (HS)"),
    "origins": _("Origin"),
    "categories": _("Categories"),
    "risk_types": _("Irregularities"),
    "size_at_most": _("Largest file"),
    "valid": _("Days of the article"),
    "fields": _("Fields"),
    "onward": _("Onward"),
    "retention_days": _("Days it is kept"),
    "use_limits": _("Duties of the receiver"),
    "source": _("Source"),
    "tag": _("Confidence"),
    "is_verified": _("Compared with the source"),
}
TURNS: Mapping[Turn, str | Promise] = {
    Turn.OPENED: _("Permitted now, was not before"),
    Turn.CLOSED: _("No longer permitted"),
    Turn.FIELDS: _("Still permitted, with other fields"),
    Turn.TERMS: _("Still permitted, under another rule for the receiver"),
}
_SHORT = 240
# Names of fields that are no words of any language, so that they stand for nothing else in a sentence.
_NAMED = re.compile(r"(?<![\w.])[a-z]\w*(?:(?:\.|\[)[\w.\]]+|_\w+)(?<![.])")


@dataclass(frozen=True, slots=True)
class Row:
    """A property that changed. article: empty for the agreement itself."""

    article: str
    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What changes from one version to another. answers: under each heading the sets of requests, in words.

    is_exact: False where the sets would be too many to write down.
    """

    old: Agreement
    new: Agreement
    widens: bool = False
    narrows: bool = False
    answers: tuple[tuple[str, tuple[str, ...]], ...] = ()
    rows: tuple[Row, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    is_exact: bool = True

    @property
    def is_same(self) -> bool:
        """Whether both say the same, word for word."""
        return self.old.id == self.new.id

    @property
    def verdict(self) -> str:
        """In one sentence what the change amounts to."""
        if self.is_same:
            return gettext("Both are the same, word for word.")
        if not self.is_exact:
            return gettext("The articles overlap in too many ways to write down every change; the articles are below.")
        if self.widens and self.narrows:
            return gettext("It widens in some places and narrows in others.")
        if self.widens:
            return gettext("It widens: something may be shared, seen, kept or handed on that could not be before.")
        if self.narrows:
            return gettext("It narrows: nothing may be shared, seen, kept or handed on that could not be before.")
        return gettext("Every request is answered as before; only the words differ.")

    @property
    def tag(self) -> tuple[str, str]:
        """The verdict as a colour and a word."""
        if self.is_same or not self.is_exact:
            return "grey", gettext("the same") if self.is_same else gettext("not told exactly")
        if self.widens:
            return "amber", gettext("widens and narrows") if self.narrows else gettext("widens")
        return ("blue", gettext("narrows")) if self.narrows else ("grey", gettext("words alone"))


@dataclass(frozen=True, slots=True)
class LookedOver:
    """What a text leaves out, what in it never answers, and where it collides with others in force."""

    gaps: tuple[str, ...]
    shadows: tuple[str, ...]
    conflicts: tuple[tuple[Agreement, str], ...]
    is_exact: bool = True


def spoken() -> str:
    """The language of the page, as the tools on texts take it."""
    return (get_language() or "en").split("-")[0]


def compared(old: Agreement, new: Agreement) -> Compared:
    """What changes from the old to the new, in the language of the page."""
    language = spoken()
    try:
        found = _difference(old, new)
    except TooIntricateError:
        rows = tuple(_articles_alone(old, new))
        return Compared(old, new, rows=rows, is_exact=False)
    turns: dict[Turn, list[str]] = {}
    for change in found.changes:
        turns.setdefault(change.turn, []).extend(_without_turn(line) for line in say_change(found, change, language))
    return Compared(
        old=old,
        new=new,
        widens=found.widens,
        narrows=any(each.turn is Turn.CLOSED or each.lost or each.stricter for each in found.changes),
        answers=tuple((str(TURNS[turn]), tuple(turns[turn])) for turn in Turn if turn in turns),
        rows=tuple(_row(each, language) for each in found.properties),
        added=found.added,
        removed=found.removed,
    )


def looked_over(agreement: Agreement, others: Iterable[Agreement]) -> LookedOver:
    """What a text leaves out, what never answers, and where it collides with the others."""
    language = spoken()
    try:
        missing, hidden = _lacking(agreement)
        collisions = [each for other in others for each in _conflicts(agreement, other)]
    except TooIntricateError:
        return LookedOver((), (), (), is_exact=False)
    return LookedOver(
        gaps=tuple(_readable(say_gap(each, language)) for each in missing),
        shadows=tuple(say_shadow(each, language) for each in hidden),
        conflicts=tuple((_other(each, agreement), _readable(say_conflict(each, language))) for each in collisions),
    )


@lru_cache(maxsize=64)
def _difference(old: Agreement, new: Agreement) -> Difference:
    return difference(old, new)


@lru_cache(maxsize=64)
def _lacking(agreement: Agreement) -> tuple[tuple[Gap, ...], tuple[Shadow, ...]]:
    return gaps(agreement), shadowed(agreement)


@lru_cache(maxsize=256)
def _conflicts(one: Agreement, other: Agreement) -> tuple[Conflict, ...]:
    return conflicts((one, other))


def _other(conflict: Conflict, agreement: Agreement) -> Agreement:
    return conflict.other.agreement if conflict.one.agreement.id == agreement.id else conflict.one.agreement


def _without_turn(line: str) -> str:
    """The line without the word that its heading says already."""
    said = _readable(line.partition(": ")[2].strip() or line)
    return said[:1].upper() + said[1:]


def _readable(sentence: str) -> str:
    """The names of fields as people read them."""
    known = fields_of_kinds(KINDS)
    return _NAMED.sub(lambda found: readable_paths([found[0]])[0] if found[0] in known else found[0], sentence)


def _articles_alone(old: Agreement, new: Agreement) -> Iterator[Row]:
    before, after = ({each.id: _text(each.text, spoken()) for each in agreement.articles} for agreement in (old, new))
    for article_id in sorted(before.keys() | after.keys()):
        if old.article(article_id) != new.article(article_id):
            name = str(PROPERTIES["text"])
            yield Row(article_id, name, before.get(article_id, "–"), after.get(article_id, "–"))


def _row(changed: Property, language: str) -> Row:
    """Both values; of lists what is in one alone."""
    old, new = changed.old, changed.new
    if isinstance(old, tuple) and isinstance(new, tuple):
        before, after = set(map(repr, old)), set(map(repr, new))
        old, new = (
            tuple(each for each in old if repr(each) not in after),
            tuple(each for each in new if repr(each) not in before),
        )
    name = str(PROPERTIES.get(changed.name, word(changed.name)))
    return Row(changed.article_id, name, _text(old, language) or "–", _text(new, language) or "–")


def _text(value: object, language: str) -> str:
    match value:
        case None:
            return ""
        case Wording():
            words = value.in_(language)
            return words if len(words) <= _SHORT else f"{words[: _SHORT - 1]}…"
        case bool():
            return gettext("yes") if value else gettext("no")
        case Handling():
            return str(word(value.word))
        case Period():
            return f"{day(value.first)} – {day(value.last)}" if value != Period() else ""
        case Enum():
            return str(word(str(value.value)))
        case date():
            return day(value)
        case list() | tuple():
            return ", ".join(text for each in value if (text := _text(each, language)))
        case str():
            return str(word(value)) if len(value) < 64 else f"{value[:12]}…" if value.isalnum() else value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return " ".join(_parts(value, language))
    return str(value)


def _parts(value: object, language: str) -> Iterator[str]:
    fields: Mapping[str, object] = getattr(value, "__dataclass_fields__", {})
    return (text for name in fields if (text := _text(getattr(value, name), language)))
