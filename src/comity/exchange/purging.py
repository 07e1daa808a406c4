"""Forgetting: what arrived loses its content and keeps what proves that it was there.

Of a purged message there remain its row, its hash, the answer to it, the receipt, and the commitments in both logs. Of
what we sent as our own nothing is purged: it is our own information. What we handed on is another's: once its
recipient has answered, our outbox copy goes too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from comity.exchange.canonical import write_canonical
from comity.exchange.errors import MessageFormError
from comity.exchange.message import Message, read_message
from comity.exchange.models import InboxMessage, OutboxMessage
from comity.trust import leaf_hash, sha256_hex

Key = tuple[str, str]
# A message is longer: its ids and its agreement alone are more.
_MARK_BYTES = 200
_ANSWERED = (OutboxMessage.State.DELIVERED, OutboxMessage.State.REFUSED)


@dataclass(frozen=True, slots=True)
class PurgedMark:
    """In the place of a sent message that was purged: what it hashed to, alone and as a leaf of its envelope.

    By its leaf the other messages of the same envelope are still proved.
    """

    sha256: str
    leaf: bytes

    def to_bytes(self) -> bytes:
        """As it is kept."""
        return write_canonical({"purged": self.sha256, "leaf": self.leaf.hex()})


@dataclass(frozen=True, slots=True)
class ReceivedCopy:
    """A message that arrived here. message: None where it was purged or cannot be read."""

    sender: str
    message_id: str
    kind: str
    agreement: str
    article: str
    handling: str
    sha256: str
    received_at: datetime
    keep_until: datetime | None
    is_accepted: bool
    is_processed: bool
    is_purged: bool
    message: Message | None

    @property
    def key(self) -> Key:
        """Sender and message id."""
        return self.sender, self.message_id


def received_copy(sender: str, message_id: str) -> ReceivedCopy | None:
    """One message that arrived from this sender, or None."""
    row = InboxMessage.objects.filter(sender=sender, message_id=message_id).first()
    return _copy(row) if row else None


def due_copies(at: datetime, *, limit: int = 200) -> tuple[ReceivedCopy, ...]:
    """Messages whose time has run out and that still have their content, the longest due first.

    One whose journey has not ended is left until it has: a journey is not torn from its message.
    """
    rows = InboxMessage.objects.filter(purged_at=None, keep_until__lte=at)
    rows = rows.filter(Q(is_accepted=False) | ~Q(processed_at=None))
    return tuple(_copy(row) for row in rows.order_by("keep_until")[:limit])


@transaction.atomic
def purge(keys: Iterable[Key], *, ground: str, at: datetime) -> tuple[ReceivedCopy, ...]:
    """Empty these messages; what is purged already stays as it is. One whose journey has not run never runs.

    Returns those that were emptied now.
    """
    emptied = []
    for sender, message_id in sorted(keys):
        row = InboxMessage.objects.select_for_update().filter(sender=sender, message_id=message_id).first()
        if row is None or row.purged_at is not None:
            continue
        row.leaf, row.data = leaf_hash(bytes(row.data)), b""
        row.purged_at, row.purge_ground, row.last_error = at, ground[:40], ""
        row.processed_at = row.processed_at or at
        row.save(update_fields=["leaf", "data", "purged_at", "purge_ground", "processed_at", "last_error"])
        emptied.append(_copy(row))
    return tuple(emptied)


@transaction.atomic
def keep_at_most(key: Key, *, until: datetime, handling: str = "") -> None:
    """Let a message be purged at this instant at the latest; never later than was known before.

    handling: its level from now on; empty leaves it.
    """
    rows = InboxMessage.objects.filter(sender=key[0], message_id=key[1], purged_at=None)
    rows.filter(Q(keep_until=None) | Q(keep_until__gt=until)).update(keep_until=until)
    if handling:
        rows.update(handling=handling)


def raise_handling(key: Key, *, handling: str) -> None:
    """Handle a message at this level from now on."""
    InboxMessage.objects.filter(sender=key[0], message_id=key[1], purged_at=None).update(handling=handling)


def look_again(key: Key, *, until: datetime | None) -> None:
    """A copy that is retained on a legal ground is looked at again at this instant; None: only when it is let go."""
    InboxMessage.objects.filter(sender=key[0], message_id=key[1], purged_at=None).update(keep_until=until)


@transaction.atomic
def wipe_sent(message_ids: Sequence[str]) -> tuple[str, ...]:
    """Empty our outbox copies of what we handed on, where the recipient has answered. Returns the ids of those.

    A mark takes the place of the bytes, under its own hash: should a partner that was restored from a backup ask for
    the sequence again, the mark is what it gets and refuses, and nothing behind it is held up.
    """
    wiped = []
    rows = OutboxMessage.objects.select_for_update().filter(message_id__in=message_ids, state__in=_ANSWERED)
    for row in rows.order_by("id"):
        mark = PurgedMark(row.sha256, leaf_hash(bytes(row.data)))
        if mark_in(bytes(row.data)) is not None:
            continue
        row.data = mark.to_bytes()
        row.sha256 = sha256_hex(row.data)
        row.save(update_fields=["data", "sha256"])
        wiped.append(row.message_id)
    return tuple(wiped)


def mark_in(data: bytes) -> PurgedMark | None:
    """What stands in the place of a sent message that was purged; None where the bytes are a message."""
    if len(data) > _MARK_BYTES:
        return None
    values = json.loads(data)
    return PurgedMark(values["purged"], bytes.fromhex(values["leaf"])) if set(values) == {"purged", "leaf"} else None


def _copy(row: InboxMessage) -> ReceivedCopy:
    return ReceivedCopy(
        sender=row.sender,
        message_id=row.message_id,
        kind=row.kind,
        agreement=row.agreement,
        article=row.article,
        handling=row.handling,
        sha256=row.sha256,
        received_at=row.received_at,
        keep_until=row.keep_until,
        is_accepted=row.is_accepted,
        is_processed=row.processed_at is not None,
        is_purged=row.purged_at is not None,
        message=_readable(bytes(row.data)),
    )


def _readable(data: bytes) -> Message | None:
    try:
        return read_message(data)
    except MessageFormError:
        return None
