"""Asking a partner's port for what it serves besides envelopes: one request after the other, in the caller's thread."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from urllib.parse import urlencode, urlsplit

from comity.exchange.directory import Peer
from comity.exchange.errors import TransportError
from comity.exchange.transports.https.contexts import client_context
from comity.trust import Keyring

ASK_SECONDS = 10.0
PATIENCE_SECONDS = 60.0
MAX_ANSWER_BYTES = 4 * 1024 * 1024

# The content below a partner's prefix; None where it has no such thing. Raises: TransportError.
Ask = Callable[[Peer, str], bytes | None]
# Posts a body there; the status and the answer. Raises: TransportError.
Hand = Callable[[Peer, str, bytes], tuple[int, bytes]]


class _Line(http.client.HTTPSConnection):
    """A connection that another thread may cut at any moment, also while TLS is being set up."""

    def __init__(self, peer: Peer, keyring: Keyring, seconds: float) -> None:
        url = urlsplit(peer.endpoint)
        self._tls = client_context(keyring, peer.keys.tls_authority_pem)
        self._plain: socket.socket | None = None
        self.is_cut = False
        super().__init__(url.hostname or "", url.port or 443, timeout=seconds, context=self._tls)

    def connect(self) -> None:
        """Called by the standard library; as it does itself, but for the second handle."""
        http.client.HTTPConnection.connect(self)
        self._plain = self.sock.dup()
        self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)

    def cut(self) -> None:
        """Whoever reads or writes is told that the connection has ended."""
        self.is_cut = True
        if self._plain is not None:
            with suppress(OSError):
                self._plain.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it."""
        plain, self._plain = self._plain, None
        super().close()
        if plain is not None:
            plain.close()


@dataclass(slots=True)
class PartnerLines:
    """Kept connections to partners, for one round of questions. Not for two threads with the same partner.

    seconds: of silence. patience_seconds: for all that one partner is asked, so that none holds up a round, or a node
    that begins, by a byte now and then. Use it in a `with`: its connections end with it.
    """

    keyring: Keyring
    seconds: float = ASK_SECONDS
    patience_seconds: float = PATIENCE_SECONDS
    _lines: dict[str, _Line] = field(default_factory=dict)
    _used: dict[str, float] = field(default_factory=dict)

    def __enter__(self) -> PartnerLines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    def ask(self, peer: Peer, path: str) -> bytes | None:
        """What the partner serves at this path; None for 404.

        Raises: TransportError where it cannot be reached or answers with anything else.
        """
        status, body = self._exchange(peer, path, None)
        if status == http.client.NOT_FOUND:
            return None
        if status != http.client.OK or len(body) > MAX_ANSWER_BYTES:
            raise TransportError(f"The partner's node answered {status}", where=f"{peer.administration}, {path}")
        return body

    def hand(self, peer: Peer, path: str, body: bytes) -> tuple[int, bytes]:
        """Post a body to a partner. Returns the status and the answer, at most MAX_ANSWER_BYTES of it.

        Raises: TransportError where it cannot be reached.
        """
        status, answer = self._exchange(peer, path, body)
        return status, answer[:MAX_ANSWER_BYTES]

    def _exchange(self, peer: Peer, path: str, body: bytes | None) -> tuple[int, bytes]:
        prefix = urlsplit(peer.endpoint).path.rstrip("/")
        target = f"{prefix}{path}?{urlencode({'sender': self.keyring.administration})}"
        try:
            return self._in_time(peer, target, body)
        except (OSError, http.client.HTTPException, ssl.SSLError) as error:
            self._drop(peer)
            raise TransportError(
                f"The partner's node cannot be asked: {str(error) or type(error).__name__}",
                where=f"{peer.administration}, {peer.endpoint}",
                remedy="It is asked again by itself. If it lasts, check endpoint, network and both certificates.",
            ) from error

    def _in_time(self, peer: Peer, target: str, body: bytes | None) -> tuple[int, bytes]:
        code, begun = peer.administration, monotonic()
        left = self.patience_seconds - self._used.get(code, 0.0)
        if left <= 0:
            raise TimeoutError("it took too long for what it was asked before")
        line = self._lines.setdefault(code, _Line(peer, self.keyring, self.seconds))
        watch = threading.Timer(left, line.cut)
        watch.start()
        try:
            answer = _ask_once(line, target, body)
        finally:
            watch.cancel()
            self._used[code] = self._used.get(code, 0.0) + monotonic() - begun
        if line.is_cut:  # the standard library takes a head that was cut off for a whole one
            raise TimeoutError("it took too long")
        return answer

    def _drop(self, peer: Peer) -> None:
        line = self._lines.pop(peer.administration, None)
        if line is not None:
            line.close()


def _ask_once(line: _Line, target: str, body: bytes | None) -> tuple[int, bytes]:
    line.request("GET" if body is None else "POST", target, body=body)
    response = line.getresponse()
    answer = response.read(MAX_ANSWER_BYTES + 1)
    if len(answer) > MAX_ANSWER_BYTES or response.will_close:
        line.close()
    return response.status, answer
