"""`comity agreement compare`, `conflicts`, `gaps`, `dry-run`, `text` as they are typed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from comity.node.main import comity
from tests.agreements.cast import DEMO, alert_body

AGREEMENT = str(DEMO / "agreement.yaml")
ASKED = ("--sender", "XC", "--kind", "alert/1", "--purpose", "control", "--handling", "restricted")


@dataclass(frozen=True)
class Said:
    """What a command printed and its exit code."""

    text: str
    code: int


def say(*words: str) -> Said:
    result = CliRunner().invoke(comity, ["agreement", *words], catch_exceptions=False)
    return Said(" ".join(result.output.split()), result.exit_code)


def changed(path: Path, *changes: tuple[str, str]) -> str:
    """The demo's agreement with some of its text changed."""
    text = Path(AGREEMENT).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture
def wider(tmp_path: Path) -> str:
    return changed(tmp_path / "wider.yaml", ("version: 1.0", "version: 1.1"), ('goods: ["30"]', 'goods: ["29", "30"]'))


def test_an_amendment_that_widens_fails(wider: str) -> None:
    said = say("compare", AGREEMENT, wider)
    assert said.code == 1
    assert "2 goods – 29" in said.text
    assert "opened: alerts of XC to XA; for investigation" in said.text
    assert said.text.endswith("widens: yes")
    assert say("compare", AGREEMENT, wider, "--may-widen").code == 0
    assert "ouvert : des alertes de XC à XA" in say("compare", AGREEMENT, wider, "--language", "fr").text


def test_an_amendment_that_narrows_is_well(wider: str, tmp_path: Path) -> None:
    said = say("compare", wider, AGREEMENT)
    assert (said.code, said.text.endswith("widens: no")) == (0, True)
    assert "closed: alerts of XC to XA" in said.text
    assert "word for word" in say("compare", AGREEMENT, AGREEMENT).text
    words = changed(tmp_path / "words.yaml", ("WCO Model Bilateral Agreement (2004)", "The WCO model agreement"))
    said = say("compare", AGREEMENT, words)
    assert said.code == 0
    assert "Every request is answered as before." in said.text
    assert "1 source" in said.text


def test_articles_added_and_removed(tmp_path: Path) -> None:
    lower = ("handling_at_most: official", "handling_at_most: open")
    renamed = changed(tmp_path / "renamed.yaml", ("- id: 8\n", "- id: 9\n"), lower)
    said = say("compare", AGREEMENT, renamed)
    assert "articles added: 9 articles removed: 8" in said.text
    assert "handling_at_most official open" in said.text


def test_conflicts(wider: str, tmp_path: Path) -> None:
    said = say("conflicts", AGREEMENT, wider)
    assert said.code == 1
    assert "purpose: An alert of XC to XA for investigation, open, HS 29" in said.text
    assert said.text.endswith("1 conflict")
    same = changed(tmp_path / "same.yaml", ("version: 1.0", "version: 3.0"))
    said = say("conflicts", AGREEMENT, same)
    assert (said.code, said.text.endswith("0 conflicts")) == (0, True)
    assert say("conflicts", AGREEMENT).code == 2


def test_gaps(tmp_path: Path) -> None:
    said = say("gaps", AGREEMENT)
    assert said.code == 0
    assert "kind: No article permits files, steps of procedures, exports as commitments," in said.text
    assert said.text.endswith("0 articles that never answer")
    level = "    handling_at_most: restricted"
    shut = changed(tmp_path / "shut.yaml", (level, f"{level}\n    handling_at_least: confidential"))
    said = say("gaps", shut)
    assert said.code == 1
    assert "empty: Article 1 never answers" in said.text


def test_a_dry_run(tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text(json.dumps(alert_body()), encoding="utf-8")
    said = say("dry-run", "--agreement", AGREEMENT, "--body", str(body), *ASKED, "--day", "2026-06-01")
    assert said.code == 0
    assert said.text.startswith("FIELD XA XB")
    assert "subjects[consignee].name withheld by article 8 withheld by article 8" in said.text
    assert "case_ref not named by article 1 not named by article 1" in said.text
    assert "XB: permitted by article 1" in said.text
    late = say("dry-run", "--agreement", AGREEMENT, "--body", str(body), *ASKED, "--day", "2050-06-01")
    assert "XA: refused: an alert of XC to XA for control, restricted, HS 640411 and 640299" in late.text
    assert "ref refused refused" in late.text
    assert say("dry-run", "--agreement", AGREEMENT, "--body", str(body), *ASKED).code == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"ref": 1,\n oops}', "line 2"),
        (b'{"ref": "\n\xff"}', "not UTF-8"),
        (b"[]", "no object"),
        (b'{"a":' * 100_000, "line 1"),
        (b" " * (1024 * 1024 + 1), "larger than 1 MiB"),
    ],
)
def test_a_body_that_cannot_be_read(data: bytes, words: str, tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_bytes(data)
    said = say("dry-run", "--agreement", AGREEMENT, "--body", str(body), *ASKED)
    assert said.code == 1
    assert words in said.text
    assert "body.json" in said.text


def test_the_text_of_an_agreement() -> None:
    said = say("text", AGREEMENT, "--language", "fr")
    assert said.code == 0
    assert "XC peut adresser des alertes à XA et XB." in said.text
    assert "**Non comparé au texte officiel.**" in said.text


@pytest.mark.parametrize("command", [("compare",), ("conflicts",), ("gaps",), ("text",)])
def test_a_wrong_agreement_names_file_and_line(command: tuple[str, ...], tmp_path: Path) -> None:
    wrong = changed(tmp_path / "wrong.yaml", ("effect: permit", "effect: permits"))
    files = (AGREEMENT, wrong) if command[0] in ("compare", "conflicts") else (wrong,)
    said = say(*command, *files)
    assert said.code == 1
    assert "wrong.yaml, line" in said.text
    assert "Did you mean 'permit'?" in said.text
