"""Load limits in comity.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.exchange import LoadLimits
from comity.node.home import Home, HomeError
from tests.node.test_home import SETTINGS


def settings_with(folder: Path, *lines: str) -> Home:
    text = SETTINGS.replace("[partners]", "\n".join(("[partners]", *lines)))
    (folder / "comity.toml").write_text(text)
    return Home(folder)


def test_without_a_word_there_is_no_limit(tmp_path: Path) -> None:
    assert settings_with(tmp_path).read_settings().load == LoadLimits()


def test_limits_are_read(tmp_path: Path) -> None:
    home = settings_with(tmp_path, "messages_per_minute = 600", "messages_per_envelope = 32", "envelopes_in_flight = 4")
    assert home.read_settings().load == LoadLimits(600, 32, 4)


@pytest.mark.parametrize("value", ["0", "-1", '"many"', "true", "1.5"])
def test_what_is_no_limit_is_named(tmp_path: Path, value: str) -> None:
    with pytest.raises(HomeError, match="messages_per_minute"):
        settings_with(tmp_path, f"messages_per_minute = {value}").read_settings()
