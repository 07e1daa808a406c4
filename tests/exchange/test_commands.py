"""The commands `comity partner` and `comity exchange`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from django.conf import settings

from comity.cli.exchange import exchange, partner
from comity.exchange import FingerprintMismatchError, InvitationError, PartnerUnknownError, read_invitation
from comity.exchange.invitation import write_invitation
from comity.exchange.models import Partner
from comity.exchange.selectors import partner as partner_by_code
from comity.exchange.services import post
from comity.staff.models import AuditEntry
from tests.exchange.cast import AT, CHIPO, LOG, adopt_demo, introduce, keyring, receiver, release

pytestmark = pytest.mark.django_db


def run(*words: str, group=partner, say: str = "") -> Result:  # type: ignore[no-untyped-def]  # a click group
    return CliRunner().invoke(group, words, input=say)


def out_of(*words: str, group=partner, say: str = "") -> str:  # type: ignore[no-untyped-def]  # a click group
    result = run(*words, group=group, say=say)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "xc.json"
    path.write_bytes(write_invitation(keyring("XC"), note="Night desk: 555 0100"))
    return path


def test_an_invitation_is_written_and_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "xa.json"
    shown = out_of("invite", str(path), "--note", "Desk")
    invitation = read_invitation(path.read_bytes(), at=AT)
    assert invitation.keys == settings.COMITY_KEYRING.key_document
    assert invitation.keys.fingerprint in shown
    assert invitation.note == "Desk"


def test_introducing_asks_and_does_nothing_on_no(file: Path) -> None:
    result = run("introduce", str(file), say="n\n")
    assert result.exit_code == 1
    assert keyring("XC").key_document.fingerprint in result.output
    assert "Night desk" in result.output
    assert not Partner.objects.exists()


@pytest.mark.parametrize("answer", ["ask", "yes", "fingerprint"])
def test_introducing(file: Path, answer: str) -> None:
    more = {
        "ask": [],
        "yes": ["--yes"],
        "fingerprint": ["--fingerprint", keyring("XC").key_document.fingerprint.upper()],
    }[answer]
    assert "introduced   XC" in out_of("introduce", str(file), *more, say="y\n")
    assert AuditEntry.objects.get(deed="introduce_partner").subject == "partner:XC"
    assert "XC" in out_of("list")
    shown = out_of("show", "xc")
    assert "missing nothing" in shown
    assert "Night desk" in shown


def test_another_endpoint_may_be_given(file: Path) -> None:
    out_of("introduce", str(file), "--yes", "--endpoint", "https://10.0.0.7:8300")
    assert partner_by_code("XC").endpoint == "https://10.0.0.7:8300"


def test_a_wrong_fingerprint_is_refused(file: Path) -> None:
    result = run("introduce", str(file), "--fingerprint", "0000 1111")
    assert isinstance(result.exception, FingerprintMismatchError)
    assert not Partner.objects.exists()


def test_a_file_that_is_no_invitation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.json"
    path.write_bytes(b"{}")
    assert isinstance(run("introduce", str(path), "--yes").exception, InvitationError)


def test_suspending_and_resuming(file: Path) -> None:
    out_of("introduce", str(file), "--yes")
    out_of("suspend", "xc", "--reason", "A key is missing")
    assert partner_by_code("XC").state == "suspended"
    out_of("resume", "XC")
    assert partner_by_code("XC").state == "active"
    assert isinstance(run("resume", "XQ").exception, PartnerUnknownError)
    assert AuditEntry.objects.get(deed="suspend_partner").facts == {"reason": "A key is missing"}


def test_status_and_deliver_show_what_is_on_its_way() -> None:
    introduce("XA", "XC")
    adopt_demo()
    post(CHIPO, release(), signer=LOG, at=AT)
    receiver().accept([b"garbage"], AT)
    shown = out_of("status", group=exchange)
    assert "XA" in shown
    assert "bad_form" in shown
    result = run("deliver", group=exchange)
    assert result.exit_code == 1
    assert "1 envelopes sent" in result.output
    assert "still on their way" in result.output
    assert "cannot be reached" in partner_by_code("XA").last_error
