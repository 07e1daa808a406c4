"""`comity import`: names each refusal, ends with the counts, fails only where something was lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pytest_django import Settings

from comity.cli.intake import import_command
from comity.common import ComityError
from comity.intake import selectors
from tests.intake.files import MAPPING
from tests.trade.documents import declaration, item

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: Settings) -> Path:
    """A folder of files, of a node without mappings."""
    settings.COMITY_HOME = tmp_path / "home"
    folder = tmp_path / "files"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.xml").write_text(declaration())
    (folder / "b.xml").write_text(declaration(lrn="L2", items=item(hs="7701")))
    (folder / "c.xml").write_text(declaration(lrn="L3", items=item(mass="-1")))
    (folder / ".hidden.xml").write_text("<a>")
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(import_command, [str(word) for word in words])


def test_a_folder_is_taken_in(files: Path) -> None:
    result = run(files, "--source", "customs of Alfa")
    *lines, last = result.output.splitlines()
    assert last == "2 imported, 1 warned, 1 refused"
    assert len(lines) == 1
    assert lines[0].startswith("refused: c.xml:")
    assert lines[0].endswith("[items[1].gross_mass_kg] The mass -1 is negative")
    assert result.exit_code == 0
    assert {arrival.name for arrival in selectors.arrivals()} == {"deep/a.xml", "b.xml", "c.xml"}
    assert selectors.arrivals()[0].source == "customs of Alfa"


def test_what_is_known_is_said(files: Path) -> None:
    run(files / "b.xml")
    assert run(files / "b.xml").output.splitlines() == ["1 were known already", "0 imported, 0 warned, 0 refused"]


def test_a_mapping_is_a_file(files: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "m.yaml"
    mapping.write_text(MAPPING)
    (files / "d.csv").write_text("ref,who,hs,mass\nA,X,8518,1\n")
    assert run(files / "d.csv", "--mapping", mapping).output == "1 imported, 0 warned, 0 refused\n"
    mapping.write_bytes(b"\xff")
    assert isinstance(run(files / "d.csv", "--mapping", mapping).exception, ComityError)


def test_a_mapping_that_is_not_there_refuses_and_keeps(files: Path) -> None:
    (files / "d.csv").write_text("ref,who,hs,mass\nA,X,8518,1\n")
    result = run(files / "d.csv", "--mapping", "unknown")
    assert result.output.splitlines()[-1] == "0 imported, 0 warned, 1 refused"
    assert "There is no such column mapping" in result.output
    assert result.exit_code == 0


def test_a_file_that_was_not_kept_fails_the_command(files: Path, settings: Settings) -> None:
    settings.COMITY_MAX_UPLOAD_BYTES = 1_000
    (files / "small.xml").write_text("<a>")
    result = run(files / "b.xml", files / "small.xml")
    assert result.exit_code == 1
    assert "not kept: b.xml: larger than the 1000 bytes" in result.stderr
    assert result.stdout.splitlines()[-1] == "0 imported, 0 warned, 1 refused"
