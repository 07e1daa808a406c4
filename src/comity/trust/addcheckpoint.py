"""A log asks a witness to cosign a checkpoint of its own: the request of C2SP tlog-witness, `add-checkpoint`. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from comity.trust.errors import NoteError
from comity.trust.notes import parse_decimal, parse_hash, split_note, to_base64

# tlog-witness: a consistency proof has at most 63 hashes, since a size stays below 2^63.
MOST_HASHES = 63
MOST_BYTES = 16 * 1024
SIZE_MEDIA_TYPE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """Cosign this checkpoint. old_size: of the one that the witness cosigned last, 0 for none; path: from there."""

    old_size: int
    path: tuple[bytes, ...]
    note: str

    def to_bytes(self) -> bytes:
        """As it is sent."""
        lines = [f"old {self.old_size}", *(to_base64(each) for each in self.path)]
        return ("\n".join(lines) + "\n\n" + self.note).encode()


def read_add_checkpoint(data: bytes) -> AddCheckpoint:
    """Read a request.

    Raises: NoteError.
    """
    if len(data) > MOST_BYTES:
        raise NoteError("The request is too large", where=f"{len(data)} bytes, at most {MOST_BYTES}")
    try:
        head, parted, note = data.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise NoteError("The request is no valid UTF-8") from error
    first, *hashes = head.split("\n")
    if not parted or not first.startswith("old ") or len(hashes) > MOST_HASHES:
        raise NoteError("The request begins with an old size and a proof", where=repr(first)[:60])
    split_note(note)
    return AddCheckpoint(parse_decimal(first.removeprefix("old ")), tuple(parse_hash(each) for each in hashes), note)
