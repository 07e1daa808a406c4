"""Entries of the log: salted commitments, never what was sent.

An entry says of which kind it is and commits to a digest, an agreement and a message id under a secret salt. Whoever
holds the salt can show what the entry stands for; when the salt and the message are purged, the entry and every proof
of it remain, and say nothing.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum

from comity.ledger.errors import CommitmentError
from comity.trust import canonical_json

DIGEST_BYTES = 32
MIN_SALT_BYTES = 16
MAX_SALT_BYTES = 64
MAX_KIND_CHARS = 40

_DOMAIN = b"comity/commitment/1\n"


class LookState(StrEnum):
    """What came of a look at a partner's log.

    Cosigned: it continues what was seen. Apart: it cannot be asked from here. Unreachable: it did not answer. Suspect:
    it does not show what it signed. Split: it showed two histories.
    """

    COSIGNED = "cosigned"
    APART = "apart"
    UNREACHABLE = "unreachable"
    SUSPECT = "suspect"
    SPLIT = "split"


def commit(kind: str, digest: bytes, *, agreement: str, message_id: str, salt: bytes) -> bytes:
    """The entry for a digest (SHA-256 of what was signed or sent).

    kind: a word such as release or receipt, readable in the log. salt: 16 to 64 random bytes, kept with the message.
    Raises: CommitmentError for a digest, salt or kind of the wrong length.
    """
    if len(digest) != DIGEST_BYTES or not MIN_SALT_BYTES <= len(salt) <= MAX_SALT_BYTES:
        raise CommitmentError(
            "A commitment needs a SHA-256 digest and a salt of 16 to 64 bytes",
            where=f"digest of {len(digest)} bytes, salt of {len(salt)} bytes",
        )
    if not 0 < len(kind) <= MAX_KIND_CHARS:
        raise CommitmentError("The kind of an entry is a word of 1 to 40 characters", where=repr(kind)[:80])
    # Fixed lengths and a length byte in front of the salt: no two different openings give the same bytes.
    opening = canonical_json({"agreement": agreement, "kind": kind, "message_id": message_id})
    hidden = hashlib.sha256(b"".join((_DOMAIN, len(salt).to_bytes(1, "big"), salt, digest, opening)))
    return canonical_json({"commitment": hidden.hexdigest(), "kind": kind})


def opens(entry: bytes, digest: bytes, *, agreement: str, message_id: str, salt: bytes) -> str:
    """The kind of an entry that commits to exactly this.

    Raises: CommitmentError where it commits to something else.
    """
    kind = kind_of(entry)
    if not kind or commit(kind, digest, agreement=agreement, message_id=message_id, salt=salt) != entry:
        raise CommitmentError("The entry of the log commits to something else", where=f"message {message_id}")
    return kind


def kind_of(entry: bytes) -> str:
    """The kind that an entry names; empty for an entry that is no commitment."""
    try:
        fields = json.loads(entry)
    except (ValueError, RecursionError):
        return ""
    kind = fields.get("kind") if isinstance(fields, dict) else None
    return kind if isinstance(kind, str) and len(kind) <= MAX_KIND_CHARS else ""
