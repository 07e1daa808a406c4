"""The ledger commands: what they print, and their exit status."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from django.conf import settings
from django.db import transaction
from django.test import override_settings

from comity.cli.ledger import ledger
from comity.exchange.delivery import deliver_due
from comity.exchange.errors import MessagePurgedError
from comity.exchange.purging import wipe_sent
from comity.exchange.services import post
from comity.ledger.models import Batch
from comity.ledger.rules import commit
from comity.ledger.services import append, record_cosignature
from comity.trust import LogSigner, NoteKind, SigningKey, cosign, verify_tlog_proof
from comity.trust.notes import add_signatures
from tests.exchange.cast import AT, CHIPO, LOG, Loop, adopt_demo, introduce, release
from tests.exchange.cast import keyring as node_keys
from tests.ledger.exchange_of_two import Exchange, keyring

WITNESS = LogSigner("bravo.example/witness", SigningKey.from_seed(b"b" * 32), NoteKind.COSIGNATURE)


def run(*words: str) -> Result:
    """Call `comity ledger` with these words."""
    return CliRunner().invoke(ledger, words)


@pytest.fixture
def entries(db: None, at: datetime) -> list[bytes]:
    """A log of five releases, cosigned."""
    made = [commit("release", b"d" * 32, agreement="a", message_id=str(each), salt=b"s" * 32) for each in range(5)]
    signer = settings.COMITY_KEYRING.log
    with transaction.atomic():
        note = append(made, signer=signer, at=at).checkpoint
    line = cosign(note, log=signer.verifier, cosigner=WITNESS, at=at)
    record_cosignature(add_signatures(note, [line]), log=signer.verifier, cosigner=WITNESS.verifier, at=at)
    return made


def test_a_sound_log_is_reported_and_exits_zero(entries: list[bytes]) -> None:
    result = run("verify")
    assert result.exit_code == 0, result.output
    assert "entries      5 (5 release) in 1 appends" in result.output
    assert "bravo.example/witness: last at size 5" in result.output
    assert "sound" in result.output


def test_an_empty_log_is_sound(db: None) -> None:
    result = run("verify")
    assert result.exit_code == 0
    assert "entries      0 in 0 appends" in result.output


def test_a_damaged_log_exits_one_and_names_the_place(entries: list[bytes]) -> None:
    Batch.objects.update(hashes=b"\0" * 160)
    result = run("verify")
    assert result.exit_code == 1
    assert "PROBLEM      entries from 0: the stored hashes are not those of the entries" in result.output
    assert "Not sound" in result.output


def test_a_proof_is_printed_or_written(entries: list[bytes], tmp_path: Path) -> None:
    printed = run("prove", "3")
    assert printed.exit_code == 0
    assert printed.stdout.startswith("c2sp.org/tlog-proof@v1\nindex 3\n")
    assert entries[3].decode() in printed.stderr
    out = tmp_path / "proof.tlog-proof"
    assert run("prove", "3", "--out", str(out)).exit_code == 0
    assert out.read_text() == printed.stdout
    log = settings.COMITY_KEYRING.log
    assert log.vkey in printed.stderr
    assert verify_tlog_proof(out.read_text(), entries[3], log.verifier).index == 3


def test_an_entry_that_is_not_there_cannot_be_proved(entries: list[bytes]) -> None:
    result = run("prove", "5")
    assert result.exit_code == 1
    assert "index 5 of 5" in str(result.exception)


def test_a_bundle_is_verified_without_a_database(tmp_path: Path) -> None:
    file = tmp_path / "exchange.json"
    file.write_bytes(Exchange().bundle().to_bytes())
    result = run("verify-bundle", str(file))
    assert result.exit_code == 0, result.output
    assert result.output.count("✓") == 8
    assert "All 8 steps hold." in result.output
    prints = [keyring(each).key_document.fingerprint for each in ("XA", "XB")]
    assert run("verify-bundle", str(file), "--fingerprint", prints[0], "--fingerprint", prints[1]).exit_code == 0
    assert run("verify-bundle", str(file), "--fingerprint", prints[0]).exit_code == 1


def test_a_false_bundle_exits_one_and_cannot_steer_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "exchange.json"
    file.write_bytes(Exchange(answer={"accepted": False, "code": "\x1b[2J"}, message={"id": "m-2"}).bundle().to_bytes())
    result = run("verify-bundle", str(file))
    assert result.exit_code == 1
    assert "✗" in result.output
    assert "\x1b" not in result.output
    assert "steps failed" in result.output


def test_a_bundle_of_an_unknown_message_is_refused(db: None, tmp_path: Path) -> None:
    out = tmp_path / "exchange.json"
    result = run("bundle", "no-such-message", "--out", str(out))
    assert result.exit_code == 1
    assert not out.exists()


def test_a_bundle_of_a_purged_message_is_refused_with_what_to_do(db: None, tmp_path: Path) -> None:
    introduce("XA", "XB", "XC")
    adopt_demo()
    name = post(CHIPO, release(), signer=LOG, at=AT)
    deliver_due(node_keys("XC"), AT, transport=Loop())
    wipe_sent([name])
    out = tmp_path / "exchange.json"
    with override_settings(COMITY_ADMINISTRATION="XC", COMITY_KEYRING=node_keys("XC")):
        result = run("bundle", name, "--out", str(out))
    assert isinstance(result.exception, MessagePurgedError), result.output
    assert "Ask its origin for a bundle" in str(result.exception)
    assert not out.exists()


@pytest.mark.parametrize("command", ["", "verify", "prove", "bundle", "verify-bundle"])
def test_help_reads_like_a_manual_page(command: str) -> None:
    result = run(*([command] if command else []), "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 8
