"""Proofs that something stands in a log, in one text (C2SP tlog-proof)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from comity.trust.errors import NoteError, ProofError
from comity.trust.merkle import leaf_hash, verify_inclusion
from comity.trust.notes import (
    MAX_NOTE_CHARS,
    Checkpoint,
    LogVerifier,
    from_base64,
    open_checkpoint,
    parse_decimal,
    parse_hash,
    to_base64,
)

_VERSION = "c2sp.org/tlog-proof@v1"
_MAX_PATH = 63


@dataclass(frozen=True, slots=True)
class TlogProof:
    """A proof as it was read, unverified.

    note: the log's checkpoint with its signatures. extra: opaque, authenticated by nobody.
    """

    index: int
    path: tuple[bytes, ...]
    note: str
    extra: bytes = b""


@dataclass(frozen=True, slots=True)
class ProvedEntry:
    """What a proof proved: an entry stands at `index` in the log whose head `checkpoint` is.

    witnessed_by: vkeys of the witnesses that cosigned that head, with POSIX seconds.
    """

    index: int
    checkpoint: Checkpoint
    witnessed_by: dict[str, int | None]

    @property
    def size(self) -> int:
        """The size of the tree that was proved against."""
        return self.checkpoint.size


def make_tlog_proof(index: int, path: Sequence[bytes], note: str) -> str:
    """The text of a proof; note: the signed checkpoint that the path leads to."""
    return f"{_VERSION}\nindex {index}\n{''.join(to_base64(each) + chr(10) for each in path)}\n{note}"


def parse_tlog_proof(text: str) -> TlogProof:
    """Read a proof.

    Raises: ProofError where it is not written exactly as tlog-proof asks.
    """
    head, blank, note = text.partition("\n\n")
    lines = head.split("\n")
    if len(text) > 2 * MAX_NOTE_CHARS or not blank or lines.pop(0) != _VERSION:
        raise ProofError("Not a tlog-proof", where=repr(text)[:80], remedy=f"Its first line must be {_VERSION}.")
    try:
        extra = from_base64(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else b""
        if not lines or not lines[0].startswith("index "):
            raise ProofError("The proof names no index", where=repr(text)[:80])
        index = parse_decimal(lines.pop(0).removeprefix("index "))
        path = tuple(parse_hash(line) for line in lines)
    except NoteError as error:
        raise ProofError("The proof is malformed", where=f"{error.what}: {error.where}") from error
    if len(path) > _MAX_PATH:
        raise ProofError("The path is longer than any log's", where=f"{len(path)} hashes")
    return TlogProof(index, path, note, extra)


def verify_tlog_proof(
    text: str, entry: bytes, log: LogVerifier, witnesses: Sequence[LogVerifier] = (), quorum: int = 0
) -> ProvedEntry:
    """Check that the entry stands in the log, and that enough witnesses saw that head of it.

    Raises: ProofError where the path or the quorum fails; NoteError where the checkpoint is not the log's.
    """
    proof = parse_tlog_proof(text)
    checkpoint, opened = open_checkpoint(proof.note, log, witnesses)
    verify_inclusion(leaf_hash(entry), proof.index, checkpoint.size, proof.path, checkpoint.root)
    trusted = {witness.vkey for witness in witnesses} - {log.vkey}
    witnessed_by = {vkey: seconds for vkey, seconds in opened.signed_by.items() if vkey in trusted}
    if len(witnessed_by) < quorum:
        raise ProofError(
            "Too few witnesses cosigned the checkpoint",
            where=f"{len(witnessed_by)} of {quorum}",
            remedy="Ask for the proof again when partners have cosigned a newer checkpoint.",
        )
    return ProvedEntry(proof.index, checkpoint, witnessed_by)
