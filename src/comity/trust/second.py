"""The second signature: ML-DSA-44 (FIPS 204), beside Ed25519 and never instead of it.

A statement with both holds as long as either algorithm does: an agreement that is to be evidence for decades may ask
for it. Signatures are hedged with randomness, with an empty context, and verified by `cryptography` alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from comity.trust.errors import KeyRefusedError, SignatureError
from comity.trust.keys import KEY_BYTES, key_id

SECOND_PUBLIC_BYTES = 1312
SECOND_SIGNATURE = "ml-dsa-44"


@dataclass(frozen=True, slots=True)
class SecondVerifyKey:
    """An ML-DSA-44 public key. raw: 1,312 bytes. keyid: as for Ed25519 keys."""

    raw: bytes
    keyid: str = field(init=False, compare=False)
    _mldsa: MLDSA44PublicKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_length("second verify key", self.raw, SECOND_PUBLIC_BYTES)
        object.__setattr__(self, "keyid", key_id(self.raw))
        object.__setattr__(self, "_mldsa", MLDSA44PublicKey.from_public_bytes(self.raw))

    @classmethod
    def from_raw(cls, raw: bytes) -> SecondVerifyKey:
        """Register a public key.

        Raises: KeyRefusedError for another length.
        """
        return cls(bytes(raw))

    def verify(self, signature: bytes, data: bytes) -> None:
        """Check a signature over the data.

        Raises: SignatureError.
        """
        try:
            self._mldsa.verify(signature, data)
        except (InvalidSignature, ValueError) as error:
            raise SignatureError(
                "The second signature does not fit the data and the key",
                where=f"key {self.keyid}",
                remedy="The data was changed on the way, or another key signed it: ask the sender to send it again.",
            ) from error


@dataclass(frozen=True, slots=True)
class SecondSigningKey:
    """An ML-DSA-44 private key. seed: 32 secret bytes (FIPS 204 §6.1), never shown."""

    seed: bytes = field(repr=False)
    verify_key: SecondVerifyKey = field(init=False, compare=False)
    _mldsa: MLDSA44PrivateKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        _check_length("second signing key's seed", self.seed, KEY_BYTES)
        private = MLDSA44PrivateKey.from_seed_bytes(self.seed)
        object.__setattr__(self, "_mldsa", private)
        object.__setattr__(self, "verify_key", SecondVerifyKey(private.public_key().public_bytes_raw()))

    @classmethod
    def generate(cls) -> SecondSigningKey:
        """A new key from the system's randomness."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> SecondSigningKey:
        """The key of a seed.

        Raises: KeyRefusedError unless the seed has 32 bytes.
        """
        return cls(bytes(seed))

    def sign(self, data: bytes) -> bytes:
        """A signature of 2,420 bytes over the data; each time another one."""
        return self._mldsa.sign(data)


def _check_length(what: str, raw: bytes, length: int) -> None:
    if len(raw) != length:
        raise KeyRefusedError(
            f"A {what} has {length} bytes, this one {len(raw)}", remedy="Check that the file was copied whole."
        )
