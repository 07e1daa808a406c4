"""Reads of the log: its head, entries, proofs, tiles, and what partners' logs last showed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from comity.ledger.errors import NoCheckpointError, NoEntryError
from comity.ledger.models import Batch, Cosignature, LogState, PartnerHead, SplitView
from comity.ledger.tree import StoredTree, stored_entries, tile_hashes
from comity.trust import notes, tiles, tlogproof


@dataclass(frozen=True, slots=True)
class Head:
    """What our log or a partner's last showed.

    note: the signed checkpoint. line: for a partner's log, our cosignature on it.
    """

    origin: str
    size: int
    note: str
    line: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ForkEvidence:
    """Two notes, signed by one log, that cannot both be true."""

    origin: str
    vkey: str
    reason: str
    seen_note: str
    shown_note: str
    found_at: datetime


def log_size() -> int:
    """How many entries the log has."""
    return Batch.objects.order_by("-first_index").values_list("size", flat=True).first() or 0


def latest_checkpoint() -> str:
    """The newest checkpoint: the log's signature and the cosignatures of exactly this checkpoint.

    Raises: NoCheckpointError where the log has not begun.
    """
    last = Batch.objects.order_by("-first_index").values_list("size", "note").first()
    if last is not None:
        return _with_cosignatures(*last)
    note = LogState.objects.filter(id=1).values_list("note", flat=True).first()
    if note is None:
        raise NoCheckpointError("The log has not begun", remedy="It begins when the node first serves or appends.")
    return note


def cosigned_checkpoint() -> str:
    """The newest checkpoint that at least one partner cosigned.

    Raises: NoCheckpointError where there is none.
    """
    size = Cosignature.objects.order_by("-size").values_list("size", flat=True).first()
    if size is None:
        raise NoCheckpointError("No partner has cosigned a checkpoint yet", remedy="Exchange with a partner first.")
    return checkpoint_at(size)


def checkpoint_at(size: int) -> str:
    """The checkpoint that was signed when the log had this size, with its cosignatures.

    Raises: NoCheckpointError where no append ended there.
    """
    note = note_at(size)
    if note is None:
        raise NoCheckpointError("No checkpoint was signed at that size", where=f"size {size}")
    return _with_cosignatures(size, note)


def note_at(size: int) -> str | None:
    """Our own signed note of that size, without cosignatures; None where no append ended there."""
    batches = Batch.objects.filter(first_index__lt=size).order_by("-first_index")
    found = batches.values_list("size", "note").first()
    return found[1] if found and found[0] == size else None


def entry(index: int) -> bytes:
    """One entry.

    Raises: NoEntryError.
    """
    size = log_size()
    if not 0 <= index < size:
        raise NoEntryError("The log has no such entry", where=f"index {index} of {size}")
    return stored_entries(index, index + 1)[0]


def tlog_proof(index: int) -> str:
    """The proof that an entry stands in the log, against the newest checkpoint.

    Raises: NoEntryError; NoCheckpointError where the log has not begun.
    """
    return tlog_proofs([index])[0]


def witnessed_proof(index: int) -> str:
    """The proof against the newest checkpoint that partners cosigned, where it holds the entry; else the newest.

    Raises: NoEntryError; NoCheckpointError where the log has not begun.
    """
    size = Cosignature.objects.order_by("-size").values_list("size", flat=True).first() or 0
    return tlog_proofs([index], note=checkpoint_at(size) if size > index else "")[0]


def tlog_proofs(indices: Iterable[int], *, note: str = "") -> list[str]:
    """Proofs of many entries against one checkpoint, the newest unless given; they share their reads.

    note: one of our own checkpoints. Raises: NoEntryError, NoCheckpointError.
    """
    note = note or latest_checkpoint()
    size = notes.Checkpoint.parse(notes.split_note(note)[0]).size
    tree = StoredTree(size)
    proofs = []
    for index in indices:
        if not 0 <= index < size:
            raise NoEntryError("The log has no such entry", where=f"index {index} of {size}")
        proofs.append(tlogproof.make_tlog_proof(index, tree.inclusion_path(index), note))
    return proofs


def consistency_path(old_size: int, new_size: int) -> list[bytes]:
    """The proof that the log of old_size is a prefix of that of new_size (RFC 6962 §2.1.2).

    Raises: ProofError where the sizes do not rise; NoCheckpointError where the log is smaller than new_size.
    """
    size = log_size()
    if new_size > size:
        raise NoCheckpointError("The log is smaller", where=f"{new_size} of {size}")
    return StoredTree(new_size).consistency_path(old_size)


def tile(level: int, n: int, width: int = tiles.TILE_WIDTH) -> bytes | None:
    """A tile, or its first `width` hashes; None where the log has not so many."""
    if not _has_tile(level, n, width):
        return None
    return b"".join(tile_hashes(level, n, width))


def entries_bundle(n: int, width: int = tiles.TILE_WIDTH) -> bytes | None:
    """A bundle of 256 entries, or its first `width` entries; None where the log has not so many."""
    if not _has_tile(0, n, width):
        return None
    start = n * tiles.TILE_WIDTH
    return tiles.pack_entries(stored_entries(start, start + width))


def partner_heads() -> list[Head]:
    """The largest checkpoint seen of each partner's log."""
    return [_head_of(row) for row in PartnerHead.objects.order_by("origin")]


def partner_head(origin: str) -> Head | None:
    """The largest checkpoint seen of one partner's log; None where none was."""
    row = PartnerHead.objects.filter(origin=origin).first()
    return _head_of(row) if row else None


def split_views() -> list[ForkEvidence]:
    """Evidence of logs that showed two histories, newest first."""
    views = SplitView.objects.order_by("-found_at", "-id")
    return [
        ForkEvidence(view.origin, view.vkey, view.reason, view.seen_note, view.shown_note, view.found_at)
        for view in views
    ]


def _head_of(row: PartnerHead) -> Head:
    return Head(row.origin, row.size, row.note, row.line, row.seen_at)


def _with_cosignatures(size: int, note: str) -> str:
    lines = Cosignature.objects.filter(size=size).order_by("vkey").values_list("line", flat=True)
    return notes.add_signatures(note, list(lines)) if lines else note


def _has_tile(level: int, n: int, width: int) -> bool:
    """tlog-tiles: empty tiles must not be served, and no hash that the tree has not completed."""
    if not (0 <= level <= 63 and n >= 0 and 0 < width <= tiles.TILE_WIDTH):
        return False
    return n * tiles.TILE_WIDTH + width <= log_size() >> tiles.TILE_HEIGHT * level
