"""The stored tree at one size: nodes and paths from a bounded number of rows, each tile read once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from comity.ledger.errors import LogDamagedError
from comity.trust import merkle, tiles

# By hand: a proof must not cost more in building queries than in hashing.
_FROM_BATCHES = (
    " FROM ledger_batch WHERE first_index >="
    " (SELECT MAX(first_index) FROM ledger_batch WHERE first_index <= %s) AND first_index < %s ORDER BY first_index"
)
_HASHES = "SELECT first_index, hashes" + _FROM_BATCHES
_ENTRIES = "SELECT first_index, entries" + _FROM_BATCHES
_SUBTREES = "SELECT hash FROM ledger_subtree WHERE id >= %s AND id < %s ORDER BY id"


class StoredTree:
    """The first `size` entries of the stored log. Many proofs for one size share its reads.

    A path needs at most two tiles a level: 8 KiB each, at most 256 rows.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._rows: dict[tuple[int, int], list[list[bytes]]] = {}
        self._ranges: dict[tuple[int, int], bytes] = {}

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        return self.range_hash(0, self.size)

    def node(self, height: int, position: int) -> bytes:
        """The hash of a complete subtree of 2^height entries.

        Raises: LogDamagedError where rows are missing.
        """
        level, above = divmod(height, tiles.TILE_HEIGHT)
        n, place = divmod(position, tiles.TILE_WIDTH >> above)
        return self._tile_rows(level, n)[above][place]

    def range_hash(self, start: int, end: int) -> bytes:
        """The hash over entries start to end."""
        found = self._ranges.get((start, end))
        if found is None:
            found = self._ranges[start, end] = merkle.range_hash(self.node, start, end)
        return found

    def inclusion_path(self, index: int) -> list[bytes]:
        """The path of an entry.

        Raises: ProofError where the tree has no such entry.
        """
        return [self.range_hash(start, end) for start, end in merkle.inclusion_ranges(index, self.size)]

    def consistency_path(self, old_size: int) -> list[bytes]:
        """The proof that the tree of `old_size` entries is a prefix of this one.

        Raises: ProofError where that tree is larger.
        """
        return [self.range_hash(start, end) for start, end in merkle.consistency_ranges(old_size, self.size)]

    def _tile_rows(self, level: int, n: int) -> list[list[bytes]]:
        """Every complete node inside a tile, by height above its hashes."""
        rows = self._rows.get((level, n))
        if rows is None:
            width = min(tiles.TILE_WIDTH, (self.size >> tiles.TILE_HEIGHT * level) - n * tiles.TILE_WIDTH)
            rows = [tile_hashes(level, n, width)]
            while len(rows[-1]) > 1:
                rows.append(merkle.parents(rows[-1]))
            self._rows[level, n] = rows
        return rows


def tile_hashes(level: int, n: int, width: int) -> list[bytes]:
    """The first `width` hashes of a tile.

    Raises: LogDamagedError where rows are missing.
    """
    start, stop = n * tiles.TILE_WIDTH, n * tiles.TILE_WIDTH + width
    if level == 0:
        hashes = b"".join(_cut(blob, first, start, stop) for first, blob in _batches(start, stop, "hashes"))
    else:
        hashes = b"".join(stored_subtrees(level, start, stop))
    if len(hashes) != width * merkle.HASH_SIZE:
        raise _missing(level, start, stop)
    return [hashes[place : place + merkle.HASH_SIZE] for place in range(0, len(hashes), merkle.HASH_SIZE)]


def stored_subtrees(level: int, start: int, stop: int) -> list[bytes]:
    """The stored hashes of a level at 1 or above, from position start until before stop."""
    with connection.cursor() as cursor:
        cursor.execute(_SUBTREES, (subtree_id(level, start), subtree_id(level, stop)))
        return [bytes(row[0]) for row in cursor.fetchall()]


def subtree_id(level: int, position: int) -> int:
    """The key of a subtree's row. Levels 1 to 7 and 2^56 positions are more than 63 bits of entries need."""
    return level << 56 | position


def stored_entries(start: int, stop: int) -> list[bytes]:
    """The entries from start until before stop.

    Raises: LogDamagedError where rows are missing.
    """
    found: list[bytes] = []
    for first, packed in _batches(start, stop, "entries"):
        entries = tiles.unpack_entries(packed)
        found += entries[max(start - first, 0) : max(stop - first, 0)]
    if len(found) != stop - start:
        raise _missing(0, start, stop)
    return found


def _batches(start: int, stop: int, column: str) -> Sequence[tuple[int, bytes]]:
    """First index and one column of the appends that hold entries start to stop: the one that start lies in, and on."""
    statement = _HASHES if column == "hashes" else _ENTRIES
    with connection.cursor() as cursor:
        cursor.execute(statement, (start, stop))
        return [(first, bytes(blob)) for first, blob in cursor.fetchall()]


def _cut(hashes: bytes, first: int, start: int, stop: int) -> bytes:
    return hashes[max(start - first, 0) * merkle.HASH_SIZE : max(stop - first, 0) * merkle.HASH_SIZE]


def _missing(level: int, start: int, stop: int) -> LogDamagedError:
    return LogDamagedError(
        "Rows of the log are missing",
        where=f"level {level}, {start} to {stop}",
        remedy="Run `comity ledger verify`; restore the database from a backup.",
    )
