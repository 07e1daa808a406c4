"""A log that goes on under a new name: same entries, same indexes, and neither history is touched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from comity.ledger import selectors
from comity.ledger.continuing import continue_log, continuing_entry, former_vkey, names_former
from comity.ledger.errors import LedgerError, LogDamagedError, WrongSignerError
from comity.ledger.growth import entries_since
from comity.ledger.guarding import hold_appends
from comity.ledger.models import Batch
from comity.ledger.services import Appended, append, open_log
from comity.ledger.verifying import verify_log
from comity.trust import SigningKey, leaf_hash, tree_root, verify_tlog_proof
from comity.trust.notes import LogSigner, open_checkpoint
from comity.trust.tiles import pack_entries

Append = Callable[..., Appended]


@pytest.fixture
def renamed(signer: LogSigner) -> LogSigner:
    """The same key under another name."""
    return LogSigner("alfa.example/log/since-20260302T093000Z", signer.key)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 700])
def test_old_entries_keep_their_place_and_the_log_goes_on(
    log: Append, signer: LogSigner, renamed: LogSigner, at: datetime, size: int
) -> None:
    open_log(signer=signer, at=at)
    if size:
        log(size)
    former = selectors.latest_checkpoint()
    continued = continue_log(former=signer.verifier, signer=renamed, at=at)
    assert (continued.former, continued.former_size, continued.size) == (signer.name, size, size + 1)
    checkpoint, _ = open_checkpoint(former, signer.verifier)
    assert names_former(selectors.entry(size)) == (signer.name, size, checkpoint.root.hex())
    with transaction.atomic():
        append([b"after"], signer=renamed, at=at)
    for index, entry in ((0, b"entry 0"), (size + 1, b"after")) if size else ((1, b"after"),):
        verify_tlog_proof(selectors.tlog_proof(index), entry, renamed.verifier)
    report = verify_log(renamed.verifier)
    report.require_sound()
    assert (report.origin, report.size) == (renamed.name, size + 2)
    if size:
        assert selectors.checkpoint_at(size) == former, "what was signed before stays as it was"
        with pytest.raises(LedgerError), transaction.atomic():
            append([b"second history"], signer=signer, at=at)


def test_a_hold_ends_with_the_former_log(log: Append, signer: LogSigner, renamed: LogSigner, at: datetime) -> None:
    log(3)
    hold_appends("restored", at=at)
    with pytest.raises(LedgerError), transaction.atomic():
        append([b"x"], signer=signer, at=at)
    continue_log(former=signer.verifier, signer=renamed, at=at)
    with transaction.atomic():
        append([b"x"], signer=renamed, at=at)
    assert selectors.log_size() == 5


def test_twice_restored_is_twice_continued(log: Append, signer: LogSigner, renamed: LogSigner, at: datetime) -> None:
    log(3)
    continue_log(former=signer.verifier, signer=renamed, at=at)
    third = LogSigner("alfa.example/log/since-20260402T093000Z", signer.key)
    continue_log(former=renamed.verifier, signer=third, at=at)
    verify_log(third.verifier).require_sound()
    assert not verify_log(renamed.verifier).is_sound


def test_a_name_of_its_own_and_a_whole_tree_are_needed(
    log: Append, signer: LogSigner, renamed: LogSigner, at: datetime
) -> None:
    log(3)
    with pytest.raises(WrongSignerError):
        continue_log(former=signer.verifier, signer=signer, at=at)
    Batch.objects.update(stack=bytes(64))
    with pytest.raises(LogDamagedError):
        continue_log(former=signer.verifier, signer=renamed, at=at)


def test_a_name_that_changes_by_another_entry_is_found(
    log: Append, signer: LogSigner, renamed: LogSigner, at: datetime
) -> None:
    log(3)
    continue_log(former=signer.verifier, signer=renamed, at=at)
    Batch.objects.filter(first_index=0).delete()
    assert any("continues" in each or "do not lead" in each for each in verify_log(renamed.verifier).problems)


@given(st.text() | st.integers(), st.integers(0), st.binary(min_size=32, max_size=32))
def test_an_entry_names_its_former_or_nothing(origin: str | int, size: int, root: bytes) -> None:
    if isinstance(origin, str) and size < 2**53 and origin.isprintable():
        assert names_former(continuing_entry(origin, size, root)) == (origin, size, root.hex())
    assert names_former(root) is None
    assert names_former(b'{"kind":"continues","origin":5}') is None


def test_growth_counts_what_came_since(log: Append, at: datetime) -> None:
    log(5)
    assert entries_since(at) == 5
    assert entries_since(at + timedelta(seconds=1)) == 0


@pytest.mark.django_db
def test_a_log_whose_key_was_lost_names_the_key_of_before(at: datetime) -> None:
    before, after = (
        LogSigner("comity.xa/log", SigningKey.generate()),
        LogSigner("comity.xa/log-2", SigningKey.generate()),
    )
    with transaction.atomic():
        append([b"one", b"two"], signer=before, at=at)
    continue_log(former=before.verifier, signer=after, at=at)
    entry = selectors.entry(2)
    assert (former_vkey(entry), former_vkey(b"{}")) == (before.vkey, "")
    assert names_former(entry) == ("comity.xa/log", 2, tree_root([leaf_hash(b"one"), leaf_hash(b"two")]).hex())
    assert verify_log(after.verifier).problems == ()
    other = entry.replace(before.vkey[-20:].encode(), b"A" * 20)
    Batch.objects.filter(first_index=2).update(entries=pack_entries([other]))
    assert any(
        "names the former log" in each or "first checkpoint" in each for each in verify_log(after.verifier).problems
    )
