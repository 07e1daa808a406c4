"""Databases for child nodes: files for SQLite, databases of the run's server for PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.migrated import EACH_DATABASE, databases


@pytest.fixture(params=EACH_DATABASE)
def database_url(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes a new migrated database at each call and returns its URL; empty for SQLite in the child's home."""
    with databases(request.param) as new_database:
        yield new_database
