"""A photo of evidence, drawn by code: no picture of real goods stands in the project."""

from __future__ import annotations

import hashlib
import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WIDTH, _HEIGHT = 320, 240
_WALL, _CARTON, _TAPE, _LABEL, _INK = (
    b"\x5b\x64\x6d",
    b"\xb8\x8a\x55",
    b"\xe0\xcf\xa8",
    b"\xf4\xf4\xf0",
    b"\x22\x22\x22",
)


def photo(seed: int = 1) -> bytes:
    """A small PNG (ISO/IEC 15948) of a carton with a label; another seed prints other marks on the label."""
    rows = b"".join(b"\x00" + b"".join(_colour(x, y, seed) for x in range(_WIDTH)) for y in range(_HEIGHT))
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _colour(x: int, y: int, seed: int) -> bytes:
    if not (40 <= x < 280 and 50 <= y < 210):
        return _WALL
    if 90 <= x < 170 and 110 <= y < 170:
        return _INK if _is_mark(x - 90, y - 110, seed) else _LABEL
    return _TAPE if 150 <= x < 170 else _CARTON


def _is_mark(x: int, y: int, seed: int) -> bool:
    column, row = x // 8, y // 12
    return 0 < column < 9 and 0 < row < 4 and hashlib.sha256(f"{seed}.{column}.{row}".encode()).digest()[0] & 1 == 1
