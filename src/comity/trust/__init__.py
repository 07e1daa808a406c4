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
from comity.trust.hpke import seal, unseal
from comity.trust.keydocument import KEY_DOCUMENT_TYPE, KeyDocument, KeyEntry, read_key_document, sign_key_document
from comity.trust.keyring import Keyring, keyring_files, keyring_from_files, make_keyring, renew_keyring
from comity.trust.keys import RecipientKey, RecipientPublicKey, SigningKey, VerifyKey
from comity.trust.merkle import EMPTY_ROOT, Frontier, Growth, consistency_path, consistency_ranges, grow, inclusion_path
from comity.trust.merkle import inclusion_ranges, leaf_hash, node_hash, tree_root, verify_consistency, verify_inclusion
from comity.trust.notes import Checkpoint, LogSigner, LogVerifier, NoteKind, OpenedNote, add_signatures, cosign
from comity.trust.notes import open_checkpoint, open_note, sign_note, split_note
from comity.trust.policy import Policy, PolicyError, QuorumError, Weighed, parse_policy
from comity.trust.tiles import TileError, TilePath, pack_entries, parse_tile_path, tile_path, unpack_entries
from comity.trust.tlogproof import ProvedEntry, make_tlog_proof, verify_tlog_proof
from comity.trust.tls import PemPair, make_authority, make_certificate

__all__ = [
    "CHUNK_BYTES", "EMPTY_ROOT", "KEY_BYTES", "KEY_DOCUMENT_TYPE", "CanonicalFormError", "CertificateError",
    "Checkpoint", "ChunkError", "FileShape", "ForkProof", "Frontier", "Growth", "KeyDocument", "KeyDocumentError",
    "KeyEntry", "KeyRefusedError", "Keyring", "KeyringError", "LogSigner", "LogVerifier", "NoForkError", "NoteError",
    "NoteKind", "OpenedNote", "PemPair", "Policy", "PolicyError", "ProofError", "ProvedEntry", "QuorumError",
    "RecipientKey", "RecipientPublicKey", "SealedFile", "Signature", "SignatureError", "SignedStatement", "SigningKey",
    "StatementError", "TileError", "TilePath", "TrustError", "UnsealError", "VerifyKey", "Weighed", "add_signatures",
    "canonical_json", "consistency_path", "consistency_ranges", "cosign", "grow", "inclusion_path", "inclusion_ranges",
    "keyring_files", "keyring_from_files", "leaf_hash", "make_authority", "make_certificate", "make_keyring",
    "make_tlog_proof", "measure", "node_hash", "open_checkpoint", "open_chunk", "open_note", "pack_entries",
    "parse_policy", "parse_tile_path", "read_key_document", "renew_keyring", "seal", "seal_chunk", "seal_file",
    "sealed_from_leaves", "sha256_hex", "sign_key_document", "sign_note", "sign_statement", "split_note", "tile_path",
    "tree_root", "unpack_entries", "unseal", "verify_chunk", "verify_consistency", "verify_fork", "verify_inclusion",
    "verify_statement", "verify_tlog_proof",
]
