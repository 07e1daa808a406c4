"""What keeps histories single: evidence kept once, logs that are behind, and another log's tiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from django.db import transaction

from comity.ledger import LedgerError, LogBehindError, LookState, RemoteTree, SplitViewError, TilesError, selectors
from comity.ledger.models import Batch, LogState, SplitView, Subtree
from comity.ledger.services import (
    Appended,
    append,
    hold_appends,
    mark_told,
    note_claim,
    note_look,
    open_log,
    record_cosignature,
    record_split,
    record_suspicion,
    refuse_fork,
    release_appends,
    withdraw_claim,
    witness,
)
from comity.trust import (
    Checkpoint,
    ForkProof,
    LogSigner,
    NoForkError,
    NoteError,
    NoteKind,
    SigningKey,
    sign_note,
    verify_fork,
)
from comity.trust.merkle import consistency_path, leaf_hashes, tree_root, verify_inclusion
from comity.trust.tiles import TILE_WIDTH, parse_tile_path

Append = Callable[..., Appended]
ONE = leaf_hashes(b"one %d" % each for each in range(700))
TWO = [*ONE[:300], *leaf_hashes(b"two %d" % each for each in range(300, 700))]
PARTNER = LogSigner("bravo.example/log", SigningKey.from_seed(b"l" * 32))
OURS = LogSigner("alfa.example/witness", SigningKey.from_seed(b"w" * 32), NoteKind.COSIGNATURE)


def head(leaves: list[bytes], size: int, at: datetime, log: LogSigner = PARTNER) -> str:
    return sign_note(Checkpoint(log.name, size, tree_root(leaves[:size])).text, log, at=at)


def fork(small: int, large: int, at: datetime) -> ForkProof:
    path = tuple(consistency_path(TWO[:large], small))
    return ForkProof(PARTNER.vkey, head(ONE, small, at), head(TWO, large, at), "told", tree_root(TWO[:small]), path)


def tiles_of(leaves: list[bytes]) -> Callable[[str], bytes | None]:
    """A log that serves the tiles of these leaves."""

    def fetch(path: str) -> bytes | None:
        wanted = parse_tile_path(path)
        width = TILE_WIDTH**wanted.level
        hashes = [tree_root(leaves[start : start + width]) for start in range(0, len(leaves) // width * width, width)]
        found = hashes[wanted.n * TILE_WIDTH :][: wanted.width]
        return b"".join(found) if len(found) == wanted.width else None

    return fetch


def test_a_log_that_forks_without_end_fills_no_database(db: None, at: datetime) -> None:
    """Its owner signs two histories as often as it likes; a few prove as much as a million."""
    kept = [record_split(fork(301, size, at), at=at, reported_by="XC") for size in range(400, 440)]
    assert kept[0]
    assert 0 < SplitView.objects.count() < 30
    assert selectors.has_split(PARTNER.vkey)
    with pytest.raises(NoForkError):
        record_split(replace(fork(301, 400, at), prefix_root=tree_root(ONE[:301])), at=at)


def test_evidence_is_verified_and_kept_once(db: None, at: datetime) -> None:
    proof = fork(400, 650, at)
    assert record_split(proof, at=at, reported_by="XC")
    turned = replace(proof, seen_note=proof.shown_note, shown_note=proof.seen_note, reason="again")
    assert not record_split(turned, at=at)
    (kept,) = selectors.split_views()
    assert (kept.reported_by, kept.is_proven, kept.sizes, kept.proof) == ("XC", True, (400, 650), proof)
    assert verify_fork(kept.proof)
    assert selectors.split_view(kept.digest[:8]) == kept
    assert selectors.split_view("zz") is None
    assert selectors.split_view("") is None
    mark_told([kept.digest], at=at)
    assert selectors.split_views()[0].told_at == at


def test_what_proves_nothing_is_not_kept(db: None, at: datetime) -> None:
    with pytest.raises(NoForkError):
        record_split(replace(fork(400, 650, at), path=()), at=at)
    assert SplitView.objects.count() == 0


def test_suspicions_are_bounded_and_do_not_end_the_cosigning(db: None, at: datetime) -> None:
    proofs = [ForkProof(PARTNER.vkey, head(ONE, 5, at), head(TWO, size, at)) for size in range(310, 340)]
    assert sum(record_suspicion(each, at=at) for each in proofs) == 20
    assert not selectors.has_split(PARTNER.vkey)
    assert witness(head(ONE, 5, at), 0, [], known=PARTNER.verifier, cosigner=OURS, at=at)


def test_a_log_that_showed_two_histories_is_cosigned_no_more(db: None, at: datetime) -> None:
    record_split(fork(400, 650, at), at=at)
    assert selectors.has_split(PARTNER.vkey)
    with pytest.raises(SplitViewError, match="cosigned any more") as refused:
        witness(head(ONE, 5, at), 0, [], known=PARTNER.verifier, cosigner=OURS, at=at)
    assert refused.value.seen == head(ONE, 400, at)
    assert selectors.partner_heads() == []


def test_a_log_behind_what_a_partner_holds_appends_nothing(log: Append, signer: LogSigner, at: datetime) -> None:
    entries = [b"one %d" % each for each in range(20)]
    log(entries[:10])
    refuse_fork(head(ONE, 7, at, signer), log=signer.verifier, witness="XB", at=at)
    refuse_fork(head(ONE, 10, at, signer), log=signer.verifier, witness="XB", at=at)
    assert selectors.own_fork_warnings() == ()
    for size in (15, 12):
        with pytest.raises(LogBehindError) as refused:
            refuse_fork(head(ONE, size, at, signer), log=signer.verifier, witness="XB", at=at)
        assert (refused.value.size, refused.value.seen_size, refused.value.witness) == (10, size, "XB")
    (warning,) = selectors.own_fork_warnings()
    assert (warning.code, warning.witness, warning.size, warning.seen_size) == ("behind", "XB", 10, 15)
    assert warning.note == head(ONE, 15, at, signer)
    with pytest.raises(LogBehindError, match="15 seen by XB"):
        log(entries[10:11])
    assert selectors.log_size() == 10
    grow_unguarded(signer, entries[10:15], at)
    assert selectors.own_fork_warnings() == ()
    assert log(entries[15:16]).size == 16


def grow_unguarded(signer: LogSigner, entries: list[bytes], at: datetime) -> None:
    """As a newer backup would: the rows are there, and the guard is what it was."""
    guard = LogState.objects.get(id=1)
    LogState.objects.filter(id=1).update(seen_size=0)
    with transaction.atomic():
        append(entries, signer=signer, at=at)
    LogState.objects.filter(id=1).update(seen_size=guard.seen_size)


def test_our_own_key_that_signed_two_histories_is_said(log: Append, signer: LogSigner, at: datetime) -> None:
    log([b"one %d" % each for each in range(10)])
    for size in (6, 10):
        with pytest.raises(SplitViewError, match="Our own key"):
            refuse_fork(head(TWO[295:], size, at, signer), log=signer.verifier, witness="XB", at=at)
    warnings = selectors.own_fork_warnings()
    assert [each.code for each in warnings] == ["forked", "forked"]
    assert all(verify_fork(each.evidence.proof) for each in warnings if each.evidence)
    assert "found two notes" in warnings[0].text
    assert log(1).size == 11  # it is done; messages go on


def test_what_our_key_did_not_sign_says_nothing(log: Append, signer: LogSigner, at: datetime) -> None:
    log(3)
    stranger = LogSigner(signer.name, SigningKey.from_seed(b"s" * 32))
    with pytest.raises(NoteError):
        refuse_fork(head(ONE, 9, at, stranger), log=signer.verifier, witness="XB", at=at)
    assert selectors.own_fork_warnings() == ()


def test_a_cosignature_of_more_than_there_is_stops_the_log(
    log: Append, signer: LogSigner, cosigner: LogSigner, at: datetime
) -> None:
    log([b"one 0", b"one 1"])
    note = sign_note(Checkpoint(signer.name, 5, tree_root(ONE[:5])).text, signer, cosigner, at=at)
    with pytest.raises(LogBehindError, match="5 seen by XB"):
        record_cosignature(note, log=signer.verifier, cosigner=cosigner.verifier, at=at, witness="XB")
    assert [each.code for each in selectors.own_fork_warnings()] == ["behind"]


def test_a_bare_word_stops_nothing(log: Append, at: datetime) -> None:
    log(3)
    note_claim(9, witness="XB")
    note_claim(7, witness="XC")
    (warning,) = selectors.own_fork_warnings()
    assert (warning.code, warning.witness, warning.seen_size) == ("claimed", "XB", 9)
    assert log(1).size == 4
    withdraw_claim(witness="XC")
    assert len(selectors.own_fork_warnings()) == 1
    withdraw_claim(witness="XB")
    assert selectors.own_fork_warnings() == ()


def test_a_held_log_waits(log: Append, at: datetime) -> None:
    log(3)
    hold_appends("restored", at=at)
    assert selectors.is_held()
    (warning,) = selectors.own_fork_warnings()
    assert (warning.code, "restored" in warning.text) == ("held", True)
    with pytest.raises(LogBehindError, match="until the partners were asked"):
        log(1)
    assert release_appends()
    assert not release_appends()
    assert log(1).size == 4


def test_before_the_log_has_begun_there_is_nothing_to_warn_of(db: None, signer: LogSigner, at: datetime) -> None:
    assert selectors.own_fork_warnings() == ()
    with pytest.raises(LogBehindError):
        refuse_fork(head(ONE, 3, at, signer), log=signer.verifier, witness="XB", at=at)
    assert selectors.own_fork_warnings() == ()
    open_log(signer=signer, at=at)
    with pytest.raises(LogBehindError):
        refuse_fork(head(ONE, 3, at, signer), log=signer.verifier, witness="XB", at=at)
    assert [each.code for each in selectors.own_fork_warnings()] == ["behind"]


def test_looks_are_remembered_by_partner(db: None, at: datetime) -> None:
    note_look("XB", origin="b", state=LookState.SUSPECT, detail="?", size=3, at=at)
    note_look("XB", origin="b", state=LookState.COSIGNED, detail="good", size=4, at=at)
    (look,) = selectors.looks()
    assert (look.administration, look.state, look.detail, look.size) == ("XB", LookState.COSIGNED, "good", 4)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512, 700])
def test_another_logs_tree_is_read_from_its_tiles(size: int, at: datetime) -> None:
    checkpoint = Checkpoint("b", size, tree_root(ONE[:size]))
    tree = RemoteTree(checkpoint, tiles_of(ONE))
    for old in {1, size // 2 or 1, size}:
        root, path = tree.prefix(old)
        assert root == tree_root(ONE[:old])
        assert list(path) == consistency_path(ONE[:size], old)
    for index in {0, size // 2, size - 1}:
        verify_inclusion(ONE[index], index, size, tree.inclusion_path(index), checkpoint.root)


def test_a_full_tile_may_stand_for_a_partial_one() -> None:
    full = tiles_of(ONE)
    tree = RemoteTree(
        Checkpoint("b", 300, tree_root(ONE[:300])), lambda path: None if "0/001.p/" in path else full(path)
    )
    assert tree.prefix(299)[0] == tree_root(ONE[:299])


@pytest.mark.parametrize("answer", [None, b"", b"short", b"x" * 9000, b"x" * 32 * 256])
def test_tiles_of_another_tree_are_refused(answer: bytes | None) -> None:
    with pytest.raises(TilesError):
        RemoteTree(Checkpoint("b", 300, tree_root(ONE[:300])), lambda _path: answer)


def test_tiles_that_contradict_each_other_accuse_nobody() -> None:
    """The upper tile is of one history, the lower ones of another."""
    full, other = tiles_of(ONE), tiles_of([*TWO[:1], *leaf_hashes([b"lie"]), *ONE[2:]])
    tree = RemoteTree(
        Checkpoint("b", 512, tree_root(ONE[:512])),
        lambda path: (other if path.startswith("tile/0/000") else full)(path),
    )
    with pytest.raises(TilesError, match="contradict"):
        tree.prefix(100)


def test_tables_are_as_small_as_before(log: Append) -> None:
    log(600)
    assert (Batch.objects.count(), Subtree.objects.count(), LogState.objects.count()) == (1, 2, 1)


def test_a_size_within_one_append_was_never_signed(
    log: Append, signer: LogSigner, cosigner: LogSigner, at: datetime
) -> None:
    log([b"one %d" % each for each in range(9)])
    note = sign_note(Checkpoint(signer.name, 4, tree_root(ONE[:4])).text, signer, cosigner, at=at)
    with pytest.raises(LedgerError, match="never signed"):
        record_cosignature(note, log=signer.verifier, cosigner=cosigner.verifier, at=at)
    assert selectors.own_fork_warnings() == ()
