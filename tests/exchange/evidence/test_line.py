"""The line over real TLS against a partner that answers whatever a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from comity.exchange.directory import load_peer
from comity.exchange.errors import ExchangeError, TransportError
from comity.exchange.evidence.errors import ChunkRefusedError, EvidenceGoneError, NoRoomError
from comity.exchange.evidence.line import Line
from comity.exchange.evidence.parts import CHUNK_MEDIA_TYPE, MOST_BYTES, CarriedChunk
from comity.exchange.transports.https.contexts import server_context
from tests.exchange.cast import keyring

pytestmark = pytest.mark.django_db
ROOT = "ab" * 32
CHUNK = CarriedChunk((bytes(32),), b"sealed")
JSON = "application/json"


class Answers(BaseHTTPRequestHandler):
    """Gives the next answer of the script: status, media type, body; None hangs up."""

    protocol_version = "HTTP/1.1"
    script: list[tuple[int, str, bytes] | None] = []  # set anew by each test
    asked: list[tuple[str, str, bytes]] = []

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.asked.append((self.command, self.path, body))
        said = self.script.pop(0)
        if said is None:
            self.close_connection = True
            return
        status, kind, data = said
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = answer  # noqa: N815  # names of the standard library

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@pytest.fixture
def line() -> Iterator[Line]:
    """XA's line to XC."""
    Answers.script, Answers.asked = [], []
    context = server_context(keyring("XC"))
    context.load_verify_locations(cadata=keyring("XA").tls_authority_pem)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    peer = replace(load_peer("XC"), endpoint=f"https://127.0.0.1:{server.server_port}/node/")
    line = Line(keyring("XA"), peer, silence_seconds=5)
    try:
        yield line
    finally:
        line.close()
        server.shutdown()
        thread.join()
        server.server_close()


def test_chunks_are_fetched_on_one_connection(line: Line) -> None:
    Answers.script = [(200, CHUNK_MEDIA_TYPE, CHUNK.to_bytes())] * 2
    assert [line.fetch(ROOT, number) for number in (0, 1)] == [CHUNK, CHUNK]
    assert Answers.asked[1] == ("GET", f"/node/exchange/v1/evidence/{ROOT}/1?sender=XA", b"")


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ((410, JSON, b'{"title": "The file was withdrawn"}'), EvidenceGoneError, "withdrawn"),
        ((410, JSON, b"["), EvidenceGoneError, "withdrawn"),
        ((200, JSON, b"{}"), ChunkRefusedError, "no chunk"),
        ((200, CHUNK_MEDIA_TYPE, b"\xff"), ChunkRefusedError, "no chunk"),
        ((422, JSON, b'{"title": "Wrong"}'), ChunkRefusedError, "Wrong"),
        ((404, JSON, b'{"title": 5}'), TransportError, "404"),
        ((503, JSON, b"[]"), TransportError, "503"),
        ((200, CHUNK_MEDIA_TYPE, bytes(MOST_BYTES + 1)), TransportError, "too large"),
        ((500, "text/html", bytes(100_000)), TransportError, "too large"),
        (None, TransportError, "cannot be reached"),
    ],
)
def test_what_is_no_chunk_has_its_error(
    line: Line, said: tuple[int, str, bytes] | None, error: type[ExchangeError], words: str
) -> None:
    Answers.script = [said]
    with pytest.raises(error, match=words):
        line.fetch(ROOT, 0)


def test_a_kept_connection_that_was_closed_is_opened_anew(line: Line) -> None:
    good = (200, CHUNK_MEDIA_TYPE, CHUNK.to_bytes())
    Answers.script = [good, None, good]
    line.fetch(ROOT, 0)
    assert line.fetch(ROOT, 1) == CHUNK


@pytest.mark.parametrize("said", [b'{"have": 3}', b'{"have": 0}'])
def test_a_push_hears_how_many_are_there(line: Line, said: bytes) -> None:
    Answers.script = [(200, JSON, said)]
    assert line.push(ROOT, 2, CHUNK) in (0, 3)
    assert Answers.asked == [("PUT", f"/node/exchange/v1/evidence/{ROOT}/2?sender=XA", CHUNK.to_bytes())]


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ((507, JSON, b"{}"), NoRoomError),
        ((410, JSON, b"{}"), EvidenceGoneError),
        ((422, JSON, b"{}"), ChunkRefusedError),
        ((404, JSON, b"{}"), TransportError),
        ((200, JSON, b'{"have": -1}'), TransportError),
        ((200, JSON, b'{"have": true}'), TransportError),
        ((200, JSON, b"nothing"), TransportError),
    ],
)
def test_a_push_that_is_not_taken(line: Line, said: tuple[int, str, bytes], error: type[ExchangeError]) -> None:
    Answers.script = [said]
    with pytest.raises(error):
        line.push(ROOT, 0, CHUNK)


def test_a_line_that_was_given_up_opens_nothing(line: Line) -> None:
    line.close()
    with pytest.raises(TransportError, match="given up"):
        line.fetch(ROOT, 0)


def test_a_partner_with_another_authority_is_not_spoken_to(line: Line) -> None:
    stranger = Line(keyring("XA"), replace(load_peer("XB"), endpoint=line.peer.endpoint), silence_seconds=5)
    with pytest.raises(TransportError, match="certificate"):
        stranger.fetch(ROOT, 0)
    stranger.close()
