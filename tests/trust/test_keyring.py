"""A node's keys: made together, kept in files, read back together or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.trust import (
    CertificateError,
    Checkpoint,
    KeyDocumentError,
    KeyringError,
    Renewal,
    SignatureError,
    TrustError,
    keyring_files,
    keyring_from_files,
    make_keyring,
    open_note,
    read_key_document,
    renew_keyring,
    seal,
    sign_key_document,
    sign_note,
    sign_statement,
    unseal,
    verify_statement,
)
from comity.trust.keyfiles import FILE_NAMES
from tests.trust.strategies import AT, changed, differences, positions

KEYRING = make_keyring("XA", "Customs of Alfa", "https://127.0.0.1:8443", ["127.0.0.1", "localhost"], AT)
OTHER = make_keyring("XB", "Customs of Bravo", "https://127.0.0.1:8444", ["127.0.0.1"], AT)
FILES = keyring_files(KEYRING)


def test_files_round_trip() -> None:
    assert tuple(FILES) == (*FILE_NAMES, "hybrid.key", "second.key")
    assert keyring_from_files(FILES) == KEYRING
    assert keyring_files(keyring_from_files(FILES)) == FILES


def test_other_files_are_left_alone() -> None:
    assert keyring_from_files({**FILES, "session.key": b"\xff"}) == KEYRING


def test_files_are_what_their_names_say() -> None:
    key = serialization.load_pem_private_key(FILES["signing.key"], password=None)
    assert isinstance(key, Ed25519PrivateKey)
    assert key.private_bytes_raw() == KEYRING.signing.seed
    assert FILES["signing.key"].startswith(b"-----BEGIN PRIVATE KEY-----")
    assert FILES["authority.crt"].startswith(b"-----BEGIN CERTIFICATE-----")
    assert read_key_document(FILES["node.keydoc.json"], trusted=None, at=AT) == KEYRING.key_document


def test_every_key_does_its_work() -> None:
    document = KEYRING.key_document
    statement = sign_statement("t", b"x", KEYRING.signing)
    assert verify_statement(statement, document.active_signing_keys(AT), payload_type="t")
    sealed = seal(document.active_encryption_keys(AT)[0], b"x", info=b"")
    assert unseal(KEYRING.encryption, sealed, info=b"") == b"x"
    head = Checkpoint(document.log_origin, 0, bytes(32)).text
    note = sign_note(head, KEYRING.log, KEYRING.cosigner, at=AT)
    opened = open_note(note, [KEYRING.log.verifier, KEYRING.cosigner.verifier])
    assert opened.signed_by == {document.log_vkey: None, document.cosigner_vkey: int(AT.timestamp())}


def test_names_of_log_and_cosigner() -> None:
    assert KEYRING.log.name == KEYRING.key_document.log_origin == "comity.xa/log"
    assert KEYRING.cosigner.name == "comity.xa/log/cosigner"
    own = make_keyring("XA", "A", "https://a.example", ["a.example"], AT, log_origin="customs.example/2026")
    assert own.key_document.log_vkey.startswith("customs.example/2026+")


def test_keys_are_all_different() -> None:
    seeds = {KEYRING.signing.seed, KEYRING.log.key.seed, KEYRING.cosigner.key.seed, KEYRING.encryption.raw}
    assert len(seeds) == 4
    assert KEYRING.tls_key_pem != KEYRING.tls_authority_key_pem


def test_no_secret_shows() -> None:
    assert repr(KEYRING) == "Keyring(administration='XA', name='Customs of Alfa')"


def test_renewed_keyring_keeps_its_keys_and_partners_follow() -> None:
    later = AT + timedelta(days=300)
    renewed = renew_keyring(KEYRING, ["alfa.example"], later)
    document = renewed.key_document
    assert keyring_from_files(keyring_files(renewed)) == renewed
    assert (renewed.signing, renewed.encryption, renewed.log) == (KEYRING.signing, KEYRING.encryption, KEYRING.log)
    assert renewed.tls_certificate_pem != KEYRING.tls_certificate_pem
    assert (document.version, document.issued_at) == (2, later)
    assert [each.not_before for each in document.signing_keys] == [AT]
    assert document.warnings(later + timedelta(days=334)) == ()
    assert read_key_document(renewed.key_statement.to_bytes(), trusted=KEYRING.key_document, at=later) == document


def test_new_signing_key_is_followed_and_the_old_one_ends_on_its_date() -> None:
    later = AT + timedelta(days=300)
    rotated = renew_keyring(KEYRING, ["alfa.example"], later, renewal=Renewal(signing=True))
    document, new = rotated.key_document, rotated.signing.verify_key
    assert keyring_from_files(keyring_files(rotated)) == rotated
    assert rotated.signing != KEYRING.signing
    assert document.active_signing_keys(later) == (new, KEYRING.signing.verify_key)
    assert document.active_signing_keys(AT + timedelta(days=730)) == (new,)
    assert read_key_document(rotated.key_statement.to_bytes(), trusted=KEYRING.key_document, at=later) == document
    assert read_key_document(rotated.key_statement.to_bytes(), trusted=None, at=later) == document
    assert rotated.signers == (rotated.signing, KEYRING.signing)
    much_later = AT + timedelta(days=900)
    third = renew_keyring(rotated, ["alfa.example"], much_later)
    assert third.signers == (rotated.signing,), "past its date the private half is not kept"
    listed = [new.raw.hex(), KEYRING.signing.verify_key.raw.hex()]
    assert [each.public for each in third.key_document.signing_keys] == listed, "what it signed still verifies"
    assert third.key_document.active_signing_keys(later) == (new, KEYRING.signing.verify_key)
    assert read_key_document(third.key_statement.to_bytes(), trusted=document, at=much_later) == third.key_document


def test_document_must_be_signed_by_the_present_key() -> None:
    rotated = renew_keyring(KEYRING, ["alfa.example"], AT, renewal=Renewal(signing=True))
    with pytest.raises(SignatureError):
        replace(rotated, key_statement=sign_key_document(rotated.key_document, KEYRING.signing))


@pytest.mark.parametrize("name", FILE_NAMES)
def test_missing_file_is_named(name: str) -> None:
    with pytest.raises(KeyringError, match="missing") as refusal:
        keyring_from_files({key: value for key, value in FILES.items() if key != name})
    assert refusal.value.where == name
    assert "backup" in refusal.value.remedy


@pytest.mark.parametrize("name", FILE_NAMES)
def test_file_of_another_node_is_refused(name: str) -> None:
    with pytest.raises(TrustError):
        keyring_from_files({**FILES, name: keyring_files(OTHER)[name]})


@pytest.mark.parametrize(
    "names", [("tls.crt", "tls.key"), ("authority.crt", "authority.key"), ("signing.key", "log.key")]
)
def test_pairs_of_another_node_are_refused(names: tuple[str, ...]) -> None:
    foreign = keyring_files(OTHER)
    with pytest.raises(TrustError):
        keyring_from_files({**FILES, **{name: foreign[name] for name in names}})


def test_wrong_kinds_of_key_are_named() -> None:
    swapped = {**FILES, "signing.key": FILES["encryption.key"]}
    with pytest.raises(KeyringError, match="Not an Ed25519 private key"):
        keyring_from_files(swapped)
    with pytest.raises(KeyringError, match="Not an X25519 private key"):
        keyring_from_files({**FILES, "encryption.key": FILES["signing.key"]})
    with pytest.raises(CertificateError, match="not on P-256"):
        keyring_from_files({**FILES, "tls.key": FILES["signing.key"]})


def test_encrypted_key_is_refused_by_name() -> None:
    encrypted = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"pw")
    )
    with pytest.raises(KeyringError, match="unencrypted") as refusal:
        keyring_from_files({**FILES, "signing.key": encrypted})
    assert refusal.value.where == "signing.key"


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(KeyringError, match="PEM text"):
        keyring_from_files({**FILES, "tls.crt": b"\xff"})


@given(st.sampled_from(FILE_NAMES), st.binary(max_size=200))
def test_garbage_never_crashes(name: str, garbage: bytes) -> None:
    with pytest.raises(TrustError):
        keyring_from_files({**FILES, name: garbage})


@given(st.sampled_from(FILE_NAMES), positions, differences)
@settings(max_examples=300)
def test_changed_file_is_refused_or_means_the_same(name: str, position: int, difference: int) -> None:
    """PEM, X25519 and DSSE have bits without meaning (line ends, clamping, hints): no change gives other keys."""
    try:
        keyring = keyring_from_files({**FILES, name: changed(FILES[name], position, difference)})
    except TrustError:
        return
    assert keyring.key_document == KEYRING.key_document
    assert (keyring.signing, keyring.encryption.public) == (KEYRING.signing, KEYRING.encryption.public)
    assert (keyring.log, keyring.cosigner) == (KEYRING.log, KEYRING.cosigner)


@pytest.mark.parametrize(
    ("administration", "name", "url", "error"),
    [
        ("xa", "A", "https://a.example", KeyDocumentError),
        ("", "A", "https://a.example", TrustError),
        ("X" * 70, "A", "https://a.example", CertificateError),
        ("XA", "", "https://a.example", KeyDocumentError),
        ("XA", "A", "http://a.example", KeyDocumentError),
    ],
)
def test_wrong_identity_makes_no_keyring(administration: str, name: str, url: str, error: type[TrustError]) -> None:
    with pytest.raises(error):
        make_keyring(administration, name, url, ["a.example"], AT)
