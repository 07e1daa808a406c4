"""Two histories of one log: what proves them, offline, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.trust.errors import NoteError, TrustError
from comity.trust.forks import ForkProof, NoForkError, verify_fork
from comity.trust.keys import SigningKey
from comity.trust.merkle import consistency_path, leaf_hashes, tree_root
from comity.trust.notes import Checkpoint, LogSigner, sign_note

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LOG = LogSigner("alfa.example/log", SigningKey.from_seed(b"l" * 32))
ONE = leaf_hashes(b"one %d" % each for each in range(40))
TWO = [*ONE[:3], *leaf_hashes(b"two %d" % each for each in range(3, 40))]


def note(leaves: list[bytes], size: int, log: LogSigner = LOG) -> str:
    return sign_note(Checkpoint(log.name, size, tree_root(leaves[:size])).text, log, at=AT)


def fork(small: int, large: int) -> ForkProof:
    """History one up to `small`, history two up to `large`, proved from the tree of history two."""
    path = tuple(consistency_path(TWO[:large], small))
    return ForkProof(LOG.vkey, note(ONE, small), note(TWO, large), "told", tree_root(TWO[:small]), path)


def test_one_size_and_two_roots() -> None:
    assert "two different trees of 7 entries" in verify_fork(fork(7, 7))


@given(st.integers(4, 38), st.data())
def test_two_sizes_with_the_larger_trees_own_proof(small: int, data: st.DataObject) -> None:
    proof = fork(small, data.draw(st.integers(small + 1, 40)))
    assert f"first {small} are others" in verify_fork(proof)
    turned = replace(proof, seen_note=proof.shown_note, shown_note=proof.seen_note)
    assert verify_fork(turned) == verify_fork(proof)
    assert ForkProof.from_bytes(proof.to_bytes()) == proof


@given(st.integers(1, 40), st.data())
def test_an_honest_log_cannot_be_accused(small: int, data: st.DataObject) -> None:
    large = data.draw(st.integers(small, 40))
    path = data.draw(st.lists(st.sampled_from(ONE) | st.just(tree_root(ONE[:small])), max_size=8))
    honest = ForkProof(LOG.vkey, note(ONE, small), note(ONE, large))
    right = replace(honest, prefix_root=tree_root(ONE[:small]), path=tuple(consistency_path(ONE[:large], small)))
    invented = replace(honest, prefix_root=data.draw(st.sampled_from(TWO)), path=tuple(path))
    for proof in (honest, right, invented):
        with pytest.raises(NoForkError):
            verify_fork(proof)


def test_both_notes_must_be_the_logs_own() -> None:
    stranger = LogSigner(LOG.name, SigningKey.from_seed(b"s" * 32))
    for proof in (
        replace(fork(7, 7), shown_note=note(TWO, 7, stranger)),
        replace(fork(7, 7), seen_note=note(ONE, 7, stranger)),
        replace(fork(7, 7), vkey=LogSigner("bravo.example/log", LOG.key).vkey),
        replace(fork(7, 7), vkey="nobody"),
    ):
        with pytest.raises(NoteError):
            verify_fork(proof)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"[" * 5000,
        b'{"form":"comity/split-view/2"}',
        b'{"path":{}}',
        b'{"path":[1]}',
        b'{"path":["?"]}',
        b'{"seen_note":7}',
        b'{"prefix_root":"AA"}',
        b'{"reason":"' + b"x" * 70_000 + b'"}',
        b" " * 300_000,
        b'{"path":[' + b'"",' * 200 + b'""]}',
    ],
)
def test_what_is_no_evidence_is_refused(data: bytes) -> None:
    with pytest.raises(NoForkError, match="cannot be read"):
        ForkProof.from_bytes(data)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_never_accuses_anew(place: int, turn: int) -> None:
    """What a changed file still proves is what the notes in it prove."""
    data = bytearray(fork(9, 21).to_bytes())
    data[place % len(data)] ^= turn
    try:
        proof = ForkProof.from_bytes(bytes(data))
        assert "first 9 are others" in verify_fork(proof)
    except TrustError:
        return
    assert proof.heads() == fork(9, 21).heads()


def test_a_reason_cannot_steer_a_terminal() -> None:
    body = fork(7, 7).to_body() | {"reason": "\x1b[2J" + "x" * 500}
    assert ForkProof.from_body(body).reason == " [2J" + "x" * 196
