"""Seals, keys, Merkle and checkpoint maths. Pure: no framework, no I/O, no clock."""

# Packed by hand: one name a line would make the face longer than a page.
# isort: off
# fmt: off
from comity.trust.canonical import canonical_json, sha256_hex
from comity.trust.dsse import Signature, SignedStatement, add_signature, sign_statement, verify_statement
from comity.trust.errors import CanonicalFormError, CertificateError, KeyDocumentError, KeyRefusedError, KeyringError
from comity.trust.errors import NoteError, ProofError, SignatureError, StatementError, TrustError, UnsealError
from comity.trust.hpke import seal, unseal
from comity.trust.keyring import Keyring
from comity.trust.keys import RecipientKey, RecipientPublicKey, SigningKey, VerifyKey

__all__ = [
    "CanonicalFormError", "CertificateError", "KeyDocumentError", "KeyRefusedError", "Keyring", "KeyringError",
    "NoteError", "ProofError", "RecipientKey", "RecipientPublicKey", "Signature", "SignatureError", "SignedStatement",
    "SigningKey", "StatementError", "TrustError", "UnsealError", "VerifyKey", "add_signature", "canonical_json",
    "seal", "sha256_hex", "sign_statement", "unseal", "verify_statement",
]
