"""The commands that watch logs: what they print and how they end."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from django.conf import settings

from comity.cli.ledger import ledger
from comity.exchange.invitation import write_invitation
from comity.exchange.models import Partner
from comity.exchange.services import introduce_partner
from comity.ledger.services import hold_appends, open_log, record_split
from comity.staff.models import AuditEntry
from comity.trust import Checkpoint, ForkProof, sign_note
from tests.exchange.ports import free_ports
from tests.journeys.test_split_view import ANA, evidence, ring

pytestmark = pytest.mark.django_db


def run(*words: str) -> Result:
    return CliRunner().invoke(ledger, words)


@pytest.fixture
def partner(at: datetime) -> None:
    """XB, where nobody listens."""
    introduce_partner(ANA, key_statement=write_invitation(ring("XB")), at=at)
    Partner.objects.update(endpoint=f"https://127.0.0.1:{free_ports(1)[0]}")


def test_without_partners_there_is_nobody_to_ask() -> None:
    result = run("monitor", "--once")
    assert (result.exit_code, "No partner to ask." in result.output) == (0, True), result.output


def test_a_partner_that_does_not_answer_is_no_alarm(partner: None) -> None:
    result = run("monitor", "--once")
    assert result.exit_code == 0, result.output
    assert "? XB" in result.output
    assert "cannot be asked" in result.output
    assert "No log showed two histories." in result.output


def test_a_log_that_showed_two_histories_is_an_alarm_and_its_evidence_a_file(
    partner: None, at: datetime, tmp_path: Path
) -> None:
    record_split(evidence("XB", at), at=at, reported_by="XC")
    result = run("monitor", "--once")
    assert result.exit_code == 1
    assert "✗ XB" in result.output
    listed = run("splits", "--out", str(tmp_path / "evidence"))
    assert listed.exit_code == 1
    assert "sizes 400 and 650  proven, told by XC on 2026-03-02T09:30:00Z: told" in listed.output
    (file,) = (tmp_path / "evidence").iterdir()
    said = run("verify-split", str(file))
    assert said.exit_code == 0, said.output
    assert "first 400 are others" in said.output
    assert "Compare the verifier key" in said.output
    known = run("verify-split", str(file), "--vkey", ring("XB").log.vkey)
    assert (known.exit_code, "Compare" in known.output) == (0, False)
    assert run("verify-split", str(file), "--vkey", "other").exit_code == 1


def test_evidence_that_proves_nothing_ends_with_one(at: datetime, tmp_path: Path) -> None:
    log = ring("XB").log
    note = sign_note(Checkpoint(log.name, 5, b"\7" * 32).text, log, at=at)
    for number, data in enumerate((ForkProof(log.vkey, note, note).to_bytes(), b"", b"{}")):
        file = tmp_path / str(number)
        file.write_bytes(data)
        assert run("verify-split", str(file)).exit_code == 1


def test_no_splits_is_said() -> None:
    result = run("splits")
    assert (result.exit_code, result.output) == (0, "No log has shown two histories.\n")


def test_a_held_log_is_let_go_on_with_a_reason(partner: None, at: datetime) -> None:
    open_log(signer=settings.COMITY_KEYRING.log, at=at)
    hold_appends("restored from a backup", at=at)
    waiting = run("monitor", "--once")
    assert waiting.exit_code == 1
    assert "restored from a backup" in waiting.output
    assert run("release", "--reason", "XB said so by telephone").output == "The log goes on.\n"
    assert run("release", "--reason", "again").output == "The log was not held.\n"
    assert AuditEntry.objects.filter(deed="release_log").count() == 1
