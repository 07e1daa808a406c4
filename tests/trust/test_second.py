"""The second signature and the hybrid seal: they hold, they fit nothing else, and they are what their standards say."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from comity.trust import (
    HybridKey,
    HybridPublicKey,
    KeyRefusedError,
    SecondSigningKey,
    SecondVerifyKey,
    SignatureError,
    SigningKey,
    UnsealError,
    seal,
    sign_statement,
    unseal,
    verify_statement,
)
from tests.trust.strategies import RECIPIENTS, changed, differences, positions

KEY = SecondSigningKey.from_seed(bytes(range(32)))
OTHER = SecondSigningKey.generate()
HYBRID = HybridKey.from_seed(bytes(range(32)))
VECTOR = {
    name: bytes.fromhex(value)
    for name, value in json.loads(
        (Path(__file__).parents[1] / "vectors" / "xwing" / "draft_08_1.json").read_text()
    ).items()
}


@given(st.binary(max_size=200))
def test_a_second_signature_round_trip(data: bytes) -> None:
    KEY.verify_key.verify(KEY.sign(data), data)


@given(st.binary(max_size=40), positions, differences)
def test_any_changed_byte_of_a_second_signature_is_refused(data: bytes, position: int, difference: int) -> None:
    with pytest.raises(SignatureError) as refusal:
        KEY.verify_key.verify(changed(KEY.sign(data), position, difference), data)
    assert KEY.verify_key.keyid in refusal.value.where


@given(st.binary(max_size=3000))
def test_garbage_is_no_second_signature(garbage: bytes) -> None:
    with pytest.raises(SignatureError):
        KEY.verify_key.verify(garbage, b"x")


def test_second_keys_have_their_lengths() -> None:
    assert SecondVerifyKey.from_raw(KEY.verify_key.raw) == KEY.verify_key
    assert len(KEY.verify_key.raw) == 1312
    assert len(KEY.sign(b"")) == 2420
    assert "seed" not in repr(KEY)
    for wrong in (b"", KEY.verify_key.raw[:-1]):
        with pytest.raises(KeyRefusedError, match="1312 bytes"):
            SecondVerifyKey.from_raw(wrong)
    with pytest.raises(KeyRefusedError, match="32 bytes"):
        SecondSigningKey.from_seed(b"short")


def test_both_signatures_stand_on_one_statement_and_count_apart() -> None:
    first = SigningKey.from_seed(bytes(32))
    statement = sign_statement("t", b"x", first, KEY)
    assert verify_statement(statement, [first.verify_key], payload_type="t") == (first.verify_key.keyid,)
    assert verify_statement(statement, [KEY.verify_key], payload_type="t") == (KEY.verify_key.keyid,)
    assert len(verify_statement(statement, [first.verify_key, KEY.verify_key], payload_type="t", threshold=2)) == 2
    with pytest.raises(SignatureError):
        verify_statement(sign_statement("t", b"x", first), [KEY.verify_key], payload_type="t")
    with pytest.raises(SignatureError):
        verify_statement(statement, [OTHER.verify_key], payload_type="t")


@given(st.binary(max_size=300), st.binary(max_size=60))
def test_a_hybrid_seal_round_trip(plaintext: bytes, info: bytes) -> None:
    sealed = seal(HYBRID.public, plaintext, info=info)
    assert len(sealed) == len(plaintext) + 1136
    assert unseal(HYBRID, sealed, info=info) == plaintext


@given(st.binary(max_size=100), positions, differences)
def test_any_changed_byte_of_a_hybrid_seal_is_refused(plaintext: bytes, position: int, difference: int) -> None:
    sealed = seal(HYBRID.public, plaintext, info=b"XA>XB")
    with pytest.raises(UnsealError):
        unseal(HYBRID, changed(sealed, position, difference), info=b"XA>XB")


@given(st.binary(max_size=1300))
def test_garbage_is_no_hybrid_seal(garbage: bytes) -> None:
    with pytest.raises(UnsealError):
        unseal(HYBRID, garbage, info=b"")


def test_a_seal_of_one_kind_does_not_open_as_the_other() -> None:
    with pytest.raises(UnsealError):
        unseal(RECIPIENTS[0], seal(HYBRID.public, b"x", info=b""), info=b"")
    with pytest.raises(UnsealError):
        unseal(HYBRID, seal(RECIPIENTS[0].public, b"x", info=b""), info=b"")


def test_what_is_no_hybrid_key_is_refused() -> None:
    raw = HYBRID.public.raw
    assert HybridPublicKey.from_raw(raw) == HYBRID.public
    assert HybridKey.generate() != HybridKey.generate()
    for wrong, why in (
        (raw[:-1], "1216 bytes"),
        (b"\xff" * 1216, "FIPS 203"),
        (raw[:1184] + bytes(32), "low order"),
    ):
        with pytest.raises(KeyRefusedError, match=why):
            HybridPublicKey.from_raw(wrong)
    with pytest.raises(KeyRefusedError, match="32 bytes"):
        HybridKey.from_seed(b"")


def test_the_vector_of_the_draft_opens() -> None:
    """From the draft's shared secret the HPKE schedule by hand (RFC 9180 §5.1), and our opening of what it gives."""
    key = HybridKey.from_seed(VECTOR["seed"])
    assert key.public.raw == VECTOR["public"]
    aes_key, nonce = _schedule(VECTOR["shared"], b"info")
    sealed = VECTOR["ciphertext"] + AESGCM(aes_key).encrypt(nonce, b"an alert", b"")
    assert unseal(key, sealed, info=b"info") == b"an alert"


def test_our_seal_opens_by_the_parts() -> None:
    """The other way: ours, opened with ML-KEM, X25519 and SHA3 put together by hand as the draft says (§5.3)."""
    sealed = seal(HYBRID.public, b"an alert", info=b"info")
    lattice_part, curve_part, rest = sealed[:1088], sealed[1088:1120], sealed[1120:]
    expanded = hashlib.shake_256(HYBRID.seed).digest(96)
    lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:64]).decapsulate(lattice_part)
    curve = _x25519(expanded[64:], curve_part)
    mixed = lattice + curve + curve_part + HYBRID.public.raw[1184:] + b"\\.//^\\"
    shared = hashlib.sha3_256(mixed).digest()
    aes_key, nonce = _schedule(shared, b"info")
    assert AESGCM(aes_key).decrypt(nonce, rest, b"") == b"an alert"


def _x25519(private: bytes, public: bytes) -> bytes:
    """RFC 7748 §5, in plain integers: nothing of the library under test."""
    prime, base = 2**255 - 19, int.from_bytes(public, "little") % 2**255
    scalar = int.from_bytes(private, "little") & ~7 & ~(1 << 255) | 1 << 254
    x2, z2, x3, z3 = 1, 0, base, 1
    for place in range(254, -1, -1):
        bit = scalar >> place & 1
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb, aa, bb = d * a, c * b, a * a, b * b
        x3, z3 = (da + cb) ** 2 % prime, base * (da - cb) ** 2 % prime
        x2, z2 = aa * bb % prime, (aa - bb) * (aa + 121665 * (aa - bb)) % prime
        if bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
    return (x2 * pow(z2, prime - 2, prime) % prime).to_bytes(32, "little")


def _schedule(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Key and nonce of base mode for KEM 0x647a, HKDF-SHA256, AES-128-GCM."""
    suite = b"HPKE" + (0x647A).to_bytes(2, "big") + (1).to_bytes(2, "big") + (1).to_bytes(2, "big")

    def extract(salt: bytes, label: bytes, secret: bytes) -> bytes:
        return hmac.new(salt or bytes(32), b"HPKE-v1" + suite + label + secret, "sha256").digest()

    def expand(pseudorandom: bytes, label: bytes, context: bytes, length: int) -> bytes:
        text = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
        return hmac.new(pseudorandom, text + b"\x01", "sha256").digest()[:length]

    context = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    return expand(secret, b"key", context, 16), expand(secret, b"base_nonce", context, 12)
