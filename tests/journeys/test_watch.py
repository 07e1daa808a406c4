"""The watched folder: settled files are imported and put aside, unfinished wait, refused keep their reason."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from comity.intake import selectors as intake
from comity.journeys.watch import Inbox, UnreadableFileError, _read
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
    assert Inbox(tmp_path).turn(at) == 1
    assert not path.exists()
    assert [each.read_bytes() for each in (tmp_path / "done").iterdir()] == [data]
    assert intake.counts().records == 1
    assert Inbox(tmp_path).turn(at) == 0


@pytest.mark.parametrize(("name", "seconds"), [("a.xml", 0), ("a.xml.part", 60), (".a.xml", 60)])
def test_an_unfinished_file_waits(tmp_path: Path, day: Day, at: datetime, name: str, seconds: int) -> None:
    path = _drop(tmp_path, name, write_wco_xml(day.exports[0]), at - timedelta(seconds=seconds))
    assert Inbox(tmp_path).turn(at) == 0
    assert path.exists()


def test_what_cannot_be_taken_in_is_kept_beside_its_reason(tmp_path: Path, at: datetime) -> None:
    _drop(tmp_path, "unknown-mapping/table.csv", b"a,b\r\n1,2\r\n", at - timedelta(seconds=5))
    assert Inbox(tmp_path).turn(at) == 0
    kept = sorted((tmp_path / "refused").iterdir())
    assert kept[0].read_bytes() == b"a,b\r\n1,2\r\n"
    assert "mapping" in kept[1].read_text()


def test_without_a_folder_there_is_nothing_to_do(tmp_path: Path, at: datetime) -> None:
    assert Inbox(tmp_path / "missing").turn(at) == 0


def test_what_cannot_be_read_is_put_aside_and_stops_nobody(tmp_path: Path, day: Day, at: datetime) -> None:
    long_ago = at - timedelta(hours=1)
    large = _drop(tmp_path, "a-large.xml", b"", long_ago)
    os.truncate(large, settings.COMITY_MAX_UPLOAD_BYTES + 1)
    os.utime(large, (long_ago.timestamp(),) * 2)
    (tmp_path / "link.xml").symlink_to("/etc/passwd")
    _drop(tmp_path, os.fsdecode(b"b-\xff.xml"), b"<no", long_ago)
    _drop(tmp_path, "c" * 251 + ".xml", b"<no", long_ago)
    _drop(tmp_path, "good.xml", write_wco_xml(day.exports[0]), at - timedelta(seconds=5))
    assert Inbox(tmp_path).turn(at) == 1
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["link.xml"]
    reasons = [path for path in (tmp_path / "refused").iterdir() if path.name.endswith(".reasons.txt")]
    assert len(reasons) == 3


def test_a_file_that_the_node_may_not_read_says_so(
    tmp_path: Path, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """root may read everything, so the refusal is the kernel's word in its place."""

    def refuse(*_arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    path = _drop(tmp_path, "a.xml", b"<x/>", at - timedelta(seconds=5))
    with monkeypatch.context() as patch:
        patch.setattr("comity.journeys.watch.os.open", refuse)
        assert Inbox(tmp_path).turn(at) == 0
    assert not path.exists()
    (reason,) = (tmp_path / "refused").glob("*.reasons.txt")
    assert "Permission denied" in reason.read_text()


def test_a_file_that_cannot_be_put_aside_is_left_alone_until_it_changes(
    tmp_path: Path, day: Day, at: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "done").write_text("a file where a folder must be")
    os.utime(tmp_path / "done", (at.timestamp() + 60,) * 2)
    _drop(tmp_path, "a.xml", write_wco_xml(day.exports[0]), at - timedelta(seconds=9))
    inbox = Inbox(tmp_path)
    assert [inbox.turn(at) for _ in range(3)] == [0, 0, 0]
    assert caplog.text.count("left alone until it changes") == 1
    assert intake.counts().records == 1
    (tmp_path / "done").unlink()
    os.utime(tmp_path / "a.xml", (at.timestamp() - 5,) * 2)
    assert inbox.turn(at) == 1


def test_a_link_put_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a key")
    (tmp_path / "a.xml").symlink_to(tmp_path / "secret")
    with pytest.raises(UnreadableFileError):
        _read(tmp_path / "a.xml")


def test_a_pipe_holds_nobody_up(tmp_path: Path, at: datetime) -> None:
    os.mkfifo(tmp_path / "a.xml")
    assert Inbox(tmp_path).turn(at) == 0
    with pytest.raises(UnreadableFileError):
        _read(tmp_path / "a.xml")
