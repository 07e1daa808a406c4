"""Fetching: whole files, resumed where they were; a liar is refused, a full disk waits, nothing wrong gets a name."""

from __future__ import annotations

import hashlib
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from comity.exchange.errors import TransportError
from comity.exchange.evidence import EvidenceGoneError, Folder, Prepared, offer
from comity.exchange.evidence.parts import CarriedChunk
from comity.exchange.evidence.storing import MOST_WRONG, Intake
from comity.exchange.models import EvidenceIn, Partner
from comity.trust import FileShape, leaf_hash, sealed_from_leaves
from tests.exchange.cast import AT
from tests.exchange.evidence.cast import (
    RULES,
    SMALL,
    Bend,
    Clockwork,
    Memory,
    awaited,
    content,
    fetcher,
    keep,
    message_id,
    prepared,
    row,
)

pytestmark = pytest.mark.django_db(transaction=True)
COMING, COMPLETE, REFUSED = EvidenceIn.State.COMING, EvidenceIn.State.COMPLETE, EvidenceIn.State.REFUSED


def line_of(theirs: Folder, *made: Prepared) -> Memory:
    return Memory(theirs, {each.notice.root: each for each in made})


def bytes_of(folder: Folder, made: Prepared) -> bytes:
    return b"".join(folder.read_proved(made.notice.sha256))


def nothing_is_left(folder: Folder) -> bool:
    return not list((folder.received / "coming").glob("*"))


@pytest.mark.parametrize("chunks", [0.01, 1, 1.5, 7, 16.25])
def test_a_file_comes_whole(ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork, chunks: float) -> None:
    data = content(chunks)
    made = prepared(theirs, data, tmp_path)
    awaited(made)
    assert fetcher(ours, line_of(theirs, made), clock).fetch_due(clock()) == made.notice.chunks
    assert (row().state, row().have_chunks, row().completed_at) == (COMPLETE, made.notice.chunks, clock.at)
    assert bytes_of(ours, made) == data
    assert nothing_is_left(ours)
    assert ours.find(made.notice.sha256) == ours.received / made.notice.sha256[:2] / made.notice.sha256


def test_twice_the_same_offer_is_one_file(ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork) -> None:
    made = prepared(theirs, content(3), tmp_path)
    awaited(made)
    awaited(made)
    fetcher(ours, line_of(theirs, made), clock).fetch_due(clock())
    assert EvidenceIn.objects.count() == 1


def test_after_a_cut_it_goes_on_where_it_was(ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork) -> None:
    data = content(9.5)
    made = prepared(theirs, data, tmp_path)
    awaited(made)
    line = line_of(theirs, made)
    line.dies_at = 5
    fetch = fetcher(ours, line, clock)
    fetch.fetch_due(clock())
    assert (row().state, row().have_chunks, row().failures) == (COMING, 5, 1)
    assert "The line is dead" in row().last_error
    assert row().next_attempt_at is not None
    assert fetch.fetch_due(clock()) == 0, "not before it is due"
    line.dies_at, line.asked = None, []
    fetch.fetch_due(clock.move(days=30))
    assert min(line.asked) == 5
    assert (row().state, row().failures, row().last_error) == (COMPLETE, 0, "")
    assert bytes_of(ours, made) == data


def test_a_dead_line_is_asked_more_and_more_seldom_and_never_given_up(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    made = prepared(theirs, content(2), tmp_path)
    awaited(made)
    line = line_of(theirs, made)
    line.trouble = TransportError("The line is dead")
    fetch, waits = fetcher(ours, line, clock), []
    for _ in range(14):
        fetch.fetch_due(clock())
        due = row().next_attempt_at
        assert due is not None
        waits.append((due - clock.at).total_seconds())
        clock.at = due
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == 1800
    assert row().state == COMING


@pytest.mark.parametrize("save_chunks", [1, 3, 100])
def test_what_was_not_said_to_be_durable_is_asked_for_again(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork, save_chunks: int
) -> None:
    """As after kill -9: the row knows less than the disk, or the disk less than the row."""
    data = content(8)
    made = prepared(theirs, data, tmp_path)
    awaited(made)
    line = line_of(theirs, made)
    line.dies_at = 6
    fetch = fetcher(ours, line, clock, replace(RULES, save_chunks=save_chunks))
    fetch.fetch_due(clock())
    EvidenceIn.objects.update(have_chunks=4, next_attempt_at=None)
    (coming,) = (ours.received / "coming").iterdir()
    os.truncate(coming, 2 * SMALL + 17)
    line.dies_at, line.asked = None, []
    fetch.fetch_due(clock())
    assert min(line.asked) == 2
    assert bytes_of(ours, made) == data


def changed(number: int, chunk: CarriedChunk) -> CarriedChunk:
    return replace(chunk, sealed=bytes([chunk.sealed[0] ^ 1]) + chunk.sealed[1:]) if number == 3 else chunk


def truncated(number: int, chunk: CarriedChunk) -> CarriedChunk:
    return replace(chunk, sealed=chunk.sealed[:-1]) if number == 3 else chunk


def pathless(number: int, chunk: CarriedChunk) -> CarriedChunk:
    return replace(chunk, path=()) if number == 3 else chunk


def repeated() -> Bend:
    first: list[CarriedChunk] = []

    def bend(_number: int, chunk: CarriedChunk) -> CarriedChunk:
        first.append(chunk)
        return first[0]

    return bend


@pytest.mark.parametrize("bend", [changed, truncated, pathless, repeated()], ids=["byte", "length", "path", "repeat"])
def test_a_liar_is_refused_after_few_tries_and_nothing_is_kept(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork, bend: Bend
) -> None:
    made = prepared(theirs, content(6), tmp_path)
    awaited(made)
    line = line_of(theirs, made)
    line.bend = bend
    fetch = fetcher(ours, line, clock, replace(RULES, in_flight=1))
    fetch.fetch_due(clock())
    assert row().state == REFUSED
    assert "chunk" in row().last_error.lower()
    assert max(line.asked.count(number) for number in range(6)) == MOST_WRONG
    assert nothing_is_left(ours)
    assert ours.find(made.notice.sha256) is None
    line.asked.clear()
    fetch.fetch_due(clock.move(days=1))
    assert line.asked == [], "a refused file is not asked for any more"


def test_one_wrong_answer_is_forgiven(ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork) -> None:
    made = prepared(theirs, content(4), tmp_path)
    awaited(made)
    line = line_of(theirs, made)
    lies = iter([True])
    line.bend = lambda number, chunk: replace(chunk, sealed=b"") if number == 2 and next(lies, False) else chunk
    fetcher(ours, line, clock).fetch_due(clock())
    assert row().state == COMPLETE


def lying(theirs: Folder, data: bytes, sha256: str, place: Path) -> tuple[Prepared, list[CarriedChunk]]:
    """A root that the sender signed over other bytes than those whose digest it names; three chunks."""
    claimed, key = FileShape(sha256, len(data), SMALL), bytes(32)
    sealed = [
        AESGCM(key).encrypt(
            number.to_bytes(12, "big"),
            data[number * SMALL : (number + 1) * SMALL],
            f"comity/evidence/1 {claimed.sha256} {claimed.size_bytes} {SMALL} {number} 3".encode(),
        )
        for number in range(3)
    ]
    tree = sealed_from_leaves(claimed, [leaf_hash(each) for each in sealed])
    honest = prepared(theirs, data, place)
    lie = replace(honest.notice, sha256=claimed.sha256, root=tree.root.hex(), key="A" * 43 + "=")
    chunks = [CarriedChunk(tuple(tree.path(number)), each) for number, each in enumerate(sealed)]
    return replace(honest, notice=lie, sealed=tree, key=key), chunks


def test_chunks_that_hold_and_a_file_that_does_not_are_refused(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    made, chunks = lying(theirs, content(3), hashlib.sha256(b"something else").hexdigest(), tmp_path)
    awaited(made)
    line = line_of(theirs, made)
    line.bend = lambda number, _chunk: chunks[number]
    line.made = {made.notice.root: prepared(theirs, content(3), tmp_path)}
    fetcher(ours, line, clock).fetch_due(clock())
    assert row().state == REFUSED
    assert "not the one that its message names" in row().last_error
    assert nothing_is_left(ours)
    assert not list(ours.received.glob("??/*"))


def test_a_file_that_was_withdrawn_is_not_awaited(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    made = prepared(theirs, content(2), tmp_path)
    awaited(made)
    line = line_of(theirs, made)
    line.trouble = EvidenceGoneError("The file was withdrawn")
    fetcher(ours, line, clock).fetch_due(clock())
    assert (row().state, row().last_error) == (REFUSED, "The file was withdrawn")


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_keeps_what_came_and_goes_on_when_there_is_room(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    """The limit on the size of files makes writing fail as a full disk does."""
    # Larger chunks than those of the other tests: the database's own files are under the same limit.
    step, count = 4 * 1024 * 1024, 6
    data = hashlib.shake_128(b"large").digest(count * step)
    made = prepared(theirs, data, tmp_path, chunk_bytes=step, chunks=count)
    awaited(made)
    line = line_of(theirs, made)
    fetch = fetcher(ours, line, clock)
    with files_no_larger_than(4 * step + 1000):
        fetch.fetch_due(clock())
    assert (row().state, row().have_chunks, row().failures) == (COMING, 4, 0)
    assert row().last_error.startswith("The disk has no room")
    assert fetch.fetch_due(clock.move(seconds=59)) == 0
    line.asked.clear()
    fetch.fetch_due(clock.move(seconds=2))
    assert min(line.asked) == 4
    assert row().state == COMPLETE
    assert bytes_of(ours, made) == data


def test_a_disk_that_would_run_full_is_spared(ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork) -> None:
    made = prepared(theirs, content(8), tmp_path)
    awaited(made)
    line = line_of(theirs, made)
    fetcher(ours, line, clock, replace(RULES, spare_bytes=2**62)).fetch_due(clock())
    assert line.asked == []
    assert row().state == COMING
    assert "32,768 bytes are still to come" in row().last_error
    # Room there was at the beginning of a slice is not room at its end.
    fetcher(replace(ours, spare_bytes=2**62), line, clock).fetch_due(clock.move(minutes=2))
    assert (row().state, row().have_chunks) == (COMING, 0)
    assert row().last_error.startswith("The disk has no room")
    fetcher(ours, line, clock).fetch_due(clock.move(minutes=2))
    assert row().state == COMPLETE


@pytest.mark.parametrize(
    "changes", [{"way": "collect"}, {"way": "file"}, {"state": "suspended"}], ids=["collect", "file", "suspended"]
)
def test_whom_we_cannot_reach_or_do_not_want_is_not_asked(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork, changes: dict[str, str]
) -> None:
    made = prepared(theirs, content(2), tmp_path)
    awaited(made)
    Partner.objects.filter(administration="XC").update(**changes)
    line = line_of(theirs, made)
    assert fetcher(ours, line, clock).fetch_due(clock()) == 0
    assert line.asked == []


def test_small_files_come_first_and_large_ones_in_slices(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    large, small = prepared(theirs, content(9), tmp_path), prepared(theirs, content(2, seed=1), tmp_path)
    awaited(large, 1)
    awaited(small, 2)
    line = line_of(theirs, large, small)
    fetch = fetcher(ours, line, clock, replace(RULES, slice_chunks=4))
    fetch.fetch_due(clock())
    assert line.asked[:2] == [0, 1]
    assert [row(1).have_chunks, row(2).state] == [4, COMPLETE]
    fetch.fetch_due(clock())
    fetch.fetch_due(clock())
    assert row(1).state == COMPLETE


def test_content_that_the_sender_had_from_us_is_not_fetched_and_shares_its_bytes(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    data = content(3)
    offer(prepared(ours, data, tmp_path, recipient="XC"), message_id=message_id(9), at=AT)
    made = prepared(theirs, data, tmp_path)
    awaited(made)
    line = line_of(theirs, made)
    fetcher(ours, line, clock).fetch_due(clock())
    assert line.asked == []
    assert row().state == COMPLETE
    own, came = ours.root / made.notice.sha256[:2], ours.received / made.notice.sha256[:2]
    assert (own / made.notice.sha256).samefile(came / made.notice.sha256)


def test_who_guesses_a_digest_does_not_hear_that_we_hold_it(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    """It is ours, and XB gave it to us: to XC, which has it from neither, that is none of its business."""
    data = content(3)
    keep(ours, data, tmp_path)
    line = line_of(theirs, prepared(theirs, data, tmp_path), prepared(theirs, data, tmp_path))
    first, second = line.made.values()
    awaited(first, 1, "XB")
    fetcher(ours, line, clock).fetch_due(clock())
    assert (line.asked, row(1).state) == ([0, 1, 2], COMPLETE)
    awaited(second, 2, "XC")
    line.asked.clear()
    fetcher(ours, line, clock).fetch_due(clock())
    assert (line.asked, row(2).state) == ([0, 1, 2], COMPLETE)
    assert bytes_of(ours, second) == data


def test_what_comes_under_the_name_of_content_that_we_hold_is_proved_all_the_same(
    ours: Folder, theirs: Folder, tmp_path: Path
) -> None:
    """Other bytes under the digest of our own exhibit would lie in wait for whoever sends the right ones."""
    data, other = content(3), content(3, seed=1)
    keep(ours, other, tmp_path)
    lie, sealed = lying(theirs, data, hashlib.sha256(other).hexdigest(), tmp_path)
    intake = Intake(ours, awaited(lie))
    for number, chunk in enumerate(sealed):
        intake.take(number, chunk)
    intake.save(AT)
    assert row().state == REFUSED
    assert not ours.has_received(lie.notice.sha256)


def test_a_damaged_copy_of_ours_is_no_reason_not_to_fetch(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    data = content(3)
    keep(ours, data, tmp_path)
    made = prepared(theirs, data, tmp_path)
    (ours.root / made.notice.sha256[:2] / made.notice.sha256).write_bytes(b"damaged")
    awaited(made)
    fetcher(ours, line_of(theirs, made), clock).fetch_due(clock())
    assert row().state == COMPLETE
    came = ours.received / made.notice.sha256[:2] / made.notice.sha256
    assert came.read_bytes() == data


def test_a_kill_between_the_name_and_the_row_costs_nothing(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    made = prepared(theirs, content(3), tmp_path)
    awaited(made)
    line = line_of(theirs, made)
    fetch = fetcher(ours, line, clock)
    fetch.fetch_due(clock())
    EvidenceIn.objects.update(state=COMING, have_chunks=2, completed_at=None)
    line.asked.clear()
    fetch.fetch_due(clock())
    assert (line.asked, row().state) == ([], COMPLETE)


def test_a_kill_before_the_whole_was_proved_proves_it_then(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    made = prepared(theirs, content(3), tmp_path)
    intake = Intake(ours, awaited(made))
    line = line_of(theirs, made)
    for number in range(3):
        intake.take(number, line.chunk(made.notice.root, number))
    EvidenceIn.objects.update(have_chunks=3)
    fetcher(ours, line, clock).fetch_due(clock())
    assert (line.asked, row().state) == ([], COMPLETE)


def test_nobody_else_fetches_while_a_lease_runs(ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork) -> None:
    made = prepared(theirs, content(4), tmp_path)
    awaited(made)
    line = line_of(theirs, made)
    other = fetcher(ours, line_of(theirs, made), clock)
    seen: list[int] = []
    main = threading.current_thread()

    class Watching(Clockwork):
        def __call__(self) -> object:  # type: ignore[override]  # only asked by the fetcher's own thread
            if threading.current_thread() is main and line.asked and not seen:
                seen.append(other.fetch_due(clock()))
            return clock.at

    fetcher(ours, line, Watching()).fetch_due(clock())  # type: ignore[arg-type]  # as above
    assert seen == [0]
    assert row().state == COMPLETE


def test_a_stop_saves_what_came(ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork) -> None:
    made = prepared(theirs, content(8), tmp_path)
    awaited(made)
    line = line_of(theirs, made)
    fetch = fetcher(ours, line, clock, replace(RULES, in_flight=1, save_chunks=100))

    def bend(number: int, chunk: CarriedChunk) -> CarriedChunk:
        if number == 3:
            fetch.stop.set()
        return chunk

    line.bend = bend
    fetch.fetch_due(clock())
    assert 3 <= row().have_chunks < 8
    assert row().next_attempt_at is None
    assert fetch.fetch_due(clock()) == 0


def test_what_is_purged_while_it_comes_leaves_nothing(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    made = prepared(theirs, content(3), tmp_path)
    intake = Intake(ours, awaited(made))
    line = line_of(theirs, made)
    for number in range(3):
        intake.take(number, line.chunk(made.notice.root, number))
    EvidenceIn.objects.update(state=EvidenceIn.State.PURGED)
    intake.save(clock.at)
    assert nothing_is_left(ours)
    assert ours.find(made.notice.sha256) is None
    half = Intake(ours, row())
    half.take(0, line.chunk(made.notice.root, 0))
    half.save(clock.at)
    assert nothing_is_left(ours)
