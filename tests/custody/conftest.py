"""Four nodes for the tests of a module, on each database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings

from tests.custody.cast import CODES, World, world
from tests.migrated import create_database


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def nodes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Running nodes; each test shares messages of its own."""
    folder = tmp_path_factory.mktemp("custody")
    if request.param == "sqlite":
        with world(folder) as made:
            yield made
        return
    if "postgresql" not in settings.DATABASES["default"]["ENGINE"]:
        pytest.skip("this run has no PostgreSQL server: python -m tests.postgresql pytest tests/custody")
    url = os.environ["COMITY_DATABASE_URL"]
    names = {code: f"custody_{uuid4().hex}" for code in CODES}
    with psycopg.connect(url, autocommit=True) as server:
        for name in names.values():
            create_database(server, url, name)
    try:
        base = url.rpartition("/")[0]
        with world(folder, database_urls={code: f"{base}/{name}" for code, name in names.items()}) as made:
            yield made
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            for name in names.values():
                server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(autouse=True)
def _mended(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every line is whole before and after a test."""
    yield
    if "nodes" in request.fixturenames:
        made: World = request.getfixturevalue("nodes")
        made.cut.clear()
        made.settle()
