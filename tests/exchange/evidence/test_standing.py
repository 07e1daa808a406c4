"""What officers see of files: here, coming, refused, purged, never offered; and opening one that is here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from comity.exchange.evidence import (
    EvidenceError,
    EvidenceState,
    Folder,
    evidence_files,
    evidence_of,
    offer,
    open_evidence,
    purge,
    withdraw,
)
from comity.exchange.models import EvidenceIn, EvidenceOut, InboxMessage
from comity.exchange.services import post
from comity.trade import Exhibit
from tests.exchange.cast import AT, CHIPO, LOG, message, release
from tests.exchange.evidence.cast import (
    Clockwork,
    Memory,
    awaited,
    content,
    fetcher,
    keep,
    message_id,
    notice_of,
    prepared,
    row,
)

pytestmark = pytest.mark.django_db(transaction=True)
ABOUT = message_id(70)


def exhibit_of(data: bytes, name: str) -> Exhibit:
    notice = notice_of(data)
    return Exhibit(name, notice.sha256, notice.media_type, notice.size_bytes)


def alert_arrived(exhibits: Sequence[Exhibit]) -> None:
    """XC's alert that names exhibits has arrived at XA."""
    body = dict(message().body)
    body["exhibits"] = [
        {"name": each.name, "sha256": each.sha256, "media_type": each.media_type, "size_bytes": each.size_bytes}
        for each in exhibits
    ]
    arrived = message(id=ABOUT, body=body)
    InboxMessage.objects.create(
        sender="XC",
        message_id=ABOUT,
        sequence=1,
        kind="alert/1",
        agreement="0" * 64,
        article="1",
        purpose="control",
        handling="official",
        received_at=AT,
        envelope_id=ABOUT,
        position=0,
        data=arrived.to_bytes(),
        sha256="0" * 64,
        is_accepted=True,
        answer="{}",
    )


def states(folder: Folder, name: str = ABOUT) -> dict[str, EvidenceState]:
    return {view.name: view.state for view in evidence_of(folder, name)}


def test_each_exhibit_of_a_notice_has_its_state(ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork) -> None:
    files = {name: content(4, seed=seed) for seed, name in enumerate(("here", "half", "lost", "never"))}
    alert_arrived([exhibit_of(data, name) for name, data in files.items()])
    made = {name: prepared(theirs, files[name], tmp_path, name=name, about=ABOUT) for name in ("here", "half", "lost")}
    for number, each in enumerate(made.values(), 1):
        awaited(each, number)
    line = Memory(theirs, {each.notice.root: each for each in made.values()})
    EvidenceIn.objects.exclude(name="here").update(next_attempt_at=AT.replace(year=2030))
    fetcher(ours, line, clock).fetch_due(clock())
    EvidenceIn.objects.filter(name="half").update(have_chunks=1)
    EvidenceIn.objects.filter(name="lost").update(state="refused", last_error="It lied")
    views = {view.name: view for view in evidence_of(ours, ABOUT, partner="XC")}
    assert {name: view.state.value for name, view in views.items()} == {
        "here": "here",
        "half": "coming",
        "lost": "refused",
        "never": "not_offered",
    }
    assert (views["half"].have_chunks, views["half"].chunks) == (1, 4)
    assert views["lost"].error == "It lied"
    assert [name for name, view in views.items() if view.is_here] == ["here"]
    assert len(evidence_files(ours)) == 3
    assert evidence_files(ours, partner="XB") == ()


def test_the_offer_itself_shows_its_file(ours: Folder, theirs: Folder, tmp_path: Path) -> None:
    awaited(prepared(theirs, content(2), tmp_path))
    (view,) = evidence_of(ours, message_id(1))
    assert (view.state, view.partner, view.offered_at) == (EvidenceState.COMING, "XC", AT)


def test_what_is_here_opens_and_is_proved_to_the_last_block(
    ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork
) -> None:
    data = content(3)
    made = prepared(theirs, data, tmp_path, about=ABOUT)
    awaited(made)
    fetcher(ours, Memory(theirs, {made.notice.root: made}), clock).fetch_due(clock())
    opened = open_evidence(ours, message_id=ABOUT, sha256=made.notice.sha256)
    assert (opened.name, opened.media_type, opened.size_bytes) == ("scan.dcm", "application/dicom", len(data))
    assert b"".join(opened.blocks) == data
    path = ours.find(made.notice.sha256)
    assert path is not None
    path.write_bytes(b"x" + data[1:])
    with pytest.raises(EvidenceError, match="changed on disk"):
        list(open_evidence(ours, message_id=ABOUT, sha256=made.notice.sha256).blocks)


def test_what_is_not_here_says_why(ours: Folder, theirs: Folder, tmp_path: Path) -> None:
    made = prepared(theirs, content(3), tmp_path, about=ABOUT)
    alert_arrived([exhibit_of(content(1, seed=5), "never")])
    for sha256, code in (("0" * 64, "unknown_evidence"), (notice_of(content(1, seed=5)).sha256, "evidence")):
        with pytest.raises(EvidenceError) as caught:
            open_evidence(ours, message_id=ABOUT, sha256=sha256)
        assert caught.value.code == code
    awaited(made)
    with pytest.raises(EvidenceError) as caught:
        open_evidence(ours, message_id=ABOUT, sha256=made.notice.sha256)
    assert "fetched by itself" in caught.value.remedy
    purge(ours, message_id=ABOUT)
    with pytest.raises(EvidenceError):
        open_evidence(ours, message_id=ABOUT, sha256=made.notice.sha256)
    assert row().state == EvidenceIn.State.PURGED


def test_ours_are_offered_fetched_or_withdrawn(theirs: Folder, tmp_path: Path) -> None:
    here, away = content(1), content(1, seed=3)
    keep(theirs, here, tmp_path)
    alert = release(exhibits=(exhibit_of(here, "here"), exhibit_of(away, "away")))
    posted = post(CHIPO, alert, signer=LOG, at=AT)
    assert states(theirs, posted) == {"here": EvidenceState.HERE, "away": EvidenceState.NOT_OFFERED}
    made = prepared(theirs, here, tmp_path, name="here", about=posted)
    offer(made, message_id=message_id(1), at=AT)
    assert states(theirs, posted)["here"] == EvidenceState.OFFERED
    EvidenceOut.objects.update(sent_chunks=1)
    assert states(theirs, posted)["here"] == EvidenceState.FETCHED
    assert open_evidence(theirs, message_id=posted, sha256=made.notice.sha256).name == "here"
    withdraw(CHIPO, message_id=message_id(1), at=AT)
    assert states(theirs, posted)["here"] == EvidenceState.WITHDRAWN


def test_a_message_without_files_has_none(ours: Folder) -> None:
    assert evidence_of(ours, message_id(99)) == ()
    alert_arrived([])
    InboxMessage.objects.update(data=b"")
    assert evidence_of(ours, ABOUT) == ()


def test_exhibits_that_cannot_be_read_are_left_out(ours: Folder) -> None:
    good = exhibit_of(content(1), "good")
    alert_arrived([good, replace(good, sha256="../../etc/passwd")])
    assert states(ours) == {"good": EvidenceState.NOT_OFFERED}
