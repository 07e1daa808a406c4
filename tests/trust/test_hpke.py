"""Seals open for one key and one use, and for nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from comity.trust import RecipientKey, UnsealError, seal, unseal
from tests.trust.strategies import RECIPIENTS, changed, differences, positions, recipients

VECTOR = {
    name: bytes.fromhex(value)
    for name, value in json.loads(
        (Path(__file__).parents[1] / "vectors" / "hpke" / "rfc9180_a1.json").read_text()
    ).items()
}


def test_rfc9180_a1() -> None:
    cipher, nonce, plaintext = AESGCM(VECTOR["key"]), VECTOR["base_nonce"], VECTOR["plaintext"]
    assert cipher.encrypt(nonce, plaintext, VECTOR["aad"]) == VECTOR["ciphertext"]
    sealed = VECTOR["encapsulated"] + cipher.encrypt(nonce, plaintext, b"")
    key = RecipientKey.from_raw(VECTOR["private"])
    assert key.public.raw == VECTOR["public"]
    assert unseal(key, sealed, info=VECTOR["info"]) == plaintext


@given(recipients, st.binary(max_size=300), st.binary(max_size=60))
def test_round_trip(key: RecipientKey, plaintext: bytes, info: bytes) -> None:
    sealed = seal(key.public, plaintext, info=info)
    assert len(sealed) == len(plaintext) + 48
    assert unseal(key, sealed, info=info) == plaintext


@given(recipients, st.binary(max_size=100), positions, differences)
def test_any_changed_byte_is_refused(key: RecipientKey, plaintext: bytes, position: int, difference: int) -> None:
    sealed = seal(key.public, plaintext, info=b"XA>XB")
    with pytest.raises(UnsealError):
        unseal(key, changed(sealed, position, difference), info=b"XA>XB")


@given(st.binary(max_size=80), positions)
def test_any_cut_is_refused(plaintext: bytes, position: int) -> None:
    sealed = seal(RECIPIENTS[0].public, plaintext, info=b"")
    with pytest.raises(UnsealError):
        unseal(RECIPIENTS[0], sealed[: position % len(sealed)], info=b"")


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_garbage_never_crashes(garbage: bytes, info: bytes) -> None:
    with pytest.raises(UnsealError, match="does not open"):
        unseal(RECIPIENTS[0], garbage, info=info)


def test_other_recipient_and_other_use_are_refused() -> None:
    ana, boris = RECIPIENTS[:2]
    sealed = seal(ana.public, b"x", info=b"XB>XA 1")
    with pytest.raises(UnsealError) as refusal:
        unseal(boris, sealed, info=b"XB>XA 1")
    assert boris.public.keyid in refusal.value.where
    with pytest.raises(UnsealError):
        unseal(ana, sealed, info=b"XB>XA 2")


def test_low_order_encapsulated_key_is_refused() -> None:
    sealed = seal(RECIPIENTS[0].public, b"x", info=b"")
    with pytest.raises(UnsealError):
        unseal(RECIPIENTS[0], bytes(32) + sealed[32:], info=b"")


def test_same_text_is_sealed_differently() -> None:
    assert seal(RECIPIENTS[0].public, b"x", info=b"") != seal(RECIPIENTS[0].public, b"x", info=b"")
