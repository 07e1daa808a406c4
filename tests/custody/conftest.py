"""Four nodes for the tests of a module, on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.custody.cast import FOUR
from tests.federation import World, running
from tests.migrated import EACH_DATABASE, databases


@pytest.fixture(scope="module", params=EACH_DATABASE)
def nodes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Running nodes; each test shares messages of its own."""
    folder = tmp_path_factory.mktemp("custody")
    with databases(request.param) as new_database, running(FOUR, folder, new_database) as made:
        yield made


@pytest.fixture(autouse=True)
def _mended(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every line is whole before and after a test."""
    yield
    if "nodes" in request.fixturenames:
        made: World = request.getfixturevalue("nodes")
        made.cut.clear()
        made.settle()
