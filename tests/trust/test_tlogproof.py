"""Proofs in one text: round trip, quorum, and everything that must not pass."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.trust.errors import NoteError, ProofError
from comity.trust.keys import SigningKey
from comity.trust.merkle import inclusion_path, leaf_hashes, tree_root
from comity.trust.notes import Checkpoint, LogSigner, NoteKind, add_signatures, sign_note, to_base64
from comity.trust.tlogproof import make_tlog_proof, parse_tlog_proof, verify_tlog_proof

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LOG = LogSigner("alfa.example/log", SigningKey.from_seed(b"a" * 32))
BRAVO = LogSigner("bravo.example/witness", SigningKey.from_seed(b"b" * 32), NoteKind.COSIGNATURE)
CHIPO = LogSigner("chipo.example/witness", SigningKey.from_seed(b"c" * 32), NoteKind.COSIGNATURE)
ENTRIES = [b"%d" % each for each in range(11)]
HASHES = leaf_hashes(ENTRIES)
NOTE = sign_note(Checkpoint(LOG.name, 11, tree_root(HASHES)).text, LOG, BRAVO, at=AT)
PROOF = make_tlog_proof(6, inclusion_path(HASHES, 6), NOTE)


@pytest.mark.parametrize("index", range(11))
def test_each_entry_is_proved(index: int) -> None:
    proof = make_tlog_proof(index, inclusion_path(HASHES, index), NOTE)
    proved = verify_tlog_proof(proof, ENTRIES[index], LOG.verifier, [BRAVO.verifier, CHIPO.verifier], 1)
    assert (proved.index, proved.size, proved.checkpoint.origin) == (index, 11, LOG.name)
    assert proved.witnessed_by == {BRAVO.vkey: int(AT.timestamp())}


def test_the_text_is_that_of_the_specification() -> None:
    lines = PROOF.split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 6"]
    assert lines[2:6] == [to_base64(each) for each in inclusion_path(HASHES, 6)]
    assert PROOF.endswith("\n\n" + NOTE)


def test_a_log_of_one_entry_needs_no_path() -> None:
    note = sign_note(Checkpoint(LOG.name, 1, HASHES[0]).text, LOG, at=AT)
    proof = make_tlog_proof(0, [], note)
    assert proof == "c2sp.org/tlog-proof@v1\nindex 0\n\n" + note
    assert verify_tlog_proof(proof, ENTRIES[0], LOG.verifier).size == 1


def test_extra_data_is_carried_and_changes_nothing() -> None:
    proof = PROOF.replace("index 6", "extra aGk=\nindex 6")
    assert parse_tlog_proof(proof).extra == b"hi"
    assert verify_tlog_proof(proof, ENTRIES[6], LOG.verifier).index == 6


def test_too_few_witnesses_are_not_enough() -> None:
    both = [BRAVO.verifier, CHIPO.verifier]
    with pytest.raises(ProofError, match="1 of 2"):
        verify_tlog_proof(PROOF, ENTRIES[6], LOG.verifier, both, 2)
    with pytest.raises(ProofError, match="0 of 1"):
        verify_tlog_proof(PROOF, ENTRIES[6], LOG.verifier, [LOG.verifier], 1)
    whole = make_tlog_proof(
        6, inclusion_path(HASHES, 6), add_signatures(NOTE, [CHIPO.sign(NOTE.partition("\n\n")[0] + "\n", AT)])
    )
    assert len(verify_tlog_proof(whole, ENTRIES[6], LOG.verifier, both, 2).witnessed_by) == 2


def test_another_entry_another_place_or_another_log_is_not_proved() -> None:
    for proof, entry in [(PROOF, ENTRIES[5]), (PROOF.replace("index 6", "index 7"), ENTRIES[6])]:
        with pytest.raises(ProofError, match="does not lead"):
            verify_tlog_proof(proof, entry, LOG.verifier)
    other = LogSigner(LOG.name, SigningKey.from_seed(b"o" * 32))
    with pytest.raises(NoteError):
        verify_tlog_proof(PROOF, ENTRIES[6], other.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        NOTE,
        PROOF.replace("@v1", "@v2"),
        PROOF.replace("index 6", "index 06"),
        PROOF.replace("index 6", "index -6"),
        PROOF.replace("index 6\n", ""),
        PROOF.replace("index 6", "extra !!\nindex 6"),
        "c2sp.org/tlog-proof@v1\nextra aGk=\n\n" + NOTE,
        "c2sp.org/tlog-proof@v1\n\n" + NOTE,
        PROOF.replace("index 6\n", "index 6\nAAAA\n"),
        PROOF.replace("index 6\n", "index 6\n" + (to_base64(HASHES[0]) + "\n") * 64),
        PROOF.replace("index 6", "index 6" + "0" * 200_000),
    ],
)
def test_a_malformed_proof_is_refused(text: str) -> None:
    with pytest.raises(ProofError):
        parse_tlog_proof(text)


@settings(deadline=None)
@given(st.text(max_size=120), st.integers(0, 200))
def test_no_text_breaks_the_reader(text: str, place: int) -> None:
    for broken in (text, "c2sp.org/tlog-proof@v1\n" + text, PROOF[:place] + text + PROOF[place:]):
        try:
            verify_tlog_proof(broken, ENTRIES[6], LOG.verifier)
        except (ProofError, NoteError):
            continue
