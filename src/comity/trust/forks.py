"""Proof that a log showed two histories: two checkpoints that it signed and that cannot both be true.

Of one size, two roots are proof enough. Of two sizes, a consistency proof from the log's own tiles shows which root the
larger tree has at the smaller size; where that is not the root that was signed, the smaller is of another history. No
word of whoever shows the proof is needed: each checkpoint fixes all that stands below it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from comity.trust.canonical import canonical_json
from comity.trust.errors import NoteError, ProofError, TrustError
from comity.trust.merkle import verify_consistency
from comity.trust.notes import MAX_NOTE_CHARS, Checkpoint, LogVerifier, from_base64, open_checkpoint, to_base64

FORM = "comity/split-view/1"
MAX_REASON_CHARS = 200
_MAX_PATH = 128


class NoForkError(TrustError):
    """What is shown as two histories proves none."""

    code = "no_fork"


@dataclass(frozen=True, slots=True)
class ForkProof:
    """Two notes of one log, unverified.

    seen_note, shown_note: in any order. prefix_root, path: where the sizes differ, the root that the larger tree has
    at the smaller size, and the consistency proof that says so.
    """

    vkey: str
    seen_note: str
    shown_note: str
    reason: str = ""
    prefix_root: bytes = b""
    path: tuple[bytes, ...] = ()

    @property
    def origin(self) -> str:
        """The log's name, as the first note says."""
        return self.seen_note.partition("\n")[0]

    def to_body(self) -> dict[str, object]:
        """As a message or file carries it."""
        return {
            "form": FORM,
            "origin": self.origin,
            "vkey": self.vkey,
            "seen_note": self.seen_note,
            "shown_note": self.shown_note,
            "reason": self.reason,
            "prefix_root": to_base64(self.prefix_root),
            "path": [to_base64(each) for each in self.path],
        }

    def to_bytes(self) -> bytes:
        """The file, in canonical JSON."""
        return canonical_json(self.to_body())

    @classmethod
    def from_body(cls, body: Mapping[str, object]) -> ForkProof:
        """Read it; members that no name here knows are ignored.

        Raises: NoForkError.
        """
        words = {name: body.get(name, "") for name in ("vkey", "seen_note", "shown_note", "reason", "prefix_root")}
        path = body.get("path", [])
        if body.get("form", FORM) != FORM or not isinstance(path, list) or len(path) > _MAX_PATH:
            raise _malformed("form or path")
        texts = {name: word for name, word in words.items() if isinstance(word, str) and len(word) <= MAX_NOTE_CHARS}
        if len(texts) < len(words) or not all(isinstance(each, str) for each in path):
            raise _malformed("a member is no text")
        try:
            root, hashes = from_base64(texts["prefix_root"]), tuple(from_base64(each) for each in path)
        except NoteError as error:
            raise _malformed("prefix_root or path") from error
        reason = "".join(each if each.isprintable() else " " for each in texts["reason"][:MAX_REASON_CHARS])
        return cls(texts["vkey"], texts["seen_note"], texts["shown_note"], reason, root, hashes)

    @classmethod
    def from_bytes(cls, data: bytes) -> ForkProof:
        """Read the file. Raises: NoForkError."""
        try:
            body = json.loads(data) if len(data) <= 4 * MAX_NOTE_CHARS else None
        except (ValueError, RecursionError) as error:
            raise _malformed("not JSON") from error
        if not isinstance(body, dict):
            raise _malformed("no JSON object")
        return cls.from_body(body)

    def heads(self) -> tuple[Checkpoint, Checkpoint]:
        """The two checkpoints, the smaller first. Raises: NoteError, KeyRefusedError where the log signed one not."""
        log = LogVerifier.from_vkey(self.vkey)
        seen, shown = (open_checkpoint(note, log)[0] for note in (self.seen_note, self.shown_note))
        return (seen, shown) if seen.size <= shown.size else (shown, seen)


def verify_fork(proof: ForkProof) -> str:
    """What two histories the log showed, in plain words.

    Raises: NoteError where a note is not signed by the log's key; NoForkError where the two may both be true.
    """
    smaller, larger = proof.heads()
    if smaller.size == larger.size:
        if smaller.root == larger.root:
            raise NoForkError("Both notes are of one and the same checkpoint", where=f"size {smaller.size}")
        return f"The log signed two different trees of {smaller.size} entries."
    try:
        verify_consistency(smaller.size, larger.size, proof.path, proof.prefix_root, larger.root)
    except ProofError as error:
        raise NoForkError(
            "Nothing here proves that the two contradict each other",
            where=f"sizes {smaller.size} and {larger.size}",
            remedy="Ask the log for a consistency proof between the two sizes; until then it is a suspicion.",
        ) from error
    if proof.prefix_root == smaller.root:
        raise NoForkError(
            "The larger checkpoint continues the smaller", where=f"sizes {smaller.size} and {larger.size}"
        )
    return (
        f"The log signed a tree of {smaller.size} entries, and a tree of {larger.size} entries whose first"
        f" {smaller.size} are others."
    )


def _malformed(place: str) -> NoForkError:
    return NoForkError("The evidence cannot be read", where=place, remedy=f"It must be of the form {FORM}.")
