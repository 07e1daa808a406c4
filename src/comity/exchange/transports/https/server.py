"""The partner port: mutual TLS, one queue, one writer for envelopes; a few clerks for the rest (routes.py).

Step numbers are those of docs/protocol.md §5.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import uvicorn

from comity.common import Clock
from comity.exchange.inbox import Receiver
from comity.exchange.limits import LIMITS, Limits
from comity.exchange.selectors import reception_of
from comity.exchange.transports.https.backlog import Job
from comity.exchange.transports.https.clerks import Clerks, Question
from comity.exchange.transports.https.contexts import server_context
from comity.exchange.transports.https.doorman import Doorman
from comity.exchange.transports.https.paths import ENVELOPES_PATH, POSITION_PATH
from comity.exchange.transports.https.peercert import PartnerProtocol, client_certificate
from comity.exchange.transports.https.polling import Polls
from comity.exchange.transports.https.routes import Asked, Page, Route, busy, find_route, json_page, problem
from comity.exchange.transports.https.writer import Writer, WriterRules

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PartnerPort:
    """Where the port listens and how much it takes.

    group, group_bytes: envelopes in one transaction at most, and about how many bytes. waiting, held_bytes: envelopes
    that may wait, and their bytes with those still being read; beyond that partners are asked to come back.
    body_seconds: how long a body may take to come in. refresh_seconds: how soon a partner introduced by another
    process may connect. routes: what else is answered here, by so many clerks.
    """

    host: str
    port: int
    receiver: Receiver
    clock: Clock
    group: int = 64
    group_bytes: int = 512 * 1024
    waiting: int = 512
    held_bytes: int = 128 * 1024 * 1024
    body_seconds: float = 60.0
    connections: int = 1024
    refresh_seconds: float = 1.0
    limits: Limits = LIMITS
    routes: tuple[Route, ...] = ()
    clerks: int = 3


def make_server(port: PartnerPort) -> uvicorn.Server:
    """The server of the partner port; the node runs it. Its writer begins and ends with it."""
    context = server_context(port.receiver.keyring)
    app = PartnerApp(port, context)
    config = uvicorn.Config(
        app,
        host=port.host,
        port=port.port,
        http=PartnerProtocol,
        ws="none",
        lifespan="on",
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=300,
        limit_concurrency=port.connections,
        timeout_graceful_shutdown=5,
        ssl_context_factory=lambda _config, _default: context,
    )
    return _Server(config, app)


class _Server(uvicorn.Server):
    """Lets long polls go home before it waits for open requests to end."""

    def __init__(self, config: uvicorn.Config, app: PartnerApp) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn when it ends."""
        self._app.polls.stop()
        await super().shutdown(sockets)


class PartnerApp:
    """The ASGI application of the partner port."""

    def __init__(self, port: PartnerPort, context: ssl.SSLContext) -> None:
        self._port = port
        doorman = Doorman(context)
        rules = WriterRules(port.group, port.group_bytes, port.waiting, port.refresh_seconds)
        self._writer = Writer(port.receiver, port.clock, doorman, rules)
        self._clerks = Clerks(port.clock, doorman, count=port.clerks, waiting=port.waiting)
        self.polls = Polls(self._clerks)
        self._routes = (Route("GET", POSITION_PATH, _position), *port.routes)
        self._held_bytes = 0  # changed by the loop's thread alone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or begin and end with the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        page = await self._answer(scope, receive)
        headers = []
        if page.status != 204:  # which has no body, RFC 9110 §15.3.5
            headers.append((b"content-type", page.media_type.encode()))
            headers.append((b"content-length", str(len(page.body)).encode()))
        if page.retry_after:
            headers.append((b"retry-after", page.retry_after.encode()))
        if page.is_last:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": page.status, "headers": headers})
        await send({"type": "http.response.body", "body": page.body})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            event = await receive()
            if event["type"] == "lifespan.startup":
                await asyncio.to_thread(self._writer.start)
                self._clerks.start()
                self.polls.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await asyncio.to_thread(self._clerks.stop)
                await asyncio.to_thread(self._writer.stop)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Scope, receive: Receive) -> Page:
        certificate = client_certificate(scope)
        if certificate is None:
            return problem(403, "no_certificate", "A client certificate is required")
        path = scope["raw_path"].decode("latin-1")
        if (scope["method"], path) == ("POST", ENVELOPES_PATH):
            return await self._take_envelope(certificate, receive)
        found = find_route(self._routes, scope["method"], path)
        if found is None:
            return problem(404, "no_such_path", "This port takes envelopes of partners; see docs/protocol.md")
        values = parse_qs(scope["query_string"].decode("latin-1"))
        query = {name: each[0] for name, each in values.items()}
        return await self._take_question(certificate, found, query, receive)

    async def _take_envelope(self, certificate: bytes, receive: Receive) -> Page:
        parts: list[bytes] = []
        try:
            refused = await self._read_in_time(receive, parts, self._port.limits.envelope_bytes)
            return refused or await self._queue(certificate, b"".join(parts))
        finally:
            self._held_bytes -= sum(map(len, parts))

    async def _take_question(
        self, certificate: bytes, found: tuple[Route, Mapping[str, str]], query: Mapping[str, str], receive: Receive
    ) -> Page:
        parts: list[bytes] = []
        route, names = found
        try:
            refused = await self._read_in_time(receive, parts, route.body_bytes)
            if refused is not None:
                return refused
            question = Question(certificate, route, names, query, b"".join(parts))
            return await self.polls.answer(question, receive)
        finally:
            self._held_bytes -= sum(map(len, parts))

    async def _read_in_time(self, receive: Receive, parts: list[bytes], limit: int) -> Page | None:
        try:
            async with asyncio.timeout(self._port.body_seconds):
                return await self._read_body(receive, parts, limit)
        except TimeoutError:
            return problem(408, "too_slow", "The body did not come in in time; nothing was taken", is_last=True)

    async def _read_body(self, receive: Receive, parts: list[bytes], limit: int) -> Page | None:
        """Read into `parts`; why not, where it cannot be. What is too large is read on and thrown away, to a point."""
        size, has_more = 0, True
        while has_more and size <= 2 * limit:
            event = await receive()
            if event["type"] == "http.disconnect":
                return problem(400, "broken_off", "The body broke off; nothing was taken", is_last=True)
            part = event.get("body", b"")
            size += len(part)
            if size <= limit:
                if self._held_bytes + len(part) > self._port.held_bytes:
                    return busy(is_last=True)
                self._held_bytes += len(part)
                parts.append(part)
            has_more = event.get("more_body", False)
        if size > limit:
            return problem(413, "too_large", f"A body has at most {limit} bytes here", is_last=has_more)
        return None

    async def _queue(self, certificate: bytes, data: bytes) -> Page:
        future: asyncio.Future[Page] = asyncio.get_running_loop().create_future()
        if not self._writer.put(Job(certificate, data, future)):
            return busy()
        return await future


def _position(asked: Asked) -> Page:
    """Step S12: how far the asker's sequence has arrived here."""
    position = reception_of(asked.peer.administration)
    return json_page({"contiguous": position.contiguous, "islands": [list(each) for each in position.islands]})
