"""The table of routes and the long poll, over real TLS on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from comity.common import ComityError
from comity.exchange import collector
from comity.exchange.bell import posted
from comity.exchange.collecting import hand_out
from comity.exchange.collector import CollectRules, CollectWorker
from comity.exchange.directory import load_peer
from comity.exchange.errors import TransportError
from comity.exchange.limits import RULES
from comity.exchange.models import InboxMessage, OutboxEnvelope, OutboxMessage, Partner
from comity.exchange.parts import Answered, PartList, read_parts
from comity.exchange.selectors import partner
from comity.exchange.services import Posting, post_all, set_partner_way, suspend_partner
from comity.exchange.transports.https import polling
from comity.exchange.transports.https.client import HTTPSTransport, Request
from comity.exchange.transports.https.connection import Response
from comity.exchange.transports.https.handing import collect_route
from comity.exchange.transports.https.routes import Asked, Page, Route, find_route, json_page, problem
from comity.trust import renew_certificate
from tests.exchange.cast import ANA, CHIPO, LOG, NODE_XC, adopt_demo, introduce, keyring, receiver, release
from tests.exchange.test_hostile_line import all_of, connected
from tests.exchange.test_https import clock, point_to, serving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def partners() -> None:
    introduce("XA", "XB", "XC")
    adopt_demo()


def echo(asked: Asked) -> Page:
    return json_page(
        {
            "who": asked.peer.administration,
            "parts": dict(asked.parts),
            "query": dict(asked.query),
            "size": len(asked.body),
        }
    )


def refuse(_asked: Asked) -> Page:
    raise ComityError("That cannot be", where="here", remedy="Try something else.")


def fault(_asked: Asked) -> Page:
    raise RuntimeError("a fault of ours")


ROUTES = (
    Route("GET", "/things/{name}/{number}", echo),
    Route("GET", "/tree/{rest:path}", echo),
    Route("PUT", "/things/{name}", echo, body_bytes=100),
    Route("GET", "/refused", refuse),
    Route("GET", "/fault", fault),
    Route("GET", "/none", lambda _asked: problem(404, "no_such_thing", "Nothing of this name is here")),
)


class Asking:
    """XC's client to XA's port at this number."""

    def __init__(self, transport: HTTPSTransport, number: int) -> None:
        point_to(number)
        self.transport, self.peer = transport, load_peer("XA")

    def get(self, path: str) -> Response:
        return self.transport.ask_now(self.peer, Request("GET", path))

    def put(self, path: str, body: bytes) -> Response:
        return self.transport.ask_now(self.peer, Request("PUT", path, body))


@contextmanager
def asking(*routes: Route, code: str = "XC", **changes: object) -> Iterator[Asking]:
    with serving(routes=routes or ROUTES, **changes) as number, closing(HTTPSTransport(keyring(code))) as transport:
        yield Asking(transport, number)


def test_routes_by_method_and_pattern() -> None:
    assert find_route(ROUTES, "GET", "/things/a%2Fb/7") == (ROUTES[0], {"name": "a/b", "number": "7"})
    assert find_route(ROUTES, "GET", "/tree/1/2/x003") == (ROUTES[1], {"rest": "1/2/x003"})
    for method, path in (("POST", "/things/a/7"), ("GET", "/things/a"), ("GET", "/things//7"), ("GET", "/refused/")):
        assert find_route(ROUTES, method, path) is None


def test_who_asks_and_what() -> None:
    with asking() as xc:
        answer = xc.get("/things/a%20b/7?x=1&x=2")
        assert answer.body == (
            b'{"parts":{"name":"a b","number":"7"},"query":{"sender":"XC","x":"1"},"size":0,"who":"XC"}'
        )
        assert b'"size":100' in xc.put("/things/a", b"x" * 100).body
        assert xc.put("/things/a", b"x" * 101).status == 413
        assert xc.put("/things/a", b"x" * 1000).status == 413
        assert xc.get("/none").status == 404
        assert xc.get("/nowhere").status == 404


def test_an_error_has_its_code_and_a_fault_of_ours_none(caplog: pytest.LogCaptureFixture) -> None:
    with asking() as xc:
        answer = xc.get("/refused")
        assert answer.status == 422
        assert b"That cannot be (here)" in answer.body
        assert b"Try something else." in answer.body
        assert xc.get("/fault").status == 500
        assert xc.get("/none").status == 404, "the clerk goes on"
    assert "a fault of ours" in caplog.text


def test_nobody_asks_for_another() -> None:
    with asking() as xc:
        for who, status in ((b"XB", b"403"), (b"XQ", b"403"), (b"XC", b"404")):
            with connected_as_xc(xc) as line:
                line.sendall(b"GET /none?sender=" + who + b" HTTP/1.1\r\nhost: xa\r\nconnection: close\r\n\r\n")
                assert all_of(line).split()[1] == status


def connected_as_xc(asking: Asking):  # type: ignore[no-untyped-def]  # a context manager of the other module
    return connected(int(asking.peer.endpoint.rpartition(":")[2]))


def test_without_a_name_the_certificate_says_it() -> None:
    with asking() as xc, connected_as_xc(xc) as line:
        line.sendall(b"GET /things/a/1 HTTP/1.1\r\nhost: xa\r\nconnection: close\r\n\r\n")
        assert b'"who":"XC"' in all_of(line)


def test_a_suspended_partner_is_told_so() -> None:
    suspend_partner(ANA, administration="XC", reason="A key is missing", at=clock())
    with asking() as xc:
        answer = xc.get("/things/a/1")
    assert answer.status == 403
    assert b"suspended_sender" in answer.body


def test_no_room_for_questions() -> None:
    with asking(waiting=0) as xc:
        assert xc.get("/none").status == 503


class Slowly:
    """A handler that has nothing until it is told."""

    def __init__(self) -> None:
        self.looks: list[bool] = []
        self.bodies: list[bytes] = []
        self.is_there = False
        self.looked = threading.Semaphore(0)

    def __call__(self, asked: Asked) -> Page | None:
        self.looks.append(asked.is_again)
        self.bodies.append(asked.body)
        page = json_page({"done": True}) if self.is_there else None
        self.looked.release()
        return page


def test_a_long_poll_is_woken_by_the_bell() -> None:
    slowly = Slowly()
    answers: list[Response | TransportError] = []
    with asking(Route("POST", "/wait", slowly, 100, 20.0)) as xc:
        done = threading.Event()

        def heard(answer: Response | TransportError) -> None:
            answers.append(answer)
            done.set()

        xc.transport.ask(xc.peer, Request("POST", "/wait", b"once"), heard)
        slowly.looked.acquire(timeout=20)
        slowly.is_there = True
        posted.ring()
        assert done.wait(20)
    assert isinstance(answers[0], Response)
    assert answers[0].body == b'{"done":true}'
    assert slowly.bodies == [b"once", *[b""] * (len(slowly.bodies) - 1)], "what it brought is done with at once"
    assert slowly.looks == [False, *[True] * (len(slowly.looks) - 1)]


def test_a_long_poll_ends_with_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "LOOK_SECONDS", 0.01)
    slowly = Slowly()
    with asking(Route("GET", "/wait", slowly, wait_seconds=0.1)) as xc:
        assert xc.get("/wait").status == 204
        assert xc.get("/wait").status == 204
    assert len(slowly.looks) > 2


def test_who_waits_is_sent_home_when_the_port_closes() -> None:
    slowly = Slowly()
    heard: list[Response | TransportError] = []
    with closing(HTTPSTransport(keyring("XC"))) as transport:
        with serving(routes=(Route("GET", "/wait", slowly, wait_seconds=600.0),)) as number:
            xc = Asking(transport, number)
            xc.transport.ask(xc.peer, Request("GET", "/wait"), heard.append)
            assert slowly.looked.acquire(timeout=20)
        begun = time.monotonic()
        while not heard and time.monotonic() - begun < 20:
            threading.Event().wait(0.01)
    assert isinstance(heard[0], Response)
    assert heard[0].status == 204


def test_nothing_is_handed_to_a_broken_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "LOOK_SECONDS", 0.01)
    slowly = Slowly()
    with serving(routes=(Route("GET", "/wait", slowly, wait_seconds=600.0),)) as number, connected(number) as line:
        line.sendall(b"GET /wait HTTP/1.1\r\nhost: xa\r\n\r\n")
        assert slowly.looked.acquire(timeout=20)
        # The port closes at once, since nobody waits any more: else it would not end within the test's time.


def test_too_many_who_wait_are_asked_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "POLLS_AT_ONCE", 0)
    with asking(Route("GET", "/wait", Slowly(), wait_seconds=600.0)) as xc:
        assert xc.get("/wait").status == 503


def test_a_partner_with_many_certificates_waits_no_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its authority issues as many as it likes; places to wait are for partners, not for certificates."""
    monkeypatch.setattr(polling, "POLLS_AT_ONCE", 1)
    slowly = Slowly()
    heard: list[Response | TransportError] = []
    other = renew_certificate(keyring("XC"), ["127.0.0.1"], clock())
    routes = (Route("GET", "/wait", slowly, wait_seconds=5.0),)
    with (
        closing(HTTPSTransport(keyring("XC"))) as one,
        closing(HTTPSTransport(other)) as two,
        serving(routes=routes) as number,
    ):
        xc, again = Asking(one, number), Asking(two, number)
        xc.transport.ask(xc.peer, Request("GET", "/wait"), heard.append)
        assert slowly.looked.acquire(timeout=20)
        assert again.get("/wait").status == 503


def test_a_client_that_is_closed_says_so() -> None:
    transport = HTTPSTransport(keyring("XC"))
    heard: list[Response | TransportError] = []
    slowly = Slowly()
    with serving(routes=(Route("GET", "/wait", slowly, wait_seconds=600.0),)) as number:
        xc = Asking(transport, number)
        xc.transport.ask(xc.peer, Request("GET", "/wait"), heard.append)
        assert slowly.looked.acquire(timeout=20)
        transport.close()
    assert isinstance(heard[0], TransportError)
    with closing(HTTPSTransport(keyring("XC"))) as other, pytest.raises(TransportError, match="cannot be reached"):
        other.ask_now(load_peer("XA"), Request("GET", "/none"))


def test_fetching_in_one_process() -> None:
    """XA's worker fetches at XC's port. The cast shares one database, so each waits for the other."""
    set_partner_way(CHIPO, administration="XA", way="collect", at=clock())
    post_all(NODE_XC, [Posting(release())] * 5, signer=LOG, at=clock())
    route, brought = collect_route(keyring("XC"), wait_seconds=600.0), threading.Event()

    def notice(asked: Asked) -> Page | None:
        page = route.handler(asked)
        if asked.body and read_parts(asked.body).answers:
            brought.set()
        return page

    with serving(receiver=receiver("XC"), routes=(replace(route, handler=notice),)) as number:
        Partner.objects.filter(administration="XC").update(endpoint=f"https://127.0.0.1:{number}", is_collected=True)
        worker = CollectWorker(receiver("XA"), clock=clock, rules=CollectRules(partners_seconds=600.0))
        worker.start()
        try:
            assert brought.wait(30)
        finally:
            worker.stop()
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {"delivered"}
    assert InboxMessage.objects.count() == 5
    seen = partner("XC")
    assert (seen.is_collected, seen.collected_at, seen.collect_error) == (True, clock(), "")


def fetch_once(monkeypatch: pytest.MonkeyPatch, answer: Response | TransportError) -> CollectWorker:
    """XA's worker hears this from XC's port."""
    Partner.objects.filter(administration="XC").update(is_collected=True)
    transport = HTTPSTransport(keyring("XA"))
    monkeypatch.setattr(transport, "ask", lambda _peer, _request, heard: heard(answer))
    worker = CollectWorker(receiver("XA"), clock=clock, transport=transport)
    worker._ask_due()
    event = worker._next()
    assert event is not None
    worker._hear(*event)
    transport.close()
    return worker


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (TransportError("The line is dead"), "The line is dead"),
        (Response(404, {}, b"no such path"), "answered 404 (no such path)"),
        (Response(200, {}, b"garbage"), "cut off"),
        (Response(503, {}, b"\xff"), "answered 503"),
    ],
)
def test_what_cannot_be_fetched_is_shown(
    monkeypatch: pytest.MonkeyPatch, answer: Response | TransportError, words: str
) -> None:
    worker = fetch_once(monkeypatch, answer)
    assert words in partner("XC").collect_error
    assert partner("XC").collected_at is None
    worker._ask_due()
    assert worker._events.empty(), "a while passes first"


def test_a_fault_of_ours_while_taking_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(CollectWorker, "_take", lambda *_: 1 / 0)
    fetch_once(monkeypatch, Response(204, {}, b""))
    assert "could not be taken" in caplog.text
    assert partner("XC").collect_error == "see above"


def test_answers_that_do_not_fit_wait_for_their_envelopes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_REPLIES_BYTES", 1)
    post_all(NODE_XC, [Posting(release())] * 4, signer=LOG, at=clock())
    envelopes = hand_out(keyring("XC"), "XA", clock(), rules=replace(RULES, messages=2))
    worker = fetch_once(monkeypatch, Response(200, {}, PartList(tuple(envelopes)).to_bytes()))
    (line,) = [each for each in worker._lines.values() if each.replies]
    assert len(line.replies) == 1
    assert InboxMessage.objects.count() == 4


def test_an_answer_that_is_not_believed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    set_partner_way(CHIPO, administration="XA", way="collect", at=clock())
    post_all(NODE_XC, [Posting(release())], signer=LOG, at=clock())
    hand_out(keyring("XC"), "XA", clock())
    name = OutboxEnvelope.objects.get().envelope_id
    body = PartList(answers=(Answered(name, b"{}", is_receipt=True),)).to_bytes()
    route = collect_route(keyring("XC"))
    assert route.handler(Asked(load_peer("XA"), clock(), {}, {}, body)) is None
    assert "was not taken" in caplog.text
    OutboxEnvelope.objects.update(leased_until=None)
    again = Asked(load_peer("XA"), clock(), {}, {}, is_again=True)
    assert route.handler(again) is None, "not before a while has passed"


def test_a_database_that_is_away_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(collector, "load_peers", lambda: 1 / 0)
    with closing(HTTPSTransport(keyring("XA"))) as transport:
        CollectWorker(receiver("XA"), clock=clock, transport=transport)._ask_due()
    assert "The partners could not be read" in caplog.text
