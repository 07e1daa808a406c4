"""The watched folder: settled files are imported and put aside, unfinished wait, refused keep their reason."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from comity.intake import selectors as intake
from comity.journeys.watch import import_inbox
from comity.trade.formats.wco_xml import write_wco_xml
from comity.training import Day

pytestmark = pytest.mark.django_db


def _drop(folder: Path, name: str, data: bytes, at: datetime) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def test_a_settled_file_is_imported_and_put_aside(tmp_path: Path, day: Day, at: datetime) -> None:
    data = write_wco_xml(day.exports[0])
    path = _drop(tmp_path, "export.xml", data, at - timedelta(seconds=5))
    assert import_inbox(tmp_path, at=at) == 1
    assert not path.exists()
    assert [each.read_bytes() for each in (tmp_path / "done").iterdir()] == [data]
    assert intake.counts().records == 1
    assert import_inbox(tmp_path, at=at) == 0


@pytest.mark.parametrize(("name", "seconds"), [("a.xml", 0), ("a.xml.part", 60), (".a.xml", 60)])
def test_an_unfinished_file_waits(tmp_path: Path, day: Day, at: datetime, name: str, seconds: int) -> None:
    path = _drop(tmp_path, name, write_wco_xml(day.exports[0]), at - timedelta(seconds=seconds))
    assert import_inbox(tmp_path, at=at) == 0
    assert path.exists()


def test_what_cannot_be_taken_in_is_kept_beside_its_reason(tmp_path: Path, at: datetime) -> None:
    _drop(tmp_path, "unknown-mapping/table.csv", b"a,b\r\n1,2\r\n", at - timedelta(seconds=5))
    assert import_inbox(tmp_path, at=at) == 0
    kept = sorted((tmp_path / "refused").iterdir())
    assert kept[0].read_bytes() == b"a,b\r\n1,2\r\n"
    assert "mapping" in kept[1].read_text()


def test_without_a_folder_there_is_nothing_to_do(tmp_path: Path, at: datetime) -> None:
    assert import_inbox(tmp_path / "missing", at=at) == 0
