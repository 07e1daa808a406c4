"""The clock of an exercise: a file moves it, and what is wrong with the file never stops the node."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from comity.common import clock as clock_module
from comity.common import clock_file, utc_now

SLACK = timedelta(minutes=5)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "clock"
    monkeypatch.setenv("COMITY_CLOCK_FILE", str(path))
    monkeypatch.setattr(clock_module, "_exercise", clock_module._ExerciseClock())
    return path


def replace(path: Path, text: str) -> None:
    other = path.with_suffix(".new")
    other.write_text(text)
    other.replace(path)


def is_about(moment: datetime, offset: timedelta) -> bool:
    return abs(moment - datetime.now(UTC) - offset) < SLACK


def test_without_the_variable_it_is_the_system_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMITY_CLOCK_FILE", raising=False)
    assert is_about(utc_now(), timedelta())
    assert clock_file() == ""


def test_the_file_moves_the_clock_and_is_read_again_when_it_changes(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    replace(file, "2592000\n")
    with caplog.at_level(logging.WARNING):
        assert is_about(utc_now(), timedelta(days=30))
        assert is_about(utc_now(), timedelta(days=30))
    assert len(caplog.records) == 1, "it warns at each change and not at each look"
    assert "30 days" in caplog.text
    replace(file, "-10800")
    assert is_about(utc_now(), -timedelta(hours=3))
    assert utc_now().tzinfo is UTC
    assert clock_file() == str(file)


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "1e300", "9999999999", "\xe9"])
def test_what_cannot_be_read_leaves_the_clock_where_it_was(
    file: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    replace(file, "86400")
    assert is_about(utc_now(), timedelta(days=1))
    replace(file, text)
    caplog.clear()
    assert is_about(utc_now(), timedelta(days=1))
    assert is_about(utc_now(), timedelta(days=1))
    assert [record.levelname for record in caplog.records] == ["ERROR"], "said once"


def test_a_file_that_is_not_there_moves_nothing_until_it_comes(file: Path) -> None:
    assert is_about(utc_now(), timedelta())
    replace(file, "60000")
    assert is_about(utc_now(), timedelta(seconds=60000))
    file.unlink()
    assert is_about(utc_now(), timedelta(seconds=60000))
