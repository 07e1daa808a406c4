"""Entries, proofs and tiles from stored rows, for every size and split of batches."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.ledger import selectors
from comity.ledger.errors import LogDamagedError, NoCheckpointError, NoEntryError
from comity.ledger.models import Batch, LogState, Subtree
from comity.ledger.services import Appended, open_log
from comity.ledger.tree import StoredTree
from comity.trust import ProofError
from comity.trust.merkle import (
    EMPTY_ROOT,
    consistency_path,
    inclusion_path,
    leaf_hashes,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from comity.trust.notes import LogSigner, open_checkpoint
from comity.trust.tiles import unpack_entries
from comity.trust.tlogproof import verify_tlog_proof

Append = Callable[..., Appended]


@pytest.fixture
def two_levels(log: Append) -> list[bytes]:
    """Entries of a log with a tile at level 2: 65,536 and a few, in batches that cross tiles."""
    entries = [b"%d" % each for each in range(65_536 + 600)]
    for start in range(0, len(entries), 3000):
        log(entries[start : start + 3000])
    return entries


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(counts=st.lists(st.integers(1, 400), min_size=1, max_size=4), data=st.data())
def test_rows_give_the_paths_of_the_tree_in_memory(log: Append, counts: list[int], data: st.DataObject) -> None:
    LogState.objects.all().delete()
    Batch.objects.all().delete()
    Subtree.objects.all().delete()
    entries = [b"%d" % each for each in range(sum(counts))]
    start = 0
    for count in counts:
        log(entries[start : start + count])
        start += count
    size = data.draw(st.integers(1, len(entries)))
    index = data.draw(st.integers(0, size - 1))
    old_size = data.draw(st.integers(0, size))
    hashes, tree = leaf_hashes(entries[:size]), StoredTree(size)
    assert tree.root == tree_root(hashes)
    assert tree.inclusion_path(index) == inclusion_path(hashes, index)
    assert selectors.consistency_path(old_size, size) == consistency_path(hashes, old_size)
    assert selectors.entry(index) == entries[index]


def test_proofs_reach_over_two_levels_of_tiles(two_levels: list[bytes], signer: LogSigner) -> None:
    indices = [0, 255, 256, 65_535, 65_536, 66_047, 66_048, 66_135]
    for index, proof in zip(indices, selectors.tlog_proofs(indices), strict=True):
        proved = verify_tlog_proof(proof, two_levels[index], signer.verifier)
        assert (proved.index, proved.size) == (index, len(two_levels))
    tree, root = StoredTree(len(two_levels)), tree_root(leaf_hashes(two_levels))
    assert tree.root == root
    for old in (1, 256, 65_535, 65_536, 66_000):
        verify_consistency(
            old, len(two_levels), tree.consistency_path(old), tree_root(leaf_hashes(two_levels[:old])), root
        )


def test_many_proofs_share_their_reads(two_levels: list[bytes]) -> None:
    with CaptureQueriesContext(connection) as queries:
        selectors.tlog_proofs(range(300, 500))
    assert len(queries) <= 2 + 2 * 3  # head and cosignatures; two tiles at each of three levels


def test_the_head_is_signed_and_served_whole(log: Append, signer: LogSigner, at: datetime) -> None:
    with pytest.raises(NoCheckpointError, match="not begun"):
        selectors.latest_checkpoint()
    assert selectors.log_size() == 0
    open_log(signer=signer, at=at)
    assert open_checkpoint(selectors.latest_checkpoint(), signer.verifier)[0].root == EMPTY_ROOT
    first, second = log(3), log(4)
    assert selectors.latest_checkpoint() == second.checkpoint
    assert selectors.checkpoint_at(3) == first.checkpoint
    for size in (0, 2, 4, 8):
        with pytest.raises(NoCheckpointError, match="that size"):
            selectors.checkpoint_at(size)
    with pytest.raises(NoCheckpointError, match="cosigned"):
        selectors.cosigned_checkpoint()
    assert selectors.tlog_proof(2) == selectors.witnessed_proof(2)


def test_what_is_not_there_is_named(log: Append) -> None:
    log(5)
    for index in (-1, 5):
        with pytest.raises(NoEntryError, match=f"index {index} of 5"):
            selectors.entry(index)
        with pytest.raises(NoEntryError, match=f"index {index} of 5"):
            selectors.tlog_proof(index)
    with pytest.raises(NoCheckpointError, match="6 of 5"):
        selectors.consistency_path(1, 6)
    with pytest.raises(ProofError):
        selectors.consistency_path(4, 3)


def test_tiles_are_prefixes_of_what_is_stored(log: Append) -> None:
    entries = [b"%d" % each for each in range(600)]
    log(entries[:300])
    log(entries[300:])
    hashes = leaf_hashes(entries)
    assert selectors.tile(0, 0) == b"".join(hashes[:256])
    assert selectors.tile(0, 2, 88) == b"".join(hashes[512:])
    assert selectors.tile(0, 2, 5) == b"".join(hashes[512:517])
    assert selectors.tile(1, 0, 2) == tree_root(hashes[:256]) + tree_root(hashes[256:512])
    assert unpack_entries(selectors.entries_bundle(1) or b"") == entries[256:512]
    assert unpack_entries(selectors.entries_bundle(2, 88) or b"") == entries[512:]
    for level, n, width in [
        (0, 2, 89),
        (0, 2, 256),
        (1, 0, 3),
        (2, 0, 1),
        (64, 0, 1),
        (-2, 0, 1),
        (0, -1, 1),
        (0, 0, 0),
    ]:
        assert selectors.tile(level, n, width) is None
    assert selectors.entries_bundle(3, 1) is None


def test_missing_rows_are_said_so(log: Append) -> None:
    log(256)
    log(10)
    log(10)
    path = StoredTree(276).inclusion_path(3)
    verify_inclusion(leaf_hashes([b"entry 3"])[0], 3, 276, path, StoredTree(276).root)
    Subtree.objects.all().delete()
    with pytest.raises(LogDamagedError, match="level 1, 0 to 1"):
        StoredTree(276).inclusion_path(260)
    Batch.objects.filter(first_index=256).delete()
    with pytest.raises(LogDamagedError, match="level 0, 256 to 276"):
        StoredTree(276).inclusion_path(3)
    with pytest.raises(LogDamagedError):
        selectors.entry(260)
