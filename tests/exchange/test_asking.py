"""Asking a partner's port: whoever spreads its bytes over the hours keeps nobody waiting."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest

from comity.exchange.directory import Peer, load_peer
from comity.exchange.errors import TransportError
from comity.exchange.transports.https.asking import PartnerLines
from comity.exchange.transports.https.contexts import server_context
from tests.exchange.cast import introduce, keyring

pytestmark = pytest.mark.django_db
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 200\r\n"
WHOLE = HEAD + b"\r\n" + b"x" * 200
Send = Callable[[bytes], object]


@dataclass
class Slow:
    """A port that answers one connection after the other, from some point on a byte at a time."""

    context: ssl.SSLContext
    at_once: bytes
    is_deaf_to_tls: bool = False
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    ending: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until the listener is closed."""
        while not self.ending.is_set():
            with suppress(OSError):
                plain, _ = self.listener.accept()
                with plain:
                    self._answer(plain)

    def _answer(self, plain: socket.socket) -> None:
        if self.is_deaf_to_tls:
            self._drip(plain.sendall, b"\x16\x03\x03\x40\x00" + bytes(200))
            return
        with self.context.wrap_socket(plain, server_side=True) as line:
            line.recv(65536)
            line.sendall(self.at_once)
            self._drip(line.sendall, WHOLE[len(self.at_once) :])

    def _drip(self, send: Send, data: bytes) -> None:
        for place in range(len(data)):
            send(data[place : place + 1])
            if self.ending.wait(0.05):
                return


@pytest.fixture
def peer() -> Peer:
    introduce("XC")
    return load_peer("XC")


@pytest.fixture
def slow(request: pytest.FixtureRequest) -> Iterator[Slow]:
    context = server_context(keyring("XC"))
    context.load_verify_locations(cadata=keyring("XA").tls_authority_pem)
    port = Slow(context, *request.param)
    thread = threading.Thread(target=port.run)
    thread.start()
    try:
        yield port
    finally:
        port.ending.set()
        with suppress(OSError):
            port.listener.shutdown(socket.SHUT_RDWR)
        port.listener.close()
        thread.join()


def asked(slow: Slow, peer: Peer, patience: float) -> bytes | None:
    reached = replace(peer, endpoint=f"https://127.0.0.1:{slow.listener.getsockname()[1]}")
    with PartnerLines(keyring("XA"), patience_seconds=patience) as lines:
        return lines.ask(reached, "/exchange/v1/heads")


@pytest.mark.parametrize("slow", [(WHOLE,)], indirect=True)
def test_who_answers_is_heard(slow: Slow, peer: Peer) -> None:
    assert asked(slow, peer, 30.0) == b"x" * 200


@pytest.mark.parametrize(
    "slow", [(b"HTTP/",), (HEAD + b"\r\nx",), (b"", True)], indirect=True, ids=["head", "body", "tls"]
)
def test_who_drips_is_cut_off_although_it_is_never_silent(slow: Slow, peer: Peer) -> None:
    with pytest.raises(TransportError):
        asked(slow, peer, 0.5)


@pytest.mark.parametrize("slow", [(WHOLE,)], indirect=True)
def test_whose_time_is_used_up_is_not_asked_again_in_this_round(slow: Slow, peer: Peer) -> None:
    with pytest.raises(TransportError, match="too long"):
        asked(slow, peer, 0.0)
