"""The list of parts and the carried file: round trip; a changed byte is refused; garbage never crashes."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.exchange.carriedfile import FILE_TYPE, MARK, CarriedFile, FileNames, open_file, read_line, write_file
from comity.exchange.directory import Peer
from comity.exchange.errors import CarriedFormError
from comity.exchange.parts import Answered, PartList, read_parts, read_position, write_position
from comity.exchange.position import Position
from comity.trust import seal, sign_statement, unseal
from tests.exchange.cast import AT, keyring

ids = st.uuids().map(str)
answers = st.builds(Answered, ids, st.binary(max_size=300), st.booleans())
positions = st.builds(
    Position,
    st.integers(0, 50),
    st.lists(st.integers(52, 90), max_size=3).map(lambda each: tuple((n, n) for n in each)),
)
lists = st.builds(
    PartList,
    st.lists(st.binary(max_size=300), max_size=5).map(tuple),
    st.lists(answers, max_size=5).map(tuple),
    st.none() | positions,
)


@lru_cache
def peer(code: str) -> Peer:
    keys = keyring(code)
    document = keys.key_document
    return Peer(1, code, keys.name, "", "active", keys.key_statement.to_bytes(), document.fingerprint)


def written(parts: PartList) -> bytes:
    names = FileNames("XC", "XA", str(UUID(int=7)), AT)
    return write_file(names, parts, keyring=keyring("XC"), peer=peer("XA"))


def opened(data: bytes, at: datetime = AT) -> CarriedFile:
    return open_file(data, read_line(data), keyring=keyring("XA"), peer=peer("XC"), at=at)


@given(lists)
def test_parts_there_and_back(parts: PartList) -> None:
    assert read_parts(parts.to_bytes()) == parts


@given(st.binary(max_size=200))
def test_garbage_is_no_list(data: bytes) -> None:
    with suppress(CarriedFormError):
        assert len(read_parts(data).envelopes) <= len(data) // 5


@given(lists, st.data())
def test_a_list_that_was_cut_off_is_no_other_list_with_the_same_end(parts: PartList, data: st.DataObject) -> None:
    whole = parts.to_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    try:
        assert len(read_parts(whole[:cut]).to_bytes()) == cut
    except CarriedFormError:
        assert cut < len(whole)


@given(positions)
def test_positions_there_and_back(position: Position) -> None:
    assert read_position(write_position(position)) == position


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"1", b"{}", b'{"contiguous":1}', b'{"contiguous":true,"islands":[]}', b"\xff",
        b'{"contiguous":-1,"islands":[]}', b'{"contiguous":1,"islands":[[1]]}', b"[" * 100_000,
        b'{"contiguous":1,"islands":[' + b",".join([b"[3,3]"] * 1025) + b"]}",
    ],
)  # fmt: skip
def test_what_is_no_position(data: bytes) -> None:
    with pytest.raises(CarriedFormError, match="position"):
        read_position(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"X\0\0\0\0", "unknown kind"),
        (b"E\0\0\0\1", "cut off"),
        (b"E\0\0", "cut off"),
        (b"A\0\0\0\2ab", "does not name"),
        (b"A\0\0\0\x24" + b"x" * 36, "does not name"),
        (b"\xff\0\0\0\0", "unknown kind"),
        (b"E\0\0\0\0" * 8193, "too long"),
    ],
)
def test_what_is_no_list(data: bytes, words: str) -> None:
    with pytest.raises(CarriedFormError, match=words):
        read_parts(data)


@given(lists)
def test_files_there_and_back(parts: PartList) -> None:
    carried = opened(written(parts))
    assert carried.parts == parts
    assert carried.names == FileNames("XC", "XA", str(UUID(int=7)), AT)


@lru_cache
def example() -> bytes:
    return written(
        PartList((b"an envelope",), (Answered(str(UUID(int=9)), b"a receipt", is_receipt=True),), Position(3))
    )


@given(st.integers(0, len(example()) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(place: int, change: int) -> None:
    data = bytearray(example())
    data[place] ^= change
    with pytest.raises(CarriedFormError):
        opened(bytes(data))


@given(st.integers(0, len(example()) - 1))
def test_any_cut_is_refused(cut: int) -> None:
    with pytest.raises(CarriedFormError):
        opened(example()[:cut])


@given(st.binary(min_size=1, max_size=50))
def test_more_at_the_end_is_refused(more: bytes) -> None:
    with pytest.raises(CarriedFormError, match="changed or damaged"):
        opened(example() + more)


@given(st.binary(max_size=400))
def test_garbage_is_no_file(data: bytes) -> None:
    for each in (data, MARK + data):
        with pytest.raises(CarriedFormError):
            opened(each)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{}\n", b"[]\n", b'{"sender":"XC"}\n',
        b'{"file":"x","key":"","recipient":"XA","sender":"XC","size":1}\n',
        b'{"file":"00000000-0000-0000-0000-000000000007","key":"","recipient":"XA","sender":"XC","size":true}\n',
        b'{"file":"00000000-0000-0000-0000-000000000007","key":"","recipient":"XA","sender":"XC","size":-1}\n',
    ],
)  # fmt: skip
def test_a_first_line_that_cannot_be_read(line: bytes) -> None:
    with pytest.raises(CarriedFormError, match="first line"):
        read_line(MARK + line)


def test_what_is_too_large_is_refused_before_it_is_opened() -> None:
    with pytest.raises(CarriedFormError, match="too large"):
        read_line(MARK + bytes(64 * 1024 * 1024))


def resealed(plaintext: bytes, head: bytes) -> bytes:
    return head + seal(keyring("XA").encryption.public, plaintext, info=head)


def plaintext_of(data: bytes) -> bytes:
    raw = read_line(data).raw
    return unseal(keyring("XA").encryption, data[len(raw) :], info=raw)


def test_what_was_signed_for_another_file_is_not_believed() -> None:
    head = read_line(example()).raw.replace(str(UUID(int=7)).encode(), str(UUID(int=8)).encode())
    with pytest.raises(CarriedFormError, match="not what the file holds"):
        opened(resealed(plaintext_of(example()), head))


def test_a_part_that_was_added_is_not_believed() -> None:
    head, more = read_line(example()).raw, PartList((b"another envelope",)).to_bytes()
    with pytest.raises(CarriedFormError, match="not what the file holds"):
        opened(resealed(plaintext_of(example()) + more, head))


@pytest.mark.parametrize("payload", [b"[]", b"{}", b"\xff", b'{"sender":"XC"}'])
def test_a_statement_that_says_something_else_is_not_believed(payload: bytes) -> None:
    statement = sign_statement(FILE_TYPE, payload, keyring("XC").signing).to_bytes()
    plaintext = len(statement).to_bytes(4, "big") + statement
    with pytest.raises(CarriedFormError, match="does not carry the signature of XC"):
        opened(resealed(plaintext.ljust(2000, b"\0"), read_line(example()).raw))
