"""What a node does for its keys by itself, with the clock as an argument; and keys in a SoftHSM token."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from comity.exchange.models import OutboxMessage
from comity.exchange.services import suspend_partner
from comity.exchange.transports.https.contexts import client_context, server_context
from comity.exchange.transports.https.doorman import is_issued_by
from comity.journeys.keys import announce_keys
from comity.node.birth import BirthWishes, create_node
from comity.node.home import Home, HomeError
from comity.node.keycare import KeyCare, is_certificate_due
from comity.node.keys import LiveKeyring, load_keyring, replace_keyring, write_keyring
from comity.node.recovery import Recovery, move_into_token, recover_keys
from comity.node.token import PIN_VARIABLE, TokenError, TokenPlace, successor_of, token_at
from comity.trust import (
    Keyring,
    Renewal,
    certificate_ends,
    make_keyring,
    open_note,
    renew_certificate,
    renew_keyring,
    revoke_key,
    sign_note,
    sign_statement,
    switch_authority,
    verify_statement,
)
from comity.trust.tls import split_pem
from tests.exchange.cast import ANA, introduce
from tests.node.test_home import SETTINGS

BORN = datetime.fromisoformat("2026-01-01T00:00:00Z")
DAY = timedelta(days=1)
MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
HOSTS = ("127.0.0.1",)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with keys."""
    made = Home(tmp_path / "home")
    made.root.mkdir()
    write_keyring(made, make_keyring("XA", "Customs of Alfa", "https://127.0.0.1:8200", HOSTS, BORN))
    made.settings_path.write_text(SETTINGS)
    return made


@pytest.fixture
def live(home: Home, settings: LazySettings) -> LiveKeyring:
    """Its keyring, as everything in the process uses it."""
    settings.COMITY_KEYRING = LiveKeyring(home)
    return settings.COMITY_KEYRING


def shake_hands(server: Keyring, client: Keyring) -> str:
    """One handshake in memory, both ends with certificates; the serial number that the server showed."""
    inner, outer = server_context(server), client_context(client, server.tls_authority_pem)
    inner.load_verify_locations(cadata=client.tls_authority_pem)
    here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        outer.wrap_bio(here, there, server_hostname="127.0.0.1"),
        inner.wrap_bio(there, here, server_side=True),
    ]
    for _ in range(4):
        for end in list(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    shown = ends[0].getpeercert()
    assert shown is not None
    return str(shown["serialNumber"])


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "is_due"), [(30, False), (90, False), (400, False), (640, True), (900, True)])
def test_the_certificate_is_renewed_before_it_ends(home: Home, live: LiveKeyring, days: int, *, is_due: bool) -> None:
    """730 days long, renewed when 90 are left; a node that was off beyond the end renews it when it starts."""
    before, at = load_keyring(home), BORN + days * DAY
    assert is_certificate_due(before, at) is is_due
    KeyCare(home, live).turn(at)
    after = load_keyring(home)
    assert (after.tls_certificate_pem != before.tls_certificate_pem) is is_due
    assert certificate_ends(after.tls_certificate_pem) > at + 89 * DAY
    assert after.key_document == before.key_document, "partners need no news of it"
    assert live.tls_certificate_pem == after.tls_certificate_pem
    assert [path.name for path in home.root.iterdir() if path.name.startswith("keys")] == ["keys"]


def test_a_context_shows_the_renewed_certificate_at_the_next_handshake(home: Home) -> None:
    """The node was made yesterday by the clock of TLS, which no argument moves."""
    now = datetime.now(BORN.tzinfo)
    ours = make_keyring("XA", "Customs of Alfa", "https://127.0.0.1:8200", HOSTS, now)
    other = make_keyring("XB", "Customs of Bravo", "https://127.0.0.1:8201", HOSTS, now)
    shutil.rmtree(home.keys)
    write_keyring(home, ours)
    live = LiveKeyring(home)
    first = shake_hands(live, other)  # type: ignore[arg-type]  # it stands for a keyring
    replace_keyring(home, renew_certificate(ours, HOSTS, now))
    assert shake_hands(live, other) == first  # type: ignore[arg-type]
    assert live.take_changes()
    assert shake_hands(live, other) != first  # type: ignore[arg-type]
    assert not live.take_changes()


def test_both_authorities_are_trusted_while_one_gives_way_to_the_other() -> None:
    now = datetime.now(BORN.tzinfo)
    ours = make_keyring("XA", "Customs of Alfa", "https://127.0.0.1:8200", HOSTS, now)
    other = make_keyring("XB", "Customs of Bravo", "https://127.0.0.1:8201", HOSTS, now)
    announced = renew_keyring(ours, HOSTS, now, renewal=Renewal(authority=True))
    switched = switch_authority(announced, HOSTS, now)
    seen = {shake_hands(each, other) for each in (announced, switched)}
    assert len(seen) == 2
    assert shake_hands(other, switched), "and as a client"
    for each in (announced, switched):
        certificate = ssl.PEM_cert_to_DER_cert(each.tls_certificate_pem)
        assert is_issued_by(certificate, announced.tls_authority_pem)
    assert not is_issued_by(ssl.PEM_cert_to_DER_cert(switched.tls_certificate_pem), ours.tls_authority_pem)


def test_what_cannot_be_read_leaves_the_keys_in_memory(home: Home) -> None:
    live = LiveKeyring(home)
    version = live.key_document.version
    (home.keys / "tls.crt").write_text("torn")
    assert not live.take_changes()
    assert live.key_document.version == version
    assert live.present.key_document.version == version


def test_a_renewal_that_ended_between_its_renames_is_completed(home: Home) -> None:
    renewed = renew_keyring(load_keyring(home), HOSTS, BORN + DAY)
    replace_keyring(home, renewed)
    home.keys.rename(home.root / "keys.next")
    assert load_keyring(home) == renewed
    assert not (home.root / "keys.next").exists()


@pytest.mark.django_db
def test_every_partner_is_told_once_of_a_renewal(home: Home, live: LiveKeyring) -> None:
    introduce("XB", "XC")
    assert announce_keys(BORN) == 0, "partners were introduced with the first document"
    replace_keyring(home, renew_keyring(live.present, HOSTS, BORN + DAY, renewal=Renewal(signing=True)))
    suspend_partner(ANA, administration="XC", reason="a theft", at=BORN)
    care = KeyCare(home, live)
    care.turn(BORN + DAY)
    care.turn(BORN + DAY)
    assert list(OutboxMessage.objects.values_list("kind", "partner__administration")) == [("keys/1", "XB")]
    replace_keyring(home, renew_keyring(live.present, HOSTS, BORN + 2 * DAY))
    care.turn(BORN + 2 * DAY)
    assert OutboxMessage.objects.count() == 2


@pytest.mark.django_db
def test_a_new_authority_takes_over_once_every_partner_has_answered(home: Home, live: LiveKeyring) -> None:
    introduce("XB")
    announced = renew_keyring(live.present, HOSTS, BORN + DAY, renewal=Renewal(authority=True))
    replace_keyring(home, announced)
    care = KeyCare(home, live)
    care.turn(BORN + 5 * DAY)
    assert live.tls_next_key_pem, "XB has not answered"
    OutboxMessage.objects.update(state=OutboxMessage.State.DELIVERED)
    care.turn(BORN + DAY)
    assert live.tls_next_key_pem, "not within a day"
    care.turn(BORN + 5 * DAY)
    assert not live.tls_next_key_pem
    assert len(split_pem(live.tls_authority_pem)) == 2


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TokenPlace:
    """A fresh SoftHSM token. Its library reads its configuration once in a process, so all tests share one folder."""
    if shutil.which("softhsm2-util") is None or not MODULE.exists():
        pytest.skip("SoftHSM is not installed: apt-get install softhsm2")
    pytest.importorskip("pkcs11", reason="the extra pkcs11 is not installed")
    folder = _softhsm_folder()
    monkeypatch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
    label = tmp_path.name[-32:]
    command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", "1234", "--so-pin", "4321"]
    subprocess.run(command, check=True, capture_output=True)
    pin_file = tmp_path / "pin"
    pin_file.write_text("1234\n")
    return TokenPlace(str(MODULE), label, str(pin_file))


_FOLDERS: list[Path] = []


def _softhsm_folder() -> Path:
    if not _FOLDERS:
        folder = Path(tempfile.mkdtemp(prefix="comity-softhsm-"))
        (folder / "tokens").mkdir()
        (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
        _FOLDERS.append(folder)
    return _FOLDERS[0]


def test_keys_in_a_token_sign_as_others_do(home: Home, place: TokenPlace) -> None:
    before = load_keyring(home)
    moved = move_into_token(before, place, HOSTS, BORN + DAY)
    replace_keyring(home, moved)
    assert not {"signing.key", "log.key", "cosigner.key"} & {path.name for path in home.keys.iterdir()}
    assert (home.keys / f"former-signing-{before.signing.verify_key.keyid}.key").exists(), (
        "it signs beside until its date"
    )
    ring = load_keyring(home)
    assert ring == moved
    assert ring.log.vkey == before.log.vkey
    statement = sign_statement("t", b"x", *ring.signers)
    assert verify_statement(statement, ring.key_document.active_signing_keys(BORN + DAY), payload_type="t")
    assert sign_note("x\n", ring.log, at=BORN) == sign_note("x\n", before.log, at=BORN), "Ed25519 has one signature"
    renewed = renew_keyring(ring, HOSTS, BORN + 2 * DAY, signing=successor_of(ring.signing))
    revoked = revoke_key(renewed, ring.signing.verify_key.keyid, HOSTS, BORN + 3 * DAY)
    replace_keyring(home, revoked)
    again = load_keyring(home)
    assert [type(each).__name__ for each in again.signers] == ["TokenKey", "TokenKey", "SigningKey"]
    assert successor_of(before.signing) is None
    with pytest.raises(Exception, match="in a token already"):
        move_into_token(again, place, HOSTS, BORN)


@pytest.mark.django_db
def test_a_node_born_with_a_token_never_has_these_keys_on_a_disk(tmp_path: Path, place: TokenPlace) -> None:
    born = Home(tmp_path / "born")
    words = {"pkcs11_module": place.module, "pkcs11_token": place.label, "pin_file": place.pin_file}
    made = create_node(born, BirthWishes("XA", "Customs of XA", **words), at=BORN)
    ring = load_keyring(born)
    assert ring == made
    assert [type(each.key).__name__ for each in (ring.log, ring.cosigner)] == ["TokenKey", "TokenKey"]
    assert [type(each).__name__ for each in ring.signers] == ["TokenKey"]
    files = {path.name for path in born.keys.iterdir()}
    assert not {"signing.key", "log.key", "cosigner.key"} & files
    assert "token.toml" in files
    assert ring.key_document.version == 1
    note = sign_note("x\n", ring.log, at=BORN)
    assert open_note(note, [ring.log.verifier]).text == "x\n"


@pytest.mark.parametrize(
    "words",
    [
        {"pkcs11_module": "/nowhere.so"},
        {"pkcs11_token": "label"},
        {"pin_file": "/pin"},
        {"pkcs11_module": "/nowhere.so", "pkcs11_token": "label"},
    ],
)
def test_a_birth_without_its_token_writes_nothing(tmp_path: Path, words: dict[str, str]) -> None:
    born = Home(tmp_path / "born")
    with pytest.raises(HomeError):
        create_node(born, BirthWishes("XA", "Customs of XA", **words), at=BORN)
    assert not born.root.exists() or not list(born.root.iterdir())


def test_many_threads_and_a_token_that_went_away(home: Home, place: TokenPlace) -> None:
    key = move_into_token(load_keyring(home), place, HOSTS, BORN).signing
    with ThreadPoolExecutor(8) as pool:
        signed = list(pool.map(lambda number: (number, key.sign(b"%d" % number)), range(64)))
    for number, signature in signed:
        key.verify_key.verify(signature, b"%d" % number)
    token_at(place)._session.close()  # as when it was pulled out and put in again
    key.verify_key.verify(key.sign(b"again"), b"again")
    assert threading.active_count() >= 1


def test_a_token_that_cannot_be_used_says_why(
    home: Home, place: TokenPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(PIN_VARIABLE, raising=False)
    ring = load_keyring(home)
    for wrong, why in (
        (replace(place, label="elsewhere"), "NoSuchToken"),
        (replace(place, module="/nowhere.so"), "cannot be loaded"),
        (replace(place, pin_file=""), "no PIN"),
        (replace(place, pin_file=str(tmp_path / "gone")), "cannot be read"),
    ):
        with pytest.raises(TokenError, match=why):
            move_into_token(ring, wrong, HOSTS, BORN)
    wrong_pin = tmp_path / "wrong"
    wrong_pin.write_text("9999")
    with pytest.raises(TokenError, match="PinIncorrect"):
        move_into_token(ring, replace(place, pin_file=str(wrong_pin)), HOSTS, BORN)
    (home.keys / "token.toml").write_text("module = 1\n")
    with pytest.raises(TokenError, match="names the token"):
        load_keyring(home)


@pytest.mark.django_db
def test_recovery_keeps_a_log_key_that_is_left_in_the_token(home: Home, place: TokenPlace) -> None:
    moved = move_into_token(load_keyring(home), place, HOSTS, BORN)
    replace_keyring(home, moved)
    made = recover_keys(Recovery(home), at=BORN + DAY)
    assert (made.former_log, made.keyring.log.vkey) == ("", moved.log.vkey)
    assert made.keyring.signing != moved.signing
    assert made.keyring.opening_key(moved.encryption.public.keyid) == moved.encryption
