"""Signed statements: the published vectors, a second implementation both ways, and no changed byte believed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey

from comity.trust import (
    Signature,
    SignatureError,
    SignedStatement,
    SigningKey,
    StatementError,
    VerifyKey,
    sign_statement,
    verify_statement,
)
from comity.trust.dsse import MAX_SIGNATURES, pae
from tests.trust.strategies import (
    KEYS,
    changed,
    differences,
    json_values,
    payload_types,
    positions,
    signing_keys,
    statements,
)

VECTORS = Path(__file__).parents[1] / "vectors" / "dsse"
PROTOCOL = json.loads((VECTORS / "protocol.json").read_text())
ED25519 = json.loads((VECTORS / "ed25519.json").read_text())
ALL_KEYS = tuple(key.verify_key for key in KEYS)
KIND = "application/vnd.comity.test+json"


def test_protocol_example() -> None:
    statement = SignedStatement.from_bytes(json.dumps(PROTOCOL["envelope"]).encode())
    assert statement.payload == PROTOCOL["payload"].encode()
    assert statement.payload_type == PROTOCOL["payload_type"]
    signed = pae(statement.payload_type, statement.payload)
    assert signed == PROTOCOL["pae"].encode()
    public = ec.EllipticCurvePublicNumbers(
        int(PROTOCOL["p256_x"]), int(PROTOCOL["p256_y"]), ec.SECP256R1()
    ).public_key()
    raw = statement.signatures[0].sig
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    public.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("case", ED25519["cases"], ids=lambda case: case["name"])
def test_ed25519_vectors(case: Mapping[str, Any]) -> None:
    statement = SignedStatement.from_bytes(json.dumps(case["envelope"]).encode())
    keys = [VerifyKey.from_raw(bytes.fromhex(ED25519["keys"][name])) for name in case["trusted"]]
    if case["accepted"]:
        signers = verify_statement(statement, keys, payload_type=case["payload_type"], threshold=case["threshold"])
        assert len(signers) == case["threshold"]
    else:
        with pytest.raises(SignatureError):
            verify_statement(statement, keys, payload_type=case["payload_type"], threshold=case["threshold"])


@given(signing_keys, payload_types, st.binary(max_size=200))
def test_securesystemslib_verifies_ours(key: SigningKey, payload_type: str, payload: bytes) -> None:
    wire = sign_statement(payload_type, payload, key).to_bytes()
    theirs = Envelope.from_dict(json.loads(wire))
    assert theirs.payload == payload
    raw = key.verify_key.raw
    public = SSlibKey(key.verify_key.keyid, "ed25519", "ed25519", {"public": raw.hex()})
    assert set(theirs.verify([public], 1)) == {key.verify_key.keyid}


@given(signing_keys, payload_types, st.binary(max_size=200))
def test_we_verify_securesystemslib(key: SigningKey, payload_type: str, payload: bytes) -> None:
    theirs = Envelope(payload, payload_type, {})
    theirs.sign(CryptoSigner(Ed25519PrivateKey.from_private_bytes(key.seed)))
    statement = SignedStatement.from_bytes(json.dumps(theirs.to_dict()).encode())
    assert statement.signatures[0].keyid != key.verify_key.keyid
    signers = verify_statement(statement, ALL_KEYS, payload_type=payload_type)
    assert signers == (key.verify_key.keyid,)
    assert statement.payload == payload


@given(statements())
def test_round_trip(statement: SignedStatement) -> None:
    again = SignedStatement.from_bytes(statement.to_bytes())
    assert again == statement
    signers = verify_statement(again, ALL_KEYS, payload_type=again.payload_type, threshold=len(again.signatures))
    assert signers == tuple(each.keyid for each in statement.signatures)


@given(statements(), positions, differences)
def test_any_changed_byte_of_what_is_signed_is_refused(
    statement: SignedStatement, position: int, difference: int
) -> None:
    for false in _falsified(statement, position, difference):
        with pytest.raises(SignatureError):
            verify_statement(false, ALL_KEYS, payload_type=false.payload_type, threshold=len(statement.signatures))


@given(statements(), positions, differences)
def test_any_changed_byte_on_the_wire_is_refused_or_means_the_same(
    statement: SignedStatement, position: int, difference: int
) -> None:
    """A keyid is a hint and unknown members are ignored (envelope.md), so some bytes carry no meaning: those only."""
    try:
        read = SignedStatement.from_bytes(changed(statement.to_bytes(), position, difference))
        verify_statement(read, ALL_KEYS, payload_type=statement.payload_type, threshold=len(statement.signatures))
    except SignatureError:
        return
    assert (read.payload_type, read.payload) == (statement.payload_type, statement.payload)
    assert [each.sig for each in read.signatures] == [each.sig for each in statement.signatures]


@given(st.binary(max_size=300) | json_values.map(lambda value: json.dumps(value).encode()))
def test_garbage_never_crashes(garbage: bytes) -> None:
    with pytest.raises(StatementError):
        SignedStatement.from_bytes(garbage)


@given(
    st.fixed_dictionaries(
        {
            "payload": json_values | st.just("aGk="),
            "payloadType": json_values | st.just(KIND),
            "signatures": json_values | st.lists(st.fixed_dictionaries({"sig": json_values, "keyid": json_values})),
        }
    )
)
def test_garbage_in_the_right_shape_never_crashes(envelope: dict[str, object]) -> None:
    with pytest.raises(SignatureError):
        verify_statement(
            SignedStatement.from_bytes(json.dumps(envelope).encode()), ALL_KEYS, payload_type=KIND, threshold=1
        )


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        (b"\xff\xfe", "not JSON in UTF-8"),
        (b"[" * 100_000, "not JSON in UTF-8"),
        (b"[]", "no object"),
        (b'{"payload":"","payloadType":"t","signatures":[]}', "1 to 64 signatures"),
        (b'{"payload":"","payloadType":"t","signatures":[[]]}', "object with sig"),
        (b'{"payload":"","payloadType":"t","signatures":[{"sig":"","keyid":1}]}', "keyid is text"),
        (b'{"payload":"","payloadType":"t","signatures":[{"keyid":""}]}', "sig is missing"),
        (b'{"payloadType":"t","signatures":[{"sig":""}]}', "payload is missing"),
        (b'{"payload":"","signatures":[{"sig":""}]}', "payloadType is missing"),
        (b'{"payload":"aGk","payloadType":"t","signatures":[{"sig":""}]}', "Not base64"),
        (b'{"payload":"a+k_","payloadType":"t","signatures":[{"sig":"aGl="}]}', "one exact form"),
        (b'{"payload":"aG k=","payloadType":"t","signatures":[{"sig":""}]}', "one exact form"),
        ('{"payload":"aGé=","payloadType":"t","signatures":[{"sig":""}]}'.encode(), "Not base64"),
    ],
)
def test_malformed_statement_is_named(wire: bytes, message: str) -> None:
    with pytest.raises(StatementError, match=message):
        SignedStatement.from_bytes(wire)


def test_limits() -> None:
    statement = sign_statement(KIND, b"x", KEYS[0])
    wire = statement.to_bytes()
    assert SignedStatement.from_bytes(wire, limit=len(wire)) == statement
    with pytest.raises(StatementError, match="more than the"):
        SignedStatement.from_bytes(wire, limit=len(wire) - 1)
    many = SignedStatement(KIND, b"x", statement.signatures * (MAX_SIGNATURES + 1))
    with pytest.raises(StatementError, match="1 to 64"):
        SignedStatement.from_bytes(many.to_bytes())


def test_unset_and_missing_keyid_are_the_same_and_unknown_members_are_ignored() -> None:
    wire = json.loads(sign_statement(KIND, b"x", KEYS[0]).to_bytes())
    wire["later"] = {"anything": 1}
    for keyid in ({"keyid": ""}, {"keyid": None}, {}):
        wire["signatures"] = [{"sig": wire["signatures"][0]["sig"], "more": 1} | keyid]
        statement = SignedStatement.from_bytes(json.dumps(wire).encode())
        assert verify_statement(statement, ALL_KEYS, payload_type=KIND) == (KEYS[0].verify_key.keyid,)


def test_type_is_part_of_what_is_signed() -> None:
    statement = sign_statement(KIND, b"x", KEYS[0])
    with pytest.raises(SignatureError, match="expected was 'other'"):
        verify_statement(statement, ALL_KEYS, payload_type="other")
    relabelled = SignedStatement("other", b"x", statement.signatures)
    with pytest.raises(SignatureError, match="does not fit the payload"):
        verify_statement(relabelled, ALL_KEYS, payload_type="other")


def test_threshold_counts_keys_not_signatures() -> None:
    once = sign_statement(KIND, b"x", KEYS[0])
    twice = SignedStatement(KIND, b"x", once.signatures * 2)
    with pytest.raises(SignatureError, match="1 trusted signatures of the 2"):
        verify_statement(twice, ALL_KEYS, payload_type=KIND, threshold=2)
    with pytest.raises(SignatureError, match="1 trusted signatures of the 2"):
        verify_statement(once, ALL_KEYS, payload_type=KIND, threshold=2)
    both = sign_statement(KIND, b"x", *KEYS[:2])
    assert len(verify_statement(both, ALL_KEYS, payload_type=KIND, threshold=2)) == 2
    assert verify_statement(both, [KEYS[1].verify_key], payload_type=KIND) == (KEYS[1].verify_key.keyid,)


@pytest.mark.parametrize("threshold", [0, -1])
def test_no_threshold_is_met_by_nobody(threshold: int) -> None:
    with pytest.raises(SignatureError):
        verify_statement(sign_statement(KIND, b"x", KEYS[0]), ALL_KEYS, payload_type=KIND, threshold=threshold)


def test_refusal_names_who_signed_and_who_is_trusted() -> None:
    statement = sign_statement(KIND, b"x", KEYS[0])
    with pytest.raises(SignatureError) as refusal:
        verify_statement(statement, [KEYS[1].verify_key], payload_type=KIND)
    assert KEYS[0].verify_key.keyid in refusal.value.where
    assert KEYS[1].verify_key.keyid in refusal.value.where
    with pytest.raises(SignatureError, match="trusted here: no key"):
        verify_statement(statement, [], payload_type=KIND)
    nobody = SignedStatement(KIND, b"x", ())
    with pytest.raises(SignatureError, match="signed by nobody"):
        verify_statement(nobody, ALL_KEYS, payload_type=KIND)


def test_nothing_is_signed_without_type_or_key() -> None:
    with pytest.raises(StatementError):
        sign_statement("", b"x", KEYS[0])
    with pytest.raises(StatementError):
        sign_statement(KIND, b"x")


def test_broken_text_is_no_type() -> None:
    with pytest.raises(StatementError, match="well-formed"):
        sign_statement("\ud800", b"x", KEYS[0])


def _falsified(statement: SignedStatement, position: int, difference: int) -> Iterator[SignedStatement]:
    kind, payload, signatures = statement.payload_type, statement.payload, statement.signatures
    if payload:
        yield SignedStatement(kind, changed(payload, position, difference), signatures)
    yield SignedStatement(kind, payload + b"\0", signatures)
    yield SignedStatement(kind + "x", payload, signatures)
    place = position % len(signatures)
    false = Signature(signatures[place].keyid, changed(signatures[place].sig, position, difference))
    yield SignedStatement(kind, payload, (*signatures[:place], false, *signatures[place + 1 :]))
