"""Keys as values: Ed25519 for signatures, X25519 for seals.

One library (`cryptography`) makes and verifies every signature: libraries differ on edge-case keys, so weak
public keys are refused when they are read and no second verifier is used anywhere.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from comity.trust.canonical import sha256_hex
from comity.trust.edwards import check_public_point
from comity.trust.errors import KeyRefusedError, SignatureError

KEY_BYTES = 32
SIGNATURE_BYTES = 64

_FIELD_PRIME = 2**255 - 19
# The u-coordinates below p whose multiples by 8 vanish, on Curve25519 or its twist (RFC 7748 §7).
_LOW_ORDER_U = frozenset(
    {
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        _FIELD_PRIME - 1,
    }
)


class Verifier(Protocol):
    """What verifies one key's signatures. keyid: its short name."""

    @property
    def keyid(self) -> str:
        """The first 32 hex digits of the SHA-256 of the public key."""

    def verify(self, signature: bytes, data: bytes) -> None:
        """Check a signature over the data. Raises: SignatureError."""


class StatementSigner(Protocol):
    """What signs statements: a key of any algorithm, wherever it is kept."""

    @property
    def verify_key(self) -> Verifier:
        """The public half."""

    def sign(self, data: bytes) -> bytes:
        """The signature over the data."""


class Signer(StatementSigner, Protocol):
    """What signs with an Ed25519 key: the key itself, or a token that holds it and never shows it."""

    @property
    def verify_key(self) -> VerifyKey:
        """The public half."""


@dataclass(frozen=True, slots=True)
class VerifyKey:
    """An Ed25519 public key that was checked to be worth something.

    raw: 32 bytes. keyid: the first 32 hex digits of the SHA-256 of raw.
    """

    raw: bytes
    keyid: str = field(init=False, compare=False)
    _ed25519: Ed25519PublicKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_public_point(self.raw)
        object.__setattr__(self, "keyid", key_id(self.raw))
        object.__setattr__(self, "_ed25519", Ed25519PublicKey.from_public_bytes(self.raw))

    @classmethod
    def from_raw(cls, raw: bytes) -> VerifyKey:
        """Register a public key.

        Raises: KeyRefusedError for wrong lengths, non-canonical encodings and points of low order.
        """
        return cls(bytes(raw))

    def verify(self, signature: bytes, data: bytes) -> None:
        """Check a signature over the data.

        Raises: SignatureError.
        """
        try:
            self._ed25519.verify(signature, data)
        except InvalidSignature as error:
            raise SignatureError(
                "The signature does not fit the data and the key",
                where=f"key {self.keyid}",
                remedy="The data was changed on the way, or another key signed it: ask the sender to send it again.",
            ) from error


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 private key. seed: 32 secret bytes (RFC 8032 §5.1.5), never shown."""

    seed: bytes = field(repr=False)
    verify_key: VerifyKey = field(init=False, compare=False)
    _ed25519: Ed25519PrivateKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_length("signing key's seed", self.seed)
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        object.__setattr__(self, "_ed25519", private)
        object.__setattr__(self, "verify_key", VerifyKey(private.public_key().public_bytes_raw()))

    @classmethod
    def generate(cls) -> SigningKey:
        """A new key from the system's randomness."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key of a seed.

        Raises: KeyRefusedError unless the seed has 32 bytes.
        """
        return cls(bytes(seed))

    def sign(self, data: bytes) -> bytes:
        """The 64-byte signature over the data; the same data gives the same signature."""
        return self._ed25519.sign(data)


@dataclass(frozen=True, slots=True)
class RecipientPublicKey:
    """An X25519 public key to seal for. raw: 32 bytes. keyid: as for signing keys."""

    raw: bytes
    keyid: str = field(init=False, compare=False)
    x25519: X25519PublicKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_length("sealing key", self.raw)
        u = int.from_bytes(self.raw, "little")
        if u >= _FIELD_PRIME or u in _LOW_ORDER_U:
            raise KeyRefusedError(
                "The sealing key is not canonical or of low order: what is sealed for it, anyone could open",
                where=self.raw.hex(),
                remedy="Ask the owner for the key document again, and compare its fingerprint by another channel.",
            )
        object.__setattr__(self, "keyid", key_id(self.raw))
        object.__setattr__(self, "x25519", X25519PublicKey.from_public_bytes(self.raw))

    @classmethod
    def from_raw(cls, raw: bytes) -> RecipientPublicKey:
        """Register a public key.

        Raises: KeyRefusedError for wrong lengths, non-canonical encodings and points of low order.
        """
        return cls(bytes(raw))


@dataclass(frozen=True, slots=True)
class RecipientKey:
    """An X25519 private key that opens seals. raw: 32 secret bytes, never shown."""

    raw: bytes = field(repr=False)
    public: RecipientPublicKey = field(init=False, compare=False)
    x25519: X25519PrivateKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_length("unsealing key", self.raw)
        private = X25519PrivateKey.from_private_bytes(self.raw)
        object.__setattr__(self, "x25519", private)
        object.__setattr__(self, "public", RecipientPublicKey(private.public_key().public_bytes_raw()))

    @classmethod
    def generate(cls) -> RecipientKey:
        """A new key from the system's randomness."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def from_raw(cls, raw: bytes) -> RecipientKey:
        """The key of 32 secret bytes.

        Raises: KeyRefusedError for another length.
        """
        return cls(bytes(raw))


def key_id(raw: bytes) -> str:
    """The short name of a public key: the first 32 hex digits of its SHA-256."""
    return sha256_hex(raw)[:32]


def _check_length(what: str, raw: bytes) -> None:
    if len(raw) != KEY_BYTES:
        raise KeyRefusedError(
            f"A {what} has {KEY_BYTES} bytes, this one {len(raw)}",
            remedy="Check that the file was copied whole.",
        )
