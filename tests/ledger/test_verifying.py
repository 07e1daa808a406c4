"""A check of the whole log finds every row that was changed, dropped or added."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.db.models import Model

from comity.ledger.errors import LogDamagedError
from comity.ledger.models import Batch, Cosignature, LogState, Subtree
from comity.ledger.rules import commit
from comity.ledger.services import Appended, record_cosignature
from comity.ledger.verifying import verify_log
from comity.trust import SigningKey, pack_entries
from comity.trust.merkle import EMPTY_ROOT, leaf_hashes, tree_root
from comity.trust.notes import LogSigner, add_signatures, cosign

Append = Callable[..., Appended]


@pytest.fixture
def full(log: Append, signer: LogSigner, cosigner: LogSigner, at: datetime) -> list[bytes]:
    """700 entries of three kinds in four batches; the second checkpoint is cosigned."""
    entries = [
        commit(("release", "receipt")[each % 2], bytes(32), agreement="a", message_id=str(each), salt=b"s" * 16)
        for each in range(699)
    ] + [b"not a commitment"]
    log(entries[:100])
    note = log(entries[100:400]).checkpoint
    log(entries[400:699])
    log(entries[699:])
    line = cosign(note, log=signer.verifier, cosigner=cosigner, at=at)
    record_cosignature(add_signatures(note, [line]), log=signer.verifier, cosigner=cosigner.verifier, at=at)
    return entries


def test_a_sound_log_is_counted(full: list[bytes], signer: LogSigner, cosigner: LogSigner) -> None:
    report = verify_log(signer.verifier)
    report.require_sound()
    assert report.is_sound
    assert (report.origin, report.size, report.batches, report.cosignatures) == (signer.name, 700, 4, 1)
    assert report.root == tree_root(leaf_hashes(full))
    assert report.kinds == {"other": 1, "receipt": 349, "release": 350}
    assert report.cosigned == {cosigner.name: 400}


def test_a_log_that_has_not_begun_is_sound(db: None, signer: LogSigner) -> None:
    report = verify_log(signer.verifier)
    assert (report.is_sound, report.size, report.root) == (True, 0, EMPTY_ROOT)


def changed_entry(row: Batch) -> None:
    row.entries = bytes(row.entries).replace(b"release", b"receipt", 1)


def cut_entries(row: Batch) -> None:
    row.entries = bytes(row.entries)[:-1]


def dropped_entry(row: Batch) -> None:
    row.entries, row.hashes = pack_entries([b"x"]), leaf_hashes([b"x"])[0]


def changed_hash(row: Batch) -> None:
    row.hashes = bytes(32) + bytes(row.hashes)[32:]


def changed_note(row: Batch) -> None:
    row.note = row.note.replace("\n400\n", "\n401\n")


def changed_size(row: Batch) -> None:
    row.size += 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (changed_entry, "stored hashes are not those of the entries"),
        (cut_entries, "cut short"),
        (dropped_entry, "1 entries do not lead from size 100 to 400"),
        (changed_hash, "stored hashes are not those of the entries"),
        (changed_note, "signed over another tree"),
        (changed_size, "do not lead from size 100 to 401"),
    ],
)
def test_a_changed_batch_is_found(
    full: list[bytes], signer: LogSigner, change: Callable[[Batch], None], problem: str
) -> None:
    row = Batch.objects.get(first_index=100)
    change(row)
    row.save()
    report = verify_log(signer.verifier)
    assert not report.is_sound
    assert any(problem in each for each in report.problems)
    with pytest.raises(LogDamagedError, match="damaged"):
        report.require_sound()


@pytest.mark.parametrize(
    ("table", "values", "problem"),
    [
        (Batch, {"stack": bytes(32 * 6)}, "right edge"),
        (Batch, {"note": "nothing"}, "newest checkpoint"),
        (LogState, {"note": "nothing"}, "first checkpoint"),
        (Subtree, {"hash": bytes(32)}, "tile level 1"),
        (Cosignature, {"size": 399}, "is gone"),
        (Cosignature, {"size": 100}, "a cosignature at size 100"),
        (Cosignature, {"vkey": "nothing"}, "a cosignature at size 400"),
    ],
)
def test_any_changed_row_is_found(
    full: list[bytes], signer: LogSigner, table: type[Model], values: dict[str, object], problem: str
) -> None:
    table._default_manager.update(**values)
    report = verify_log(signer.verifier)
    assert any(problem in each for each in report.problems)


@pytest.mark.parametrize(
    ("table", "problem"),
    [(LogState, "is gone"), (Subtree, "tile level 1, hashes 0 to 1"), (Batch, "cosigned is gone")],
)
def test_any_dropped_table_is_found(full: list[bytes], signer: LogSigner, table: type[Model], problem: str) -> None:
    table._default_manager.all().delete()
    assert any(problem in each for each in verify_log(signer.verifier).problems)


def test_a_dropped_batch_is_found(full: list[bytes], signer: LogSigner) -> None:
    Batch.objects.filter(first_index=100).delete()
    assert any("from size 100" in each for each in verify_log(signer.verifier).problems)


def test_a_first_checkpoint_of_something_is_found(full: list[bytes], signer: LogSigner) -> None:
    LogState.objects.update(note=Batch.objects.get(first_index=0).note)
    (problem,) = verify_log(signer.verifier).problems
    assert "the first checkpoint: the entries give size 0" in problem


def test_a_log_signed_by_another_key_is_not_sound(full: list[bytes], signer: LogSigner) -> None:
    other = LogSigner(signer.name, SigningKey.from_seed(b"o" * 32))
    assert not verify_log(other.verifier).is_sound


def test_the_list_of_problems_ends(log: Append, signer: LogSigner) -> None:
    for _ in range(60):
        log(1)
    Batch.objects.update(hashes=b"", note="nothing")
    assert len(verify_log(signer.verifier).problems) == 100
