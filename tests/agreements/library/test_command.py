"""`comity agreement clauses` and `compose` as they are typed."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from comity.cli.agreement_library import shipped_cases
from comity.node.main import comity


def say(*words: str) -> tuple[str, int]:
    result = CliRunner().invoke(comity, ["agreement", *words], catch_exceptions=False)
    return " ".join(result.output.split()), result.exit_code


def test_clauses_lists_source_tag_and_verified() -> None:
    said, code = say("clauses")
    assert code == 0
    assert "CLAUSE TAG VERIFIED EFFECT TITLE" in said
    assert "tfa12-verification P no permit Verification requests, step by step" in said
    assert "NOT IN FORCE" in said
    assert said.endswith("clauses, 0 verified")


def test_clauses_of_one_instrument_in_french() -> None:
    said, _ = say("clauses", "--instrument", "kyoto", "--language", "fr")
    assert "Coopération dans le contrôle des marchandises" in said
    assert "1 clauses, 0 verified" in said
    said, code = say("clauses", "--instrument", "kioto")
    assert code == 2
    assert "Known are:" in said


def test_a_clause_shows_text_source_and_parameters() -> None:
    said, _ = say("clauses", "johannesburg-automatic")
    assert "note: The Johannesburg Convention is not in force." in said
    assert "tag M; verified: no" in said
    assert "retention_days (number; default 1095; at least 30; at most 3650)" in said
    assert "Brings the obligation notify: notification" in said
    assert "Brings the procedure tfa12" in say("clauses", "tfa12-verification")[0]


def test_compose_lists_templates_and_writes_a_draft_that_check_passes(tmp_path: Path) -> None:
    said, _ = say("compose")
    assert "bilateral-mou: Memorandum of understanding" in said
    assert "--party light=…" in said
    draft = tmp_path / "draft.yaml"
    words = ("--party", "full=XA", "--party", "light=XB", "--party", "light=XC", "--set", "from=2026-01-01")
    said, code = say("compose", "regional-initiative", *words, "--out", str(draft))
    assert code == 0
    assert "15 articles, 15 of them verified: false" in said
    assert "# Clause kyoto-risk." in draft.read_text()
    said, code = say("check", str(draft))
    assert code == 0
    assert "0 errors, 0 warnings" in said
    printed, _ = say("compose", "regional-initiative", *words)
    assert printed == " ".join(draft.read_text().split())


def test_compose_leaves_out_and_reserves(tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    words = ("--party", "XA", "--party", "XB", "--set", "from=2026-01-01", "--without", "5", "--reserve", "XB=2,6")
    assert say("compose", "bilateral-mou", *words, "--out", str(draft))[1] == 0
    assert "articles: [2, 6]" in draft.read_text()
    assert "tfa12-documents" not in draft.read_text()
    said, code = say("compose", "bilateral-mou", "--set", "from")
    assert code == 2
    assert "has no =" in said
    said, code = say("compose", "bilateral-mou", "--party", "XA", "--party", "XB")
    assert code == 1
    assert "needs the parameter 'from'" in said


def test_at_least_three_hundred_decision_cases_ship() -> None:
    shipped = shipped_cases()
    assert sum(len(each.file.cases) for each in shipped) >= 300
    assert any(each.path.parent.name == "agreement" for each in shipped)
