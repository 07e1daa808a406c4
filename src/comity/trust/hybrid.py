"""The hybrid seal's keys: X-Wing (draft-connolly-cfrg-xwing-kem), which is ML-KEM-768 and X25519 in one.

What is sealed with it stays closed unless both are broken: today's eavesdropper gains nothing from a quantum computer
of tomorrow. A private key is one seed of 32 bytes, expanded with SHAKE-256 as the draft says (§5.2).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey

from comity.trust.errors import KeyRefusedError
from comity.trust.keys import KEY_BYTES, RecipientPublicKey, key_id

HYBRID_SEAL = "mlkem768-x25519"
HYBRID_PUBLIC_BYTES = 1216
_MLKEM_PUBLIC_BYTES = 1184
_MLKEM_SEED_BYTES = 64


@dataclass(frozen=True, slots=True)
class HybridPublicKey:
    """A public key to seal for. raw: 1,216 bytes, ML-KEM-768 then X25519. keyid: as for signing keys."""

    raw: bytes
    keyid: str = field(init=False, compare=False)
    hpke: MLKEM768X25519PublicKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.raw) != HYBRID_PUBLIC_BYTES:
            raise _refused(f"A hybrid sealing key has {HYBRID_PUBLIC_BYTES} bytes, this one {len(self.raw)}")
        try:
            lattice = MLKEM768PublicKey.from_public_bytes(self.raw[:_MLKEM_PUBLIC_BYTES])
        except ValueError as error:
            raise _refused("The first part of the hybrid sealing key is no ML-KEM-768 key (FIPS 203 §7.2)") from error
        curve = RecipientPublicKey.from_raw(self.raw[_MLKEM_PUBLIC_BYTES:])
        object.__setattr__(self, "keyid", key_id(self.raw))
        object.__setattr__(self, "hpke", MLKEM768X25519PublicKey(lattice, curve.x25519))

    @classmethod
    def from_raw(cls, raw: bytes) -> HybridPublicKey:
        """Register a public key.

        Raises: KeyRefusedError for what is no such key.
        """
        return cls(bytes(raw))


@dataclass(frozen=True, slots=True)
class HybridKey:
    """A private key that opens hybrid seals. seed: 32 secret bytes, never shown."""

    seed: bytes = field(repr=False)
    public: HybridPublicKey = field(init=False, compare=False)
    hpke: MLKEM768X25519PrivateKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != KEY_BYTES:
            raise _refused(f"A hybrid unsealing key has a seed of {KEY_BYTES} bytes, this one {len(self.seed)}")
        expanded = hashlib.shake_256(self.seed).digest(_MLKEM_SEED_BYTES + KEY_BYTES)
        lattice = MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_BYTES])
        curve = X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_BYTES:])
        raw = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        object.__setattr__(self, "hpke", MLKEM768X25519PrivateKey(lattice, curve))
        object.__setattr__(self, "public", HybridPublicKey(raw))

    @classmethod
    def generate(cls) -> HybridKey:
        """A new key from the system's randomness."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> HybridKey:
        """The key of a seed.

        Raises: KeyRefusedError unless the seed has 32 bytes.
        """
        return cls(bytes(seed))


def _refused(what: str) -> KeyRefusedError:
    return KeyRefusedError(what, remedy="Check that the file was copied whole.")
