"""Partners cosign each other's checkpoints; two histories are found, refused and kept as evidence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import transaction

from comity.ledger import selectors
from comity.ledger.errors import LedgerError, SplitViewError, StaleHeadError
from comity.ledger.models import Batch
from comity.ledger.services import Appended, record_cosignature, witness
from comity.trust import NoteError, SigningKey
from comity.trust.merkle import EMPTY_ROOT, consistency_path, leaf_hashes, tree_root
from comity.trust.notes import (
    Checkpoint,
    LogSigner,
    NoteKind,
    add_signatures,
    cosign,
    open_note,
    sign_note,
    split_note,
)
from comity.trust.tlogproof import verify_tlog_proof

Append = Callable[..., Appended]
ENTRIES = leaf_hashes(b"%d" % each for each in range(20))
PARTNER = LogSigner("bravo.example/log", SigningKey.from_seed(b"l" * 32))
OURS = LogSigner("alfa.example/witness", SigningKey.from_seed(b"w" * 32), NoteKind.COSIGNATURE)


def head(size: int, at: datetime, *, root: bytes | None = None) -> str:
    """A checkpoint that the partner signed."""
    return sign_note(Checkpoint(PARTNER.name, size, root or tree_root(ENTRIES[:size])).text, PARTNER, at=at)


def show(note: str, old: int, proof: list[bytes], at: datetime) -> str:
    """The partner shows a checkpoint."""
    return witness(note, old, proof, known=PARTNER.verifier, cosigner=OURS, at=at)


def test_a_log_that_only_grows_is_cosigned(db: None, at: datetime) -> None:
    for old, new in [(0, 5), (5, 5), (5, 13), (13, 20)]:
        proof = consistency_path(ENTRIES[:new], old)
        line = show(head(new, at), old, proof, at)
        opened = open_note(add_signatures(head(new, at), [line]), [PARTNER.verifier, OURS.verifier])
        assert opened.signed_by == {PARTNER.vkey: None, OURS.vkey: int(at.timestamp())}
    (seen,) = selectors.partner_heads()
    assert (seen.origin, seen.size, seen.note, seen.line) == (PARTNER.name, 20, head(20, at), line)
    assert selectors.partner_head(PARTNER.name) == seen
    assert selectors.partner_head("nobody.example") is None
    assert selectors.split_views() == []


def test_an_empty_log_may_be_cosigned_at_first_sight(db: None, at: datetime) -> None:
    assert show(head(0, at, root=EMPTY_ROOT), 0, [], at)
    assert show(head(4, at), 0, [], at)
    with pytest.raises(StaleHeadError):
        show(head(0, at, root=EMPTY_ROOT), 0, [], at)


def test_a_log_first_seen_with_a_false_empty_root_is_not_cosigned(db: None, at: datetime) -> None:
    with pytest.raises(NoteError, match="at first sight"):
        show(head(0, at, root=b"\1" * 32), 0, [], at)
    with pytest.raises(NoteError, match="at first sight"):
        show(head(4, at), 0, [b"\1" * 32], at)
    assert selectors.partner_heads() == []


@pytest.mark.parametrize(
    ("size", "old", "proof", "root", "reason"),
    [
        (13, 13, [], b"\7" * 32, "two histories"),
        (20, 13, [b"\7" * 32], None, "cannot show"),
        (20, 13, [], None, "cannot show"),
    ],
)
def test_two_histories_are_refused_and_kept(
    db: None, at: datetime, size: int, old: int, proof: list[bytes], root: bytes | None, reason: str
) -> None:
    show(head(13, at), 0, [], at)
    with pytest.raises(SplitViewError, match=reason) as refused:
        show(head(size, at, root=root), old, proof, at + timedelta(hours=1))
    assert (refused.value.seen, refused.value.shown) == (head(13, at), head(size, at, root=root))
    (kept,) = selectors.split_views()
    assert (kept.origin, kept.vkey, kept.seen_note, kept.shown_note) == (
        PARTNER.name,
        PARTNER.vkey,
        head(13, at),
        head(size, at, root=root),
    )
    assert reason in kept.reason
    assert selectors.partner_heads()[0].size == 13


def test_a_proof_from_elsewhere_is_sent_back(db: None, at: datetime) -> None:
    show(head(13, at), 0, [], at)
    for size, old in [(20, 5), (5, 13), (5, 5)]:
        with pytest.raises(StaleHeadError) as refused:
            show(head(size, at), old, [], at)
        assert refused.value.known_size == 13
        assert "size 13" in str(refused.value)
    assert selectors.split_views() == []


def test_a_note_that_the_log_did_not_sign_proves_nothing(db: None, at: datetime) -> None:
    stranger = LogSigner(PARTNER.name, SigningKey.from_seed(b"s" * 32))
    forged = sign_note(Checkpoint(PARTNER.name, 13, b"\7" * 32).text, stranger, at=at)
    with pytest.raises(NoteError):
        show(forged, 0, [], at)
    assert selectors.split_views() == []


@pytest.mark.django_db(transaction=True)
def test_evidence_outlives_the_error(at: datetime) -> None:
    show(head(13, at), 0, [], at)
    with transaction.atomic(), pytest.raises(SplitViewError):
        show(head(13, at, root=b"\7" * 32), 13, [], at)
    assert len(selectors.split_views()) == 1


def test_cosignatures_are_served_with_their_checkpoint(
    log: Append, signer: LogSigner, cosigner: LogSigner, at: datetime
) -> None:
    first = log(3).checkpoint
    other = LogSigner("chipo.example/witness", SigningKey.from_seed(b"c" * 32), NoteKind.COSIGNATURE)
    for each, later in [(cosigner, 0), (other, 5), (cosigner, 9)]:
        line = cosign(first, log=signer.verifier, cosigner=each, at=at + timedelta(seconds=later))
        note = add_signatures(first, [line])
        record_cosignature(note, log=signer.verifier, cosigner=each.verifier, at=at)
    served = open_note(selectors.latest_checkpoint(), [signer.verifier, cosigner.verifier, other.verifier])
    seconds = int(at.timestamp())
    assert served.signed_by == {signer.vkey: None, cosigner.vkey: seconds + 9, other.vkey: seconds + 5}
    assert len(split_note(selectors.latest_checkpoint())[1]) == 3
    second = log(2).checkpoint
    assert selectors.latest_checkpoint() == second
    assert split_note(selectors.cosigned_checkpoint())[0] == split_note(first)[0]
    proved = verify_tlog_proof(
        selectors.witnessed_proof(1), b"entry 1", signer.verifier, [cosigner.verifier, other.verifier], 2
    )
    assert proved.size == 3
    assert set(proved.witnessed_by) == {cosigner.vkey, other.vkey}
    assert verify_tlog_proof(selectors.witnessed_proof(4), b"entry 1", signer.verifier).size == 5


def test_an_older_cosignature_does_not_replace_a_newer(
    log: Append, signer: LogSigner, cosigner: LogSigner, at: datetime
) -> None:
    note = log(3).checkpoint
    for later in (9, 0):
        line = cosign(note, log=signer.verifier, cosigner=cosigner, at=at + timedelta(seconds=later))
        record_cosignature(add_signatures(note, [line]), log=signer.verifier, cosigner=cosigner.verifier, at=at)
    opened = open_note(selectors.cosigned_checkpoint(), [cosigner.verifier])
    assert opened.signed_by == {cosigner.vkey: int(at.timestamp()) + 9}


def test_what_is_no_cosignature_of_ours_is_refused(
    log: Append, signer: LogSigner, cosigner: LogSigner, at: datetime
) -> None:
    note = log(3).checkpoint

    def record(shown: str) -> None:
        record_cosignature(shown, log=signer.verifier, cosigner=cosigner.verifier, at=at)

    with pytest.raises(NoteError, match="did not cosign"):
        record(note)
    for size, error in [(2, LedgerError), (3, SplitViewError), (9, LedgerError)]:
        forged = sign_note(Checkpoint(signer.name, size, b"\7" * 32).text, signer, cosigner, at=at)
        with pytest.raises(error):
            record(forged)
    assert Batch.objects.count() == 1
    with pytest.raises(LedgerError, match="cosigned"):
        selectors.cosigned_checkpoint()
