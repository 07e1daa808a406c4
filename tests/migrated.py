"""Migrated databases for nodes in processes of their own: made once in a run and copied, which is quicker by far."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parents[1]
FILE = "comity.sqlite3"
# Parameters of a fixture whose nodes are tried on each database; `databases` takes them.
EACH_DATABASE = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))


def place_database(home: Path) -> None:
    """A migrated SQLite database in the home of a node that has not begun yet."""
    shutil.copy(_template_file(), home / FILE)


def create_database(server: psycopg.Connection, url: str, name: str) -> str:
    """A migrated database on the PostgreSQL server of the run; returns its URL. url: of any database there."""
    server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{_template_database(url)}"')
    return f"{url.rpartition('/')[0]}/{name}"


@contextmanager
def databases(engine: str, *, is_migrated: bool = True) -> Iterator[Callable[[], str]]:
    """What makes a database at each call and returns its URL; empty for SQLite, in the home of its node.

    is_migrated: it holds the tables; else nothing at all. They are dropped at the end. Skips where the run has no
    PostgreSQL server.
    """
    if engine == "sqlite":
        yield str
        return
    if "postgresql" not in settings.DATABASES["default"]["ENGINE"]:
        pytest.skip("this run has no PostgreSQL server: python -m tests.postgresql pytest tests")
    url, made = os.environ["COMITY_DATABASE_URL"], []

    def new_database() -> str:
        made.append(f"node_{uuid4().hex}")
        with psycopg.connect(url, autocommit=True) as server:
            if is_migrated:
                return create_database(server, url, made[-1])
            server.execute(f'CREATE DATABASE "{made[-1]}"')
            return f"{url.rpartition('/')[0]}/{made[-1]}"

    try:
        yield new_database
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            for name in made:
                server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@cache
def _template_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="comity-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(folder, "")
    return folder / FILE


@cache
def _template_database(url: str) -> str:
    """One for each process of the run, so that no two make it at once; it goes with the server."""
    name = f"template_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server, tempfile.TemporaryDirectory() as folder:
        server.execute(f'CREATE DATABASE "{name}"')
        _migrate(Path(folder), f"{url.rpartition('/')[0]}/{name}")
    return name


def _migrate(home: Path, url: str) -> None:
    environment = {
        **os.environ,
        "COMITY_HOME": str(home),
        "COMITY_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
    }
    words = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    subprocess.run(words, cwd=ROOT, env=environment, check=True)
