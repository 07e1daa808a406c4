"""Zip files are opened within bounds, and what breaks one is refused by name."""

from __future__ import annotations

import io
import zipfile
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.intake.archive import MAX_MEMBERS, Member, read_archive
from comity.intake.errors import ArchiveError
from tests.intake.files import zipped
from tests.trade.nouns import patient

LIMIT = 8 * 1024 * 1024


def members(data: bytes, limit: int = LIMIT) -> list[Member]:
    return list(read_archive(data, limit_bytes=limit))


def refusal(data: bytes, limit: int = LIMIT) -> str:
    with pytest.raises(ArchiveError) as caught:
        members(data, limit)
    return caught.value.what


def test_files_come_out_as_they_went_in() -> None:
    found = members(zipped({"a.xml": b"<a/>", "folder/": b"", "folder/b.csv": b"x,y"}))
    assert [(member.name, member.data) for member in found] == [("a.xml", b"<a/>"), ("folder/b.csv", b"x,y")]
    assert all(member.refusal is None for member in found)


def test_a_bomb_is_refused_unopened() -> None:
    assert "times its size" in refusal(zipped({"zeros": bytes(4 * 1024 * 1024)}))
    assert "unpacks to" in refusal(zipped({"zeros": bytes(LIMIT + 1)}))
    assert len(members(zipped({"a": b"12345", "b": b"67890"}), limit=10)) == 2
    assert "unpacks to" in refusal(zipped({str(number): b"12345" for number in range(30)}), limit=100)


def test_what_unpacks_to_less_than_two_hundred_times_its_size_is_read() -> None:
    noise, zeros = Random(1).randbytes(40_000), bytes(4 * 1024 * 1024)
    assert "times its size" in refusal(zipped({"a": noise[:10_000] + zeros}))
    (member,) = members(zipped({"a": noise + zeros}))
    assert member.data == noise + zeros


def test_a_size_that_lies_gives_no_more_than_it_says() -> None:
    honest = zipped({"a": bytes(100_000)})
    # The size stands in the local header and in the directory; both are made to say 7.
    lying = honest.replace((100_000).to_bytes(4, "little"), (7).to_bytes(4, "little"))
    assert lying != honest
    (member,) = members(lying)
    assert member.refusal is not None
    assert member.data == b""


def test_too_many_files_are_refused() -> None:
    assert "More than" in refusal(b"PK\x01\x02" * (MAX_MEMBERS + 1))


def test_nesting_is_refused_and_the_rest_comes() -> None:
    nested, plain = members(zipped({"a.zip": zipped({"b": b"c"}), "d": b"e"}))
    assert nested.refusal is not None
    assert "within" in nested.refusal.what
    assert plain.data == b"e"


def test_encryption_and_unusual_packing_are_refused() -> None:
    data = bytearray(zipped({"a": b"b"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (member,) = members(bytes(data))
    assert member.refusal is not None
    assert "encrypted" in member.refusal.what
    (member,) = members(zipped({"a": b"b" * 100}, zipfile.ZIP_BZIP2))
    assert member.refusal is not None
    assert "unusual" in member.refusal.what


def test_a_damaged_member_refuses_itself_alone() -> None:
    data = zipped({"a": b"first file", "b": b"second"}, zipfile.ZIP_STORED)
    damaged, sound = members(data.replace(b"first file", b"worst file"))
    assert damaged.refusal is not None
    assert sound.data == b"second"


def test_what_is_no_zip_file_is_refused() -> None:
    assert "cannot be opened" in refusal(b"PK\x03\x04 and nothing more")


@patient
@given(st.integers(0, 200), st.binary(min_size=1, max_size=6))
def test_a_damaged_zip_file_never_crashes(place: int, noise: bytes) -> None:
    data = zipped({"a": b"first file", "b": b"second"})
    damaged = data[:place] + noise + data[place + len(noise) :]
    try:
        found = members(damaged)
    except ArchiveError:
        return
    assert all(isinstance(member.data, bytes) for member in found)


def test_an_empty_zip_file_has_no_members() -> None:
    target = io.BytesIO()
    zipfile.ZipFile(target, "w").close()
    assert members(target.getvalue()) == []
