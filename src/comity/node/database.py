"""COMITY_DATABASE_URL as Django wants it. SQLite in the home folder where it is not set."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from comity.common import ComityError


class DatabaseURLError(ComityError):
    """COMITY_DATABASE_URL cannot be understood."""

    code = "bad_database_url"


# WAL and synchronous=FULL: a commit is on disk before anyone is told so. IMMEDIATE: a writer waits for its turn
# at the start of a transaction, not in the middle, where SQLite could only fail.
_SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
}


def database_settings(url: str, *, default: Path) -> dict[str, object]:
    """The DATABASES entry for a URL such as postgresql://user:word@host:5432/name or sqlite:///path.

    Raises: DatabaseURLError for another scheme or a URL without a database name.
    """
    if not url:
        return _sqlite(default)
    parts = urlsplit(url)
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme == "sqlite" and name:
        return _sqlite(Path("/" + name.removeprefix("/")))
    if parts.scheme not in {"postgresql", "postgres"} or not name:
        raise DatabaseURLError(
            "COMITY_DATABASE_URL is not understood",
            where=f"{parts.scheme}://…",
            remedy="Write postgresql://user:password@host:5432/name, or sqlite:///path/to/file.",
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }


def _sqlite(path: Path) -> dict[str, object]:
    return {
        "ENGINE": "comity.node.sqlite",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": dict(_SQLITE_OPTIONS),
    }
