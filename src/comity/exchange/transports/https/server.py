"""The partner port: mutual TLS, one queue, one writer. Step numbers are those of docs/protocol.md §5."""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import ssl
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

import uvicorn
from django.db import close_old_connections, connections

from comity.common import Clock
from comity.exchange.errors import EnvelopeRefusedError
from comity.exchange.inbox import Receiver, Reply
from comity.exchange.limits import LIMITS, Limits
from comity.exchange.selectors import reception_of
from comity.exchange.transports.https.contexts import server_context
from comity.exchange.transports.https.doorman import Doorman
from comity.exchange.transports.https.paths import (
    ENVELOPES_PATH,
    POSITION_PATH,
    PROBLEM_MEDIA_TYPE,
    RECEIPT_MEDIA_TYPE,
)
from comity.exchange.transports.https.peercert import PartnerProtocol, client_certificate
from comity.trust import canonical_json

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class PartnerPort:
    """Where the port listens and how much it takes.

    group, group_bytes: envelopes in one transaction at most, and about how many bytes. waiting, held_bytes: envelopes
    that may wait, and their bytes with those still being read; beyond that partners are asked to come back.
    body_seconds: how long an envelope may take to come in. refresh_seconds: how soon a partner introduced by another
    process may connect.
    """

    host: str
    port: int
    receiver: Receiver
    clock: Clock
    group: int = 64
    group_bytes: int = 1024 * 1024
    waiting: int = 512
    held_bytes: int = 128 * 1024 * 1024
    body_seconds: float = 60.0
    connections: int = 1024
    refresh_seconds: float = 1.0
    limits: Limits = LIMITS


@dataclass(frozen=True, slots=True)
class _Job:
    """A request that needs the database. data: of an envelope; None asks for the position of `sender`."""

    certificate: bytes
    data: bytes | None
    sender: str
    future: asyncio.Future[_Page]


@dataclass(frozen=True, slots=True)
class _Page:
    """What is answered over HTTP. is_last: the connection then ends, since the rest of the request is not wanted."""

    status: int
    media_type: str
    body: bytes
    retry_after: str = ""
    is_last: bool = False


def make_server(port: PartnerPort) -> uvicorn.Server:
    """The server of the partner port; the node runs it. Its writer thread begins and ends with it."""
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
    return uvicorn.Server(config)


class PartnerApp:
    """The ASGI application of the partner port."""

    def __init__(self, port: PartnerPort, context: ssl.SSLContext) -> None:
        self._port = port
        self._writer = _Writer(port, Doorman(context))
        self._held_bytes = 0  # changed by the loop's thread alone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or begin and end with the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        page = await self._answer(scope, receive)
        headers = [
            (b"content-type", page.media_type.encode()),
            (b"content-length", str(len(page.body)).encode()),
        ]
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
                await send({"type": "lifespan.startup.complete"})
            else:
                await asyncio.to_thread(self._writer.stop)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _answer(self, scope: Scope, receive: Receive) -> _Page:
        certificate = client_certificate(scope)
        if certificate is None:
            return _problem(403, "no_certificate", "A client certificate is required")
        route = (scope["method"], scope["path"])
        if route == ("POST", ENVELOPES_PATH):
            return await self._take_envelope(certificate, receive)
        if route == ("GET", POSITION_PATH):
            sender = parse_qs(scope["query_string"].decode("latin-1")).get("sender", [""])[0]
            return await self._queue(certificate, None, sender)
        return _problem(404, "no_such_path", "This port takes envelopes of partners; see docs/protocol.md")

    async def _take_envelope(self, certificate: bytes, receive: Receive) -> _Page:
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(self._port.body_seconds):
                refused = await self._read_body(receive, parts)
            return refused or await self._queue(certificate, b"".join(parts), "")
        except TimeoutError:
            return _problem(408, "too_slow", "The envelope did not come in in time; nothing was taken", is_last=True)
        finally:
            self._held_bytes -= sum(map(len, parts))

    async def _read_body(self, receive: Receive, parts: list[bytes]) -> _Page | None:
        """Read into `parts`; why not, where it cannot be. What is too large is read on and thrown away, to a point."""
        limit, size, has_more = self._port.limits.envelope_bytes, 0, True
        while has_more and size <= 2 * limit:
            event = await receive()
            if event["type"] == "http.disconnect":
                return _problem(400, "broken_off", "The envelope broke off; nothing was taken", is_last=True)
            part = event.get("body", b"")
            size += len(part)
            if size <= limit:
                if self._held_bytes + len(part) > self._port.held_bytes:
                    return _busy(is_last=True)
                self._held_bytes += len(part)
                parts.append(part)
            has_more = event.get("more_body", False)
        if size > limit:
            return _problem(413, "too_large", f"An envelope has at most {limit} bytes", is_last=has_more)
        return None

    async def _queue(self, certificate: bytes, data: bytes | None, sender: str) -> _Page:
        future: asyncio.Future[_Page] = asyncio.get_running_loop().create_future()
        if not self._writer.put(_Job(certificate, data, sender, future)):
            return _busy()
        return await future


class _Writer:
    """One thread that takes what has come in meanwhile and answers it with one transaction."""

    def __init__(self, port: PartnerPort, doorman: Doorman) -> None:
        self._port = port
        self._doorman = doorman
        self._jobs: queue.Queue[_Job | None] = queue.Queue()
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="comity-inbox", daemon=True)

    def start(self) -> None:
        """Begin. Returns when the partners' authorities were read: before, every handshake would fail."""
        self._thread.start()
        self._is_ready.wait()

    def stop(self) -> None:
        """End after what is under way."""
        self._jobs.put(None)
        self._thread.join()

    def put(self, job: _Job) -> bool:
        """Whether there was room."""
        if self._jobs.qsize() >= self._port.waiting:
            return False
        self._jobs.put(job)
        return True

    def _run(self) -> None:
        try:
            is_running = True
            while is_running:
                self._refresh()
                self._is_ready.set()
                jobs, is_running = self._take()
                if jobs:
                    self._work(jobs)
        finally:
            self._is_ready.set()
            connections.close_all()

    def _refresh(self) -> None:
        try:
            self._doorman.refresh(self._port.clock(), self._port.refresh_seconds)
        except Exception:  # the edge of a worker: the database may be away for a while
            logger.exception("The partners could not be read")
            close_old_connections()

    def _take(self) -> tuple[list[_Job], bool]:
        """What waits, up to a group; and whether to go on."""
        jobs: list[_Job] = []
        size = 0
        try:
            job = self._jobs.get(timeout=self._port.refresh_seconds)
            while job is not None:
                jobs.append(job)
                size += len(job.data or b"")
                if len(jobs) == self._port.group or size > self._port.group_bytes:
                    return jobs, True
                job = self._jobs.get_nowait()
        except queue.Empty:
            return jobs, True
        return jobs, False

    def _work(self, jobs: Sequence[_Job]) -> None:
        pages: list[tuple[_Job, _Page]] = []
        envelopes = [job for job in jobs if job.data is not None]
        try:
            pages = self._answer_envelopes(envelopes)
        except Exception:  # the edge of a worker: find the one that fails, so that the others pass
            logger.exception("A group of %d envelopes failed; each is tried alone", len(envelopes))
            pages = [page for job in envelopes for page in self._answer_alone(job)]
        pages += [(job, self._position(job)) for job in jobs if job.data is None]
        if pages:
            loop = pages[0][0].future.get_loop()
            loop.call_soon_threadsafe(_tell, pages)

    def _answer_alone(self, job: _Job) -> list[tuple[_Job, _Page]]:
        try:
            return self._answer_envelopes([job])
        except Exception:  # the edge of a worker: the sender keeps the envelope and comes back
            logger.exception("An envelope could not be answered")
            close_old_connections()
            return [(job, _problem(500, "internal", "The envelope could not be stored; nothing was taken"))]

    def _answer_envelopes(self, jobs: Sequence[_Job]) -> list[tuple[_Job, _Page]]:
        at, receiver = self._port.clock(), self._port.receiver
        welcome, pages = [], []
        for job in jobs:
            try:
                self._doorman.check(job.certificate, job.data or b"", at)
                welcome.append(job)
            except EnvelopeRefusedError as error:
                pages.append((job, _page_of(receiver.refuse(job.data or b"", error, at))))
        replies = receiver.answer([job.data or b"" for job in welcome], at) if welcome else []
        return pages + [(job, _page_of(reply)) for job, reply in zip(welcome, replies, strict=True)]

    def _position(self, job: _Job) -> _Page:
        try:
            self._doorman.check_sender(job.certificate, job.sender, self._port.clock())
            position = reception_of(job.sender)
        except EnvelopeRefusedError as error:
            return _problem(403, error.code, error.what)
        except Exception:  # the edge of a worker
            logger.exception("The position of %s could not be read", job.sender)
            close_old_connections()
            return _problem(500, "internal", "The position could not be read")
        body = {"contiguous": position.contiguous, "islands": [list(each) for each in position.islands]}
        return _Page(200, "application/json", canonical_json(body))


def _tell(pages: Sequence[tuple[_Job, _Page]]) -> None:
    for job, page in pages:
        if not job.future.done():  # the partner may have gone; it will ask again
            job.future.set_result(page)


def _page_of(reply: Reply) -> _Page:
    if reply.is_receipt:
        return _Page(200, RECEIPT_MEDIA_TYPE, reply.body)
    return _Page(413 if reply.code == "too_large" else 422, PROBLEM_MEDIA_TYPE, reply.body)


def _busy(*, is_last: bool = False) -> _Page:
    page = _problem(503, "busy", "Too many envelopes are waiting; nothing was taken", is_last=is_last)
    return replace(page, retry_after="1")


def _problem(status: int, code: str, title: str, *, is_last: bool = False) -> _Page:
    body = json.dumps({"type": f"urn:comity:refusal:{code}", "title": title, "status": status, "code": code})
    return _Page(status, PROBLEM_MEDIA_TYPE, body.encode(), is_last=is_last)
