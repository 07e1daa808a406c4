"""Another log's tree, read from the tiles that it serves (C2SP tlog-tiles). Pure: who fetches is given."""

from __future__ import annotations

from collections.abc import Callable

from comity.ledger.errors import LedgerError
from comity.trust import Checkpoint, ProofError, merkle, tiles

Fetch = Callable[[str], bytes | None]


class TilesError(LedgerError):
    """A log does not serve the tiles of a tree that it signed."""

    code = "bad_tiles"


class RemoteTree:
    """The tree of a checkpoint, as its log serves it. fetch: the content below the log's prefix, None for nothing.

    Whatever is read is compared with the signed root: tiles that give another tree are refused.
    Raises: TilesError, and whatever `fetch` raises.
    """

    def __init__(self, checkpoint: Checkpoint, fetch: Fetch) -> None:
        self.checkpoint = checkpoint
        self._fetch = fetch
        self._rows: dict[tuple[int, int], list[list[bytes]]] = {}
        if self.prefix_root(checkpoint.size) != checkpoint.root:
            raise TilesError("The tiles are not those of the tree that was signed", where=self._place)

    @property
    def _place(self) -> str:
        return f"{self.checkpoint.origin}, size {self.checkpoint.size}"

    def prefix_root(self, size: int) -> bytes:
        """The root of the first `size` entries, unchecked."""
        return merkle.range_hash(self._node, 0, size)

    def prefix(self, size: int) -> tuple[bytes, tuple[bytes, ...]]:
        """The root of the first `size` entries, and the proof that leads from there to this tree, checked.

        Raises: TilesError where the tiles contradict each other.
        """
        root, whole = self.prefix_root(size), self.checkpoint
        path = tuple(merkle.range_hash(self._node, *each) for each in merkle.consistency_ranges(size, whole.size))
        try:
            merkle.verify_consistency(size, whole.size, path, root, whole.root)
        except ProofError as error:
            raise TilesError("The tiles contradict each other", where=self._place) from error
        return root, path

    def inclusion_path(self, index: int) -> list[bytes]:
        """The path of an entry; whoever has the entry must verify it."""
        return [merkle.range_hash(self._node, *each) for each in merkle.inclusion_ranges(index, self.checkpoint.size)]

    def _node(self, height: int, position: int) -> bytes:
        level, above = divmod(height, tiles.TILE_HEIGHT)
        n, place = divmod(position, tiles.TILE_WIDTH >> above)
        return self._tile(level, n)[above][place]

    def _tile(self, level: int, n: int) -> list[list[bytes]]:
        rows = self._rows.get((level, n))
        if rows is None:
            width = min(tiles.TILE_WIDTH, (self.checkpoint.size >> tiles.TILE_HEIGHT * level) - n * tiles.TILE_WIDTH)
            rows = [self._hashes(level, n, width)]
            while len(rows[-1]) > 1:
                rows.append(merkle.parents(rows[-1]))
            self._rows[level, n] = rows
        return rows

    def _hashes(self, level: int, n: int, width: int) -> list[bytes]:
        content = self._fetch(tiles.tile_path(level, n, width))
        if content is None and width < tiles.TILE_WIDTH:
            content = self._fetch(tiles.tile_path(level, n))  # tlog-tiles: a full tile may have replaced partial ones
        needed = width * merkle.HASH_SIZE
        if content is None or not needed <= len(content) <= tiles.TILE_WIDTH * merkle.HASH_SIZE:
            raise TilesError("The log does not serve a tile of the tree that it signed", where=self._place)
        return [content[place : place + merkle.HASH_SIZE] for place in range(0, needed, merkle.HASH_SIZE)]
