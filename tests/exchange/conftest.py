"""Databases for child nodes: files for SQLite, databases of the run's server for PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings

from tests.migrated import create_database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes a new empty database at each call and returns its URL; empty for SQLite in the child's home."""
    if request.param == "sqlite":
        yield lambda: ""
        return
    if "postgresql" not in settings.DATABASES["default"]["ENGINE"]:
        pytest.skip("this run has no PostgreSQL server: python -m tests.postgresql pytest tests/exchange")
    url, made = os.environ["COMITY_DATABASE_URL"], []

    def make() -> str:
        made.append(f"child_{uuid4().hex}")
        with psycopg.connect(url, autocommit=True) as server:
            return create_database(server, url, made[-1])

    yield make
    with psycopg.connect(url, autocommit=True) as server:
        for name in made:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
