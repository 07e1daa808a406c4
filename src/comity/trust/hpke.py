"""Seals: HPKE base mode (RFC 9180), HKDF-SHA256, AES-128-GCM, one shot; the KEM is that of the key.

X25519 is the ordinary one, ML-KEM-768 with X25519 (draft-ietf-hpke-pq) the hybrid one that an agreement may ask for.
A seal hides; it does not say who sealed. So the signed statement goes inside the seal. `info` binds the seal to its
use (sender, recipient, agreement, message id): the same bytes do not open under another.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from comity.trust.errors import UnsealError
from comity.trust.hybrid import HybridKey, HybridPublicKey
from comity.trust.keys import RecipientKey, RecipientPublicKey

SealingKey = RecipientPublicKey | HybridPublicKey
OpeningKey = RecipientKey | HybridKey

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
_HYBRID_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)


def seal(public: SealingKey, plaintext: bytes, *, info: bytes) -> bytes:
    """Seal for a recipient: the encapsulated key (32 bytes, hybrid 1,120), then the ciphertext with its tag of 16."""
    if isinstance(public, HybridPublicKey):
        return _HYBRID_SUITE.encrypt(plaintext, public.hpke, info)
    return _SUITE.encrypt(plaintext, public.x25519, info)


def unseal(key: OpeningKey, sealed: bytes, *, info: bytes) -> bytes:
    """Open a seal.

    Raises: UnsealError where a byte was changed, or key or info are others than those of sealing.
    """
    try:
        if isinstance(key, HybridKey):
            return _HYBRID_SUITE.decrypt(sealed, key.hpke, info)
        return _SUITE.decrypt(sealed, key.x25519, info)
    except (InvalidTag, ValueError) as error:
        raise UnsealError(
            "The sealed text does not open",
            where=f"with the key {key.public.keyid}",
            remedy="It was changed on the way, or sealed for another key, sender or message: "
            "send the partner the present key document and ask for it again.",
        ) from error
