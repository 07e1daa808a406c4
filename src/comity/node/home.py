"""The home of a node: one folder with its settings, keys, database, evidence and watched inbox.

comity.toml           what the node is and where it listens
keys/                 private keys and certificates, readable by the owner only
comity.sqlite3        the database, unless COMITY_DATABASE_URL names another
evidence/             photos and documents by their SHA-256
inbox/                the watched folder: files dropped here are imported
mappings/             column mappings for CSV files, one YAML file each
codes/hs.csv          optional: the administration's own list of HS codes
models/               models of this node, signed, and the histories on which they are asked
tariff.csv            optional: rates by code, for models
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import urlsplit

from comity.common import ComityError
from comity.exchange import LoadLimits

SETTINGS_NAME = "comity.toml"


class HomeError(ComityError):
    """The home folder is missing, incomplete, or its settings cannot be read."""

    code = "bad_home"


@dataclass(frozen=True, slots=True)
class Listener:
    """An address that the node listens on, and the URL by which others reach it."""

    host: str
    port: int
    url: str

    @property
    def public_host(self) -> str:
        """The host in the URL as a browser names it: in small letters, an IPv6 address in brackets."""
        host = urlsplit(self.url).hostname or ""
        return f"[{host}]" if ":" in host else host

    @property
    def origin(self) -> str:
        """The URL without its path, as a browser tells it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.lower()}"


@dataclass(frozen=True, slots=True)
class HomeSettings:
    """What comity.toml says. load: what each partner is asked not to exceed."""

    administration: str
    name: str
    console: Listener
    partners: Listener
    time_zone: str = "UTC"
    load: LoadLimits = field(default_factory=LoadLimits)


@dataclass(frozen=True, slots=True)
class Home:
    """Where each thing of a node lies."""

    root: Path

    @property
    def settings_path(self) -> Path:
        """The settings file."""
        return self.root / SETTINGS_NAME

    @property
    def keys(self) -> Path:
        """Private keys and certificates."""
        return self.root / "keys"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "comity.sqlite3"

    @property
    def evidence(self) -> Path:
        """Photos and documents by their SHA-256."""
        return self.root / "evidence"

    @property
    def inbox(self) -> Path:
        """The watched folder."""
        return self.root / "inbox"

    @property
    def mappings(self) -> Path:
        """Column mappings for CSV files."""
        return self.root / "mappings"

    @property
    def is_initialised(self) -> bool:
        """Whether `comity init` has been here."""
        return self.settings_path.is_file()

    def read_settings(self) -> HomeSettings:
        """The parsed settings file.

        Raises: HomeError where it is missing or wrong.
        """
        try:
            with self.settings_path.open("rb") as source:
                table = tomllib.load(source)
        except FileNotFoundError as error:
            raise HomeError(
                "No node lives here",
                where=str(self.root),
                remedy="Run `comity init --administration XX` first, or set COMITY_HOME to the node's folder.",
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise HomeError("The settings file cannot be read", where=f"{self.settings_path}: {error}") from error
        return _settings_of(table, self.settings_path)


def current_home(environment: Mapping[str, str] = os.environ) -> Home:
    """The home that COMITY_HOME names, else the present folder."""
    return Home(Path(environment.get("COMITY_HOME") or Path.cwd()).resolve())


def _settings_of(table: Mapping[str, object], path: Path) -> HomeSettings:
    try:
        return HomeSettings(
            administration=str(table["administration"]),
            name=str(table["name"]),
            console=_listener_of(table["console"]),
            partners=_listener_of(table["partners"]),
            time_zone=str(table.get("time_zone", "UTC")),
            load=_load_of(table["partners"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise HomeError(
            f"The settings file lacks or misspells {error}",
            where=str(path),
            remedy="Compare it with docs/guide/settings.md.",
        ) from error


def _load_of(table: object) -> LoadLimits:
    if not isinstance(table, dict):
        raise TypeError("a [partners] table")
    limits = {each.name: table[each.name] for each in fields(LoadLimits) if each.name in table}
    for name, value in limits.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name}: {value!r} is no whole number from 1 on")
    return LoadLimits(**limits)


def _listener_of(table: object) -> Listener:
    if not isinstance(table, dict):
        raise TypeError("a [console] or [partners] table")
    listener = Listener(host=str(table["host"]), port=int(table["port"]), url=str(table["url"]))
    if urlsplit(listener.url).scheme not in {"http", "https"} or not listener.public_host:
        raise ValueError(f"url: {listener.url[:80]!r} is no http:// or https:// address")
    return listener
