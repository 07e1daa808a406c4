"""Merkle trees over SHA-256: hashes, roots, inclusion and consistency (RFC 6962 §2.1, RFC 9162 §2.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from comity.trust.errors import ProofError

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256
# A hash that has read its prefix, copied for each leaf and node: a tenth quicker than beginning anew.
_begun_leaf = hashlib.sha256(b"\x00").copy
_begun_node = hashlib.sha256(b"\x01").copy


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry; its prefix keeps leaves and nodes apart (RFC 6962 §2.1)."""
    return _sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The hashes of many entries, in order."""
    hashes = []
    for entry in entries:
        begun = _begun_leaf()
        begun.update(entry)
        hashes.append(begun.digest())
    return hashes


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two children (RFC 6962 §2.1)."""
    return _sha256(b"\x01" + left + right).digest()


def parents(row: Sequence[bytes]) -> list[bytes]:
    """The hashes one level up; a last child without a sibling is left out."""
    hashes = []
    children = iter(row)
    for left, right in zip(children, children, strict=False):
        begun = _begun_node()
        begun.update(left)
        begun.update(right)
        hashes.append(begun.digest())
    return hashes


def tree_root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes; of no leaves, the hash of nothing."""
    return grow(Frontier(), hashes).frontier.root


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: all that is needed to grow it.

    subtrees: the hash of each perfect subtree by its height; heights are the set bits of `size`.
    """

    size: int = 0
    subtrees: Mapping[int, bytes] | None = None

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        return fold(self.stack)

    @property
    def stack(self) -> tuple[bytes, ...]:
        """The hashes of the perfect subtrees, largest first, as they are stored."""
        held = self.subtrees or {}
        return tuple(held[height] for height in sorted(held, reverse=True))

    @classmethod
    def from_stack(cls, size: int, stack: Sequence[bytes]) -> Frontier:
        """The frontier of a tree of `size` leaves whose stack was stored.

        Raises: ProofError where the number of hashes is not that of the set bits of size.
        """
        heights = [height for height in range(size.bit_length() - 1, -1, -1) if size >> height & 1]
        if len(heights) != len(stack) or any(len(each) != HASH_SIZE for each in stack):
            raise ProofError("The stack of subtree hashes does not fit the size", where=f"size {size}")
        return cls(size, dict(zip(heights, stack, strict=True)))


@dataclass(frozen=True, slots=True)
class Growth:
    """What an append makes: the new right edge, and every node that became complete.

    levels: by height, the position of the first node and the nodes; a left sibling from before stands in front.
    """

    before: Frontier
    frontier: Frontier
    levels: Sequence[tuple[int, list[bytes]]]

    def completed(self, height: int) -> tuple[int, list[bytes]]:
        """The position of the first node at a height that became complete, and those nodes; none: an empty list."""
        position = self.before.size >> height
        if height >= len(self.levels):
            return position, []
        start, row = self.levels[height]
        return position, row[position - start :]

    def node(self, height: int, position: int) -> bytes:
        """A node that the append made or touched: enough for the path of each new leaf.

        Raises: ProofError for a node further left.
        """
        start, row = self.levels[height] if height < len(self.levels) else (0, [])
        if start <= position < start + len(row):
            return row[position - start]
        held = self.before.subtrees or {}
        if height in held and position == (self.before.size >> height) - 1:
            return held[height]
        raise ProofError("The append did not touch this node", where=f"height {height}, position {position}")

    def inclusion_path(self, index: int) -> list[bytes]:
        """The path of a new leaf in the grown tree, without reading anything.

        Raises: ProofError for a leaf that stood there before.
        """
        if index < self.before.size:
            raise ProofError("The entry is not one of those just appended", where=f"index {index}")
        return [range_hash(self.node, *each) for each in inclusion_ranges(index, self.frontier.size)]


def grow(frontier: Frontier, hashes: Sequence[bytes]) -> Growth:
    """Append leaf hashes, level by level: about one node hash for each leaf."""
    held = dict(frontier.subtrees or {})
    levels: list[tuple[int, list[bytes]]] = []
    row, start, height = list(hashes), frontier.size, 0
    while row:
        if start & 1:
            row, start = [held.pop(height), *row], start - 1
        if len(row) & 1:
            held[height] = row[-1]
        levels.append((start, row))
        row, start, height = parents(row), start >> 1, height + 1
    return Growth(frontier, Frontier(frontier.size + len(hashes), held), levels)


def fold(subtrees: Sequence[bytes]) -> bytes:
    """The hash over perfect subtrees that stand side by side, largest first (RFC 6962 §2.1)."""
    if not subtrees:
        return EMPTY_ROOT
    root = subtrees[-1]
    for left in reversed(subtrees[:-1]):
        root = node_hash(left, root)
    return root


def perfect_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The (height, position) of the perfect subtrees that cover leaves start to end, left to right."""
    while start < end:
        height = (end - start).bit_length() - 1
        if start:
            height = min(height, (start & -start).bit_length() - 1)
        yield height, start >> height
        start += 1 << height


def range_hash(node: Callable[[int, int], bytes], start: int, end: int) -> bytes:
    """The hash over leaves start to end, from their perfect subtrees; node: gives the hash at (height, position)."""
    return fold([node(height, position) for height, position in perfect_subtrees(start, end)])


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges of leaves whose hashes are the path of a leaf, from its sibling up (RFC 6962 §2.1.1).

    Raises: ProofError where the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ProofError("The log has no such entry", where=f"index {index} of {size}")
    ranges, start, end = [], 0, size
    while end - start > 1:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old_size: int, new_size: int) -> list[tuple[int, int]]:
    """The ranges of leaves whose hashes prove that the old tree is a prefix of the new (RFC 6962 §2.1.2).

    Raises: ProofError where the sizes cannot be compared.
    """
    if not 0 <= old_size <= new_size:
        raise ProofError("The sizes do not rise", where=f"{old_size} to {new_size}")
    if old_size in (0, new_size):
        return []
    ranges, start, end = [], 0, new_size
    while end != old_size:
        middle = start + (1 << (end - start - 1).bit_length() - 1)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:
        ranges.append((start, end))
    return ranges[::-1]


def inclusion_path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The path of one leaf in a tree held in memory.

    Raises: ProofError where the tree has no such leaf.
    """
    return [tree_root(hashes[start:end]) for start, end in inclusion_ranges(index, len(hashes))]


def consistency_path(hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """The proof that a tree held in memory has its first `old_size` leaves as a prefix.

    Raises: ProofError where the tree is smaller than old_size.
    """
    return [tree_root(hashes[start:end]) for start, end in consistency_ranges(old_size, len(hashes))]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf stands at the index of the tree with this size and root (RFC 9162 §2.1.3.2).

    leaf: the leaf hash. Raises: ProofError.
    """
    if not 0 <= index < size:
        raise ProofError("The index lies outside the tree", where=f"index {index} of {size}")
    _require_hashes([leaf, root, *path])
    first, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError("The inclusion path is too long", where=f"index {index} of {size}")
        if first & 1 or first == last:
            found = node_hash(sibling, found)
            first, last = _up_to_left_child(first, last)
        else:
            found = node_hash(found, sibling)
        first, last = first >> 1, last >> 1
    if last or found != root:
        raise ProofError("The inclusion path does not lead to the root", where=f"index {index} of {size}")


def verify_consistency(old_size: int, new_size: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Check that the old tree is a prefix of the new one (RFC 9162 §2.1.4.2).

    An empty tree is a prefix of every tree. Raises: ProofError.
    """
    place = f"{old_size} to {new_size}"
    if not 0 <= old_size <= new_size:
        raise ProofError("The sizes do not rise", where=place)
    _require_hashes([old_root, new_root, *path])
    for size, root in ((old_size, old_root), (new_size, new_root)):
        if size == 0 and root != EMPTY_ROOT:
            raise ProofError("An empty tree has only one root", where=place)
    if old_size in (0, new_size):
        if path or (old_size and old_root != new_root):
            raise ProofError("The trees are not consistent", where=place)
        return
    if _climb(old_size, new_size, path, old_root) != (old_root, new_root):
        raise ProofError("The trees are not consistent", where=place)


def _climb(old_size: int, new_size: int, path: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """The two roots that a consistency path leads to; the step numbers are those of RFC 9162 §2.1.4.2."""
    steps = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)  # 2
    if not path:  # 1
        raise ProofError("The consistency path is empty", where=f"{old_size} to {new_size}")
    first, last = old_size - 1, new_size - 1  # 3
    while first & 1:  # 4
        first, last = first >> 1, last >> 1
    old = new = steps[0]  # 5
    for step in steps[1:]:  # 6
        if last == 0:
            raise ProofError("The consistency path is too long", where=f"{old_size} to {new_size}")
        if first & 1 or first == last:
            old, new = node_hash(step, old), node_hash(step, new)
            first, last = _up_to_left_child(first, last)
        else:
            new = node_hash(new, step)
        first, last = first >> 1, last >> 1
    if last:  # 7
        raise ProofError("The consistency path is too short", where=f"{old_size} to {new_size}")
    return old, new


def _up_to_left_child(first: int, last: int) -> tuple[int, int]:
    """Shift both until the first is odd or nothing is left of it (RFC 9162 §2.1.3.2, 4.b.ii)."""
    while first and not first & 1:
        first, last = first >> 1, last >> 1
    return first, last


def _require_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(each) != HASH_SIZE for each in hashes):
        raise ProofError("A hash is not 32 bytes long")
