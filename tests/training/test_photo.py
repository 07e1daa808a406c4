"""The drawn photo is a PNG that another reader accepts."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from comity.training import photo


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG, each with its checksum checked (ISO/IEC 15948 §5.3)."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + data),)
        yield kind, data
        at += 12 + length


def test_it_is_a_whole_png() -> None:
    parts = list(chunks(photo()))
    assert [kind for kind, _ in parts] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour = struct.unpack(">IIBB", parts[0][1][:10])
    assert (width, height, depth, colour) == (320, 240, 8, 2)
    pixels = zlib.decompress(parts[1][1])
    assert len(pixels) == height * (1 + 3 * width)
    assert len(set(pixels)) > 8


def test_it_is_small_and_the_same_each_time() -> None:
    assert photo(1) == photo(1)
    assert photo(1) != photo(2)
    assert len(photo()) < 4000
