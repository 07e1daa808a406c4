"""The request by which a log asks a witness for its cosignature (C2SP tlog-witness)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.trust import Checkpoint, LogSigner, NoteError, SigningKey, sign_note
from comity.trust.addcheckpoint import MOST_BYTES, AddCheckpoint, read_add_checkpoint
from comity.trust.notes import to_base64

LOG = LogSigner("example.com/log", SigningKey.from_seed(b"l" * 32))
NOTE = sign_note(Checkpoint(LOG.name, 20, b"r" * 32).text, LOG, at=datetime(2026, 3, 2, tzinfo=UTC))
HASH = to_base64(b"h" * 32)


def test_it_is_what_the_specification_shows() -> None:
    """The form of its example: the old size, the hashes, an empty line, the signed checkpoint."""
    made = AddCheckpoint(12, (b"h" * 32, b"i" * 32), NOTE).to_bytes()
    assert made == f"old 12\n{HASH}\n{to_base64(b'i' * 32)}\n\n{NOTE}".encode()
    assert AddCheckpoint(0, (), NOTE).to_bytes() == f"old 0\n\n{NOTE}".encode()


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_it_is_read_as_it_was_written(old: int, path: list[bytes]) -> None:
    made = AddCheckpoint(old, tuple(path), NOTE)
    assert read_add_checkpoint(made.to_bytes()) == made


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"old 1",
        b"old 1\n",
        f"\n\n{NOTE}".encode(),
        f"new 1\n\n{NOTE}".encode(),
        f"old -1\n\n{NOTE}".encode(),
        f"old 01\n\n{NOTE}".encode(),
        f"old 1\nshort\n\n{NOTE}".encode(),
        f"old 1\n{HASH} \n\n{NOTE}".encode(),
        ("old 1\n" + f"{HASH}\n" * 64 + "\n" + NOTE).encode(),
        b"old 1\n\nno note",
        b"old 1\n\n\xff",
        f"old 1\n\n{NOTE}".encode() + b"x" * MOST_BYTES,
    ],
)
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(NoteError):
        read_add_checkpoint(data)


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_never_crashes(data: bytes) -> None:
    for each in (data, b"old " + data, b"old 1\n" + data + b"\n\n" + NOTE.encode()):
        try:
            found = read_add_checkpoint(each)
        except NoteError:
            continue
        assert found.to_bytes() == each
