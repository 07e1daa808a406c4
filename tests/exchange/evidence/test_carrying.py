"""Files for a partner without a line: chunks as parts of a carried file, told back by marks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.exchange.evidence import Folder, Prepared, export_chunks, export_marks, import_chunks, import_marks, offer
from comity.exchange.evidence.carrying import Imported
from comity.exchange.evidence.errors import ChunkRefusedError
from comity.exchange.evidence.parts import MOST_BYTES, Addressed, CarriedChunk, read_addressed, read_chunk
from comity.exchange.models import EvidenceIn, EvidenceOut
from tests.exchange.cast import AT
from tests.exchange.evidence.cast import awaited, content, message_id, prepared, row

pytestmark = pytest.mark.django_db(transaction=True)
hashes = st.lists(st.binary(min_size=32, max_size=32), max_size=20).map(tuple)


@pytest.fixture
def made(theirs: Folder, tmp_path: Path) -> Prepared:
    """A file of six chunks that XC offers to XA."""
    found = prepared(theirs, content(5.5), tmp_path)
    offer(found, message_id=message_id(1), at=AT)
    return found


def test_a_file_travels_on_a_stick(ours: Folder, theirs: Folder, made: Prepared) -> None:
    awaited(made)
    parts = list(export_chunks(theirs, "XA"))
    assert import_chunks(ours, "XC", parts, AT) == Imported(taken=6)
    assert row().state == EvidenceIn.State.COMPLETE
    assert b"".join(ours.read_proved(made.notice.sha256)) == content(5.5)
    assert import_chunks(ours, "XC", parts, AT) == Imported(known=6)
    marks = export_marks("XC")
    assert import_marks("XA", marks) == 1
    assert EvidenceOut.objects.get().sent_chunks == 6
    assert list(export_chunks(theirs, "XA")) == []


def test_a_small_stick_goes_twice(ours: Folder, theirs: Folder, made: Prepared) -> None:
    awaited(made)
    first = list(export_chunks(theirs, "XA", most_bytes=13_000))
    assert len(first) == 3
    assert import_chunks(ours, "XC", first, AT) == Imported(taken=3)
    assert import_marks("XA", export_marks("XC")) == 1
    assert import_marks("XA", export_marks("XC")) == 0
    rest = list(export_chunks(theirs, "XA"))
    assert [read_addressed(part).number for part in rest] == [3, 4, 5]
    assert import_chunks(ours, "XC", rest, AT) == Imported(taken=3)


def test_a_stick_that_was_lost_leaves_nothing_out(ours: Folder, theirs: Folder, made: Prepared) -> None:
    awaited(made)
    parts = list(export_chunks(theirs, "XA"))
    assert import_chunks(ours, "XC", parts[2:], AT) == Imported(unknown=4)
    assert import_chunks(ours, "XC", parts, AT) == Imported(taken=6)


def test_chunks_of_no_message_and_of_another_partner_are_not_taken(
    ours: Folder, theirs: Folder, made: Prepared
) -> None:
    parts = list(export_chunks(theirs, "XA"))
    assert import_chunks(ours, "XC", parts, AT) == Imported(unknown=6)
    awaited(made)
    assert import_chunks(ours, "XB", parts, AT) == Imported(unknown=6)
    assert list(export_chunks(theirs, "XB")) == []


def test_wrong_chunks_are_refused(ours: Folder, theirs: Folder, made: Prepared) -> None:
    awaited(made)
    first = next(iter(export_chunks(theirs, "XA")))
    bad = first[:-1] + bytes([first[-1] ^ 1])
    assert import_chunks(ours, "XC", [bad, bad, bad], AT) == Imported(refused=3)
    assert row().state == EvidenceIn.State.REFUSED


def test_a_mark_beyond_the_file_is_no_mark(made: Prepared) -> None:
    assert import_marks("XA", [Addressed(made.notice.root, 7).to_bytes()]) == 0
    assert import_marks("XB", [Addressed(made.notice.root, 6).to_bytes()]) == 0
    with pytest.raises(ChunkRefusedError):
        import_marks("XA", [b"short"])


@given(hashes, st.binary(min_size=1, max_size=100))
def test_a_chunk_survives_the_wire(path: tuple[bytes, ...], sealed: bytes) -> None:
    chunk = CarriedChunk(path, sealed)
    assert read_chunk(chunk.to_bytes()) == chunk


@given(st.binary(max_size=300))
def test_garbage_is_a_chunk_or_refused(data: bytes) -> None:
    try:
        assert read_chunk(data).to_bytes() == data
    except ChunkRefusedError:
        assert len(data) < 2 or data[0] > 20 or len(data) <= 1 + 32 * data[0]


def test_what_is_longer_than_any_chunk_is_refused() -> None:
    with pytest.raises(ChunkRefusedError):
        read_chunk(bytes(MOST_BYTES + 1))
