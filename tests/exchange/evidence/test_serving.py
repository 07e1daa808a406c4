"""The partner port: a chunk for who was offered the file, and for nobody else; pushed chunks in order, each proved."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connections

from comity.exchange.directory import Peer, load_peer
from comity.exchange.errors import TransportError
from comity.exchange.evidence import EvidenceError, Folder, NoRoomError, Prepared, Pusher, offer, purge, withdraw
from comity.exchange.evidence.ahead import Ahead
from comity.exchange.evidence.errors import ChunkRefusedError, EvidenceGoneError
from comity.exchange.evidence.parts import CHUNK_MEDIA_TYPE, CarriedChunk, read_chunk
from comity.exchange.evidence.serving import serve_chunk, take_chunk
from comity.exchange.evidence.storing import coming_name
from comity.exchange.models import EvidenceIn, EvidenceOut, OutboxMessage, Partner
from comity.exchange.transports.https.routes import Asked, Page
from comity.staff import PermissionRefusedError
from comity.trust import Keyring, open_chunk, verify_chunk
from tests.exchange.cast import AT, CHIPO, keyring
from tests.exchange.evidence.cast import RULES, SMALL, Clockwork, awaited, content, message_id, prepared, row

pytestmark = pytest.mark.django_db(transaction=True)


def ask(root: str, number: int | str, *, who: str = "XA", body: bytes = b"") -> Asked:
    return Asked(load_peer(who), AT, {"root": root, "number": str(number)}, {}, body)


def code_of(page: Page) -> tuple[int, str]:
    return page.status, json.loads(page.body).get("code", "")


@pytest.fixture
def offered(theirs: Folder, tmp_path: Path) -> Prepared:
    """XC offers XA a file of four chunks; this database is XC's."""
    made = prepared(theirs, content(3.5), tmp_path)
    offer(made, message_id=message_id(1), at=AT)
    return made


def test_each_chunk_verifies_and_opens_with_what_the_message_says(theirs: Folder, offered: Prepared) -> None:
    notice, opened = offered.notice, b""
    for number in range(notice.chunks):
        page = serve_chunk(theirs, ask(notice.root, number))
        assert (page.status, page.media_type) == (200, CHUNK_MEDIA_TYPE)
        chunk, shape = read_chunk(page.body), offered.sealed.shape
        verify_chunk(chunk.sealed, number, shape=shape, path=chunk.path, root=bytes.fromhex(notice.root))
        opened += open_chunk(chunk.sealed, number, shape=shape, key=b64decode(notice.key))
    assert opened == content(3.5)
    assert EvidenceOut.objects.get().sent_chunks == notice.chunks


def test_it_is_sealed_anew_for_each_recipient(theirs: Folder, offered: Prepared, tmp_path: Path) -> None:
    other = prepared(theirs, content(3.5), tmp_path, recipient="XB")
    assert other.notice.sha256 == offered.notice.sha256
    assert other.notice.root != offered.notice.root
    assert other.key != offered.key


@pytest.mark.parametrize("who", ["XB", "XC"])
def test_nobody_else_gets_it(theirs: Folder, offered: Prepared, who: str) -> None:
    assert code_of(serve_chunk(theirs, ask(offered.notice.root, 0, who=who))) == (404, "unknown_evidence")


@pytest.mark.parametrize("number", [4, -1, "x", "٣", "1e1", "", "9" * 40])
def test_a_chunk_that_there_is_not(theirs: Folder, offered: Prepared, number: int | str) -> None:
    assert serve_chunk(theirs, ask(offered.notice.root, number)).status == 404


def test_a_root_that_there_is_not(theirs: Folder, offered: Prepared) -> None:
    assert serve_chunk(theirs, ask("0" * 64, 0)).status == 404
    assert serve_chunk(theirs, ask(offered.notice.sha256, 0)).status == 404


def test_what_was_withdrawn_is_gone_and_its_key_too(theirs: Folder, offered: Prepared) -> None:
    with pytest.raises(PermissionRefusedError):
        withdraw(replace(CHIPO, roles=frozenset()), message_id=message_id(1), at=AT)
    withdraw(CHIPO, message_id=message_id(1), at=AT)
    assert code_of(serve_chunk(theirs, ask(offered.notice.root, 0))) == (410, "evidence_withdrawn")
    assert bytes(EvidenceOut.objects.get().key) == b""
    with pytest.raises(EvidenceError):
        withdraw(CHIPO, message_id=message_id(1), at=AT)


@pytest.mark.parametrize("damage", [b"", b"\x00", None], ids=["truncated", "changed", "missing"])
def test_a_file_that_is_not_what_it_was_is_never_sealed_again(
    theirs: Folder, offered: Prepared, damage: bytes | None
) -> None:
    path = theirs.find(offered.notice.sha256)
    assert path is not None
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage + path.read_bytes()[1:] if damage else b"")
    page = serve_chunk(theirs, ask(offered.notice.root, 0))
    assert code_of(page) == (503, "evidence_missing")
    assert str(theirs.root).encode() not in page.body


def pushed(ours: Folder, made: Prepared, theirs: Folder, number: int, body: bytes | None = None) -> dict[str, Any]:
    data = theirs.read_chunk(made.sealed.shape, number)
    chunk = CarriedChunk(tuple(made.sealed.path(number)), _seal(made, number, data))
    page = take_chunk(ours, ask(made.notice.root, number, who="XC", body=chunk.to_bytes() if body is None else body))
    return {"status": page.status, **json.loads(page.body)}


def _seal(made: Prepared, number: int, data: bytes) -> bytes:
    shape = made.sealed.shape
    context = f"comity/evidence/1 {shape.sha256} {shape.size_bytes} {SMALL} {number} {shape.chunks}".encode()
    return AESGCM(made.key).encrypt(number.to_bytes(12, "big"), data, context)


def test_pushed_chunks_make_the_file(ours: Folder, theirs: Folder, tmp_path: Path) -> None:
    made = prepared(theirs, content(2.5), tmp_path)
    awaited(made)
    assert [pushed(ours, made, theirs, number)["have"] for number in (0, 1, 2)] == [1, 2, 3]
    assert row().state == EvidenceIn.State.COMPLETE
    assert b"".join(ours.read_proved(made.notice.sha256)) == content(2.5)
    assert pushed(ours, made, theirs, 1)["have"] == 3


def test_a_push_leaves_the_database_its_room(ours: Folder, theirs: Folder, tmp_path: Path) -> None:
    made = prepared(theirs, content(2.5), tmp_path)
    awaited(made)
    full = replace(ours, spare_bytes=2**62)
    assert pushed(full, made, theirs, 0)["status"] == 507
    assert (row().have_chunks, ours.is_coming(coming_name(row()))) == (0, False)
    assert pushed(ours, made, theirs, 0)["have"] == 1


def test_a_push_out_of_order_hears_where_to_go_on(ours: Folder, theirs: Folder, tmp_path: Path) -> None:
    made = prepared(theirs, content(4), tmp_path)
    awaited(made)
    assert pushed(ours, made, theirs, 2)["have"] == 0
    assert pushed(ours, made, theirs, 0)["have"] == 1
    assert pushed(ours, made, theirs, 0)["have"] == 1
    assert pushed(ours, made, theirs, 1)["have"] == 3, "the one that came before its turn was kept"
    assert pushed(ours, made, theirs, 3)["have"] == 4
    assert b"".join(ours.read_proved(made.notice.sha256)) == content(4)


def test_one_far_ahead_is_not_kept(ours: Folder, theirs: Folder, tmp_path: Path) -> None:
    made = prepared(theirs, content(12), tmp_path)
    awaited(made)
    for number in (11, 10, 9):
        assert pushed(ours, made, theirs, number)["have"] == 0
    assert [pushed(ours, made, theirs, number)["have"] for number in range(9)] == [*range(1, 10)]


def test_a_wrong_one_ahead_is_refused_as_any(ours: Folder, theirs: Folder, tmp_path: Path) -> None:
    made = prepared(theirs, content(3), tmp_path)
    awaited(made)
    assert pushed(ours, made, theirs, 1, b"\x00x")["status"] == 422
    assert pushed(ours, made, theirs, 1)["have"] == 0
    assert pushed(ours, made, theirs, 0)["have"] == 2


def test_what_waits_goes_when_the_file_is_not_wanted(ours: Folder, theirs: Folder, tmp_path: Path) -> None:
    made = prepared(theirs, content(3), tmp_path)
    awaited(made)
    pushed(ours, made, theirs, 1)
    purge(ours, message_id=message_id(1))
    assert pushed(ours, made, theirs, 0)["status"] == 410
    assert not ours.is_coming(coming_name(row()))


def test_what_may_wait_is_bounded() -> None:
    ahead = Ahead(most_bytes=10)
    for file in (1, 2):
        for number in (1, 2):
            ahead.hold(file, number, b"xxx")
    assert [ahead.take(1, 1), ahead.take(1, 2)] == [None, None], "looked at longest ago"
    ahead.hold(2, 1, b"yyyy")
    assert ahead.take(2, 1) == b"yyyy"
    assert ahead.take(2, 1) is None
    ahead.drop(2)
    ahead.drop(3)
    assert ahead.take(2, 2) is None
    ahead.hold(4, 1, b"x" * 11)
    assert ahead.take(4, 1) is None
    ahead.hold(5, 1, b"x" * 10)
    assert ahead.take(5, 1) == b"x" * 10


@pytest.mark.parametrize("order", [[2, 1, 0], [1, 0, 2], [0, 2, 1]])
def test_whatever_the_order_each_is_sent_once(ours: Folder, theirs: Folder, tmp_path: Path, order: list[int]) -> None:
    made = prepared(theirs, content(2.5), tmp_path)
    awaited(made)
    assert max(pushed(ours, made, theirs, number)["have"] for number in order) == 3
    assert row().state == EvidenceIn.State.COMPLETE


def test_a_push_without_a_message_or_from_another_is_refused(ours: Folder, theirs: Folder, tmp_path: Path) -> None:
    made = prepared(theirs, content(2), tmp_path)
    assert pushed(ours, made, theirs, 0)["code"] == "unknown_evidence"
    awaited(made)
    assert take_chunk(ours, ask(made.notice.root, 0, who="XB", body=b"\x00x")).status == 404
    assert take_chunk(ours, ask(made.notice.root, 2, who="XC", body=b"\x00x")).status == 404


@pytest.mark.parametrize("body", [b"", b"\x00", b"\xff" * 50, b"\x02" + bytes(200), b"\x00" + bytes(SMALL + 16)])
def test_wrong_pushes_end_in_a_refusal(ours: Folder, theirs: Folder, tmp_path: Path, body: bytes) -> None:
    made = prepared(theirs, content(2), tmp_path)
    awaited(made)
    said = [pushed(ours, made, theirs, 0, body) for _ in range(4)]
    assert [each["status"] for each in said] == [422, 422, 422, 410]
    assert row().state == EvidenceIn.State.REFUSED


def test_a_right_push_forgives_the_wrong_ones(ours: Folder, theirs: Folder, tmp_path: Path) -> None:
    made = prepared(theirs, content(3), tmp_path)
    awaited(made)
    for number in (0, 1, 2):
        assert pushed(ours, made, theirs, number, b"\x00x")["status"] == 422
        assert pushed(ours, made, theirs, number, b"\x00x")["status"] == 422
        assert pushed(ours, made, theirs, number)["have"] == number + 1


class Through:
    """XC's end pushing into XA's port, without the wire. Both ends share this database."""

    def __init__(self, ours: Folder) -> None:
        self.ours, self.troubles, self.pushed = ours, list[Exception](), list[int]()
        self.one = Lock()

    def fetch(self, root: str, number: int) -> CarriedChunk:
        """Nobody fetches on this line."""
        raise NotImplementedError

    def push(self, root: str, number: int, chunk: CarriedChunk) -> int:
        """As XA answers."""
        self.pushed.append(number)
        if self.troubles:
            raise self.troubles.pop(0)
        with self.one:  # two at once in a database in memory would find its tables locked
            page = take_chunk(self.ours, ask(root, number, who="XC", body=chunk.to_bytes()))
            connections.close_all()
        assert page.status == 200, page.body
        have: int = json.loads(page.body)["have"]
        return have

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def pushing(ours: Folder, theirs: Folder, tmp_path: Path, clock: Clockwork) -> tuple[Pusher, Through]:
    """XC pushes a file of six chunks to XA, whose message has arrived."""
    made = prepared(theirs, content(6), tmp_path)
    offer(made, message_id=message_id(1), at=AT)
    awaited(made)
    _delivered(message_id(1))
    Partner.objects.filter(administration="XA").update(is_collected=True)
    line = Through(ours)

    def connect(_keyring: Keyring, _peer: Peer) -> Through:
        return line

    return Pusher(keyring("XC"), theirs, clock, RULES, connect=connect), line


def _delivered(name: str, state: str = "delivered") -> None:
    OutboxMessage.objects.create(
        message_id=name,
        partner=Partner.objects.get(administration="XA"),
        sequence=1,
        kind="evidence/1",
        agreement="0" * 64,
        article="2",
        purpose="control",
        handling="official",
        posted_at=AT,
        posted_by="chipo",
        data=b"",
        sha256="0" * 64,
        salt=b"",
        log_index=0,
        decision=b"",
        state=state,
    )


def test_what_a_partner_cannot_fetch_is_pushed(pushing: tuple[Pusher, Through], clock: Clockwork) -> None:
    pusher, line = pushing
    assert pusher.push_due(clock()) == 6
    assert sorted(line.pushed) == [0, 1, 2, 3, 4, 5], "each once"
    assert row().state == EvidenceIn.State.COMPLETE
    assert EvidenceOut.objects.get().sent_chunks == 6
    assert pusher.push_due(clock()) == 0


def test_a_push_goes_on_where_the_receiver_is(pushing: tuple[Pusher, Through], clock: Clockwork) -> None:
    pusher, line = pushing
    replace_slices(pusher, 2)
    pusher.push_due(clock())
    EvidenceOut.objects.update(sent_chunks=0)  # the sender was restored from a backup
    line.pushed.clear()
    replace_slices(pusher, 100)
    pusher.push_due(clock())
    assert (line.pushed[0], sorted(line.pushed)) == (0, [0, 2, 3, 4, 5])
    assert row().state == EvidenceIn.State.COMPLETE


def replace_slices(pusher: Pusher, count: int) -> None:
    pusher.rules = replace(RULES, slice_chunks=count)


@pytest.mark.parametrize("trouble", [TransportError("dead"), NoRoomError("full")], ids=["line", "room"])
def test_a_push_that_fails_is_tried_again_later(
    pushing: tuple[Pusher, Through], clock: Clockwork, trouble: Exception
) -> None:
    pusher, line = pushing
    line.troubles = [trouble, trouble]
    assert pusher.push_due(clock()) == 0
    assert pusher.push_due(clock()) == 0
    assert len(line.pushed) == 1, "not before its time"
    pusher.push_due(clock.move(seconds=2))
    assert pusher.push_due(clock.move(seconds=3)) == 6


@pytest.mark.parametrize("trouble", [EvidenceGoneError("refused"), ChunkRefusedError("wrong")])
def test_a_receiver_that_does_not_want_it_is_asked_seldom(
    pushing: tuple[Pusher, Through], clock: Clockwork, trouble: Exception
) -> None:
    pusher, line = pushing
    line.troubles = [trouble]
    pusher.push_due(clock())
    assert pusher.push_due(clock.move(minutes=29)) == 0
    assert len(line.pushed) == 1
    assert pusher.push_due(clock.move(minutes=2)) == 6


def test_nothing_is_pushed_before_its_message_has_arrived(pushing: tuple[Pusher, Through], clock: Clockwork) -> None:
    pusher, line = pushing
    OutboxMessage.objects.update(state="sent")
    assert pusher.push_due(clock()) == 0
    Partner.objects.filter(administration="XA").update(state="suspended")
    OutboxMessage.objects.update(state="delivered")
    assert pusher.push_due(clock()) == 0
    assert line.pushed == []


def test_a_receiver_that_takes_nothing_is_not_asked_for_ever(
    pushing: tuple[Pusher, Through], clock: Clockwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    pusher, line = pushing
    for have in (0, 7):
        monkeypatch.setattr(line, "push", lambda *_args, have=have: have)
        assert pusher.push_due(clock.move(minutes=5)) == 0
    assert EvidenceOut.objects.get().sent_chunks == 0
