"""uvicorn does not hand the client's certificate to the application; this protocol does, as the ASGI TLS extension."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PartnerProtocol(HttpToolsProtocol):
    """HTTP/1.1 by httptools, with the DER certificate of the peer in the scope of each request."""

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
