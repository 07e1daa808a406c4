"""The database as it was at one moment, taken while others write: SQLite by its own online backup, PostgreSQL by
pg_dump in one snapshot; and putting it back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.db import connection

from comity.node.archive import BackupError

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_LAST = "SELECT size, note FROM ledger_batch ORDER BY first_index DESC LIMIT 1"
_FIRST = "SELECT 0, note FROM ledger_logstate WHERE id = 1"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of the database in a file. log_size, checkpoint: of our log in this very copy."""

    engine: str
    log_size: int
    checkpoint: str


def take_snapshot(target: Path) -> Snapshot:
    """Write the whole database, as it is at this moment, into a new file. Nobody who writes waits for it.

    Raises: BackupError where pg_dump is missing, or the copy is not whole.
    """
    return _dump_postgresql(target) if connection.vendor == POSTGRESQL else _copy_sqlite(target)


def put_back(source: Path, engine: str) -> None:
    """Fill the empty database that the settings name with a snapshot of the same kind.

    Raises: BackupError where it is of the other kind, or not empty.
    """
    if engine != connection.vendor:
        raise BackupError(
            f"The backup holds a database of {engine}; the settings name one of {connection.vendor}",
            remedy="Set COMITY_DATABASE_URL to an empty PostgreSQL database, or leave it unset for SQLite.",
        )
    if engine == POSTGRESQL:
        _load_postgresql(source)
        return
    target = Path(connection.settings_dict["NAME"])
    if target.exists():
        raise BackupError("There is a database already", where=str(target), remedy="Restore into an empty home.")
    connection.close()
    shutil.move(source, target)


def _copy_sqlite(target: Path) -> Snapshot:
    name = connection.settings_dict["NAME"]
    target.touch(mode=0o600)  # before anything is in it
    origin = sqlite3.connect(f"file:{quote(str(name))}?mode=ro", uri=True, timeout=20)
    with closing(origin) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)  # all pages in one step: a reader of the write-ahead log sees one moment
        copy.execute("PRAGMA journal_mode=DELETE")
        problems = [row[0] for row in copy.execute("PRAGMA quick_check(1)") if row[0] != "ok"]
        if problems:
            raise BackupError(f"The database is damaged: {problems[0]}", where=str(name))
        last = copy.execute(_LAST).fetchone() or copy.execute(_FIRST).fetchone()
    return Snapshot(SQLITE, *(last or (0, "")))


def _dump_postgresql(target: Path) -> Snapshot:
    with connection.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            cursor.execute("SELECT pg_export_snapshot()")
            name = cursor.fetchone()[0]
            cursor.execute(_LAST)
            last = cursor.fetchone()
            if last is None:
                cursor.execute(_FIRST)
                last = cursor.fetchone()
            _run("pg_dump", "--format=custom", "--no-owner", f"--snapshot={name}", f"--file={target}")
        finally:
            cursor.execute("ROLLBACK")
    return Snapshot(POSTGRESQL, *(last or (0, "")))


def _load_postgresql(source: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()")
        if cursor.fetchone()[0]:
            raise BackupError(
                "The database is not empty",
                where=str(connection.settings_dict["NAME"]),
                remedy="Make a new one with CREATE DATABASE, and name it in COMITY_DATABASE_URL.",
            )
    _run("pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname", _database(), str(source))


def _database() -> str:
    return str(connection.settings_dict["NAME"])


def _run(program: str, *words: str) -> None:
    """A client of PostgreSQL, told of the database by its environment: no password stands in a list of processes."""
    path = shutil.which(program)
    if path is None:
        raise BackupError(
            f"The program {program} is not installed",
            remedy="Install PostgreSQL's client of the server's version or newer (Debian: postgresql-client).",
        )
    done = subprocess.run([path, *words], env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stderr.strip()[:400]}", remedy="Is it as new as the server?")


def _environment() -> Mapping[str, str]:
    settings = connection.settings_dict
    wanted = {
        "PGDATABASE": settings["NAME"],
        "PGUSER": settings["USER"],
        "PGPASSWORD": settings["PASSWORD"],
        "PGHOST": settings["HOST"] or settings["OPTIONS"].get("host", ""),
        "PGPORT": settings["PORT"] or settings["OPTIONS"].get("port", ""),
        "PGSSLMODE": settings["OPTIONS"].get("sslmode", ""),
    }
    return {**os.environ, **{name: str(value) for name, value in wanted.items() if value}}
