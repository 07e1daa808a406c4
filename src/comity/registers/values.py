"""What registers hold: entries of watch lists and of registers, versions of them, rows that could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class EntryKind(StrEnum):
    """What an entry of a watch list is about. OTHER: an organisation's plane, an account, a thing of no other kind."""

    PERSON = "person"
    COMPANY = "company"
    VESSEL = "vessel"
    CONTAINER = "container"
    OTHER = "other"


class RegisterKind(StrEnum):
    """What a register is for."""

    WATCH_LIST = "watch_list"
    TRADERS = "traders"
    CONTROLS = "controls"
    RIGHTS = "rights"
    SPECIES = "species"
    ROUTES = "routes"


class ListFormat(StrEnum):
    """The forms of files that are read."""

    UN = "un"
    OFAC = "ofac"
    EU = "eu"
    FTM = "ftm"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class ListedName:
    """One of an entry's names. is_weak: its publisher says that it tells little by itself."""

    text: str
    is_weak: bool = False


@dataclass(frozen=True, slots=True)
class Identifier:
    """A number that an entry is known by. type: imo, passport, registration and so on; country: ISO 3166, or empty."""

    type: str
    number: str
    country: str = ""


@dataclass(frozen=True, slots=True)
class WatchEntry:
    """An entry of a watch list. birth_dates: such as 1971, 1971-05 or 1971-05-28; the first name is the main one."""

    ref: str
    kind: EntryKind
    names: tuple[ListedName, ...]
    birth_dates: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    program: str = ""
    listed_on: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """The main name."""
        return self.names[0].text


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that was left out. line: from 1, 0 where it has none."""

    line: int
    ref: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}{f', {self.ref}' if self.ref else ''}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says. ignored: rows that are about something else, such as addresses. dated: by the file itself."""

    entries: tuple[WatchEntry, ...]
    broken: tuple[BrokenRow, ...] = ()
    ignored: int = 0
    dated: date | None = None


@dataclass(frozen=True, slots=True)
class ListSource:
    """Files to load as one version of a list. files: name and bytes of each; published_on: none to ask the file."""

    code: str
    format: ListFormat
    publisher: str
    files: tuple[tuple[str, bytes], ...]
    published_on: date | None = None
    kind: RegisterKind = RegisterKind.WATCH_LIST


@dataclass(frozen=True, slots=True)
class RegisterVersion:
    """One dated version of a list or register. broken: the rows that were left out, the first of them at least."""

    version_id: int
    code: str
    kind: RegisterKind
    format: ListFormat
    publisher: str
    published_on: date
    sha256: str
    entries: int
    ignored: int
    broken_count: int
    loaded_by: str
    loaded_at: datetime
    is_current: bool
    broken: tuple[str, ...] = field(default=())

    @property
    def label(self) -> str:
        """The list and its date in short."""
        return f"{self.code} of {self.published_on}"
