"""The partner port and the client in one process, over real TLS on loopback.

Only one thread uses the database at a time, so that the tests also run on SQLite's shared memory.
"""

from __future__ import annotations

import asyncio
import json
import queue
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime

import pytest
import uvicorn

from comity.exchange.checking import Parcel
from comity.exchange.delivery import DeliveryWorker, Postman, deliver_due, drain
from comity.exchange.directory import Peer, load_peer
from comity.exchange.models import Delivery, Partner, Refusal
from comity.exchange.outcomes import Outcome
from comity.exchange.position import Position
from comity.exchange.services import Posting, post, post_all
from comity.exchange.transports.https.client import HTTPSTransport
from comity.exchange.transports.https.doorman import is_issued_by
from comity.exchange.transports.https.server import PartnerPort, make_server
from comity.trust import make_authority
from tests.exchange.cast import AT, LOG, NODE_XC, Loop, adopt_demo, introduce, keyring, receiver, release, states
from tests.exchange.ports import free_ports

pytestmark = pytest.mark.django_db(transaction=True)


def clock() -> datetime:
    return AT


@contextmanager
def serving(**changes: object) -> Iterator[int]:
    """XA's partner port; its number."""
    (number,) = free_ports(1)
    port = PartnerPort("127.0.0.1", number, receiver("XA"), clock, refresh_seconds=3600.0)
    server = make_server(replace(port, **changes))  # type: ignore[arg-type]  # the tests name fields of PartnerPort
    thread = threading.Thread(target=run, args=(server, ready := threading.Event()))
    thread.start()
    ready.wait(20)
    try:
        yield number
    finally:
        server.should_exit = True
        thread.join()


def run(server: uvicorn.Server, ready: threading.Event) -> None:
    async def serve() -> None:
        serving = asyncio.ensure_future(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        ready.set()
        await serving

    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(serve())


@pytest.fixture(autouse=True)
def partners() -> None:
    introduce("XA", "XB", "XC")
    adopt_demo()


def point_to(number: int) -> None:
    Partner.objects.filter(administration="XA").update(endpoint=f"https://127.0.0.1:{number}")


def post_alerts(count: int) -> None:
    permitted = release()
    post_all(NODE_XC, [Posting(permitted)] * count, signer=LOG, at=AT)


def test_envelopes_and_positions_cross_the_wire() -> None:
    post_alerts(6)
    with serving() as number, closing(HTTPSTransport(keyring("XC"))) as transport:
        point_to(number)
        assert deliver_due(keyring("XC"), AT, transport=transport) == 1
        assert set(states()) == {"delivered"}
        told: queue.SimpleQueue[Position | None] = queue.SimpleQueue()
        transport.ask_position(load_peer("XA"), lambda _peer, position: told.put(position))
        assert told.get(timeout=20) == Position(6)


def test_without_a_transport_it_goes_by_https() -> None:
    post_alerts(1)
    with serving() as number:
        point_to(number)
        assert deliver_due(keyring("XC"), AT) == 1
    assert set(states()) == {"delivered"}


def outcome_of(number: int, parcel: Parcel, code: str = "XC") -> Outcome:
    """What comes back when `code` brings this parcel."""
    answers: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    peer = replace(parcel.peer, endpoint=f"https://127.0.0.1:{number}")
    with closing(HTTPSTransport(keyring(code), answer_seconds=20.0)) as transport:
        transport.send([replace(parcel, peer=peer)], lambda _parcel, outcome: answers.put(outcome))
        return answers.get(timeout=30)


def one_parcel() -> Parcel:
    post(NODE_XC, release(), signer=LOG, at=AT)
    loop = Loop(is_down=True)
    Postman(keyring("XC"), loop).round([], AT)
    return loop.carried[0]


def test_a_partner_cannot_speak_for_another() -> None:
    parcel = one_parcel()
    with serving() as number:
        outcome = outcome_of(number, parcel, "XB")
    assert json.loads(outcome.body)["code"] == "not_your_certificate"
    assert not outcome.is_receipt
    assert Refusal.objects.get().sender == "XC"


def test_garbage_is_refused_with_a_signature() -> None:
    parcel = one_parcel()
    with serving() as number:
        outcome = outcome_of(number, replace(parcel, data=b"garbage"))
    assert json.loads(outcome.body)["code"] == "bad_form"
    assert "refusal" in json.loads(outcome.body)


def test_too_much_is_refused_before_it_is_queued() -> None:
    parcel = one_parcel()
    with serving() as number:
        outcome = outcome_of(number, replace(parcel, data=b"x" * (8 * 1024 * 1024 + 1)))
    assert json.loads(outcome.body)["code"] == "too_large"


def test_no_room_is_told_with_a_time() -> None:
    parcel = one_parcel()
    with serving(waiting=0) as number:
        outcome = outcome_of(number, parcel)
    assert (outcome.retry_after_seconds, outcome.is_receipt) == (1.0, False)
    assert "503" in outcome.failure


def test_a_fault_of_ours_is_a_failure_and_the_envelope_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A validator that breaks is a fault of ours: it is no answer to the sender."""
    parcel = one_parcel()
    broken = replace(receiver("XA"), validators={"alert/1": lambda _body: 1 / 0})
    with serving(receiver=broken) as number:
        outcome = outcome_of(number, parcel)
    assert "500" in outcome.failure


def test_nobody_listens() -> None:
    parcel = one_parcel()
    (number,) = free_ports(1)
    assert "cannot be reached" in outcome_of(number, parcel).failure


@contextmanager
def speaking(*answers: bytes) -> Iterator[int]:
    """A server with XA's certificate that says these things, one for each connection, and closes."""
    import ssl

    from comity.exchange.transports.https.contexts import server_context

    context = server_context(keyring("XA"))
    context.verify_mode = ssl.CERT_NONE
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            for answer in answers:
                plain, _ = listener.accept()
                # A client that has heard enough breaks off: that is what some of the tests are about.
                with (
                    suppress(ConnectionError, ssl.SSLEOFError),
                    context.wrap_socket(plain, server_side=True) as wrapped,
                ):
                    wrapped.recv(65536)
                    wrapped.sendall(answer)

        thread = threading.Thread(target=speak)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "closed the connection"),
        (b"no HTTP at all\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort", "closed the connection"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi", "answered 200"),
        (b"HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 0\r\n\r\n", "answered 302"),
        (b"HTTP/1.1 503 No\r\nretry-after: Fri\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", "answered 503"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9000000\r\n\r\n" + b"x" * 5_000_000, "too large"),
    ],
)
def test_whatever_a_server_says_is_an_outcome(answer: bytes, words: str) -> None:
    parcel = one_parcel()
    with speaking(answer) as number:
        assert words in outcome_of(number, parcel).failure


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"\xff", b'{"contiguous": "x", "islands": []}', b'{"contiguous": 1e999, "islands": []}']
)
def test_a_position_that_cannot_be_read_is_none(body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
    told: queue.SimpleQueue[Position | None] = queue.SimpleQueue()
    with speaking(head + body) as number, closing(HTTPSTransport(keyring("XC"))) as transport:
        peer = replace(load_peer("XA"), endpoint=f"https://127.0.0.1:{number}")
        transport.ask_position(peer, lambda _peer, position: told.put(position))
        assert told.get(timeout=20) is None


def test_an_answer_that_does_not_come_is_given_up() -> None:
    parcel = one_parcel()
    answers: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        peer = replace(parcel.peer, endpoint=f"https://127.0.0.1:{deaf.getsockname()[1]}")
        transport = HTTPSTransport(keyring("XC"))
        transport.send([replace(parcel, peer=peer)], lambda _parcel, outcome: answers.put(outcome))
        plain, _ = deaf.accept()
        transport.close()
        plain.close()
    assert "stopping" in answers.get(timeout=20).failure


def test_a_certificate_of_another_authority_binds_nobody() -> None:
    authority = make_authority("XB", AT).certificate
    assert not is_issued_by(b"no certificate", authority)
    assert not is_issued_by(b"", "no authority")


class Noticed(Loop):
    """A loop that tells when something was carried."""

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()

    def send(self, parcels, done) -> None:  # type: ignore[no-untyped-def]  # as its base
        super().send(parcels, done)
        self.event.set()

    def ask_position(self, peer: Peer, told) -> None:  # type: ignore[no-untyped-def]  # as its base
        super().ask_position(peer, told)


def test_the_worker_delivers_until_it_is_stopped() -> None:
    post_alerts(3)
    loop = Noticed()
    worker = DeliveryWorker(keyring("XC"), clock=clock, transport=loop, poll_seconds=0.05)
    worker.start()
    try:
        assert loop.event.wait(20)
    finally:
        worker.stop()
    assert sorted(loop.asked) == ["XA", "XB", "XC"]
    assert set(states()) <= {"delivered", "sent"}
    assert Delivery.objects.get(partner__administration="XA").failures == 0


def test_a_round_that_fails_is_logged_and_the_worker_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    post_alerts(1)
    loop = Noticed()
    ticks = iter([0, 0])

    def broken_clock() -> datetime:
        if next(ticks, None) is not None:
            raise RuntimeError("The clock stands still")
        return AT

    worker = DeliveryWorker(keyring("XC"), clock=broken_clock, transport=loop, poll_seconds=0.05)
    worker.start()
    try:
        assert loop.event.wait(20)
    finally:
        worker.stop()
    assert "A round of delivery failed" in caplog.text


def test_draining_an_empty_queue_gives_nothing() -> None:
    assert drain(queue.SimpleQueue(), 0.01) == []
