"""Seals: HPKE base mode (RFC 9180) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, one shot.

A seal hides; it does not say who sealed. So the signed statement goes inside the seal. `info` binds the seal to its
use (sender, recipient, agreement, message id): the same bytes do not open under another.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from comity.trust.errors import UnsealError
from comity.trust.keys import RecipientKey, RecipientPublicKey

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)


def seal(public: RecipientPublicKey, plaintext: bytes, *, info: bytes) -> bytes:
    """Seal for a recipient: 32 bytes of encapsulated key, then the ciphertext with its tag; 48 bytes longer."""
    return _SUITE.encrypt(plaintext, public.x25519, info)


def unseal(key: RecipientKey, sealed: bytes, *, info: bytes) -> bytes:
    """Open a seal.

    Raises: UnsealError where a byte was changed, or key or info are others than those of sealing.
    """
    try:
        return _SUITE.decrypt(sealed, key.x25519, info)
    except (InvalidTag, ValueError) as error:
        raise UnsealError(
            "The sealed text does not open",
            where=f"with the key {key.public.keyid}",
            remedy="It was changed on the way, or sealed for another key, sender or message: "
            "send the partner the present key document and ask for it again.",
        ) from error
