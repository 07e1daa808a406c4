"""One exchange of XA and XB, made from its parts, for bundles to prove."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from comity.ledger.bundle import AGREEMENT_TYPE, ENVELOPE_TYPE, RECEIPT_TYPE, Bundle, Leaf
from comity.ledger.rules import commit
from comity.trust import (
    Checkpoint,
    Keyring,
    LogSigner,
    canonical_json,
    inclusion_path,
    leaf_hash,
    make_keyring,
    make_tlog_proof,
    sha256_hex,
    sign_note,
    sign_statement,
    tree_root,
)

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SALT = b"s" * 32


@cache
def keyring(administration: str) -> Keyring:
    """The keys of one end."""
    return make_keyring(administration, f"Customs of {administration}", "https://127.0.0.1:9", ("127.0.0.1",), AT)


@dataclass
class Exchange:
    """Every part may be changed before the bundle is made; the signatures are made over what then stands."""

    sender: Keyring = field(default_factory=lambda: keyring("XA"))
    recipient: Keyring = field(default_factory=lambda: keyring("XB"))
    agreement: bytes = b'{"articles":[]}'
    message: dict[str, object] = field(default_factory=dict)
    contents: dict[str, object] = field(default_factory=dict)
    receipt: dict[str, object] = field(default_factory=dict)
    answer: dict[str, object] = field(default_factory=dict)
    agreement_signers: tuple[str, ...] = ("XA", "XB")
    agreement_type: str = AGREEMENT_TYPE

    def bundle(self) -> Bundle:
        """Sign, log and prove everything."""
        message = self._message()
        others = [b"first", message, b"third"]
        hashes = [leaf_hash(each) for each in others]
        contents: dict[str, object] = {
            "sender": "XA",
            "recipient": "XB",
            "envelope": "e-1",
            "first_sequence": 1,
            "count": 3,
            "root": tree_root(hashes).hex(),
            "created": "2026-03-02T09:30:00Z",
        }
        envelope = sign_statement(ENVELOPE_TYPE, canonical_json(contents | self.contents), self.sender.signing)
        receipt = self._receipt(message, envelope.payload)
        keys = [keyring(each).signing for each in self.agreement_signers]
        return Bundle(
            made_at=AT + timedelta(days=1),
            key_documents=(self.sender.key_statement.to_bytes(), self.recipient.key_statement.to_bytes()),
            agreement=sign_statement(self.agreement_type, self.agreement, *keys).to_bytes(),
            message=message,
            envelope=envelope.to_bytes(),
            index=1,
            path=tuple(inclusion_path(hashes, 1)),
            receipt=receipt,
            receipted=_leaf("receipt", _payload(receipt), "", "e-1", self.recipient.log, self.sender.cosigner),
            release=_leaf("release", message, sha256_hex(self.agreement), "m-1", self.sender.log, None),
        )

    def _message(self) -> bytes:
        message = {
            "id": "m-1",
            "sender": "XA",
            "recipient": "XB",
            "agreement": sha256_hex(self.agreement),
            "article": "3",
        }
        return canonical_json(message | self.message)

    def _receipt(self, message: bytes, statement: bytes) -> bytes:
        answer = {"id": "m-1", "sha256": sha256_hex(message), "accepted": True, "code": "", "text": ""}
        receipt: dict[str, object] = {
            "envelope": "e-1",
            "sender": "XA",
            "recipient": "XB",
            "statement": sha256_hex(statement),
            "answers": [{"id": "m-0"}, answer | self.answer],
            "at": "2026-03-02T09:30:01Z",
        }
        return sign_statement(RECEIPT_TYPE, canonical_json(receipt | self.receipt), self.recipient.signing).to_bytes()


def _payload(statement: bytes) -> bytes:
    payload: str = json.loads(statement)["payload"]
    return base64.b64decode(payload)


def _leaf(kind: str, logged: bytes, agreement: str, message_id: str, log: LogSigner, witness: LogSigner | None) -> Leaf:
    digest = hashlib.sha256(logged).digest()
    entry = commit(kind, digest, agreement=agreement, message_id=message_id, salt=SALT)
    hashes = [leaf_hash(each) for each in (b"a", b"b", entry, b"c")]
    signers = (log, witness) if witness else (log,)
    note = sign_note(Checkpoint(log.name, 4, tree_root(hashes)).text, *signers, at=AT)
    return Leaf(entry, SALT, make_tlog_proof(2, inclusion_path(hashes, 2), note))
