"""An entry made from what a reader found, or the reason why it cannot be one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from comity.registers.sources.words import unique
from comity.registers.values import BrokenRow, EntryKind, Identifier, ListedName, WatchEntry

MAX_NAME = 500
MAX_NAMES = 400
MAX_REF = 80
MAX_NOTE = 500
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class RowError(ValueError):
    """A row cannot be an entry; its text says why."""


@dataclass(slots=True)
class Draft:
    """What was found of an entry so far. names: with whether each is weak."""

    ref: str
    kind: EntryKind
    line: int
    names: list[tuple[str, bool]] = field(default_factory=list)
    birth_dates: list[str] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)
    identifiers: list[Identifier] = field(default_factory=list)
    program: str = ""
    listed_on: str = ""
    note: str = ""

    def entry(self) -> WatchEntry:
        """The entry. Raises: RowError where it has no reference or no name that can be told from another."""
        ref = clean(self.ref)
        if not ref or len(ref) > MAX_REF:
            raise RowError("it has no reference" if not ref else f"its reference has more than {MAX_REF} characters")
        names = list(_names(self.names))
        if not names:
            raise RowError("it has no name")
        if len(names) > MAX_NAMES:
            raise RowError(f"it has {len(names)} names; at most {MAX_NAMES} are read")
        return WatchEntry(
            ref=ref,
            kind=self.kind,
            names=tuple(names),
            birth_dates=unique(self.birth_dates),
            countries=unique(self.countries),
            identifiers=tuple(dict.fromkeys(each for each in self.identifiers if each.number)),
            program=clean(self.program)[:200],
            listed_on=self.listed_on,
            note=clean(self.note)[:MAX_NOTE],
        )


def clean(text: str) -> str:
    """The text in one line, without control characters."""
    return " ".join(_CONTROL.sub(" ", text).split())


def _names(found: Iterable[tuple[str, bool]]) -> Iterable[ListedName]:
    known: set[str] = set()
    for text, is_weak in found:
        name = clean(text)
        if not name or name in known:
            continue
        if len(name) > MAX_NAME:
            raise RowError(f"a name has more than {MAX_NAME} characters")
        if not any(sign.isalnum() for sign in name):
            raise RowError(f"the name {name[:20]!r} has no letter and no digit")
        known.add(name)
        yield ListedName(name, is_weak)


def gather(drafts: Iterable[Draft | BrokenRow]) -> tuple[tuple[WatchEntry, ...], tuple[BrokenRow, ...]]:
    """The entries that can be made, and the rows that cannot; a second one of a reference is broken."""
    entries: dict[str, WatchEntry] = {}
    broken: list[BrokenRow] = []
    for draft in drafts:
        if isinstance(draft, BrokenRow):
            broken.append(draft)
            continue
        try:
            entry = draft.entry()
            if entry.ref in entries:
                raise RowError("its reference was used before in this file")
        except RowError as error:
            broken.append(BrokenRow(draft.line, clean(draft.ref)[:MAX_REF], str(error)))
        else:
            entries[entry.ref] = entry
    return tuple(entries.values()), tuple(broken)
