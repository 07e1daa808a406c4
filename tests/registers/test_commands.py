"""Registers at the terminal: a list loaded, shown, asked, and its hits decided."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from django.conf import LazySettings

from comity.cli.registers import registers
from tests.registers.lists import FTM, UN

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(settings: LazySettings, tmp_path: Path):
    settings.COMITY_ADMINISTRATION = "XA"
    settings.COMITY_HOME = tmp_path

    def command(*words: object):
        return CliRunner().invoke(registers, [str(word) for word in words])

    return command


def test_load_show_screen(run, tmp_path: Path):
    (tmp_path / "un.xml").write_bytes(UN)
    loaded = run("load", "un", tmp_path / "un.xml", "--format", "un", "--publisher", "United Nations")
    assert "un of 2026-02-27: 2 entries in force, 0 rows left out" in loaded.output
    assert "United Nations" in run("list").output
    assert "VELMORA" in run("show", "un", "--find", "velmora").output
    screened = run("screen", "Orban Tavrsh Kelimdar", "--country", "IR")
    assert "ORBAN TAVROSH KELIMDAR" in screened.output
    assert "country agrees +0.050" in screened.output
    assert "0 wait for a decision" in run("hits").output
    assert "out of force" in run("withdraw", "un", "--reason", "A test").output


def test_a_broken_file_is_told_row_by_row(run, tmp_path: Path):
    (tmp_path / "x.jsonl").write_bytes(FTM + b"\n{")
    refused = run("load", "made", tmp_path / "x.jsonl", "--format", "ftm", "--publisher", "P")
    assert "broken: line 4" in refused.output
    assert refused.exception is not None
    assert run("list").output.count("\n") == 1
