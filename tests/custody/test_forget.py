"""A recall stops the files too: the sender gives out no more of them, and who has half of one drops it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from comity.common import Actor, ActorKind, new_id
from comity.custody import Limits, Mode, RecallError, RecallOrder
from comity.custody import services as keeping
from comity.custody.notices import sign_recall
from comity.custody.services import Arrived, HandedOn
from comity.exchange import ReceivedMessage
from comity.exchange.directory import load_peer
from comity.exchange.evidence import Folder, offer
from comity.exchange.evidence.errors import EvidenceGoneError
from comity.exchange.evidence.serving import serve_chunk, take_chunk
from comity.exchange.evidence.storing import coming_name
from comity.exchange.models import EvidenceOut
from comity.exchange.services import post
from comity.exchange.transports.https.routes import Asked
from comity.journeys import forget
from comity.journeys.evidence import FileWish, share_evidence
from tests.exchange.cast import AT, LOG, NODE_XC, introduce, keyring, message, release
from tests.exchange.evidence.cast import (
    Clockwork,
    Memory,
    adopt_files,
    awaited,
    content,
    fetcher,
    message_id,
    prepared,
    row,
)
from tests.journeys.conftest import ROLES

pytestmark = pytest.mark.django_db(transaction=True)
CHIPO = Actor(ActorKind.OFFICER, "chipo", "XC", ROLES)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "shoe.jpg"
    path.write_bytes(content(3.5))
    return path


@pytest.fixture
def xc(settings: Settings, tmp_path: Path) -> Folder:
    """This node is XC, which has an alert with XA and one with XB."""
    settings.COMITY_ADMINISTRATION, settings.COMITY_KEYRING = "XC", keyring("XC")
    settings.COMITY_EVIDENCE = tmp_path / "xc"
    introduce("XA", "XB")
    adopt_files()
    return Folder(tmp_path / "xc")


def offers(photo: Path, *recipients: str) -> tuple[str, list[str]]:
    """An alert of XC's at XA, and a file about it at each recipient; the ids."""
    alert = post(NODE_XC, release("XA"), signer=LOG, at=AT)
    ids = []
    for recipient in recipients:
        about = alert if recipient == "XA" else ""
        wish = FileWish(path=photo, about=about)
        ((_, name),) = share_evidence(CHIPO, file=wish, recipients=[recipient], purpose="control", at=AT).posted
        ids.append(name)
    return alert, ids


def status(folder: Folder, root: str, who: str) -> int:
    return serve_chunk(folder, Asked(load_peer(who), AT, {"root": root, "number": "0"}, {})).status


@pytest.mark.parametrize("by", ["the alert that it belongs to", "the message that offered it"])
@pytest.mark.parametrize("mode", [Mode.RECALL, Mode.CORRECT, Mode.TIGHTEN])
def test_what_is_recalled_is_given_out_no_more(xc: Folder, photo: Path, by: str, mode: Mode) -> None:
    alert, (to_xa, to_xb) = offers(photo, "XA", "XB")
    mine, other = EvidenceOut.objects.get(message_id=to_xa), EvidenceOut.objects.get(message_id=to_xb)
    assert status(xc, mine.root, "XA") == 200
    name = alert if by.startswith("the alert") else to_xa
    wish = forget.Wish(mode, "information_wrong")
    if mode is Mode.CORRECT:
        new = post(NODE_XC, release("XA", ref="XC-2026-0008"), signer=LOG, at=AT)
        wish = forget.Wish(mode, "information_wrong", replacement=((name, new),))
    if mode is Mode.TIGHTEN:
        wish = forget.Wish(mode, "information_wrong", keep_until=AT + timedelta(days=3))
    forget.recall(CHIPO, message_ids=[name], wish=wish, at=AT)
    mine.refresh_from_db()
    other.refresh_from_db()
    if mode is Mode.TIGHTEN:
        assert (mine.withdrawn_at, status(xc, mine.root, "XA")) == (None, 200)
    else:
        assert (mine.withdrawn_at, bytes(mine.key), status(xc, mine.root, "XA")) == (AT, b"", 410)
    assert (other.withdrawn_at, status(xc, other.root, "XB")) == (None, 200), "another recipient's offer stands"


def test_a_recall_that_is_refused_withdraws_nothing(xc: Folder, photo: Path) -> None:
    _, (to_xa,) = offers(photo, "XA")
    with pytest.raises(RecallError):
        forget.recall(CHIPO, message_ids=[to_xa], wish=forget.Wish(Mode.RECALL, "a whim"), at=AT)
    assert EvidenceOut.objects.get().withdrawn_at is None


def order_of_xb(name: str, at: datetime) -> ReceivedMessage:
    made = RecallOrder(str(new_id(at)), "XB", (name,), Mode.RECALL, "information_wrong", at, at + timedelta(days=1))
    body = sign_recall(made, keyring("XB").signing).to_body()
    duty = message(90, kind="recall/1", sender="XB", origin="XB", recipient="XC", article="duty", body=body)
    return ReceivedMessage(duty, at, 2, 1)


def test_a_forwarder_gives_out_no_more_of_what_belongs_to_the_copy(xc: Folder, tmp_path: Path) -> None:
    name, limits = message_id(70), Limits(None, "official")
    came = Arrived("XB", name, "XB", name, "alert/1", "0" * 64, "1", limits)
    held = keeping.note_arrival("XC", came, at=AT)
    copy = HandedOn("XA", message_id(71), "0" * 64, "1", "", limits)
    keeping.note_hand_on(CHIPO, held, copy, at=AT)
    made = prepared(xc, content(2), tmp_path, about=copy.copy_id)
    offer(made, message_id=message_id(72), at=AT)
    with transaction.atomic():
        forget.take_recall(order_of_xb(name, AT))
    assert EvidenceOut.objects.get().withdrawn_at == AT


@pytest.fixture
def half(settings: Settings, tmp_path: Path) -> tuple[Folder, Memory, Clockwork]:
    """This node is XA, to which four of the twelve chunks of a file of XC have come."""
    settings.COMITY_ADMINISTRATION, settings.COMITY_KEYRING = "XA", keyring("XA")
    settings.COMITY_EVIDENCE = tmp_path / "xa"
    introduce("XA", "XC")
    adopt_files()
    ours, theirs, clock = Folder(tmp_path / "xa"), Folder(tmp_path / "xc"), Clockwork()
    made = prepared(theirs, content(12), tmp_path, about=message_id(60))
    awaited(made)
    line = Memory(theirs, {made.notice.root: made}, dies_at=4)
    fetcher(ours, line, clock).fetch_due(AT)
    assert (row().have_chunks, ours.is_coming(coming_name(row()))) == (4, True)
    clock.move(hours=1)
    line.dies_at = None
    line.asked.clear()
    return ours, line, clock


def recall_arrives(at: datetime) -> None:
    """XC's order for the alert that the file belongs to, which XA holds."""
    name = message_id(60)
    keeping.note_arrival("XA", Arrived("XC", name, "XC", name, "alert/1", "0" * 64, "1", Limits(None, "")), at=AT)
    made = RecallOrder(str(new_id(at)), "XC", (name,), Mode.RECALL, "information_wrong", at, at + timedelta(days=1))
    body = sign_recall(made, keyring("XC").signing).to_body()
    duty = message(90, kind="recall/1", article="duty", body=body)
    with transaction.atomic():
        forget.take_recall(ReceivedMessage(duty, at, 2, 1))


def test_half_a_file_goes_with_its_message_and_no_more_of_it_is_asked_for(
    half: tuple[Folder, Memory, Clockwork],
) -> None:
    ours, line, clock = half
    recall_arrives(clock())
    assert (row().state, bytes(row().key), ours.is_coming(coming_name(row()))) == ("purged", b"", False)
    assert fetcher(ours, line, clock).fetch_due(clock.move(hours=1)) == 0
    assert line.asked == []


def test_a_recall_in_the_midst_of_fetching_ends_it(half: tuple[Folder, Memory, Clockwork]) -> None:
    ours, line, clock = half
    looks = 0

    def tick() -> datetime:
        nonlocal looks
        looks += 1
        if looks == 4:  # after the first chunks of this slice
            recall_arrives(clock())
        return clock()

    fetcher(ours, line, tick).fetch_due(clock())
    assert looks == 4, "the order came, and nothing was written after it"
    assert max(line.asked) < 11, "it went on to the last chunk"
    assert (row().state, ours.is_coming(coming_name(row())), ours.find(row().sha256)) == ("purged", False, None)


def test_a_chunk_that_is_pushed_after_the_recall_is_not_kept(half: tuple[Folder, Memory, Clockwork]) -> None:
    ours, line, clock = half
    chunk = line.chunk(row().root, 4).to_bytes()
    asked = Asked(load_peer("XC"), clock(), {"root": row().root, "number": "4"}, {}, chunk)
    recall_arrives(clock())
    page = take_chunk(ours, asked)
    assert (page.status, json.loads(page.body)["code"]) == (410, "evidence_refused")
    assert not ours.is_coming(coming_name(row()))


def test_who_is_told_that_it_was_withdrawn_before_the_recall_comes_keeps_nothing(
    half: tuple[Folder, Memory, Clockwork],
) -> None:
    ours, line, clock = half
    line.trouble = EvidenceGoneError("The file was withdrawn")
    fetcher(ours, line, clock).fetch_due(clock())
    assert (row().state, ours.is_coming(coming_name(row()))) == ("refused", False)
    recall_arrives(clock())
    assert (row().state, bytes(row().key)) == ("purged", b"")
