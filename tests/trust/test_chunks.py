"""Files in chunks: round trip, and no changed, swapped, repeated or truncated chunk passes."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from comity.trust import (
    CHUNK_BYTES,
    ChunkError,
    FileShape,
    SealedFile,
    leaf_hash,
    measure,
    open_chunk,
    seal_chunk,
    seal_file,
    sealed_from_leaves,
    tree_root,
    verify_chunk,
)
from tests.trust.strategies import changed, differences, positions

KEY = bytes(range(32))
SMALL = 4096
files = st.integers(1, 9 * SMALL).map(lambda size: hashlib.shake_128(size.to_bytes(4, "big")).digest(size))


def sealed_of(data: bytes, *, key: bytes = KEY) -> SealedFile:
    return seal_file(io.BytesIO(data), shape=measure(io.BytesIO(data), chunk_bytes=SMALL), key=key)


def chunk_of(data: bytes, number: int, sealed: SealedFile) -> bytes:
    return seal_chunk(data[number * SMALL : (number + 1) * SMALL], number, sealed=sealed, key=KEY)


@given(files)
def test_every_chunk_verifies_and_opens_to_the_file(data: bytes) -> None:
    sealed = sealed_of(data)
    opened = b""
    for number in range(sealed.shape.chunks):
        chunk = chunk_of(data, number, sealed)
        verify_chunk(chunk, number, shape=sealed.shape, path=sealed.path(number), root=sealed.root)
        opened += open_chunk(chunk, number, shape=sealed.shape, key=KEY)
    assert opened == data


@given(files, positions, positions, differences)
def test_a_changed_chunk_is_refused_before_and_at_opening(
    data: bytes, number: int, position: int, difference: int
) -> None:
    sealed = sealed_of(data)
    number %= sealed.shape.chunks
    bad = changed(chunk_of(data, number, sealed), position, difference)
    with pytest.raises(ChunkError):
        verify_chunk(bad, number, shape=sealed.shape, path=sealed.path(number), root=sealed.root)
    with pytest.raises(ChunkError):
        open_chunk(bad, number, shape=sealed.shape, key=KEY)


@given(files, positions, positions)
def test_a_chunk_in_the_place_of_another_is_refused(data: bytes, one: int, other: int) -> None:
    """Swapped or repeated: the chunk is genuine, its place is not."""
    sealed = sealed_of(data)
    one, other = one % sealed.shape.chunks, other % sealed.shape.chunks
    if one == other:
        return
    chunk = chunk_of(data, one, sealed)
    for path in (sealed.path(one), sealed.path(other)):
        with pytest.raises(ChunkError):
            verify_chunk(chunk, other, shape=sealed.shape, path=path, root=sealed.root)
    with pytest.raises(ChunkError):
        open_chunk(chunk, other, shape=sealed.shape, key=KEY)


@given(files, st.integers(1, 5000))
def test_a_truncated_or_longer_chunk_is_refused(data: bytes, length: int) -> None:
    sealed = sealed_of(data)
    chunk = chunk_of(data, 0, sealed)
    for bad in (chunk[:-length], chunk + bytes(length)):
        with pytest.raises(ChunkError, match="not its length"):
            verify_chunk(bad, 0, shape=sealed.shape, path=sealed.path(0), root=sealed.root)


@given(files, positions)
def test_another_path_root_or_file_is_refused(data: bytes, number: int) -> None:
    sealed = sealed_of(data)
    shape, number = sealed.shape, number % sealed.shape.chunks
    chunk, path = chunk_of(data, number, sealed), sealed.path(number)
    for wrong_path, root in (([*path, bytes(32)], sealed.root), (path, bytes(32)), ([*path, b"short"], sealed.root)):
        with pytest.raises(ChunkError):
            verify_chunk(chunk, number, shape=shape, path=wrong_path, root=root)
    with pytest.raises(ChunkError):
        open_chunk(chunk, number, shape=replace(shape, sha256="0" * 64), key=KEY)
    with pytest.raises(ChunkError):
        open_chunk(chunk, number, shape=shape, key=bytes(32))
    with pytest.raises(ChunkError, match="no such chunk"):
        verify_chunk(chunk, shape.chunks, shape=shape, path=path, root=sealed.root)


def test_the_form_is_that_of_the_protocol() -> None:
    """By a second hand: the documented nonce, associated data and tree."""
    data = bytes(SMALL) + b"the rest"
    sealed = sealed_of(data)
    digest = hashlib.sha256(data).hexdigest()
    made = [
        AESGCM(KEY).encrypt(
            number.to_bytes(12, "big"),
            part,
            f"comity/evidence/1 {digest} {len(data)} {SMALL} {number} 2".encode(),
        )
        for number, part in enumerate((data[:SMALL], data[SMALL:]))
    ]
    assert [chunk_of(data, number, sealed) for number in (0, 1)] == made
    assert sealed.root == tree_root([leaf_hash(each) for each in made])
    assert sealed_from_leaves(sealed.shape, sealed.leaves) == sealed


def test_a_file_that_changed_is_never_sealed_under_the_same_nonce() -> None:
    data = bytes(3 * SMALL)
    sealed = sealed_of(data)
    for other in (b"\x01" + bytes(SMALL - 1), bytes(SMALL - 1)):
        with pytest.raises(ChunkError, match="changed"):
            seal_chunk(other, 1, sealed=sealed, key=KEY)


@pytest.mark.parametrize("grown", [b"", bytes(2 * SMALL) + b"more", b"other" + bytes(2 * SMALL - 5)])
def test_a_file_that_changes_while_it_is_sealed_is_noticed(grown: bytes) -> None:
    shape = measure(io.BytesIO(bytes(2 * SMALL)), chunk_bytes=SMALL)
    with pytest.raises(ChunkError, match="not the one"):
        seal_file(io.BytesIO(grown), shape=shape, key=KEY)


@pytest.mark.parametrize(
    ("sha256", "size_bytes", "chunk_bytes"),
    [
        ("0" * 63, 1, SMALL),
        ("G" * 64, 1, SMALL),
        ("0" * 64, 0, SMALL),
        ("0" * 64, -1, SMALL),
        ("0" * 64, 1, 4095),
        ("0" * 64, 1, 4 * CHUNK_BYTES + 1),
        ("0" * 64, 2**20 * SMALL + 1, SMALL),
    ],
)
def test_a_shape_that_no_file_has_is_refused(sha256: str, size_bytes: int, chunk_bytes: int) -> None:
    with pytest.raises(ChunkError):
        FileShape(sha256, size_bytes, chunk_bytes)


def test_what_does_not_fit_is_refused() -> None:
    shape = FileShape("0" * 64, 3 * SMALL, SMALL)
    with pytest.raises(ChunkError, match="one leaf"):
        sealed_from_leaves(shape, [bytes(32)])
    with pytest.raises(ChunkError, match="32 bytes"):
        open_chunk(b"", 0, shape=shape, key=b"short")
    with pytest.raises(ChunkError):
        measure(io.BytesIO(b""))


class Tap:
    """A file of zeros that gives a little at a time, as a pipe does."""

    def __init__(self, size: int, step: int) -> None:
        self.left, self.step = size, step

    def read(self, size: int, /) -> bytes:
        taken = min(size, self.step, self.left)
        self.left -= taken
        return bytes(taken)


def test_a_source_may_give_little_at_a_time() -> None:
    shape = measure(Tap(3 * SMALL + 1, 1000), chunk_bytes=SMALL)
    assert seal_file(Tap(3 * SMALL + 1, 1000), shape=shape, key=KEY).shape.chunks == 4


def test_memory_stays_that_of_a_few_chunks() -> None:
    size = 64 * CHUNK_BYTES
    tracemalloc.start()
    try:
        seal_file(Tap(size, size), shape=measure(Tap(size, size)), key=KEY)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 8 * CHUNK_BYTES
