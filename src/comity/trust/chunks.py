"""A large file in chunks: each sealed alone, all under one root (docs/protocol.md §9). Pure; one chunk in memory.

A chunk is sealed with AES-256-GCM (NIST SP 800-38D) under a key that is fresh for each file and recipient, so its
number may be the nonce. Associated with it are the file and its place, so no chunk can stand for another. The RFC 6962
root is over the sealed chunks: who holds it can check each one before it is opened, and before it is stored.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.trust.errors import ChunkError, ProofError
from comity.trust.merkle import Frontier, Growth, grow, leaf_hashes, verify_inclusion

CHUNK_BYTES = 1024 * 1024
LEAST_CHUNK_BYTES = 4 * 1024
MOST_CHUNK_BYTES = 4 * 1024 * 1024
MOST_CHUNKS = 1024 * 1024
KEY_BYTES = 32
TAG_BYTES = 16
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Readable(Protocol):
    """What gives the bytes of a file one after the other."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class FileShape:
    """A file and how it is cut. sha256: hex, of the whole file; chunk_bytes: of every chunk but the last.

    Raises: ChunkError where no file has this shape.
    """

    sha256: str
    size_bytes: int
    chunk_bytes: int = CHUNK_BYTES

    def __post_init__(self) -> None:
        if not _SHA256.fullmatch(self.sha256):
            raise ChunkError("The SHA-256 of a file is 64 hex digits", where=self.sha256[:70])
        if not LEAST_CHUNK_BYTES <= self.chunk_bytes <= MOST_CHUNK_BYTES:
            raise ChunkError(
                f"A chunk has {LEAST_CHUNK_BYTES:,} to {MOST_CHUNK_BYTES:,} bytes", where=f"{self.chunk_bytes} bytes"
            )
        if not 0 < self.size_bytes <= MOST_CHUNKS * self.chunk_bytes:
            raise ChunkError(f"A file has 1 byte to {MOST_CHUNKS:,} chunks", where=f"{self.size_bytes} bytes")

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return -(-self.size_bytes // self.chunk_bytes)

    def length_of(self, number: int) -> int:
        """The bytes of a chunk before it is sealed; numbers count from 0.

        Raises: ChunkError where there is no such chunk.
        """
        if not 0 <= number < self.chunks:
            raise ChunkError("The file has no such chunk", where=f"chunk {number} of {self.chunks}")
        return min(self.chunk_bytes, self.size_bytes - number * self.chunk_bytes)


@dataclass(frozen=True, slots=True)
class SealedFile:
    """The sealed chunks of a file as the leaves of a tree; the chunks are made again when they are wanted."""

    shape: FileShape
    growth: Growth

    @property
    def leaves(self) -> tuple[bytes, ...]:
        """The leaf hash of each sealed chunk."""
        return tuple(self.growth.completed(0)[1])

    @property
    def root(self) -> bytes:
        """The RFC 6962 root over the sealed chunks."""
        return self.growth.frontier.root

    def path(self, number: int) -> list[bytes]:
        """The inclusion path of a chunk.

        Raises: ChunkError where there is no such chunk.
        """
        self.shape.length_of(number)
        return self.growth.inclusion_path(number)


def measure(source: Readable, *, chunk_bytes: int = CHUNK_BYTES) -> FileShape:
    """The shape of a file, read once from where the source stands.

    Raises: ChunkError where it is empty or larger than can be cut.
    """
    digest, size = hashlib.sha256(), 0
    while data := source.read(CHUNK_BYTES):
        digest.update(data)
        size += len(data)
    return FileShape(digest.hexdigest(), size, chunk_bytes)


def seal_file(source: Readable, *, shape: FileShape, key: bytes) -> SealedFile:
    """Read the file once and make the tree over its sealed chunks.

    key: fresh for this file and recipient. Raises: ChunkError where the file is not the one of the shape.
    """
    digest, leaves = hashlib.sha256(), []
    cipher = _cipher(key)
    for number in range(shape.chunks):
        data = _read_exactly(source, shape.length_of(number))
        digest.update(data)
        leaves.append(_leaf(_seal(cipher, data, number, shape)))
    if digest.hexdigest() != shape.sha256 or source.read(1):
        raise ChunkError("The file is not the one that was measured", where=shape.sha256, remedy="Share it anew.")
    return sealed_from_leaves(shape, leaves)


def sealed_from_leaves(shape: FileShape, leaves: Sequence[bytes]) -> SealedFile:
    """The tree over leaf hashes that were kept.

    Raises: ChunkError where they are not as many as there are chunks.
    """
    if len(leaves) != shape.chunks:
        raise ChunkError("There is not one leaf for each chunk", where=f"{len(leaves)} of {shape.chunks}")
    return SealedFile(shape, grow(Frontier(), leaves))


def seal_chunk(data: bytes, number: int, *, sealed: SealedFile, key: bytes) -> bytes:
    """A chunk sealed again, as it was sealed first.

    Raises: ChunkError where the data is other than it was: two texts under one nonce would give both away.
    """
    shape = sealed.shape
    if len(data) != shape.length_of(number):
        raise _changed(number, shape)
    made = _seal(_cipher(key), data, number, shape)
    if _leaf(made) != sealed.growth.node(0, number):
        raise _changed(number, shape)
    return made


def verify_chunk(chunk: bytes, number: int, *, shape: FileShape, path: Sequence[bytes], root: bytes) -> None:
    """Check that these are the sealed bytes of this chunk under the root that was signed.

    Raises: ChunkError.
    """
    if len(chunk) != shape.length_of(number) + TAG_BYTES:
        raise ChunkError("The chunk has not its length", where=_place(number, shape), remedy="Ask for it again.")
    try:
        verify_inclusion(_leaf(chunk), number, shape.chunks, path, root)
    except ProofError as error:
        raise ChunkError(
            "The chunk is not the one under the root that was signed",
            where=_place(number, shape),
            remedy="Ask for it again; a sender that repeats it has not what it offered.",
        ) from error


def open_chunk(chunk: bytes, number: int, *, shape: FileShape, key: bytes) -> bytes:
    """The bytes of a sealed chunk. Verify it first.

    Raises: ChunkError where it does not open under this key at this place.
    """
    shape.length_of(number)
    try:
        return _cipher(key).decrypt(_nonce(number), chunk, _context(number, shape))
    except InvalidTag as error:
        raise ChunkError(
            "The chunk does not open with the key of the message",
            where=_place(number, shape),
            remedy="Ask the sender to share the file anew.",
        ) from error


def _cipher(key: bytes) -> AESGCM:
    if len(key) != KEY_BYTES:
        raise ChunkError(f"The key of a file has {KEY_BYTES} bytes", where=f"{len(key)} bytes")
    return AESGCM(key)


def _seal(cipher: AESGCM, data: bytes, number: int, shape: FileShape) -> bytes:
    return cipher.encrypt(_nonce(number), data, _context(number, shape))


def _leaf(chunk: bytes) -> bytes:
    """As `leaf_hash`, without a copy of the chunk."""
    return leaf_hashes((chunk,))[0]


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _context(number: int, shape: FileShape) -> bytes:
    """Independent of the root, which is known only once every chunk was sealed."""
    return f"comity/evidence/1 {shape.sha256} {shape.size_bytes} {shape.chunk_bytes} {number} {shape.chunks}".encode()


def _read_exactly(source: Readable, size: int) -> bytes:
    parts = []
    while size and (data := source.read(size)):
        parts.append(data)
        size -= len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _changed(number: int, shape: FileShape) -> ChunkError:
    return ChunkError(
        "The file was changed since it was offered",
        where=_place(number, shape),
        remedy="Restore the evidence folder from its backup.",
    )


def _place(number: int, shape: FileShape) -> str:
    return f"chunk {number} of {shape.chunks}, file {shape.sha256[:12]}"
