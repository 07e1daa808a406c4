"""Step E9: files on a stick. Streamed, so that a stick may hold more than memory does.

Two clear lines, then parts: a letter, the length in four bytes, big-endian, the bytes. `M` is the sender's signed
statement of how far our files have come there; `C` is a chunk with its address. Chunks need no other seal than their
own, and no other proof than their path to the root that the message names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from comity.common import Actor
from comity.exchange.directory import Peer, load_peer
from comity.exchange.errors import PartnerStateError
from comity.exchange.evidence.carrying import Imported, export_chunks, export_marks, import_chunks, import_marks
from comity.exchange.evidence.errors import EvidenceError
from comity.exchange.evidence.folder import Folder
from comity.exchange.evidence.parts import MOST_BYTES
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trust import (
    Keyring,
    SignedStatement,
    TrustError,
    canonical_json,
    sign_statement,
    verify_statement,
)

MARK = b"comity evidence 1\n"
MARKS_TYPE = "application/vnd.comity.evidence-marks.v1+json"
_LINE_BYTES = 1024
_LENGTH_BYTES = 4
# A statement of marks grows with the files that are under way: 40 bytes as 80 digits for each.
_MOST_PART = MOST_BYTES + 64


@dataclass(frozen=True, slots=True)
class StickWritten:
    """What lies on the stick. chunks: of our files; marks: how many files of the partner's it tells about."""

    recipient: str
    chunks: int
    marks: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StickRead:
    """What a stick brought. news: of how many of our files the partner now has more."""

    sender: str
    chunks: Imported
    news: int


def write_stick(
    actor: Actor, *, folder: Folder, keyring: Keyring, partner: str, target: Path, at: datetime, most_bytes: int = 0
) -> StickWritten:
    """Write the chunks that a partner has not said that it has, and how far its own files have come here.

    most_bytes: about what fits; 0: everything. Raises: PermissionRefusedError, PartnerUnknownError, PartnerStateError,
    EvidenceError where the file exists or cannot be written, or a file of ours was changed.
    """
    require(actor, Permission.MANAGE_PARTNERS)
    peer = _willing(partner)
    marks = export_marks(partner)
    payload = {"sender": keyring.administration, "recipient": partner, "marks": [each.hex() for each in marks]}
    statement = sign_statement(MARKS_TYPE, canonical_json(payload), *keyring.signers).to_bytes()
    head = canonical_json({"recipient": partner, "sender": keyring.administration})
    chunks = 0
    try:
        with target.open("xb") as file:
            file.write(MARK + head + b"\n" + _part(b"M", statement))
            for data in export_chunks(folder, peer.administration, most_bytes=most_bytes or None):
                file.write(_part(b"C", data))
                chunks += 1
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
    except OSError as error:
        raise EvidenceError(
            f"The file cannot be written: {error.strerror}",
            where=str(target),
            remedy="Choose another name or a larger stick; nothing is lost.",
        ) from error
    facts = {"chunks": str(chunks), "marks": str(len(marks))}
    record_deed(actor, deed="export_evidence", subject=f"partner:{partner}", facts=facts, at=at)
    return StickWritten(partner, chunks, len(marks), size)


def read_stick(actor: Actor, *, folder: Folder, keyring: Keyring, source: Path, at: datetime) -> StickRead:
    """Take what a stick brings. Twice, or half of it, does no more than it can; what was taken is kept.

    Raises: PermissionRefusedError, PartnerUnknownError, PartnerStateError, EvidenceError where it is no such file, is
    not for us, or breaks off; NoRoomError.
    """
    require(actor, Permission.MANAGE_PARTNERS)
    try:
        with source.open("rb") as file:
            peer = _willing(_sender_of(file, keyring.administration, source))
            first = _next_part(file, source)
            news = _take_marks(first, keyring.administration, peer, at, source)
            chunks = import_chunks(folder, peer.administration, _chunks(file, source), at)
    except OSError as error:
        raise EvidenceError(f"The file cannot be read: {error.strerror}", where=str(source)) from error
    facts = {"chunks": str(chunks.taken), "refused": str(chunks.refused)}
    record_deed(actor, deed="import_evidence", subject=f"partner:{peer.administration}", facts=facts, at=at)
    return StickRead(peer.administration, chunks, news)


def _willing(partner: str) -> Peer:
    peer = load_peer(partner)
    if peer.is_suspended:
        raise PartnerStateError("The exchange with this partner is suspended", where=partner, remedy="Resume it first.")
    return peer


def _part(letter: bytes, data: bytes) -> bytes:
    return letter + len(data).to_bytes(_LENGTH_BYTES, "big") + data


def _sender_of(file: BinaryIO, own: str, source: Path) -> str:
    if file.read(len(MARK)) != MARK:
        raise EvidenceError("This is no stick of evidence files", where=str(source), remedy="See `comity evidence`.")
    names = _object(file.readline(_LINE_BYTES))
    sender, recipient = names.get("sender"), names.get("recipient")
    if recipient != own or not isinstance(sender, str):
        raise EvidenceError("The stick is not for this administration", where=f"for {recipient}"[:40])
    return sender


def _take_marks(part: tuple[bytes, bytes] | None, own: str, peer: Peer, at: datetime, source: Path) -> int:
    """Signed, since whoever finds a stick must not make us believe that a file has arrived."""
    if part is None or part[0] != b"M":
        raise _broken(source)
    try:
        statement = SignedStatement.from_bytes(part[1])
        verify_statement(statement, peer.signing_keys(at), payload_type=MARKS_TYPE)
        values = _object(statement.payload)
        marks = values.get("marks")
        if (values.get("sender"), values.get("recipient")) != (peer.administration, own) or not isinstance(marks, list):
            raise EvidenceError("The signed part is not of this stick", where=str(source))
        return import_marks(peer.administration, [bytes.fromhex(str(each)) for each in marks])
    except (TrustError, ValueError) as error:
        raise EvidenceError(
            f"The stick does not carry the signature of {peer.administration}",
            where=str(source),
            remedy="Do not take it. Ask the partner what it sent.",
        ) from error


def _chunks(file: BinaryIO, source: Path) -> Iterator[bytes]:
    while (part := _next_part(file, source)) is not None:
        if part[0] == b"C":  # another letter is of a later version
            yield part[1]


def _next_part(file: BinaryIO, source: Path) -> tuple[bytes, bytes] | None:
    head = file.read(1 + _LENGTH_BYTES)
    if not head:
        return None
    length = int.from_bytes(head[1:], "big")
    data = file.read(length) if len(head) == 1 + _LENGTH_BYTES and length <= _MOST_PART else b""
    if len(head) != 1 + _LENGTH_BYTES or len(data) != length:
        raise _broken(source)
    return head[:1], data


def _broken(source: Path) -> EvidenceError:
    return EvidenceError(
        "The stick breaks off or is damaged", where=str(source), remedy="Copy it again; what was taken is kept."
    )


def _object(data: bytes) -> dict[str, object]:
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
