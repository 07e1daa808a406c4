"""The envelope: the only thing on the wire. One clear header line, then a sealed body with one signature inside.

The form is docs/protocol.md §3; the step numbers here are those of that page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar, cast

from comity.common import ComityError, parse_instant, show_instant
from comity.exchange.canonical import read_canonical, write_canonical
from comity.exchange.errors import EnvelopeRefusedError, MessageFormError
from comity.exchange.limits import LIMITS, Limits
from comity.exchange.message import check_administration, check_id
from comity.trust import (
    SECOND_SIGNATURE,
    OpeningKey,
    SealingKey,
    SignedStatement,
    StatementSigner,
    TrustError,
    leaf_hash,
    seal,
    sign_statement,
    tree_root,
    unseal,
)

PROTOCOL = "comity/envelope/1"
ENVELOPE_TYPE = "application/vnd.comity.envelope.v1+json"
_LENGTH_BYTES = 4
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Header:
    """The clear line: who sends to whom, under which name, sealed to which key. line: its exact bytes."""

    sender: str
    recipient: str
    envelope: str
    key: str
    line: bytes


@dataclass(frozen=True, slots=True)
class Extension:
    """A checkpoint and the proof that it extends an older one: hashes in hex, RFC 6962 §2.1.2."""

    note: str
    old_size: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartnerHead:
    """How far the sender has followed the recipient's log, and its cosignature of that checkpoint, where new."""

    size: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """What the sender signs: ends, sequence, count and root of the messages; heads of both logs where wanted.

    second_signature: the algorithm of a second signature on this statement, which the receipt then carries too.
    """

    sender: str
    recipient: str
    envelope: str
    first_sequence: int
    count: int
    root: str
    created: datetime
    log_head: Extension | None = None
    partner_head: PartnerHead | None = None
    second_signature: str = ""

    @property
    def last_sequence(self) -> int:
        """The sequence of the last message."""
        return self.first_sequence + self.count - 1


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """An envelope that was unsealed; its signature and root are still to be checked."""

    header: Header
    statement: SignedStatement
    messages: tuple[bytes, ...]


def messages_root(messages: Sequence[bytes]) -> str:
    """RFC 6962 §2.1 Merkle root over the message bytes, in hex."""
    return tree_root([leaf_hash(message) for message in messages]).hex()


def sign_contents(contents: Contents, *keys: StatementSigner) -> SignedStatement:
    """Step S4: one signature of each key for all messages of the envelope."""
    payload: dict[str, object] = {
        "sender": contents.sender,
        "recipient": contents.recipient,
        "envelope": contents.envelope,
        "first_sequence": contents.first_sequence,
        "count": contents.count,
        "root": contents.root,
        "created": show_instant(contents.created),
    }
    if contents.log_head is not None:
        head = contents.log_head
        payload["log_head"] = {"note": head.note, "old_size": head.old_size, "path": list(head.path)}
    if contents.partner_head is not None:
        payload["partner_head"] = {"size": contents.partner_head.size, "note": contents.partner_head.note}
    if contents.second_signature:
        payload["second_signature"] = contents.second_signature
    return sign_statement(ENVELOPE_TYPE, write_canonical(payload), *keys)


def seal_envelope(contents: Contents, statement: bytes, messages: Sequence[bytes], key: SealingKey) -> bytes:
    """Step S5: header line and sealed body. The header line is the HPKE `info`: no byte of it can be changed."""
    line = write_canonical(
        {
            "protocol": PROTOCOL,
            "sender": contents.sender,
            "recipient": contents.recipient,
            "envelope": contents.envelope,
            "key": key.keyid,
        }
    )
    parts = (statement, *messages)
    plaintext = b"".join(len(part).to_bytes(_LENGTH_BYTES, "big") + part for part in parts)
    return line + b"\n" + seal(key, plaintext, info=line)


def read_header(data: bytes, *, limits: Limits = LIMITS) -> Header:
    """Steps R1 and R2: sizes and the clear line.

    Raises: EnvelopeRefusedError (too_large, bad_form, wrong_protocol).
    """
    if len(data) > limits.envelope_bytes:
        raise EnvelopeRefusedError(
            "too_large",
            "The envelope is too large",
            where=f"{len(data)} bytes",
            remedy=f"Send at most {limits.envelope_bytes} bytes.",
        )
    line, newline, _ = data[: limits.header_bytes].partition(b"\n")
    if not newline:
        raise EnvelopeRefusedError("bad_form", "The envelope has no header line", where="header")
    try:
        values = read_canonical(line)
        if values.get("protocol") != PROTOCOL:
            raise EnvelopeRefusedError(
                "wrong_protocol", "The envelope is of another protocol", where="protocol", remedy=f"Send {PROTOCOL}."
            )
        for name in ("sender", "recipient"):
            check_administration(values.get(name), name)
        check_id(values.get("envelope"), "envelope")
    except MessageFormError as error:
        raise EnvelopeRefusedError(
            "bad_form", "The header line cannot be read", where=error.where or "header"
        ) from error
    return Header(
        sender=cast(str, values["sender"]),
        recipient=cast(str, values["recipient"]),
        envelope=cast(str, values["envelope"]),
        key=str(values.get("key", "")),
        line=line,
    )


def open_envelope(data: bytes, header: Header, key: OpeningKey, *, limits: Limits = LIMITS) -> OpenedEnvelope:
    """Step R4: unseal and cut into statement and messages.

    Raises: EnvelopeRefusedError (cannot_open, bad_form, too_large).
    """
    try:
        plaintext = unseal(key, data[len(header.line) + 1 :], info=header.line)
    except TrustError as error:
        raise EnvelopeRefusedError(
            "cannot_open",
            "The envelope cannot be opened with the key that it names",
            where=f"envelope {header.envelope}",
            remedy="Seal it to the newest key of our key document, unchanged.",
        ) from error
    first, *messages = _cut(plaintext, limits)
    try:
        statement = SignedStatement.from_bytes(first)
    except ComityError as error:
        raise EnvelopeRefusedError("bad_form", error.what, where="statement") from error
    return OpenedEnvelope(header, statement, tuple(messages))


def read_contents(payload: bytes) -> Contents:
    """Step R6: the signed payload as a value.

    Raises: EnvelopeRefusedError (bad_form) naming the field.
    """
    try:
        values = json.loads(payload)
        return Contents(
            sender=_typed(values, "sender", str),
            recipient=_typed(values, "recipient", str),
            envelope=_typed(values, "envelope", str),
            first_sequence=_typed(values, "first_sequence", int),
            count=_typed(values, "count", int),
            root=_typed(values, "root", str),
            created=parse_instant(_typed(values, "created", str)),
            log_head=read_extension(values.get("log_head")),
            partner_head=_read_partner_head(values.get("partner_head")),
            second_signature=SECOND_SIGNATURE if values.get("second_signature") == SECOND_SIGNATURE else "",
        )
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError, ComityError) as error:
        raise EnvelopeRefusedError(
            "bad_form", "The statement of the envelope cannot be read", where=str(error)[:120]
        ) from error


def check_contents(contents: Contents, opened: OpenedEnvelope) -> None:
    """Step R6: what was signed is what stands outside and what lies inside.

    Raises: EnvelopeRefusedError (mismatch, wrong_root).
    """
    header = opened.header
    for name in ("sender", "recipient", "envelope"):
        if getattr(contents, name) != getattr(header, name):
            raise EnvelopeRefusedError(
                "mismatch", f"The signed {name} is not that of the header", where=name, remedy="Seal it again."
            )
    if contents.count != len(opened.messages) or contents.count < 1 or not 1 <= contents.first_sequence < 1 << 62:
        raise EnvelopeRefusedError("mismatch", "The signed count is not the number of messages", where="count")
    if contents.root != messages_root(opened.messages):
        raise EnvelopeRefusedError("wrong_root", "The signed root is not that of the messages", where="root")


def read_extension(value: object) -> Extension | None:
    """A checkpoint with its consistency path, or None. Raises: ValueError."""
    if value is None:
        return None
    path = _typed(value, "path", list)
    if len(path) > 64 or not all(isinstance(item, str) and len(item) == 64 for item in path):
        raise ValueError("path")
    note = _typed(value, "note", str) if isinstance(value, dict) and "note" in value else ""
    return Extension(note, _typed(value, "old_size", int), tuple(path))


def _read_partner_head(value: object) -> PartnerHead | None:
    if value is None:
        return None
    return PartnerHead(_typed(value, "size", int), _typed(value, "note", str))


def _cut(plaintext: bytes, limits: Limits) -> list[bytes]:
    parts: list[bytes] = []
    offset, end = 0, len(plaintext)
    while offset < end:
        start = offset + _LENGTH_BYTES
        offset = start + int.from_bytes(plaintext[offset:start], "big")
        if start > end or offset > end:
            raise EnvelopeRefusedError("bad_form", "The sealed body is cut off", where=f"part {len(parts)}")
        parts.append(plaintext[start:offset])
        if len(parts) > limits.messages + 1:
            raise EnvelopeRefusedError(
                "too_large", "The envelope holds too many messages", remedy=f"At most {limits.messages}."
            )
    if len(parts) < 2:
        raise EnvelopeRefusedError("bad_form", "The envelope holds no message", where="body")
    return parts


def _typed(values: object, name: str, kind: type[_T]) -> _T:
    value = values[name] if isinstance(values, dict) and name in values else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(name)
    return value
