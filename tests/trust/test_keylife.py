"""The life of keys: renewed, withdrawn, begun anew after a loss; partners follow by signatures or by fingerprint."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from comity.trust import (
    CertificateError,
    FormerKeys,
    KeyDocument,
    KeyDocumentError,
    Keyring,
    KeyringError,
    Loss,
    Renewal,
    SignatureError,
    SigningKey,
    certificate_ends,
    is_issued_by,
    keyring_files,
    keyring_from_files,
    make_keyring,
    read_certificate,
    read_former_keys,
    read_key_document,
    read_log_key,
    recover_keyring,
    renew_certificate,
    renew_keyring,
    revoke_key,
    seal,
    sign_key_document,
    sign_statement,
    switch_authority,
    unseal,
    verify_statement,
)
from comity.trust.keyfiles import FILE_NAMES
from comity.trust.tls import split_pem
from tests.trust.strategies import AT

HOSTS = ["alfa.example"]
DAY = timedelta(days=1)
FIRST = make_keyring("XA", "Customs of Alfa", "https://127.0.0.1:8443", HOSTS, AT)
# A keyring as it was made before there were hybrid and second keys.
OLD_DOCUMENT = replace(FIRST.key_document, hybrid_keys=(), second_signing_keys=())
OLD = replace(
    FIRST,
    hybrid=None,
    second=None,
    key_document=OLD_DOCUMENT,
    key_statement=sign_key_document(OLD_DOCUMENT, FIRST.signing),
)


def follow(keyring: Keyring, held: Keyring, days: int = 0) -> KeyDocument:
    return read_key_document(keyring.key_statement.to_bytes(), trusted=held.key_document, at=AT + days * DAY)


def test_a_new_sealing_key_leaves_the_old_one_able_to_open() -> None:
    renewed = renew_keyring(FIRST, HOSTS, AT + DAY, renewal=Renewal(sealing=True))
    assert renewed.encryption != FIRST.encryption
    assert renewed.key_document.active_encryption_keys(AT + DAY)[0] == renewed.encryption.public
    assert FIRST.hybrid is not None
    for old in (FIRST.encryption, FIRST.hybrid):
        on_its_way = seal(old.public, b"x", info=b"i")
        key = renewed.opening_key(old.public.keyid)
        assert key is not None
        assert unseal(key, on_its_way, info=b"i") == b"x"
    assert renewed.opening_key("0" * 32) is None
    assert keyring_from_files(keyring_files(renewed)) == renewed
    assert follow(renewed, FIRST, 1) == renewed.key_document


def test_three_generations_are_followed_by_who_missed_the_second() -> None:
    second = renew_keyring(FIRST, HOSTS, AT + DAY, renewal=Renewal(signing=True))
    third = renew_keyring(second, HOSTS, AT + 2 * DAY, renewal=Renewal(signing=True, sealing=True))
    assert third.signers == (third.signing, second.signing, FIRST.signing)
    assert len(third.second_signers) == 3
    assert follow(third, FIRST, 2) == follow(third, second, 2) == third.key_document
    statement = sign_statement("t", b"x", *third.signers_for(is_doubled=False))
    for held in (FIRST, second, third):
        assert verify_statement(statement, held.key_document.active_signing_keys(AT + 2 * DAY), payload_type="t")
    doubled = sign_statement("t", b"x", *third.signers_for(is_doubled=True))
    for held in (FIRST, second, third):
        assert verify_statement(doubled, held.key_document.active_second_keys(AT + 2 * DAY), payload_type="t")
    assert keyring_from_files(keyring_files(third)) == third


def test_an_old_keyring_works_and_gets_the_new_kinds_of_key_at_its_renewal() -> None:
    assert keyring_from_files(keyring_files(OLD)) == OLD
    assert tuple(keyring_files(OLD)) == FILE_NAMES
    assert OLD.second_signers == ()
    assert OLD.signers_for(is_doubled=True) == OLD.signers
    assert OLD.opening_key("f" * 32) is None
    assert b"hybrid_keys" not in OLD.key_document.to_payload()
    renewed = renew_keyring(OLD, HOSTS, AT + DAY)
    assert renewed.hybrid is not None
    assert renewed.second is not None
    assert renewed.key_document.active_hybrid_keys(AT + DAY) == (renewed.hybrid.public,)
    assert renewed.key_document.active_second_keys(AT + DAY) == (renewed.second.verify_key,)
    assert follow(renewed, OLD, 1) == renewed.key_document


def test_a_withdrawn_signing_key_has_a_successor_and_proves_nothing_from_then_on() -> None:
    keyid = FIRST.signing.verify_key.keyid
    revoked = revoke_key(FIRST, keyid, HOSTS, AT + 5 * DAY)
    document = revoked.key_document
    assert follow(revoked, FIRST, 5) == document, "the news itself is followed: it carries the withdrawn key, too"
    assert [each.keyid for each in document.revoked_keys(AT + 5 * DAY)] == [keyid]
    assert document.active_signing_keys(AT + 6 * DAY) == (revoked.signing.verify_key,)
    by_thief = sign_statement("t", b"x", FIRST.signing)
    with pytest.raises(SignatureError):
        verify_statement(by_thief, document.active_signing_keys(AT + 6 * DAY), payload_type="t")
    before = document.active_signing_keys(AT + 4 * DAY)
    assert verify_statement(by_thief, before, payload_type="t"), "what a log dates before it stays evidence"
    stolen = renew_keyring(FIRST, HOSTS, AT + 6 * DAY)
    with pytest.raises(SignatureError):
        follow(stolen, revoked, 6)
    with pytest.raises(KeyringError, match="No key of this id"):
        revoke_key(revoked, keyid, HOSTS, AT + 6 * DAY)
    with pytest.raises(KeyringError, match="No key of this id"):
        revoke_key(FIRST, "ff" * 16, HOSTS, AT)


def test_any_other_key_can_be_withdrawn() -> None:
    assert FIRST.hybrid is not None
    assert FIRST.second is not None
    for keyid, use in (
        (FIRST.encryption.public.keyid, "encryption_keys"),
        (FIRST.hybrid.public.keyid, "hybrid_keys"),
        (FIRST.second.verify_key.keyid, "second_signing_keys"),
    ):
        revoked = revoke_key(FIRST, keyid, HOSTS, AT + DAY)
        assert [each.keyid for each in revoked.key_document.revoked_keys(AT + DAY)] == [keyid]
        assert len(getattr(revoked.key_document, use)) == 2
    rotated = renew_keyring(FIRST, HOSTS, AT + DAY, renewal=Renewal(signing=True))
    former = revoke_key(rotated, FIRST.signing.verify_key.keyid, HOSTS, AT + 2 * DAY)
    assert former.signing == rotated.signing, "a former key is withdrawn without a successor"
    plain = revoke_key(OLD, OLD.encryption.public.keyid, HOSTS, AT + DAY)
    assert plain.key_document.revoked_keys(AT + DAY)


def test_a_key_made_elsewhere_takes_over() -> None:
    elsewhere = SigningKey.generate()
    renewed = renew_keyring(FIRST, HOSTS, AT + DAY, signing=elsewhere)
    assert renewed.signing is elsewhere
    assert renewed.former.signing == (FIRST.signing,)
    files = {name: content for name, content in keyring_files(renewed).items() if name != "signing.key"}
    held = {"signing.key": elsewhere}
    assert keyring_from_files(files, held=held) == renewed


def test_after_a_loss_nothing_vouches_for_the_new_keys_but_the_fingerprint() -> None:
    files = keyring_files(FIRST)
    opening = read_former_keys(files)
    loss = Loss(
        version=2,
        log=FIRST.log,
        cosigner=FIRST.cosigner,
        opening=FormerKeys(encryption=opening.encryption, hybrid=opening.hybrid),
        listed=FIRST.key_document,
    )
    recovered = recover_keyring("XA", "Customs of Alfa", "https://127.0.0.1:8443", HOSTS, AT + DAY, loss=loss)
    assert (recovered.log.vkey, recovered.cosigner.vkey) == (FIRST.log.vkey, FIRST.cosigner.vkey)
    assert recovered.opening_key(FIRST.encryption.public.keyid) == FIRST.encryption
    with pytest.raises(SignatureError):
        follow(recovered, FIRST, 1)
    taken = read_key_document(recovered.key_statement.to_bytes(), trusted=None, at=AT + DAY)
    assert taken.active_signing_keys(AT + DAY) == (recovered.signing.verify_key,)
    assert len(taken.revoked_keys(AT + DAY)) == 4
    assert taken.active_signing_keys(AT) == (recovered.signing.verify_key, FIRST.signing.verify_key)
    assert keyring_from_files(keyring_files(recovered)) == recovered
    anew = recover_keyring(
        "XA", "A", "https://a.example", HOSTS, AT, loss=Loss(log_origin="comity.xa/log-2", listed=taken)
    )
    assert anew.log.name == "comity.xa/log-2"


def test_a_second_loss_does_not_move_the_day_on_which_a_key_was_withdrawn() -> None:
    """Else what a thief signed between the two losses would count as made before the withdrawal."""
    stolen = FIRST.signing.verify_key.keyid
    once = revoke_key(FIRST, stolen, HOSTS, AT + DAY)
    loss = Loss(version=9, log=once.log, cosigner=once.cosigner, listed=once.key_document)
    twice = recover_keyring("XA", "Customs of Alfa", "https://127.0.0.1:8443", HOSTS, AT + 5 * DAY, loss=loss)
    withdrawn = {each.keyid: each.revoked_at for each in twice.key_document.signing_keys}
    assert withdrawn[stolen] == AT + DAY
    assert withdrawn[once.signing.verify_key.keyid] == AT + 5 * DAY


def test_what_is_left_of_the_files_is_found() -> None:
    files = keyring_files(renew_keyring(FIRST, HOSTS, AT + DAY, renewal=Renewal(sealing=True)))
    left = read_former_keys(files | {"hybrid.key": b"burnt"})
    assert (len(left.encryption), left.hybrid) == (2, (FIRST.hybrid,))
    assert read_former_keys({}) == FormerKeys()
    assert read_log_key(files, "log.key") == FIRST.log.key
    assert read_log_key({"log.key": b"burnt"}, "log.key") is None


def test_neither_log_nor_cosigner_key_changes_along_the_chain() -> None:
    other = make_keyring("XA", "Customs of Alfa", "https://127.0.0.1:8443", HOSTS, AT)
    for name in ("log_vkey", "cosigner_vkey"):
        changes = {name: getattr(other.key_document, name), "version": 2}
        document = replace(FIRST.key_document, **changes)  # type: ignore[arg-type]  # a text and a number
        signed = sign_key_document(document, FIRST.signing).to_bytes()
        with pytest.raises(KeyDocumentError, match="log or of its cosigner") as refusal:
            read_key_document(signed, trusted=FIRST.key_document, at=AT)
        assert refusal.value.where == name


def test_a_new_authority_is_announced_first_and_used_once_it_is_known() -> None:
    announced = renew_keyring(FIRST, HOSTS, AT + DAY, renewal=Renewal(authority=True))
    former, following = split_pem(announced.tls_authority_pem)
    assert former == FIRST.tls_authority_pem
    assert is_issued_by(read_certificate(announced.tls_certificate_pem), FIRST.tls_authority_pem)
    assert keyring_from_files(keyring_files(announced)) == announced
    again = renew_keyring(announced, HOSTS, AT + 2 * DAY)
    assert again.tls_authority_pem == announced.tls_authority_pem
    with pytest.raises(KeyringError, match="announced already"):
        renew_keyring(announced, HOSTS, AT + 2 * DAY, renewal=Renewal(authority=True))
    switched = switch_authority(announced, HOSTS, AT + 3 * DAY)
    assert switched.key_statement == announced.key_statement, "no news: both are named already"
    certificate = read_certificate(switched.tls_certificate_pem)
    assert is_issued_by(certificate, following)
    assert not is_issued_by(certificate, former)
    assert is_issued_by(certificate, announced.key_document.tls_authority_pem)
    assert keyring_from_files(keyring_files(switched)) == switched
    assert renew_keyring(switched, HOSTS, AT + 4 * DAY).tls_authority_pem == following
    with pytest.raises(KeyringError, match="No authority was announced"):
        switch_authority(FIRST, HOSTS, AT)


def test_a_certificate_is_renewed_without_news() -> None:
    renewed = renew_certificate(FIRST, HOSTS, AT + 400 * DAY)
    assert renewed.key_document == FIRST.key_document
    assert certificate_ends(renewed.tls_certificate_pem) == AT + (400 + 730) * DAY


@pytest.mark.parametrize("text", [b"", b"00", b"0" * 64, b"0" * 63 + b"g\n", b"\xff", b"0" * 66 + b"\n"])
def test_a_hybrid_key_file_holds_one_seed_in_hex(text: bytes) -> None:
    with pytest.raises(KeyringError):
        keyring_from_files(keyring_files(FIRST) | {"hybrid.key": text})


def test_other_wrong_files_are_named() -> None:
    files = keyring_files(FIRST)
    with pytest.raises(KeyringError, match="Not an ML-DSA-44 private key"):
        keyring_from_files(files | {"second.key": files["signing.key"]})
    for name in ("hybrid.key", "second.key"):
        other = keyring_files(make_keyring("XA", "Customs of Alfa", "https://127.0.0.1:8443", HOSTS, AT))
        with pytest.raises(KeyringError, match="names another key"):
            keyring_from_files(files | {name: other[name]})


def test_the_end_is_said_before_it_comes_and_narrows_what_is_new() -> None:
    document = FIRST.key_document
    for days, code in (
        (31, ()),
        (30, ("key_document_ends_in_30",)),
        (7, ("key_document_ends_in_7",)),
        (1, ("key_document_ends_in_1",)),
        (0, ("key_document_expired",)),
    ):
        assert tuple(each.code for each in document.warnings(document.expires_at - days * DAY)) == code
    document.require_current(document.expires_at - DAY)
    with pytest.raises(KeyDocumentError, match="expired"):
        document.require_current(document.expires_at)
    assert document.active_signing_keys(AT + 3650 * DAY), "and never silences"


def test_a_document_may_be_asked_about_a_time_before_it_was_issued() -> None:
    """As a bundle does: the key of then is listed, the document is signed by the key of now."""
    rotated = renew_keyring(FIRST, HOSTS, AT + 300 * DAY, renewal=Renewal(signing=True))
    much_later = renew_keyring(rotated, HOSTS, AT + 800 * DAY)
    assert much_later.signers == (rotated.signing,)
    document = read_key_document(much_later.key_statement.to_bytes(), trusted=None, at=AT + DAY)
    assert document.active_signing_keys(AT + DAY) == (FIRST.signing.verify_key,)


def test_an_authority_needs_its_key_and_there_are_two_at_most() -> None:
    other = make_keyring("XB", "Customs of Bravo", "https://127.0.0.1:8444", HOSTS, AT)
    with pytest.raises(KeyringError, match="authority's key"):
        renew_keyring(replace(FIRST, tls_authority_key_pem=other.tls_authority_key_pem), HOSTS, AT)
    with pytest.raises(CertificateError, match="Too many"):
        is_issued_by(read_certificate(FIRST.tls_certificate_pem), FIRST.tls_authority_pem * 3)
