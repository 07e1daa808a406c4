"""Keys: the RFC's numbers, and every weak key refused when it is registered."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.trust import KeyRefusedError, RecipientKey, RecipientPublicKey, SignatureError, SigningKey, VerifyKey
from tests.trust.strategies import changed, differences, positions, signing_keys

VECTORS = Path(__file__).parents[1] / "vectors" / "ed25519"
RFC8032 = json.loads((VECTORS / "rfc8032.json").read_text())
WEAK = json.loads((VECTORS / "weak_keys.json").read_text())
PRIME = 2**255 - 19
LOW_ORDER_U = (
    0,
    1,
    PRIME - 1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)


@pytest.mark.parametrize("vector", RFC8032, ids=lambda vector: vector["name"])
def test_rfc8032(vector: dict[str, str]) -> None:
    key = SigningKey.from_seed(bytes.fromhex(vector["seed"]))
    message, signature = bytes.fromhex(vector["message"]), bytes.fromhex(vector["signature"])
    assert key.verify_key.raw.hex() == vector["public"]
    assert key.sign(message) == signature
    VerifyKey.from_raw(bytes.fromhex(vector["public"])).verify(signature, message)


@pytest.mark.parametrize("raw", WEAK["low_order"])
def test_low_order_key_is_refused(raw: str) -> None:
    with pytest.raises(KeyRefusedError, match="low order"):
        VerifyKey.from_raw(bytes.fromhex(raw))


@pytest.mark.parametrize("raw", WEAK["non_canonical"])
def test_non_canonical_key_is_refused(raw: str) -> None:
    with pytest.raises(KeyRefusedError, match="canonical"):
        VerifyKey.from_raw(bytes.fromhex(raw))


@pytest.mark.parametrize("raw", WEAK["not_on_curve"])
def test_key_off_the_curve_is_refused(raw: str) -> None:
    with pytest.raises(KeyRefusedError, match="not a point"):
        VerifyKey.from_raw(bytes.fromhex(raw))


@pytest.mark.shared
def test_cctv_keys(shared_data: Path) -> None:
    """Every key that C2SP/CCTV flags as low order, mixed order or non-canonical is refused, and no other."""
    cases = json.loads((shared_data / "vectors" / "ed25519" / "ed25519vectors.json").read_text())
    weak = {"low_order_A", "low_order_component_A", "non_canonical_A"}
    flags_of: dict[str, set[str]] = {}
    for case in cases:
        flags_of.setdefault(case["key"], set()).update(weak & set(case["flags"] or ()))
    verdicts = {key: _is_refused(bytes.fromhex(key)) for key in flags_of}
    assert verdicts == {key: bool(flags) for key, flags in flags_of.items()}
    assert set(verdicts.values()) == {True, False}


@pytest.mark.shared
def test_cctv_signatures_of_sound_keys(shared_data: Path) -> None:
    """RFC 8032 §5.1.7 in the strict, cofactorless form: a signature with a residue or a second encoding of R fails."""
    cases = json.loads((shared_data / "vectors" / "ed25519" / "ed25519vectors.json").read_text())
    sound = [case for case in cases if not _is_refused(bytes.fromhex(case["key"]))]
    assert len(sound) > 20
    for case in sound:
        key, flags = VerifyKey.from_raw(bytes.fromhex(case["key"])), set(case["flags"] or ())
        if flags & {"low_order_residue", "non_canonical_R"}:
            with pytest.raises(SignatureError):
                key.verify(bytes.fromhex(case["sig"]), case["msg"].encode())
        else:
            key.verify(bytes.fromhex(case["sig"]), case["msg"].encode())


@given(signing_keys, st.binary(max_size=100), positions, differences)
def test_changed_data_or_signature_is_refused(key: SigningKey, data: bytes, position: int, difference: int) -> None:
    signature = key.sign(data)
    key.verify_key.verify(signature, data)
    with pytest.raises(SignatureError):
        key.verify_key.verify(changed(signature, position, difference), data)
    with pytest.raises(SignatureError):
        key.verify_key.verify(signature, data + b"\0")


@given(st.binary(max_size=80))
def test_garbage_is_no_signature(garbage: bytes) -> None:
    with pytest.raises(SignatureError, match="does not fit"):
        SigningKey.from_seed(bytes(32)).verify_key.verify(garbage, b"data")


@given(st.binary(max_size=40) | st.binary(min_size=32, max_size=32))
@settings(max_examples=50)
def test_garbage_is_a_key_or_refused(garbage: bytes) -> None:
    for register in (VerifyKey.from_raw, RecipientPublicKey.from_raw):
        with contextlib.suppress(KeyRefusedError):
            assert register(garbage).raw == garbage


def test_fresh_keys_differ() -> None:
    assert SigningKey.generate() != SigningKey.generate()
    assert RecipientKey.generate().public != RecipientKey.generate().public


def test_keyid_is_a_short_hash_of_the_public_key() -> None:
    key = SigningKey.from_seed(bytes.fromhex(RFC8032[0]["seed"])).verify_key
    assert key.keyid == "21fe31dfa154a261626bf854046fd227"
    assert RecipientPublicKey.from_raw(key.raw).keyid == key.keyid


def test_secrets_do_not_show() -> None:
    assert "01010101" not in repr(SigningKey.from_seed(b"\x01" * 32))
    assert "\\x01" not in repr(RecipientKey.from_raw(b"\x01" * 32)).split("public=")[0]


@pytest.mark.parametrize("make", [SigningKey.from_seed, RecipientKey.from_raw, RecipientPublicKey.from_raw, VerifyKey])
@pytest.mark.parametrize("length", [0, 31, 33])
def test_length_is_checked(make: type[SigningKey], length: int) -> None:
    with pytest.raises(KeyRefusedError, match="32 bytes"):
        make(b"\x05" * length)


@pytest.mark.parametrize("u", LOW_ORDER_U)
def test_low_order_sealing_key_is_refused(u: int) -> None:
    raw = u.to_bytes(32, "little")
    with pytest.raises(KeyRefusedError, match="low order"):
        RecipientPublicKey.from_raw(raw)
    with pytest.raises(ValueError):
        # The library agrees: the shared secret would be zero (RFC 7748 §6.1).
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(raw))


@pytest.mark.parametrize("u", [PRIME, PRIME + 9, 2**255 + 9, 2**256 - 1])
def test_non_canonical_sealing_key_is_refused(u: int) -> None:
    with pytest.raises(KeyRefusedError, match="canonical"):
        RecipientPublicKey.from_raw(u.to_bytes(32, "little"))


def test_recipient_key_round_trip() -> None:
    key = RecipientKey.generate()
    assert RecipientKey.from_raw(key.raw) == key
    assert RecipientPublicKey.from_raw(key.public.raw) == key.public


def _is_refused(raw: bytes) -> bool:
    try:
        VerifyKey.from_raw(raw)
    except KeyRefusedError:
        return True
    return False
