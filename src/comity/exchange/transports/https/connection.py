"""One kept-alive HTTP/1.1 connection to a partner: one request at a time, bounded answers."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import httptools

from comity.exchange.errors import TransportError
from comity.exchange.receipt import MAX_ANSWER_BYTES

HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. headers: lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class _Reading:
    future: asyncio.Future[Response]
    most_bytes: int = MAX_ANSWER_BYTES
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


class Connection(asyncio.Protocol):
    """Use `ask` for one request after the other while `is_open`. lost: done when the connection has ended."""

    def __init__(self, lost: asyncio.Future[None]) -> None:
        self.lost = lost
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._reading: _Reading | None = None
        self.is_open = False
        self.answers = 0
        self._unread_bytes = 0

    async def ask(self, request: bytes, *, most_bytes: int = MAX_ANSWER_BYTES) -> Response:
        """Send a whole request and wait for its answer, whose body has at most so many bytes.

        Raises: TransportError where the connection breaks or the answer is no HTTP.
        """
        if self._transport is None or not self.is_open or self._reading is not None:
            raise TransportError("The connection is closed")
        self._unread_bytes = 0
        self._reading = _Reading(asyncio.get_running_loop().create_future(), most_bytes)
        self._transport.write(request)
        try:
            return await self._reading.future
        finally:
            self._reading = None

    @property
    def certificate_until(self) -> datetime | None:
        """When the certificate that the partner showed expires."""
        shown = self._transport.get_extra_info("peercert") if self._transport is not None else None
        ends = shown.get("notAfter") if shown else None
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if ends else None

    def close(self) -> None:
        """Break off."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        # uvloop's transports do not inherit from asyncio's.
        self._transport, self.is_open = cast(asyncio.Transport, transport), True

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        self._unread_bytes += len(data)
        most_bytes = self._reading.most_bytes if self._reading is not None else 0
        if self._unread_bytes > most_bytes + HEAD_BYTES:
            self._fail("The answer is too large")
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"The answer is no HTTP: {error}")

    def eof_received(self) -> None:
        """Called by the loop."""
        self._fail("The partner closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the loop."""
        self._fail(f"The connection broke: {exc}" if exc else "The partner closed the connection")
        if not self.lost.done():
            self.lost.set_result(None)

    # httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        if self._reading is not None and len(self._reading.headers) < 64:
            self._reading.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        if self._reading is not None:
            self._reading.body += body
            if len(self._reading.body) > self._reading.most_bytes:
                self._fail("The answer is too large")

    def on_message_complete(self) -> None:
        """Called by the parser."""
        reading, self.answers = self._reading, self.answers + 1
        if not self._parser.should_keep_alive():
            self.is_open = False
        if reading is not None and not reading.future.done():
            reading.future.set_result(Response(self._parser.get_status_code(), reading.headers, bytes(reading.body)))

    def _fail(self, what: str) -> None:
        self.close()
        if self._reading is not None and not self._reading.future.done():
            self._reading.future.set_exception(TransportError(what))
