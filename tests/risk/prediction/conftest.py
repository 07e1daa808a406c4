"""A small made world, read once, and its outcomes changed at will."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.risk.prediction.test_libraries import missing_library

if missing_library():
    collect_ignore_glob = ["test_[!l]*.py"]
else:
    import numpy

    from comity.risk.prediction.worlds import World, read_world
    from tests.risk.prediction.maker import make_columns, write_world


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the benchmark's form."""
    return write_world(tmp_path_factory.mktemp("world"), *make_columns())


@pytest.fixture(scope="session")
def made(folder: Path) -> World:
    """The same, read with partners' exports."""
    return read_world(folder, with_exports=True)


def with_changed_outcomes(world: World, week: int) -> World:
    """The world where from `week` on illicit is regular, regular illicit, and all else about outcomes is other."""
    late = world.week >= week
    told = world.outcomes
    return replace(
        world,
        outcomes=replace(
            told,
            illicit=numpy.where(late, 1.0 - told.illicit, told.illicit),
            revenue=numpy.where(late, 999.0 - told.revenue, told.revenue),
            critical=numpy.where(late, 2.0 - told.critical, told.critical),
            finding=numpy.where(late, 5 - told.finding, told.finding),
        ),
    )
