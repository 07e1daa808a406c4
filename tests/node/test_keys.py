"""Keys are renewed in place: the same node, the next version, and partners follow the chain."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from comity.common import utc_now
from comity.node.birth import hosts_of
from comity.node.home import Home, HomeError
from comity.node.keys import load_keyring, load_secret, replace_keyring, write_keyring
from comity.node.standing import ATTENTION, GOOD, _keys
from comity.trust import KeyDocumentError, Keyring, Renewal, make_keyring, read_key_document, renew_keyring
from tests.nest import run_comity
from tests.node.test_home import SETTINGS


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with keys."""
    made = Home(tmp_path)
    write_keyring(made, _keyring())
    made.settings_path.write_text(SETTINGS)
    return made


def _keyring() -> Keyring:
    return make_keyring("XA", "Customs of Alfa", "https://127.0.0.1:8200", ("127.0.0.1",), utc_now())


@pytest.mark.parametrize("has_new_signing_key", [False, True])
def test_renewed_keys_take_the_place_of_the_old_and_partners_follow(home: Home, *, has_new_signing_key: bool) -> None:
    before, secret, later = load_keyring(home), load_secret(home), utc_now() + timedelta(days=300)
    renewed = renew_keyring(before, ("127.0.0.1",), later, renewal=Renewal(signing=has_new_signing_key))
    former = replace_keyring(home, renewed)
    after = load_keyring(home)
    assert after.key_document.version == before.key_document.version + 1
    assert (after.signing.seed != before.signing.seed) is has_new_signing_key
    assert after.log.vkey == before.log.vkey
    assert load_secret(home) == secret
    assert load_keyring(Home(home.root)).key_document == after.key_document
    assert (former / "signing.key").is_file()
    assert {path.stat().st_mode & 0o777 for path in home.keys.iterdir()} == {0o600}
    taken = read_key_document(after.key_statement.to_bytes(), trusted=before.key_document, at=later)
    assert taken.version == after.key_document.version
    with pytest.raises(KeyDocumentError):
        read_key_document(before.key_statement.to_bytes(), trusted=taken, at=later)


def test_a_renewal_that_broke_off_is_named_and_nothing_is_lost(home: Home) -> None:
    (home.root / "keys.next").mkdir()
    before = load_keyring(home)
    with pytest.raises(HomeError, match="keys show"):
        replace_keyring(home, renew_keyring(before, ("127.0.0.1",), utc_now()))
    assert load_keyring(home) == before


def test_the_status_asks_for_renewal_a_month_before(home: Home) -> None:
    document = load_keyring(home).key_document
    assert _keys(document, document.expires_at - timedelta(days=31)).state == GOOD
    assert _keys(document, document.expires_at - timedelta(days=29)).state == ATTENTION
    assert _keys(document, document.expires_at + timedelta(days=1)).state == ATTENTION


def test_the_certificate_is_for_every_name_of_the_port() -> None:
    assert hosts_of("https://node.example:8443", "0.0.0.0") == ("node.example", "0.0.0.0", "localhost")


def test_the_commands_show_and_renew(tmp_path: Path) -> None:
    assert run_comity("init", "--administration", "XA", folder=tmp_path).returncode == 0
    shown = run_comity("keys", "show", folder=tmp_path)
    assert (shown.returncode, "version      1" in shown.stdout) == (0, True)
    renewed = run_comity("keys", "renew", folder=tmp_path)
    assert renewed.returncode == 0, renewed.stderr
    assert "version 2" in renewed.stdout
    assert "version      2" in run_comity("keys", "show", folder=tmp_path).stdout
    assert run_comity("status", folder=tmp_path).returncode == 0
