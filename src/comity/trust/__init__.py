"""Seals, keys, Merkle and checkpoint maths. Pure: no framework, no I/O, no clock."""

# Packed by hand: one name a line would make the face longer than a page.
# isort: off
# fmt: off
from comity.trust.canonical import canonical_json, sha256_hex
from comity.trust.chunks import CHUNK_BYTES, KEY_BYTES, FileShape, SealedFile, measure, open_chunk, seal_chunk
from comity.trust.chunks import seal_file, sealed_from_leaves, verify_chunk
from comity.trust.dsse import Signature, SignedStatement, sign_statement, verify_statement
from comity.trust.errors import CanonicalFormError, CertificateError, ChunkError, KeyDocumentError, KeyRefusedError
from comity.trust.errors import KeyringError, NoteError, ProofError, SignatureError, StatementError, TrustError
from comity.trust.errors import UnsealError
from comity.trust.forks import ForkProof, NoForkError, verify_fork
from comity.trust.hpke import OpeningKey, SealingKey, seal, unseal
from comity.trust.hybrid import HYBRID_SEAL, HybridKey, HybridPublicKey
from comity.trust.keydocument import KEY_DOCUMENT_TYPE, KeyDocument, KeyEntry, read_key_document, sign_key_document
from comity.trust.keyfiles import keyring_files, keyring_from_files, read_former_keys, read_log_key
from comity.trust.keylife import Loss, Renewal, make_keyring, recover_keyring, renew_certificate, renew_keyring
from comity.trust.keylife import revoke_key, switch_authority
from comity.trust.keyring import FormerKeys, Keyring
from comity.trust.keys import RecipientKey, RecipientPublicKey, Signer, SigningKey, StatementSigner, VerifyKey
from comity.trust.merkle import EMPTY_ROOT, Frontier, Growth, consistency_path, consistency_ranges, grow, inclusion_path
from comity.trust.merkle import inclusion_ranges, leaf_hash, node_hash, tree_root, verify_consistency, verify_inclusion
from comity.trust.notes import Checkpoint, LogSigner, LogVerifier, NoteKind, OpenedNote, add_signatures, cosign
from comity.trust.notes import open_checkpoint, open_note, sign_note, split_note
from comity.trust.policy import Policy, PolicyError, QuorumError, Weighed, parse_policy
from comity.trust.second import SECOND_SIGNATURE, SecondSigningKey, SecondVerifyKey
from comity.trust.tiles import TileError, TilePath, pack_entries, parse_tile_path, tile_path, unpack_entries
from comity.trust.tlogproof import ProvedEntry, make_tlog_proof, verify_tlog_proof
from comity.trust.tls import PemPair, certificate_ends, is_issued_by, make_authority, make_certificate, read_certificate

__all__ = [
    "CHUNK_BYTES", "EMPTY_ROOT", "HYBRID_SEAL", "KEY_BYTES", "KEY_DOCUMENT_TYPE", "SECOND_SIGNATURE",
    "CanonicalFormError", "CertificateError", "Checkpoint", "ChunkError", "FileShape", "ForkProof", "FormerKeys",
    "Frontier", "Growth", "HybridKey", "HybridPublicKey", "KeyDocument", "KeyDocumentError", "KeyEntry",
    "KeyRefusedError", "Keyring", "KeyringError", "LogSigner", "LogVerifier", "Loss", "NoForkError", "NoteError",
    "NoteKind", "OpenedNote", "OpeningKey", "PemPair", "Policy", "PolicyError", "ProofError", "ProvedEntry",
    "QuorumError", "RecipientKey", "RecipientPublicKey", "Renewal", "SealedFile", "SealingKey", "SecondSigningKey",
    "SecondVerifyKey", "Signature", "SignatureError", "SignedStatement", "Signer", "SigningKey", "StatementError",
    "StatementSigner", "TileError", "TilePath", "TrustError", "UnsealError", "VerifyKey", "Weighed", "add_signatures",
    "canonical_json", "certificate_ends", "consistency_path", "consistency_ranges", "cosign", "grow", "inclusion_path",
    "inclusion_ranges", "is_issued_by", "keyring_files", "keyring_from_files", "leaf_hash", "make_authority",
    "make_certificate", "make_keyring", "make_tlog_proof", "measure", "node_hash", "open_checkpoint", "open_chunk",
    "open_note", "pack_entries", "parse_policy", "parse_tile_path", "read_certificate", "read_former_keys",
    "read_key_document", "read_log_key", "recover_keyring", "renew_certificate", "renew_keyring", "revoke_key", "seal",
    "seal_chunk", "seal_file", "sealed_from_leaves", "sha256_hex", "sign_key_document", "sign_note", "sign_statement",
    "split_note", "switch_authority", "tile_path", "tree_root", "unpack_entries", "unseal", "verify_chunk",
    "verify_consistency", "verify_fork", "verify_inclusion", "verify_statement", "verify_tlog_proof",
]
