"""Key documents: self-signed first, chained later; expiry narrows and revocation silences."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from comity.trust import (
    KEY_DOCUMENT_TYPE,
    CertificateError,
    KeyDocument,
    KeyDocumentError,
    KeyEntry,
    KeyRefusedError,
    NoteError,
    SignatureError,
    SignedStatement,
    SigningKey,
    StatementError,
    TrustError,
    canonical_json,
    make_keyring,
    read_key_document,
    sha256_hex,
    sign_key_document,
    sign_statement,
)
from tests.trust.strategies import (
    AT,
    KEYS,
    RECIPIENTS,
    changed,
    differences,
    instants,
    json_values,
    key_documents,
    positions,
)

YEAR = timedelta(days=365)
DAY = timedelta(days=1)
KEYRING = make_keyring("XA", "Customs of Alfa", "https://alfa.example:8443", ["alfa.example"], AT)
FIRST = KEYRING.key_document
OTHER_VKEY = replace(KEYRING.log, name="comity.xb/log").vkey
WIRE = KEYRING.key_statement.to_bytes()


def entry(key: SigningKey, start: datetime = AT, days: int = 30, revoked_at: datetime | None = None) -> KeyEntry:
    return KeyEntry(key.verify_key.raw.hex(), start, start + timedelta(days=days), revoked_at)


def successor(**changes: object) -> KeyDocument:
    return replace(FIRST, **{"version": 2, "issued_at": AT + DAY, **changes})  # type: ignore[arg-type]  # any field


def read(document: KeyDocument, *keys: SigningKey, trusted: KeyDocument | None, at: datetime = AT) -> KeyDocument:
    return read_key_document(sign_key_document(document, *keys).to_bytes(), trusted=trusted, at=at)


@given(key_documents())
@settings(max_examples=50)
def test_round_trip(document: KeyDocument) -> None:
    payload = document.to_payload()
    assert KeyDocument.from_payload(payload) == document
    assert payload == canonical_json(json.loads(payload))


def test_first_document_is_signed_by_itself() -> None:
    assert read_key_document(WIRE, trusted=None, at=AT) == FIRST
    with pytest.raises(SignatureError):
        read(FIRST, KEYS[0], trusted=None)


def test_fingerprint_is_for_reading_aloud() -> None:
    assert re.fullmatch(r"([0-9a-f]{4} ){15}[0-9a-f]{4}", FIRST.fingerprint)
    assert FIRST.fingerprint.replace(" ", "") == sha256_hex(KEYRING.key_statement.payload)


def test_later_document_is_signed_by_a_key_of_the_one_before() -> None:
    new = SigningKey.generate()
    document = successor(signing_keys=(*FIRST.signing_keys, entry(new)))
    assert read(document, KEYRING.signing, new, trusted=FIRST) == document
    assert read(document, KEYRING.signing, trusted=FIRST) == document
    with pytest.raises(SignatureError, match="trusted here"):
        read(document, new, trusted=FIRST)


def test_rotation_leaves_the_old_key_behind() -> None:
    new, newer = SigningKey.generate(), SigningKey.generate()
    second = successor(signing_keys=(entry(new),))
    assert read(second, KEYRING.signing, new, trusted=FIRST) == second
    third = successor(version=3, signing_keys=(entry(newer),))
    assert read(third, new, newer, trusted=second) == third
    with pytest.raises(SignatureError):
        read(third, KEYRING.signing, newer, trusted=second)


@pytest.mark.parametrize("version", [1, 2])
def test_version_must_rise(version: int) -> None:
    with pytest.raises(KeyDocumentError, match="does not follow version 2"):
        read(successor(version=version), KEYRING.signing, trusted=successor())


def test_administration_and_log_stay() -> None:
    with pytest.raises(KeyDocumentError, match="cannot follow one of XA"):
        read(successor(administration="XB"), KEYRING.signing, trusted=FIRST)
    other = replace(KEYRING.log, name="comity.xa/log-2")
    moved = successor(log_origin=other.name, log_vkey=other.vkey)
    with pytest.raises(KeyDocumentError, match="The log would change"):
        read(moved, KEYRING.signing, trusted=FIRST)


def test_wrong_type_is_refused() -> None:
    wire = sign_statement("application/json", FIRST.to_payload(), KEYRING.signing).to_bytes()
    for trusted in (None, FIRST):
        with pytest.raises(SignatureError, match=re.escape(KEY_DOCUMENT_TYPE)):
            read_key_document(wire, trusted=trusted, at=AT)


def test_expired_document_introduces_nobody_but_known_partners_go_on() -> None:
    late = AT + 5 * YEAR
    with pytest.raises(KeyDocumentError, match="expired on 2027-03-02") as refusal:
        read_key_document(WIRE, trusted=None, at=late)
    assert "newer one" in refusal.value.remedy
    assert FIRST.is_expired(late)
    assert FIRST.active_signing_keys(late) == (KEYRING.signing.verify_key,)
    assert FIRST.active_encryption_keys(late) == (KEYRING.encryption.public,)
    assert read(successor(), KEYRING.signing, trusted=FIRST, at=late) == successor()


def test_warnings() -> None:
    assert FIRST.warnings(AT) == ()
    assert FIRST.warnings(AT - DAY) == ()
    assert [each.code for each in FIRST.warnings(AT + YEAR)] == ["key_document_expired"]
    assert [each.code for each in FIRST.warnings(AT + 2 * YEAR)] == [
        "key_document_expired",
        "signing_key_expired",
        "sealing_key_expired",
    ]
    assert [each.code for each in FIRST.warnings(AT - 2 * DAY)] == [
        "key_document_ahead",
        "signing_key_expired",
        "sealing_key_expired",
    ]
    assert "XA" in FIRST.warnings(AT + YEAR)[0].text


def test_revoked_key_proves_nothing_from_then_on() -> None:
    revoked_at = AT + DAY
    document = successor(
        signing_keys=(replace(FIRST.signing_keys[0], revoked_at=revoked_at), entry(KEYS[0], days=3)),
    )
    assert document.active_signing_keys(AT) == (KEYRING.signing.verify_key, KEYS[0].verify_key)
    assert document.active_signing_keys(revoked_at) == (KEYS[0].verify_key,)
    assert document.active_signing_keys(AT + YEAR) == (KEYS[0].verify_key,)


def test_only_revoked_keys_leave_nothing_and_say_so() -> None:
    document = successor(signing_keys=(replace(FIRST.signing_keys[0], revoked_at=AT),))
    assert document.active_signing_keys(AT) == ()
    assert "signing_key_expired" in {each.code for each in document.warnings(AT)}
    with pytest.raises(SignatureError, match="trusted here: no key"):
        read(document, KEYRING.signing, trusted=None)


def test_active_keys_by_date() -> None:
    spans = ((KEYS[0], AT, 10), (KEYS[1], AT + 5 * DAY, 10), (KEYS[2], AT + 40 * DAY, 10))
    document = replace(FIRST, signing_keys=tuple(entry(*span) for span in spans))
    first, second, third = (key.verify_key for key, _, _ in spans)
    assert document.active_signing_keys(AT) == (first,)
    assert document.active_signing_keys(AT + 6 * DAY) == (first, second)
    assert document.active_signing_keys(AT + 10 * DAY) == (second,)
    assert document.active_signing_keys(AT + 20 * DAY) == (second,)
    assert document.active_signing_keys(AT + 39 * DAY) == (third,)
    assert document.active_signing_keys(AT - DAY) == (first,)
    assert document.active_signing_keys(AT - 2 * DAY) == ()


def test_longest_lasting_encryption_key_comes_first() -> None:
    spans = ((RECIPIENTS[0], 10), (RECIPIENTS[1], 30))
    entries = tuple(KeyEntry(key.public.raw.hex(), AT, AT + days * DAY) for key, days in spans)
    document = replace(FIRST, encryption_keys=entries)
    assert document.active_encryption_keys(AT) == (RECIPIENTS[1].public, RECIPIENTS[0].public)


@given(key_documents(), instants)
@settings(max_examples=30)
def test_unrevoked_key_that_has_begun_never_leaves_a_partner_silent(document: KeyDocument, at: datetime) -> None:
    begun = [each for each in document.signing_keys if each.not_before <= at and not each.is_revoked(at)]
    assert bool(document.active_signing_keys(at)) or not begun


@given(positions, differences)
def test_any_changed_byte_of_the_payload_is_refused(position: int, difference: int) -> None:
    statement = KEYRING.key_statement
    false = SignedStatement(
        statement.payload_type, changed(statement.payload, position, difference), statement.signatures
    )
    for trusted in (None, replace(FIRST, version=1, name="Held")):
        with pytest.raises(TrustError):
            read_key_document(false.to_bytes(), trusted=trusted, at=AT)


@given(positions, differences)
def test_any_changed_byte_on_the_wire_is_refused_or_means_the_same(position: int, difference: int) -> None:
    try:
        document = read_key_document(changed(WIRE, position, difference), trusted=None, at=AT)
    except TrustError:
        return
    assert document == FIRST


@given(st.binary(max_size=300) | json_values.map(lambda value: json.dumps(value).encode()))
def test_garbage_never_crashes(garbage: bytes) -> None:
    with pytest.raises(TrustError):
        KeyDocument.from_payload(garbage)
    with pytest.raises(TrustError):
        read_key_document(garbage, trusted=None, at=AT)
    with pytest.raises(TrustError):
        read_key_document(sign_statement(KEY_DOCUMENT_TYPE, garbage, KEYRING.signing).to_bytes(), trusted=FIRST, at=AT)


@given(st.sampled_from(sorted(json.loads(FIRST.to_payload()))), json_values)
def test_garbage_in_a_member_never_crashes(member: str, garbage: object) -> None:
    members = json.loads(FIRST.to_payload())
    assume(members[member] != garbage)
    try:
        document = KeyDocument.from_payload(canonical_json(members | {member: garbage}))
    except TrustError as refusal:
        assert refusal.what  # noqa: PT017 -- either is right, and only a crash is wrong
    else:
        assert getattr(document, member) == garbage


def test_unknown_members_survive() -> None:
    members = json.loads(FIRST.to_payload()) | {"zeta": {"b": 1, "a": [None]}, "alpha": "x"}
    document = KeyDocument.from_payload(canonical_json(members))
    assert document.unread == (("alpha", '"x"'), ("zeta", '{"a":[null],"b":1}'))
    assert document.to_payload() == canonical_json(members)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": True}, "no integer"),
        ({"version": 0}, "not a positive"),
        ({"version": 2**31}, "not a positive"),
        ({"name": None}, "not text"),
        ({"name": "\u202eseries"}, "printable"),
        ({"name": ""}, "printable"),
        ({"administration": "xa"}, "two-letter"),
        ({"issued_at": "yesterday"}, "no instant"),
        ({"issued_at": "0001-01-01T00:00:00+10:00"}, "no instant"),
        ({"expires_at": "2026-03-02T09:30:00Z"}, "expires before"),
        ({"endpoint_url": "http://alfa.example"}, "https://"),
        ({"endpoint_url": "https://"}, "https://"),
        ({"endpoint_url": "https://[::1"}, "https://"),
        ({"endpoint_url": "https://a b"}, "https://"),
        ({"signing_keys": {}}, "list of keys"),
        ({"signing_keys": []}, "1 to 16"),
        ({"signing_keys": ["x"]}, "not known here"),
        ({"log_vkey": OTHER_VKEY}, "names another log"),
        ({"cosigner_vkey": OTHER_VKEY}, "wrong kinds"),
        ({"later": 1.5}, "no canonical form"),
    ],
)
def test_wrong_member_is_named(change: Mapping[str, object], message: str) -> None:
    members = json.loads(FIRST.to_payload()) | change
    with pytest.raises(KeyDocumentError, match=message) as refusal:
        KeyDocument.from_payload(json.dumps(members).encode())
    assert refusal.value.where == next(iter(change))
    assert refusal.value.remedy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"public": "00"}, "64 lower-case"),
        ({"public": 1}, "not text"),
        ({"not_after": "2020-01-01T00:00:00Z"}, "ends before"),
        ({"not_before": "2020-01-01"}, "no instant"),
        ({"revoked_at": ""}, "no instant"),
        ({"later": 1}, "not known here"),
    ],
)
def test_wrong_key_entry_is_named(change: Mapping[str, object], message: str) -> None:
    members = json.loads(FIRST.to_payload())
    members["signing_keys"] = [members["signing_keys"][0] | change]
    with pytest.raises(KeyDocumentError, match=message):
        KeyDocument.from_payload(canonical_json(members))


def test_key_listed_twice_is_refused() -> None:
    with pytest.raises(KeyDocumentError, match="listed twice"):
        replace(FIRST, signing_keys=FIRST.signing_keys * 2)


def test_weak_keys_are_refused_at_registration() -> None:
    weak = KeyEntry("00" * 32, AT, AT + DAY)
    with pytest.raises(KeyRefusedError, match="low order"):
        replace(FIRST, signing_keys=(weak,))
    with pytest.raises(KeyRefusedError, match="low order"):
        replace(FIRST, encryption_keys=(weak,))


def test_certificate_and_verifier_keys_are_checked() -> None:
    with pytest.raises(CertificateError):
        replace(FIRST, tls_authority_pem="none")
    with pytest.raises(NoteError):
        replace(FIRST, cosigner_vkey="none")


def test_only_canonical_bytes_are_read() -> None:
    members = json.loads(FIRST.to_payload())
    for payload in (
        json.dumps(members).encode(),
        FIRST.to_payload().replace(b"2026-03-02T09:30:00Z", b"2026-03-02T10:30:00+01:00"),
    ):
        with pytest.raises(KeyDocumentError, match="canonical"):
            KeyDocument.from_payload(payload)


def test_oversized_document_is_refused() -> None:
    with pytest.raises(StatementError, match="more than the 262144"):
        read_key_document(b" " * 300_000, trusted=None, at=AT)


def test_nested_payload_is_refused() -> None:
    with pytest.raises(KeyDocumentError, match="not JSON"):
        KeyDocument.from_payload(b"[" * 200_000)


def test_dates_in_another_zone_are_written_in_utc() -> None:
    assert FIRST.issued_at.tzinfo is UTC
    assert b'"issued_at":"2026-03-02T09:30:00Z"' in FIRST.to_payload()
