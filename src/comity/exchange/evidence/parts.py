"""A chunk on its way: its inclusion path and its sealed bytes, the same by HTTPS and in a file. Pure.

One byte counts the hashes of the path, then the hashes of 32 bytes each, from the sibling up, then the sealed chunk. In
a file the root (32 bytes) and the number (8 bytes, big-endian) stand before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from comity.exchange.evidence.errors import ChunkRefusedError

CHUNK_MEDIA_TYPE = "application/vnd.comity.evidence-chunk"
CHUNK_PART = "evidence chunk"
MARK_PART = "evidence mark"
# The longest path of a tree of 2^20 leaves, and the largest chunk with its tag.
MOST_HASHES = 20
MOST_BYTES = 1 + 32 * MOST_HASHES + 4 * 1024 * 1024 + 16
_HASH = 32
_NUMBER = 8
_ADDRESS = _HASH + _NUMBER


@dataclass(frozen=True, slots=True)
class CarriedChunk:
    """A sealed chunk with the path that leads from it to the root."""

    path: tuple[bytes, ...]
    sealed: bytes

    def to_bytes(self) -> bytes:
        """The form on the wire."""
        return bytes([len(self.path)]) + b"".join(self.path) + self.sealed


@dataclass(frozen=True, slots=True)
class Addressed:
    """A chunk or a mark of the file with this root. number: of the chunk; of a mark: how many chunks are there."""

    root: str
    number: int
    rest: bytes = b""

    def to_bytes(self) -> bytes:
        """The form of a part of a file."""
        return bytes.fromhex(self.root) + self.number.to_bytes(_NUMBER, "big") + self.rest


def read_chunk(data: bytes) -> CarriedChunk:
    """The chunk in these bytes. Nothing is proved by it yet.

    Raises: ChunkRefusedError where they have not the form.
    """
    count = data[0] if data else MOST_HASHES + 1
    begin = 1 + _HASH * count
    if len(data) > MOST_BYTES or count > MOST_HASHES or len(data) <= begin:
        raise ChunkRefusedError("These bytes are no chunk of a file", where=f"{len(data)} bytes")
    path: Sequence[bytes] = [data[place : place + _HASH] for place in range(1, begin, _HASH)]
    return CarriedChunk(tuple(path), data[begin:])


def read_addressed(data: bytes) -> Addressed:
    """The address of a part of a file, and what follows it.

    Raises: ChunkRefusedError where it is too short.
    """
    if len(data) < _ADDRESS:
        raise ChunkRefusedError("This part is too short to name its file", where=f"{len(data)} bytes")
    return Addressed(data[:_HASH].hex(), int.from_bytes(data[_HASH:_ADDRESS], "big"), data[_ADDRESS:])
