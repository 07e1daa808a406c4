"""Evidence folders of both ends, partners, and a clock that tests move."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.exchange.evidence import Folder
from tests.exchange.cast import introduce
from tests.exchange.evidence.cast import Clockwork, adopt_files


@pytest.fixture(autouse=True)
def _bound(db: None) -> None:
    introduce("XA", "XB", "XC")
    adopt_files()


@pytest.fixture
def ours(tmp_path: Path) -> Folder:
    """XA's evidence folder."""
    return Folder(tmp_path / "xa")


@pytest.fixture
def theirs(tmp_path: Path) -> Folder:
    """XC's evidence folder."""
    return Folder(tmp_path / "xc")


@pytest.fixture
def clock() -> Clockwork:
    """The time, until a test moves it."""
    return Clockwork()
