"""uvicorn does not hand the client's certificate to the application; this protocol does, as the ASGI TLS extension.
It also bounds what uvicorn leaves unbounded: how long and how large the head of a request may be."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 16 * 1024
HEAD_SECONDS = 20.0


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 by httptools, with an end to the heads of requests."""

    _head_bytes: int | None = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Called by the loop after the handshake."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        if self._head_bytes is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes is not None and self._head_bytes > HEAD_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Called by the parser for each request."""
        super().on_message_begin()
        self._await_head()
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        """Called by the parser for each request."""
        self._head_came()
        super().on_headers_complete()

    def _await_head(self) -> None:
        """Who connects and says nothing, or one byte a minute, does not hold the connection for ever."""
        self._head_came()
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _head_came(self) -> None:
        self._head_bytes = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class PartnerProtocol(BoundedProtocol):
    """With the DER certificate of the peer in the scope of each request."""

    _certificate: bytes | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Called by the loop after the handshake."""
        super().connection_made(transport)
        session = transport.get_extra_info("ssl_object")
        self._certificate = session.getpeercert(binary_form=True) if session is not None else None

    def on_message_begin(self) -> None:
        """Called by the parser for each request."""
        super().on_message_begin()
        self.scope["extensions"] = {"tls": {"client_certificate": self._certificate}}


def client_certificate(scope: dict[str, Any]) -> bytes | None:
    """The DER certificate that the client proved to hold; None without mutual TLS."""
    found = scope.get("extensions", {}).get("tls", {}).get("client_certificate")
    return found if isinstance(found, bytes) else None
