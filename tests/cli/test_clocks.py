"""`comity clocks`, `comity obligations`, `comity reciprocity` as they are typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pytest_django import Settings

from comity.cli import clocks
from comity.insight.services import remind_due
from comity.node.main import comity
from tests.exchange.cast import introduce
from tests.insight.cast import answer, ask, bind, day

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "clocks.md"


def say(*words: str) -> Result:
    """What the command answers."""
    return CliRunner().invoke(comity, list(words), catch_exceptions=False)


@pytest.fixture
def bound(db: None, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A request of XA to XB that was answered, and one that is overdue; its id. It is the 20th of April."""
    settings.COMITY_HOME = str(tmp_path)
    monkeypatch.setattr(clocks, "now", lambda: day("2026-04-20"))
    introduce("XB", "XC")
    bind()
    answer(ask("2026-03-02"), "2026-03-06")
    return ask("2026-03-03")


def test_the_clocks_that_ship_are_listed() -> None:
    """In both languages, with source and tag."""
    assert "tfa12.answer" in say("clocks", "list").output
    assert "10 jours ouvrables" in say("clocks", "list", "--language", "fr").output


def test_the_guide_shows_what_the_command_says() -> None:
    """Word for word, but for the digest."""
    said = say("clocks", "count", "10 working_days", "--from", "2026-12-17", "--asked", "FR").output.splitlines()
    assert "\n".join(said[:-1]) in GUIDE.read_text()
    assert len(said[-1]) == 64


def test_a_clock_that_ships_is_counted_with_both_calendars() -> None:
    """By its name, from an instant; an unknown one is refused by name."""
    said = say(
        "clocks", "count", "trips55.proceedings", "--from", "2026-02-01T09:00:00Z", "--asked", "FR", "--asker", "SA"
    )
    assert "A day counts where FR and SA both work." in said.output
    unknown = say("clocks", "count", "tfa12.anser", "--from", "2026-02-01")
    assert unknown.exit_code != 0
    assert "There is no clock 'tfa12.anser'" in unknown.output


def test_what_is_owed_is_listed(bound: str) -> None:
    """Open, or with what was done; counted at the end."""
    said = say("obligations").output
    assert bound in said
    assert said.endswith("1 overdue\n")
    assert "contact_points" in said
    assert say("obligations", "--all").output.endswith("1 overdue, 1 met\n")
    assert say("obligations", "--partner", "XC").output.endswith("Nothing.\n")


def test_reminders_are_shown_and_seen(bound: str) -> None:
    """Until somebody took note."""
    remind_due(day("2026-04-20"))
    said = say("obligations", "reminders").output
    assert bound in said
    number = said.splitlines()[1].split()[0]
    assert "took note of what XB owes XA: answer" in say("obligations", "seen", number).output
    assert bound not in say("obligations", "reminders").output
    assert "terminal:" in say("obligations", "reminders", "--all").output


def test_reciprocity_is_printed_and_written(bound: str, tmp_path: Path) -> None:
    """A table on the screen, a page in the file."""
    out = tmp_path / "reciprocity.html"
    said = say("reciprocity", "--partner", "XB", "--out", str(out)).output
    assert "Requests made" in said
    assert out.read_text().startswith("<!doctype html>")
    french = say("reciprocity", "--partner", "XB", "--language", "fr", "--since", "2026-03-03T00:00:00Z").output
    assert "Demandes présentées" in french
