"""Writes of the log: append, and the cosignatures that partners give us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.backends.utils import CursorWrapper

from comity.ledger.errors import (
    LedgerError,
    LogDamagedError,
    NoTransactionError,
    SplitViewError,
    StaleHeadError,
    WrongSignerError,
)
from comity.ledger.guarding import (
    check_guard,
    hold_appends,
    mark_told,
    note_claim,
    note_look,
    record_split,
    record_suspicion,
    refuse_fork,
    release_appends,
    withdraw_claim,
)
from comity.ledger.models import Cosignature, LogState, PartnerHead, SplitView
from comity.ledger.selectors import note_at
from comity.ledger.tree import subtree_id
from comity.trust import ForkProof, NoteError, ProofError, merkle, notes, tiles, tlogproof

__all__ = [
    "MAX_BATCH",
    "Appended",
    "append",
    "hold_appends",
    "mark_told",
    "note_claim",
    "note_look",
    "open_log",
    "record_cosignature",
    "record_split",
    "record_suspicion",
    "refuse_fork",
    "release_appends",
    "withdraw_claim",
    "witness",
]

MAX_BATCH = 4096

# Statements by hand: through the ORM they cost more than hashing 256 entries.
_GUARD = "SELECT seen_size, seen_by, held_at FROM ledger_logstate WHERE id = 1"
_LAST = "SELECT size, stack, note FROM ledger_batch ORDER BY first_index DESC LIMIT 1"
# of two constants
_BOTH = f"SELECT seen_size, seen_by, held_at, size, stack, note FROM ({_GUARD}) LEFT JOIN ({_LAST}) ON true"  # noqa: S608
_INSERT = (
    "INSERT INTO ledger_batch (first_index, size, appended_us, note, stack, hashes, entries)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s)"
)
_INSERT_SUBTREE = "INSERT INTO ledger_subtree (id, hash) VALUES (%s, %s)"


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did.

    first_index: of the first new entry. size: of the log now. checkpoint: the signed note of that size.
    """

    first_index: int
    size: int
    checkpoint: str
    _growth: merkle.Growth = field(repr=False, compare=False)

    def tlog_proof(self, index: int) -> str:
        """The proof of a new entry against the new checkpoint, without reading a row.

        Raises: ProofError where the entry is not one of those just appended.
        """
        return tlogproof.make_tlog_proof(index, self._growth.inclusion_path(index), self.checkpoint)


@transaction.atomic
def open_log(*, signer: notes.LogSigner, at: datetime) -> None:
    """Begin the log with a signed checkpoint of nothing, unless it has begun.

    Raises: WrongSignerError where the key signs under a name that is too long for a log.
    """
    if len(signer.name) > 200:
        raise WrongSignerError("The name of a log has at most 200 characters", where=signer.name[:80])
    text = notes.Checkpoint(signer.name, 0, merkle.EMPTY_ROOT).text
    start = LogState(id=1, origin=signer.name, note=notes.sign_note(text, signer, at=at))
    LogState.objects.bulk_create([start], ignore_conflicts=True)


def append(entries: Sequence[bytes], *, signer: notes.LogSigner, at: datetime) -> Appended:
    """Append entries and sign the new checkpoint, in the transaction of the deed that they prove.

    entries: at most 4,096 of at most 65,535 bytes; none leaves the log as it is.
    Raises: NoTransactionError, WrongSignerError, LedgerError, TileError, LogDamagedError; LogBehindError where a
    partner has seen more of this log than there is.
    """
    database = transaction.get_connection()
    if not database.in_atomic_block:
        raise NoTransactionError(
            "An append must stand in the transaction of the deed that it proves",
            remedy="Call it inside transaction.atomic().",
        )
    if len(entries) > MAX_BATCH:
        raise LedgerError("Too many entries for one append", where=f"{len(entries)}", remedy=f"At most {MAX_BATCH}.")
    packed = tiles.pack_entries(entries)
    with database.cursor() as cursor:
        frontier, note = _lock(cursor, signer, at)
        growth = merkle.grow(frontier, merkle.leaf_hashes(entries))
        if entries:
            stack = growth.frontier.stack
            text = notes.Checkpoint(signer.name, growth.frontier.size, merkle.fold(stack)).text
            note = f"{text}\n{signer.sign(text, at)}"
            made = (growth.frontier.size, int(at.timestamp() * 1_000_000), note, b"".join(stack))
            cursor.execute(_INSERT, (frontier.size, *made, b"".join(growth.completed(0)[1]), packed))
            _insert_subtrees(cursor, growth)
    return Appended(frontier.size, growth.frontier.size, note, growth)


def record_cosignature(
    note: str, *, log: notes.LogVerifier, cosigner: notes.LogVerifier, at: datetime, witness: str = ""
) -> None:
    """Keep a partner's cosignature on one of our checkpoints; the newest of one key on one checkpoint counts.

    note: our checkpoint with our signature and the partner's. witness: which partner, for people.
    Raises: NoteError where either signature is missing or wrong; SplitViewError where our key signed another history
    than the one stored here; LogBehindError where the log is smaller; LedgerError for a size that no append ended at.
    """
    checkpoint, opened = notes.open_checkpoint(note, log, [cosigner])
    seconds = opened.signed_by.get(cosigner.vkey)
    if seconds is None:
        raise NoteError("The partner did not cosign this checkpoint", where=cosigner.name)
    ours = note_at(checkpoint.size)
    if ours is None or notes.split_note(ours)[0] != opened.text:
        refuse_fork(note, log=log, witness=witness or cosigner.name, at=at)
        raise LedgerError("This log never signed a checkpoint of that size", where=f"size {checkpoint.size}")
    theirs = (cosigner.name, cosigner.key_id)
    lines = [each for each in notes.split_note(note)[1] if (each.name, each.key_id) == theirs]
    newest = max(lines, key=lambda each: each.signature[:8])  # the time, big-endian (tlog-cosignature)
    with transaction.atomic():
        row, is_new = Cosignature.objects.get_or_create(
            size=checkpoint.size,
            vkey=cosigner.vkey,
            defaults={"line": newest.line, "seconds": seconds, "recorded_at": at},
        )
        if not is_new and row.seconds < seconds:
            row.line, row.seconds, row.recorded_at = newest.line, seconds, at
            row.save()


def witness(
    note: str,
    old_size: int,
    proof: Sequence[bytes],
    *,
    known: notes.LogVerifier,
    cosigner: notes.LogSigner,
    at: datetime,
) -> str:
    """Our cosignature line for a partner's checkpoint that continues the last one we saw; remembers it as seen.

    old_size, proof: the consistency proof and the size it starts from; 0 and none at first sight. known: the partner's
    log key. A fork is kept as evidence in the caller's transaction: catch the error inside it, or call without one.
    Raises: NoteError where the log did not sign; StaleHeadError where the proof starts elsewhere or the checkpoint is
    older than one seen; SplitViewError where the two cannot both be true, or the log has shown two histories before.
    """
    checkpoint, opened = notes.open_checkpoint(note, known)
    _refuse_split(known)
    with transaction.atomic():
        seen = PartnerHead.objects.select_for_update().filter(origin=checkpoint.origin).first()
        reason = _contradiction(checkpoint, seen, old_size, proof)
        if reason and seen is None:
            raise NoteError("The checkpoint does not hold, at first sight", where=f"{checkpoint.origin}: {reason}")
        if seen is None or not reason:
            line = cosigner.sign(opened.text, at)
            _remember(checkpoint, note=note, line=line, vkey=known.vkey, at=at)
            return line
        fork = ForkProof(known.vkey, seen.note, note, reason)
        if checkpoint.size == seen.size:
            record_split(fork, at=at)
        else:
            record_suspicion(fork, at=at)
    raise SplitViewError(reason, where=f"{checkpoint.origin}, size {checkpoint.size}", seen=seen.note, shown=note)


def _refuse_split(known: notes.LogVerifier) -> None:
    view = SplitView.objects.filter(vkey=known.vkey, is_proven=True).order_by("id").first()
    if view is not None:
        raise SplitViewError(
            "The log has shown two histories, and nothing of it is cosigned any more",
            where=known.name,
            seen=view.seen_note,
            shown=view.shown_note,
        )


def _contradiction(
    checkpoint: notes.Checkpoint, seen: PartnerHead | None, old_size: int, proof: Sequence[bytes]
) -> str:
    """Why a checkpoint cannot stand beside the one seen; empty where it continues it.

    Raises: StaleHeadError where that cannot be told from this proof.
    """
    known_size, known_root = (seen.size, bytes(seen.root)) if seen else (0, merkle.EMPTY_ROOT)
    if checkpoint.size == known_size:
        return "" if checkpoint.root == known_root else "One size, two roots: the log shows two histories"
    if old_size != known_size or checkpoint.size < known_size:
        raise StaleHeadError(
            "The checkpoint or its proof does not start from the last checkpoint seen",
            where=f"{checkpoint.origin}: {old_size} to {checkpoint.size}, seen {known_size}",
            known_size=known_size,
        )
    try:
        merkle.verify_consistency(known_size, checkpoint.size, proof, known_root, checkpoint.root)
    except ProofError as error:
        return f"The log cannot show that it continues what was seen: {error.what.lower()}"
    return ""


def _remember(checkpoint: notes.Checkpoint, *, note: str, line: str, vkey: str, at: datetime) -> None:
    PartnerHead.objects.update_or_create(
        origin=checkpoint.origin,
        defaults={
            "vkey": vkey,
            "size": checkpoint.size,
            "root": checkpoint.root,
            "note": note,
            "line": line,
            "seen_at": at,
        },
    )


def _lock(cursor: CursorWrapper, signer: notes.LogSigner, at: datetime) -> tuple[merkle.Frontier, str]:
    """The right edge of the tree and the last note; nobody else appends until the transaction ends."""
    guard, row = _last_row(cursor)
    if guard is None:
        open_log(signer=signer, at=at)
        guard, row = _last_row(cursor)  # another worker may have begun the log, and waited for us to wait for it
    if row is None:
        row = (0, b"", LogState.objects.get(id=1).note)
    size, stack, note = row[0], bytes(row[1]), row[2]
    if guard is not None:
        check_guard(size, *guard)
    hashes = [stack[place : place + merkle.HASH_SIZE] for place in range(0, len(stack), merkle.HASH_SIZE)]
    if note.startswith(notes.Checkpoint(signer.name, size, merkle.fold(hashes)).text + "\n"):
        return merkle.Frontier.from_stack(size, hashes), note
    origin = note.partition("\n")[0]
    if origin != signer.name:
        raise WrongSignerError("The key signs for another log", where=f"{signer.name}, not {origin}")
    raise LogDamagedError(
        "The stored tree is not the one that was signed last",
        where=f"size {size}",
        remedy="Nothing was appended. Run `comity ledger verify`; restore the database from a backup.",
    )


def _last_row(cursor: CursorWrapper) -> tuple[tuple[int, str, object] | None, tuple[int, bytes, str] | None]:
    """What guards the log, locked, and its last batch."""
    # SQLite's transactions begin IMMEDIATE: the whole database is locked already. PostgreSQL needs the lock in a
    # statement of its own: the next one then sees what the worker before us committed.
    if not cursor.db.features.has_select_for_update:
        cursor.execute(_BOTH)
        both = cursor.fetchone()
        return (both[:3], both[3:] if both[3] is not None else None) if both else (None, None)
    cursor.execute(f"{_GUARD} FOR UPDATE")
    guard: tuple[int, str, object] | None = cursor.fetchone()
    cursor.execute(_LAST)
    return guard, cursor.fetchone()


def _insert_subtrees(cursor: CursorWrapper, growth: merkle.Growth) -> None:
    for level in range(1, 1 + (len(growth.levels) - 1) // tiles.TILE_HEIGHT):
        position, completed = growth.completed(level * tiles.TILE_HEIGHT)
        for place, each in enumerate(completed):
            cursor.execute(_INSERT_SUBTREE, (subtree_id(level, position + place), each))
