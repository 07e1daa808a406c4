"""An invitation: one file with our signed key document and endpoint, to be handed over by any means.

It holds nothing secret. What makes it safe is the fingerprint, compared by another channel (a telephone, a meeting).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from comity.common import ComityError
from comity.exchange.errors import InvitationError
from comity.exchange.receipt import printable
from comity.trust import (
    KeyDocument,
    Keyring,
    SignedStatement,
    canonical_json,
    read_key_document,
    sign_statement,
    verify_statement,
)

INVITATION_TYPE = "application/vnd.comity.invitation.v1+json"
MAX_INVITATION_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Invitation:
    """What an invitation says. keys: self-signed, so only the fingerprint proves whose they are."""

    keys: KeyDocument
    key_statement: bytes
    note: str = ""


def write_invitation(keyring: Keyring, *, note: str = "") -> bytes:
    """Step I1: the invitation file of this node, signed with the key that its key document names."""
    payload = {
        "administration": keyring.administration,
        "endpoint": keyring.key_document.endpoint_url,
        "note": note,
        "keys": keyring.key_statement.to_bytes().decode(),
    }
    return sign_statement(INVITATION_TYPE, canonical_json(payload), keyring.signing).to_bytes() + b"\n"


def held_document(data: bytes) -> KeyDocument:
    """The key document in an invitation, or in a bare statement, that was trusted before; nothing is verified.

    Raises: InvitationError.
    """
    try:
        statement = SignedStatement.from_bytes(data.strip(), limit=MAX_INVITATION_BYTES)
        if statement.payload_type == INVITATION_TYPE:
            statement = SignedStatement.from_bytes(str(json.loads(statement.payload)["keys"]).encode())
        return KeyDocument.from_payload(statement.payload)
    except (ComityError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvitationError("The file is no invitation and no key document", where=str(error)[:120]) from error


def read_invitation(data: bytes, *, at: datetime) -> Invitation:
    """Step I2: an invitation whose signatures hold; a bare key document statement is one, too.

    Raises: InvitationError.
    """
    try:
        statement = SignedStatement.from_bytes(data.strip(), limit=MAX_INVITATION_BYTES)
        if statement.payload_type != INVITATION_TYPE:
            return Invitation(read_key_document(data.strip(), trusted=None, at=at), data.strip())
        payload = json.loads(statement.payload)
        key_statement = str(payload["keys"]).encode()
        keys = read_key_document(key_statement, trusted=None, at=at)
        verify_statement(statement, keys.active_signing_keys(at), payload_type=INVITATION_TYPE)
    except (ComityError, ValueError, KeyError, TypeError, RecursionError) as error:
        what = error.what if isinstance(error, ComityError) else "The file is no invitation"
        raise InvitationError(
            what,
            where=str(error)[:120],
            remedy="Ask the partner to run `comity partner invite` again and to send the whole file.",
        ) from error
    if payload.get("administration") != keys.administration:
        raise InvitationError("The invitation and its key document name two administrations", where="administration")
    # Shown beside the fingerprint on a terminal, where a cursor that is moved could show another.
    return Invitation(keys, key_statement, printable(str(payload.get("note", "")))[:500])
