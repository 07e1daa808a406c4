"""Writes that keep histories single: evidence of two, and what keeps our own log from beginning a second one."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from comity.ledger.errors import LogBehindError, SplitViewError
from comity.ledger.models import LogLook, LogState, SplitView
from comity.ledger.rules import LookState
from comity.ledger.selectors import latest_checkpoint, log_size
from comity.ledger.tree import StoredTree
from comity.trust import Checkpoint, ForkProof, LogVerifier, open_checkpoint, sha256_hex, split_note, verify_fork
from comity.trust.notes import to_base64

_MOST_UNPROVEN = 20
# One is proof enough; a log whose owner forks it without end must fill no table that everybody reads.
_MOST_PROVEN = 20


def record_split(proof: ForkProof, *, at: datetime, reported_by: str = "") -> bool:
    """Keep evidence that a log showed two histories, after verifying it; whether it was new. Of one log a few are kept.

    reported_by: the partner that sent it; empty where it was found here. Once it is kept, nothing of that log is
    cosigned any more. Raises: NoteError, NoForkError where it proves nothing.
    """
    verify_fork(proof)
    if SplitView.objects.filter(vkey=proof.vkey, is_proven=True).count() >= _MOST_PROVEN:
        return False
    return _keep(proof, is_proven=True, reported_by=reported_by, at=at)


def record_suspicion(proof: ForkProof, *, at: datetime) -> bool:
    """Keep two notes of which the log could not show that they belong together; whether they were new."""
    if SplitView.objects.filter(vkey=proof.vkey).count() >= _MOST_UNPROVEN:
        return False
    return _keep(proof, is_proven=False, reported_by="", at=at)


def mark_told(digests: list[str], *, at: datetime) -> None:
    """Remember that the partners were told of these pieces of evidence."""
    SplitView.objects.filter(digest__in=digests).update(told_at=at)


def refuse_fork(note: str, *, log: LogVerifier, witness: str, at: datetime) -> None:
    """Compare a checkpoint of our own log that a partner holds with what is stored here.

    note: with our log's signature, and perhaps others. witness: which partner. Where our log is the smaller, appending
    is refused from then on, until it has grown to that size by a restored backup.
    Raises: NoteError where our key did not sign; LogBehindError; SplitViewError where our key signed another history,
    which is kept. What is kept stands in the caller's transaction: catch the error inside it, or call without one.
    """
    checkpoint, _ = open_checkpoint(note, log)
    size = log_size()
    if checkpoint.size > size:
        _note_behind(note, checkpoint, witness)
        raise _behind(size, checkpoint.size, witness)
    tree = StoredTree(checkpoint.size)
    if tree.root == checkpoint.root:
        return
    ours = latest_checkpoint()
    path = tuple(StoredTree(size).consistency_path(checkpoint.size)) if checkpoint.size < size else ()
    proof = ForkProof(log.vkey, ours, note, "Our own key signed two histories", tree.root if path else b"", path)
    record_split(proof, at=at)
    raise SplitViewError(
        "Our own key signed two histories", where=f"size {checkpoint.size}, seen by {witness}", seen=ours, shown=note
    )


def note_claim(size: int, *, witness: str) -> None:
    """Remember that a partner says, without a proof, that it has seen so many entries of our log."""
    LogState.objects.filter(id=1, claimed_size__lt=size).update(claimed_size=size, claimed_by=witness[:16])


def withdraw_claim(*, witness: str) -> None:
    """Forget such a word of a partner that has shown what it holds since."""
    LogState.objects.filter(id=1, claimed_by=witness[:16]).update(claimed_size=0, claimed_by="")


def hold_appends(reason: str, *, at: datetime) -> None:
    """Let nothing be appended until the partners were asked what they have seen: after a restore, before serving."""
    LogState.objects.filter(id=1).update(held_at=at, hold_reason=reason[:200])


def release_appends() -> bool:
    """Let appending go on, once every partner that could be asked was; whether it had been held."""
    return bool(LogState.objects.filter(id=1, held_at__isnull=False).update(held_at=None, hold_reason=""))


def check_guard(size: int, seen_size: int, seen_by: str, held_at: object) -> None:
    """Raises: LogBehindError where nothing may be appended to a log of this size."""
    if seen_size > size:
        raise _behind(size, seen_size, seen_by)
    if held_at is not None:
        raise LogBehindError(
            "Nothing is appended until the partners were asked what they have seen", size=size, seen_size=0
        )


@transaction.atomic
def note_look(administration: str, *, origin: str, state: LookState, detail: str, size: int, at: datetime) -> None:
    """Remember what the monitor found of a partner's log."""
    found = {"origin": origin[:200], "state": state.value, "detail": detail[:300], "size": size, "looked_at": at}
    LogLook.objects.update_or_create(administration=administration[:16], defaults=found)


def _keep(proof: ForkProof, *, is_proven: bool, reported_by: str, at: datetime) -> bool:
    texts = sorted(split_note(each)[0] for each in (proof.seen_note, proof.shown_note))
    _, is_new = SplitView.objects.get_or_create(
        digest=sha256_hex("\n".join((proof.vkey, *texts)).encode()),
        defaults={
            "origin": proof.origin,
            "vkey": proof.vkey,
            "reason": proof.reason[:200],
            "seen_note": proof.seen_note,
            "shown_note": proof.shown_note,
            "found_at": at,
            "prefix_root": proof.prefix_root,
            "path": [to_base64(each) for each in proof.path],
            "is_proven": is_proven,
            "reported_by": reported_by,
        },
    )
    return is_new


def _note_behind(note: str, checkpoint: Checkpoint, witness: str) -> None:
    with transaction.atomic():
        row = LogState.objects.select_for_update().filter(id=1).first()
        if row is not None and row.seen_size < checkpoint.size:
            row.seen_size, row.seen_note, row.seen_by = checkpoint.size, note, witness[:16]
            row.save(update_fields=["seen_size", "seen_note", "seen_by"])


def _behind(size: int, seen_size: int, witness: str) -> LogBehindError:
    return LogBehindError(
        "A partner has seen more of our log than there is: the database is older than what was signed",
        size=size,
        seen_size=seen_size,
        witness=witness,
    )
