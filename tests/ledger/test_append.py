"""Appending: in the caller's transaction, one row a batch, a signed checkpoint each time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from comity.ledger.errors import LedgerError, LogDamagedError, NoTransactionError, WrongSignerError
from comity.ledger.models import Batch, LogState, Subtree
from comity.ledger.services import MAX_BATCH, Appended, append, open_log
from comity.ledger.tree import StoredTree, stored_entries
from comity.trust import SigningKey
from comity.trust.errors import ProofError
from comity.trust.merkle import EMPTY_ROOT, leaf_hashes, tree_root
from comity.trust.notes import LogSigner, open_checkpoint
from comity.trust.tiles import TileError
from comity.trust.tlogproof import verify_tlog_proof

Append = Callable[..., Appended]


@pytest.mark.django_db(transaction=True)
def test_an_append_outside_a_transaction_is_refused(signer: LogSigner, at: datetime) -> None:
    with pytest.raises(NoTransactionError):
        append([b"one"], signer=signer, at=at)
    assert not LogState.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_append_vanishes_with_the_deed_that_it_proves(signer: LogSigner, at: datetime) -> None:
    with transaction.atomic():
        before = append([b"one"], signer=signer, at=at)
    with transaction.atomic():
        append([b"two"], signer=signer, at=at)
        transaction.set_rollback(True)
    with transaction.atomic():
        after = append([b"three"], signer=signer, at=at)
    assert (before.size, after.first_index, after.size) == (1, 1, 2)
    assert stored_entries(0, 2) == [b"one", b"three"]


def test_every_append_signs_the_root_of_all_entries(log: Append, signer: LogSigner) -> None:
    entries: list[bytes] = []
    for count in (1, 1, 2, 3, 250, 1, 255, 256, 300, 7):
        new = [b"%d/%d" % (count, each) for each in range(count)]
        entries += new
        appended = log(new)
        checkpoint, _ = open_checkpoint(appended.checkpoint, signer.verifier)
        assert checkpoint.root == tree_root(leaf_hashes(entries))
        assert appended.size == checkpoint.size == len(entries)
        assert appended.first_index == len(entries) - count
    assert Batch.objects.count() == 10
    assert Subtree.objects.count() == len(entries) // 256
    assert StoredTree(len(entries)).root == tree_root(leaf_hashes(entries))


def test_a_batch_costs_three_statements_at_most(log: Append) -> None:
    log(300)
    locks = ["SELECT"] if connection.features.has_select_for_update else []
    for count, more in [(200, []), (100, ["INSERT"])]:
        with CaptureQueriesContext(connection) as queries:
            log(count)
        statements = [query["sql"].split()[0] for query in queries if "SAVEPOINT" not in query["sql"]]
        assert statements == [*locks, "SELECT", "INSERT", *more]


def test_the_proof_of_a_new_entry_needs_no_reading(log: Append, signer: LogSigner) -> None:
    log(731)
    new = [b"new %d" % each for each in range(300)]
    appended = log(new)
    with CaptureQueriesContext(connection) as queries:
        for index in range(731, 1031):
            proved = verify_tlog_proof(appended.tlog_proof(index), new[index - 731], signer.verifier)
            assert (proved.index, proved.size) == (index, 1031)
    assert not queries.captured_queries
    with pytest.raises(ProofError):
        appended.tlog_proof(730)
    with pytest.raises(ProofError):
        appended.tlog_proof(1031)


def test_appending_nothing_changes_nothing(log: Append) -> None:
    before = log(3)
    assert log([]).checkpoint == before.checkpoint
    assert Batch.objects.count() == 1


def test_an_opened_log_has_a_checkpoint_of_nothing(db: None, signer: LogSigner, at: datetime) -> None:
    open_log(signer=signer, at=at)
    open_log(signer=signer, at=at)
    checkpoint, _ = open_checkpoint(LogState.objects.get().note, signer.verifier)
    assert (checkpoint.size, checkpoint.root) == (0, EMPTY_ROOT)


def test_what_cannot_be_appended_is_refused(log: Append, at: datetime) -> None:
    log(1)
    with pytest.raises(LedgerError, match="Too many"):
        log(MAX_BATCH + 1)
    with pytest.raises(TileError, match="too long"):
        log([b"x" * 65_536])
    other = LogSigner("other.example/log", SigningKey.from_seed(b"o" * 32))
    with pytest.raises(WrongSignerError, match="another log"), transaction.atomic():
        append([b"two"], signer=other, at=at)
    with pytest.raises(WrongSignerError, match="200"):
        open_log(signer=LogSigner("x" * 201, SigningKey.from_seed(b"o" * 32)), at=at)
    assert log([b"two"]).first_index == 1


def test_nothing_is_signed_on_top_of_a_damaged_tree(log: Append) -> None:
    log(5)
    for stack in (b"\0" * 64, b"\0" * 32, b""):
        Batch.objects.update(stack=stack)
        with pytest.raises(LogDamagedError, match="signed last"):
            log(1)
    assert Batch.objects.count() == 1
