"""Which of our checkpoints a quorum has seen, and the proofs that carry it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from comity.ledger import NoCheckpointError, Quorum, selectors
from comity.ledger.services import Appended, record_cosignature
from comity.trust import LogSigner, LogVerifier, NoteKind, SigningKey, add_signatures, parse_policy
from comity.trust.notes import cosign
from comity.trust.tlogproof import parse_tlog_proof

Append = Callable[..., Appended]
KEYS = {
    code: LogSigner(f"{code}.example/w", SigningKey.from_seed(code.encode() * 16), NoteKind.COSIGNATURE)
    for code in ("XA", "XB", "XC")
}
OLD_XB = LogSigner("XB.example/w", SigningKey.from_seed(b"o" * 32), NoteKind.COSIGNATURE)
LAB = LogSigner("lab.example/w", SigningKey.from_seed(b"l" * 32), NoteKind.COSIGNATURE)


def quorum(text: str) -> Quorum:
    """For the log of XA; XB has had two keys."""
    keys: dict[str, tuple[LogVerifier, ...]] = {code: (each.verifier,) for code, each in KEYS.items()}
    keys["XB"] = (KEYS["XB"].verifier, OLD_XB.verifier)
    return Quorum(parse_policy(text, known=("XA", "XB", "XC")), keys, "XA")


TWO = quorum("group g 2 XA XB XC\nquorum g")


@pytest.fixture
def seen(log: Append, signer: LogSigner, at: datetime) -> Callable[..., int]:
    """Append so many entries and let these cosign the checkpoint."""

    def see(count: int, *cosigners: LogSigner) -> int:
        done = log(count)
        for each in cosigners:
            line = cosign(done.checkpoint, log=signer.verifier, cosigner=each, at=at)
            note = add_signatures(done.checkpoint, [line])
            record_cosignature(note, log=signer.verifier, cosigner=each.verifier, at=at)
        return done.size

    return see


def test_the_newest_checkpoint_that_the_quorum_saw(seen: Callable[..., int], signer: LogSigner) -> None:
    seen(3, KEYS["XB"])
    with pytest.raises(NoCheckpointError, match="No quorum"):
        selectors.cosigned_checkpoint(TWO)
    seen(2, KEYS["XB"], KEYS["XC"])
    seen(4, KEYS["XC"])
    seen(1)
    note = selectors.cosigned_checkpoint(TWO)
    assert TWO.weigh(note, signer.verifier).require().checkpoint.size == 5
    assert note.startswith("alfa.example/log\n5\n")
    assert selectors.cosigned_checkpoint().startswith("alfa.example/log\n9\n")


def test_the_proof_takes_the_best_checkpoint_that_holds_the_entry(seen: Callable[..., int]) -> None:
    seen(5, KEYS["XB"], KEYS["XC"])
    seen(4, KEYS["XC"])
    seen(1)
    sizes = {
        index: parse_tlog_proof(selectors.witnessed_proof(index, TWO)).note.split("\n")[1] for index in (0, 4, 5, 9)
    }
    assert sizes == {0: "5", 4: "5", 5: "9", 9: "10"}


def test_a_witness_keeps_its_place_when_it_changes_its_key(seen: Callable[..., int]) -> None:
    seen(3, OLD_XB, KEYS["XC"])
    assert selectors.quorum_standing(TWO).size == 3
    assert TWO.witnesses([OLD_XB.vkey, KEYS["XB"].vkey, "stranger"]) == {"XB"}


def test_nobody_counts_for_his_own_log_and_two_keys_of_one_count_once(seen: Callable[..., int]) -> None:
    seen(3, KEYS["XA"], KEYS["XB"], OLD_XB, LAB)
    standing = selectors.quorum_standing(TWO)
    assert (standing.size, standing.is_met, standing.entries_beyond) == (None, False, 3)
    assert standing.seen_by == ("XB",)
    assert standing.missing == ("XC",)
    assert standing.last_seen == {"XB": 3, "XC": 0}


def test_how_old_the_quorum_is_and_who_is_missing(seen: Callable[..., int], at: datetime) -> None:
    seen(5, KEYS["XB"], KEYS["XC"])
    whole = selectors.quorum_standing(TWO)
    assert (whole.size, whole.signed_at, whole.entries_beyond) == (5, at, 0)
    assert (whole.seen_by, whole.missing, whole.is_met) == (("XB", "XC"), (), True)
    seen(4, KEYS["XC"])
    later = selectors.quorum_standing(TWO)
    assert (later.size, later.entries_beyond, later.missing) == (5, 4, ())
    assert later.last_seen == {"XB": 5, "XC": 9}


def test_other_witnesses_are_named_with_their_key(seen: Callable[..., int]) -> None:
    named = quorum(f"witness lab {LAB.vkey}\ngroup g all lab XB\nquorum g")
    seen(2, LAB, KEYS["XB"])
    assert selectors.quorum_standing(named).seen_by == ("XB", "lab")


def test_no_quorum_asked_is_met_by_the_log_itself(log: Append) -> None:
    log(3)
    nothing = quorum("quorum none")
    assert selectors.quorum_standing(nothing).size == 3
    assert selectors.cosigned_checkpoint(nothing).startswith("alfa.example/log\n3\n")


def test_an_empty_log_has_no_date(db: None) -> None:
    standing = selectors.quorum_standing(quorum("quorum none"))
    assert (standing.size, standing.signed_at) == (0, None)
    assert selectors.quorum_standing(TWO).size is None


def test_the_time_of_the_checkpoint_is_when_it_was_appended(log: Append, at: datetime) -> None:
    log(3)
    signed = selectors.quorum_standing(quorum("quorum none")).signed_at
    assert signed is not None
    assert signed - at < timedelta(microseconds=1)
