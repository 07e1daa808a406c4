"""Purging: with the message goes its file and its key; nothing goes that is still needed, and our exhibits never."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import transaction

from comity.exchange.evidence import Folder, Prepared, offer, purge, sweep
from comity.exchange.evidence.storing import Intake
from comity.exchange.models import EvidenceIn
from tests.exchange.cast import AT
from tests.exchange.evidence.cast import Clockwork, Memory, awaited, content, fetcher, keep, message_id, prepared, row

pytestmark = pytest.mark.django_db(transaction=True)
PURGED = EvidenceIn.State.PURGED


def come(ours: Folder, theirs: Folder, clock: Clockwork, *made: Prepared) -> None:
    """Each of these files, offered by a message of its own."""
    for number, each in enumerate(made, 1):
        awaited(each, number)
    fetcher(ours, Memory(theirs, {each.notice.root: each for each in made}), clock).fetch_due(clock())


def test_file_and_key_go_the_row_stays(ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork) -> None:
    made = prepared(theirs, content(3), tmp_path)
    come(ours, theirs, clock, made)
    assert purge(ours, message_id=message_id(1), sender="XC") == 1
    assert (row().state, bytes(row().key)) == (PURGED, b"")
    assert ours.find(made.notice.sha256) is None
    assert purge(ours, message_id=message_id(1)) == 0


def test_with_the_message_goes_what_belongs_to_it(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    made = [prepared(theirs, content(2, seed=seed), tmp_path, about=message_id(50)) for seed in (1, 2)]
    come(ours, theirs, clock, *made)
    assert purge(ours, message_id=message_id(50), sender="XB") == 0, "another partner's message of the same id"
    assert purge(ours, message_id=message_id(50), sender="XC") == 2
    assert not list(ours.received.glob("??/*"))


def test_content_that_another_message_needs_stays(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    one, other = (prepared(theirs, content(2), tmp_path) for _ in range(2))
    come(ours, theirs, clock, one, other)
    purge(ours, message_id=message_id(1))
    assert ours.find(one.notice.sha256) is not None
    purge(ours, message_id=message_id(2))
    assert ours.find(one.notice.sha256) is None


def test_content_that_is_offered_on_stays(ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork) -> None:
    made = prepared(theirs, content(2), tmp_path)
    come(ours, theirs, clock, made)
    offer(prepared(theirs, content(2), tmp_path, recipient="XB"), message_id=message_id(9), at=AT)
    purge(ours, message_id=message_id(1))
    assert ours.find(made.notice.sha256) is not None


def test_an_exhibit_of_ours_is_never_touched(ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork) -> None:
    data = content(2)
    keep(ours, data, tmp_path)
    made = prepared(theirs, data, tmp_path)
    come(ours, theirs, clock, made)
    purge(ours, message_id=message_id(1))
    assert not ours.has_received(made.notice.sha256)
    assert b"".join(ours.read_proved(made.notice.sha256)) == data


def test_what_is_half_here_goes_too(ours: Folder, theirs: Folder, tmp_path: Path) -> None:
    made = prepared(theirs, content(4), tmp_path)
    intake = Intake(ours, awaited(made))
    intake.take(0, Memory(theirs, {made.notice.root: made}).chunk(made.notice.root, 0))
    intake.save(AT)
    purge(ours, message_id=message_id(1))
    assert not list((ours.received / "coming").iterdir())


def test_a_purge_that_is_rolled_back_deletes_nothing(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    made = prepared(theirs, content(2), tmp_path)
    come(ours, theirs, clock, made)
    with transaction.atomic():
        purge(ours, message_id=message_id(1))
        transaction.set_rollback(True)
    assert row().state == EvidenceIn.State.COMPLETE
    assert ours.has_received(made.notice.sha256)


def test_a_sweep_deletes_what_a_kill_left_behind(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    made = prepared(theirs, content(2), tmp_path)
    come(ours, theirs, clock, made)
    EvidenceIn.objects.update(state=PURGED, key=b"")  # committed, and the node ended before it deleted
    assert sweep(ours) == 1
    assert ours.find(made.notice.sha256) is None
    assert sweep(ours) == 0
