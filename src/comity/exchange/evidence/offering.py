"""Steps E1 to E3: a file is sealed for one partner, and offered with the message that carries its key."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from django.db import transaction
from django.db.models import Q

from comity.common import Actor
from comity.exchange.errors import MessageUnknownError
from comity.exchange.evidence.errors import EvidenceError
from comity.exchange.evidence.folder import Folder
from comity.exchange.message import read_message
from comity.exchange.models import EvidenceOut, InboxMessage, OutboxMessage, Partner
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trade import EvidenceNotice
from comity.trust import KEY_BYTES, FileShape, SealedFile, seal_file, sealed_from_leaves

_HASH = 32


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file sealed for one recipient. notice: what the message will say; sealed: the tree over its chunks."""

    recipient: str
    notice: EvidenceNotice
    sealed: SealedFile
    key: bytes


def keep_file(folder: Folder, source: Path) -> FileShape:
    """Take a file into the evidence folder, so that it can be offered.

    Raises: ChunkError, NoRoomError, EvidenceError.
    """
    return folder.keep(source)


def prepare(folder: Folder, notice: EvidenceNotice, *, recipient: str) -> Prepared:
    """Step E1: seal the file under a key of its own for this recipient. Reads it once; call it outside of transactions.

    Raises: EvidenceError where the file is not here, ChunkError where it is not the one of the notice.
    """
    key = secrets.token_bytes(KEY_BYTES)
    shape = FileShape(notice.sha256, notice.size_bytes, notice.chunk_bytes)
    with folder.open(shape.sha256) as file:
        sealed = seal_file(file, shape=shape, key=key)
    told = replace(notice, chunks=shape.chunks, root=sealed.root.hex(), key=b64encode(key).decode())
    return Prepared(recipient, told, sealed, key)


@transaction.atomic
def offer(prepared: Prepared, *, message_id: str, at: datetime) -> None:
    """Step E3: let the recipient fetch what the message of this id offers. In the transaction that posts it."""
    notice = prepared.notice
    EvidenceOut.objects.create(
        partner=Partner.objects.get(administration=prepared.recipient),
        message_id=message_id,
        about=notice.about,
        name=notice.name,
        media_type=notice.media_type,
        sha256=notice.sha256,
        size_bytes=notice.size_bytes,
        chunk_bytes=notice.chunk_bytes,
        chunks=notice.chunks,
        root=notice.root,
        leaves=b"".join(prepared.sealed.leaves),
        key=prepared.key,
        offered_at=at,
    )


@transaction.atomic
def withdraw(actor: Actor, *, message_id: str, at: datetime) -> None:
    """Let nobody fetch any more what a message offered; what has been fetched is the partner's to purge.

    Raises: PermissionRefusedError, EvidenceError where the message offered no file.
    """
    require(actor, Permission.SHARE)
    if not _withdraw(Q(message_id=message_id), at):
        raise EvidenceError("The message offers no file", where=message_id, remedy="See `comity evidence list`.")
    record_deed(actor, deed="withdraw_evidence", subject=f"message:{message_id}", at=at)


@transaction.atomic
def withdraw_recalled(message_ids: Sequence[str], *, recipient: str, at: datetime) -> int:
    """Let this recipient fetch no more of what these messages offered it, or of what belongs to them.

    In the transaction that takes the messages back, whose deed it is a part of. Returns how many files.
    """
    wanted = Q(message_id__in=message_ids) | Q(about__in=message_ids)
    return _withdraw(wanted & Q(partner__administration=recipient), at)


def about_for(recipient: str, message_id: str) -> str:
    """The id by which this recipient knows the message: what was shared with several went to each under its own id.

    Raises: MessageUnknownError where the recipient has not seen it.
    """
    sent = OutboxMessage.objects.select_related("partner").filter(message_id=message_id).first()
    if sent is None:
        if InboxMessage.objects.filter(sender=recipient, message_id=message_id, is_accepted=True).exists():
            return message_id
        raise _not_seen(recipient, message_id)
    if sent.partner.administration == recipient:
        return message_id
    wanted = read_message(bytes(sent.data)).body.get("ref")
    siblings = OutboxMessage.objects.filter(
        partner__administration=recipient, kind=sent.kind, posted_at=sent.posted_at, posted_by=sent.posted_by
    )
    for row in siblings:
        if wanted and read_message(bytes(row.data)).body.get("ref") == wanted:
            return row.message_id
    raise _not_seen(recipient, message_id)


def shape_of_offer(row: EvidenceOut) -> FileShape:
    """The shape of an offered file."""
    return FileShape(row.sha256, row.size_bytes, row.chunk_bytes)


def sealed_of_offer(row: EvidenceOut) -> SealedFile:
    """The tree of an offered file, made once and remembered. The row may have its leaves deferred."""
    return _sealed(row.pk, row.root)


@lru_cache(maxsize=64)
def _sealed(key: int, root: str) -> SealedFile:
    row = EvidenceOut.objects.get(pk=key, root=root)
    leaves = bytes(row.leaves)
    return sealed_from_leaves(
        shape_of_offer(row), [leaves[place : place + _HASH] for place in range(0, len(leaves), _HASH)]
    )


def _withdraw(wanted: Q, at: datetime) -> int:
    # The key goes too: sealed again, the chunks would be worth nothing without the message.
    return EvidenceOut.objects.filter(wanted, withdrawn_at=None).update(withdrawn_at=at, key=b"")


def _not_seen(recipient: str, message_id: str) -> MessageUnknownError:
    return MessageUnknownError(
        f"{recipient} neither sent nor was sent the message that the file is about",
        where=message_id,
        remedy="Share the message first, or share the file without one.",
    )
