"""`comity agreement` as it is typed: exit codes and the words that it prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from pytest_django import Settings

from comity.agreements import services
from comity.common import Actor, ActorKind, utc_now
from comity.exchange.invitation import write_invitation
from comity.exchange.services import introduce_partner
from comity.node.main import comity
from comity.staff import Role
from comity.trust import Keyring, SignedStatement, make_keyring, sign_statement
from tests.agreements.cast import DEMO, demo

AGREEMENT = str(DEMO / "agreement.yaml")
EVERY_ROLE = frozenset(role.value for role in Role)
QUESTION = (
    "--sender",
    "XC",
    "--recipient",
    "XA",
    "--kind",
    "alert/1",
    "--handling",
    "restricted",
    "--day",
    "2026-06-01",
)


@dataclass(frozen=True)
class Said:
    """What a command printed and its exit code."""

    text: str
    code: int


def say(*words: str) -> Said:
    result = CliRunner().invoke(comity, ["agreement", *words], catch_exceptions=False)
    return Said(" ".join(result.output.split()), result.exit_code)


@lru_cache
def keyring(code: str) -> Keyring:
    born = utc_now() - timedelta(days=1)
    return make_keyring(code, f"Customs of {code}", "https://127.0.0.1:1", ["127.0.0.1"], born)


@pytest.fixture
def home(settings: Settings, db: None) -> None:
    """A node of XA that knows XB and XC."""
    settings.COMITY_KEYRING = keyring("XA")
    ana = Actor(ActorKind.OFFICER, "ana", "XA", EVERY_ROLE)
    for code in ("XB", "XC"):
        introduce_partner(ana, key_statement=write_invitation(keyring(code)), at=utc_now())


def write(folder: Path, old: str, new: str, name: str = "agreement.yaml") -> str:
    text = (DEMO / "agreement.yaml").read_text()
    assert old in text
    path = folder / name
    path.write_text(text.replace(old, new, 1))
    return str(path)


def test_check_passes_the_demo() -> None:
    said = say("check", AGREEMENT)
    assert said.code == 0
    assert demo().id in said.text
    assert "parties XA, XB, XC; 8 articles" in said.text
    assert "note: article 7: Not yet compared with its source (WTO TFA Art. 12.5.1(b); tag P)." in said.text
    assert said.text.endswith("0 errors, 0 warnings, 7 notes")


def test_check_fails_on_an_article_that_cannot_work(tmp_path: Path) -> None:
    said = say("check", write(tmp_path, "receivers: [XA, XB]", "receivers: [XC]"))
    assert said.code == 1
    assert "error: article 1: Its only sender, XC, is its only receiver." in said.text
    assert "1 error, 0 warnings" in said.text


def test_check_warns_of_a_party_that_no_list_knows(tmp_path: Path) -> None:
    said = say("check", write(tmp_path, "parties: [XA, XB, XC]", "parties: [XA, XB, XC, ZQ]"))
    assert said.code == 0
    assert "warning: parties: 'ZQ' is no ISO 3166-1 alpha-2 code." in said.text


def test_check_names_file_line_and_the_word_that_was_meant(tmp_path: Path) -> None:
    path = write(tmp_path, "purposes: [risk_assessment, control]", "purposes: [risk_asessment, control]")
    said = say("check", path)
    assert said.code == 1
    assert f"({path}, line " in said.text
    assert "Did you mean 'risk_assessment'?" in said.text


def test_cases_pass() -> None:
    said = say("cases", str(DEMO / "cases.yaml"))
    assert said == Said("55 cases, 0 failed", 0)


def test_cases_that_fail_are_named_with_their_line(tmp_path: Path) -> None:
    write(tmp_path, "handling_at_most: restricted", "handling_at_most: official")
    (tmp_path / "cases.yaml").write_text((DEMO / "cases.yaml").read_text())
    said = say("cases", str(tmp_path / "cases.yaml"))
    assert said.code == 1
    assert "cases.yaml, line 7: XC warns the exporting party of counterfeit shoes, for control" in said.text
    assert "expected permitted, but it is refused" in said.text
    assert "55 cases, 0 failed" not in said.text


def test_cases_of_an_agreement_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "cases.yaml"
    path.write_text((DEMO / "cases.yaml").read_text())
    assert "relative to the file of cases" in say("cases", str(path)).text
    path.write_text("agreement: x")
    said = say("cases", str(path))
    assert said.code == 1
    assert f"({path}, line 1)" in said.text


def test_explain_a_permit() -> None:
    said = say("explain", "--agreement", AGREEMENT, *QUESTION, "--purpose", "control", "--category", "commodities")
    assert said.code == 0
    assert said.text.startswith("PERMITTED by article 1, Alerts from the importing")
    assert "not yet compared with its source (tag M)" in said.text
    assert "subjects[consignor].name" in said.text.split("withheld:")[0]
    assert "withheld: case_ref, subjects[carrier].id" in said.text
    assert "to be deleted by: 2029-05-31T12:00:00Z" in said.text
    assert "handing on: only with the consent of the sender" in said.text
    assert "duties: customs authority only" in said.text


def test_explain_in_french_with_chosen_fields_and_several_permits() -> None:
    said = say(
        "explain",
        "--agreement",
        AGREEMENT,
        "--sender",
        "XC",
        "--recipient",
        "XA",
        "--kind",
        "alert/1",
        "--handling",
        "official",
        "--day",
        "2026-06-01",
        "--purpose",
        "control",
        "--category",
        "commodities",
        "--risk-type",
        "safety",
        "--field",
        "title",
        "--language",
        "fr",
    )
    assert "PERMITTED by article 1, Alertes de la partie importatrice" in said.text
    assert "released: title withheld: nothing" in said.text
    assert f"article 4 of {demo().short_id} permits it too" in said.text
    assert "the strictest of their rules on handing on: only with the consent" in said.text


def test_explain_a_refusal() -> None:
    said = say("explain", "--agreement", AGREEMENT, *QUESTION, "--purpose", "statistics", "--category", "commodities")
    assert said.code == 0
    assert said.text.startswith("REFUSED: No article permits alert/1 from XC to XA so; article 1 is nearest.")
    assert "article 1 would permit it, but: The purpose is statistics" in said.text


def test_explain_a_prohibition() -> None:
    said = say(
        "explain", "--agreement", AGREEMENT, *QUESTION, "--purpose", "control", "--category", "persons", "--hs", "6404"
    )
    assert said.text.startswith("PROHIBITED by article 6, No alerts on persons")
    assert "The category is persons; prohibited is persons." in said.text


def test_explain_a_bare_agreement(tmp_path: Path) -> None:
    path = tmp_path / "bare.yaml"
    path.write_text(
        "form: comity-agreement/1\ntitle: {en: Bare}\nversion: 1\nparties: [XA, XC]\nlanguages: [en]\n"
        "in_force: {from: 2026-01-01}\narticles:\n  - {id: 1, effect: permit, title: {en: All}, text: {en: All.},"
        " kinds: [alert/1], purposes: [control], handling_at_most: restricted, fields: [title]}\n"
    )
    said = say("explain", "--agreement", str(path), *QUESTION, "--purpose", "control", "--field", "ref")
    assert "source: none named" in said.text
    assert "released: nothing withheld: ref to be deleted by: no date is set handing on: not allowed" in said.text
    assert "duties" not in said.text


def test_explain_asks_what_the_node_adopted(home: None) -> None:
    said = say("explain", *QUESTION, "--purpose", "control")
    assert said.text == "REFUSED: No article permits alert/1 from XC to XA, whatever the conditions."


def test_from_draft_to_force(home: None, tmp_path: Path) -> None:
    ours, theirs, both = (tmp_path / name for name in ("xa.json", "xb.json", "both.json"))
    said = say("sign", AGREEMENT, "--out", str(ours))
    assert said.text == f"{ours}: agreement {demo().short_id}, signed by XA"
    statement = SignedStatement.from_bytes(ours.read_bytes())
    refused = say("adopt", str(ours))
    assert refused.code == 1
    assert "The signature of XB and of XC is missing" in refused.text
    for path, code in ((theirs, "XB"), (tmp_path / "xc.json", "XC")):
        path.write_bytes(sign_statement(statement.payload_type, statement.payload, keyring(code).signing).to_bytes())
    assert say("sign", str(theirs), "--out", str(both)).text.endswith("signed by XA, XB")
    assert len(SignedStatement.from_bytes(both.read_bytes()).signatures) == 2
    adopted = say("adopt", str(both), str(tmp_path / "xc.json"))
    assert adopted.text == f"agreement {demo().short_id} in_force, signed by XA, XB, XC"
    listed = say("show")
    assert f"{demo().short_id} in_force 1.0 XA, XB, XC Agreement between" in listed.text
    shown = say("show", demo().short_id, "--language", "fr")
    assert "Article 6. Pas d'alertes sur des personnes (prohibit)" in shown.text
    assert "in force from 2024-01-01 until 2044-12-31" in shown.text
    permitted = say("explain", *QUESTION, "--purpose", "control", "--category", "commodities", "--information-of", "XC")
    assert permitted.text.startswith("PERMITTED by article 1")


def test_show_an_open_ended_draft(home: None, tmp_path: Path) -> None:
    path = Path(write(tmp_path, "from: 2024-01-01, until: 2044-12-31", "from: 2024-01-01"))
    ana = Actor(ActorKind.OFFICER, "ana", "XA", EVERY_ROLE)
    stored = services.import_agreement(ana, data=path.read_bytes(), at=datetime(2026, 1, 1, tzinfo=UTC))
    text = say("show", stored.id).text
    assert "draft; signed by nobody in force from 2024-01-01 until it is ended" in text
    assert say("show", "0" * 12).code == 1
