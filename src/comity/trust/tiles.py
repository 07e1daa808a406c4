"""Names and contents of tiles (C2SP tlog-tiles)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from comity.trust.errors import TrustError

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
ENTRIES = -1
MAX_ENTRY_BYTES = 0xFFFF

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)"
    r"/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


class TileError(TrustError):
    """A tile's name or content does not follow tlog-tiles."""

    code = "bad_tile"


@dataclass(frozen=True, slots=True)
class TilePath:
    """Which tile: level (ENTRIES for a bundle of entries), its number in the level, and its width, 256 when full."""

    level: int
    n: int
    width: int = TILE_WIDTH


def tile_path(level: int, n: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile below the log's prefix: tile/0/x001/x234/067 or tile/entries/000.p/17."""
    groups = [f"{n % 1000:03d}"]
    while n := n // 1000:
        groups.insert(0, f"x{n % 1000:03d}")
    suffix = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{'entries' if level == ENTRIES else level}/{'/'.join(groups)}{suffix}"


def parse_tile_path(path: str) -> TilePath:
    """Read the path of a tile.

    Raises: TileError where it is not written exactly as tlog-tiles asks.
    """
    match = _PATH.fullmatch(path)
    if match is None or len(path) > 100:
        raise TileError("Not the path of a tile", where=repr(path)[:120])
    level = ENTRIES if match["level"] == "entries" else int(match["level"])
    n = int(match["index"].replace("x", "").replace("/", ""))
    found = TilePath(level, n, int(match["width"] or TILE_WIDTH))
    # One tile has one name: no leading x000 group, no level above 63, no partial tile as wide as a full one.
    if tile_path(found.level, found.n, found.width) != path or found.level > 63:
        raise TileError("Not the path of a tile", where=repr(path)[:120])
    return found


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """A bundle of entries: each behind its length in two bytes, big-endian.

    Raises: TileError where an entry is longer than 65,535 bytes.
    """
    lengths = set(map(len, entries))
    if lengths and max(lengths) > MAX_ENTRY_BYTES:
        raise TileError("An entry of the log is too long", where=f"{max(lengths)} bytes", remedy="Log a digest of it.")
    if len(lengths) == 1:
        prefix = lengths.pop().to_bytes(2, "big")
        return prefix + prefix.join(entries)
    prefixes = {length: length.to_bytes(2, "big") for length in lengths}
    return b"".join([prefixes[len(entry)] + entry for entry in entries])


def unpack_entries(bundle: bytes) -> list[bytes]:
    """The entries of a bundle.

    Raises: TileError where it ends within an entry.
    """
    entries: list[bytes] = []
    place, size = 0, len(bundle)
    while place < size:
        start = place + 2
        place = start + int.from_bytes(bundle[place:start], "big")
        if start > size or place > size:
            raise TileError("The bundle of entries is cut short", where=f"entry {len(entries)}")
        entries.append(bundle[start:place])
    return entries
