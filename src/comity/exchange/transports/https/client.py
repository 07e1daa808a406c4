"""The asking end of HTTPS: a loop in a thread of its own, a pool of kept-alive connections for each partner."""

from __future__ import annotations

import asyncio
import queue
import ssl
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

import uvloop

from comity.exchange.checking import Parcel
from comity.exchange.directory import Peer
from comity.exchange.errors import CarriedFormError, TransportError
from comity.exchange.outcomes import Outcome
from comity.exchange.parts import read_position
from comity.exchange.position import Position
from comity.exchange.receipt import MAX_ANSWER_BYTES
from comity.exchange.transports.base import Done, Told
from comity.exchange.transports.https.connection import Connection, Response
from comity.exchange.transports.https.contexts import client_context
from comity.exchange.transports.https.paths import (
    ENVELOPE_MEDIA_TYPE,
    ENVELOPES_PATH,
    POSITION_PATH,
    PROBLEM_MEDIA_TYPE,
    RECEIPT_MEDIA_TYPE,
)
from comity.trust import Keyring

CONNECT_SECONDS = 10.0
# Below the lease of an envelope (outbox.py), so that nobody sends it while an answer may still come.
ANSWER_SECONDS = 40.0


@dataclass(slots=True)
class _Pool:
    """The connections to one partner as its key document and endpoint now say.

    certificate_until: when the certificate that the partner showed last expires.
    """

    context: ssl.SSLContext
    idle: list[Connection] = field(default_factory=list)
    certificate_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a partner's port besides taking envelopes. path: below the endpoint; the asker's name is added.

    most_bytes: of the answer's body.
    """

    method: str
    path: str
    body: bytes = b""
    media_type: str = "application/octet-stream"
    most_bytes: int = MAX_ANSWER_BYTES

    def to_bytes(self, target: SplitResult) -> bytes:
        """The request in HTTP/1.1 to this endpoint."""
        head = f"{self.method} {target.path.rstrip('/')}{self.path} HTTP/1.1\r\nhost: {target.netloc}\r\n"
        if self.method != "GET":
            head += f"content-type: {self.media_type}\r\ncontent-length: {len(self.body)}\r\n"
        return f"{head}\r\n".encode() + self.body


Heard = Callable[[Response | TransportError], None]


class HTTPSTransport:
    """Sends parcels by HTTPS with mutual TLS. Thread-safe; close it when done."""

    def __init__(self, keyring: Keyring, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._keyring = keyring
        self._answer_seconds = answer_seconds
        self._pools: dict[tuple[str, str], _Pool] = {}
        self._loop = uvloop.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.Future[None]] = set()
        self._thread = threading.Thread(target=self._run, name="comity-https", daemon=True)
        self._thread.start()

    def send(self, parcels: Sequence[Parcel], done: Done) -> None:
        """Step S6: post each parcel on a connection of its own."""
        self._loop.call_soon_threadsafe(self._start_all, [self._deliver(parcel, done) for parcel in parcels])

    def ask_position(self, peer: Peer, told: Told) -> None:
        """Ask how far our sequence has arrived at the partner."""
        self._loop.call_soon_threadsafe(self._start_all, [self._position(peer, told)])

    def ask(self, peer: Peer, request: Request, heard: Heard) -> None:
        """Ask one thing; `heard` is called once, from the loop's thread, with the response or why there is none."""
        self._loop.call_soon_threadsafe(self._start_all, [self._question(peer, request, heard)])

    def ask_now(self, peer: Peer, request: Request) -> Response:
        """As `ask`, and wait.

        Raises: TransportError.
        """
        answers: queue.SimpleQueue[Response | TransportError] = queue.SimpleQueue()
        self.ask(peer, request, answers.put)
        answer = answers.get()
        if isinstance(answer, TransportError):
            raise answer
        return answer

    def close(self) -> None:
        """Give up what is under way, and every connection."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop)
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            # Let cancelled tasks tell their callers, and broken connections end, before the loop does.
            self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
            self._loop.run_until_complete(asyncio.gather(*self._connections))
        finally:
            self._loop.close()

    def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        for pool in self._pools.values():
            for connection in pool.idle:
                connection.close()
        self._loop.stop()

    def _start_all(self, coroutines: Sequence[Coroutine[object, object, None]]) -> None:
        for coroutine in coroutines:
            task = self._loop.create_task(coroutine)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, parcel: Parcel, done: Done) -> None:
        outcome = Outcome(failure="The node is stopping")
        try:
            response = await self._ask(parcel.peer, Request("POST", ENVELOPES_PATH, parcel.data, ENVELOPE_MEDIA_TYPE))
            outcome = replace(_outcome_of(response), certificate_until=self._pool(parcel.peer).certificate_until)
        except TransportError as error:
            outcome = Outcome(failure=str(error))
        finally:
            done(parcel, outcome)

    async def _position(self, peer: Peer, told: Told) -> None:
        position = None
        try:
            response = await self._ask(peer, self._named(Request("GET", POSITION_PATH)))
            position = _position_of(response)
        except TransportError:
            position = None
        finally:
            told(peer, position)

    async def _question(self, peer: Peer, request: Request, heard: Heard) -> None:
        answer: Response | TransportError = TransportError("The node is stopping")
        try:
            answer = await self._ask(peer, self._named(request))
        except TransportError as error:
            answer = error
        finally:
            heard(answer)

    def _named(self, request: Request) -> Request:
        mark = "&" if "?" in request.path else "?"
        return replace(request, path=f"{request.path}{mark}sender={self._keyring.administration}")

    async def _ask(self, peer: Peer, request: Request) -> Response:
        target = urlsplit(peer.endpoint)
        data = request.to_bytes(target)
        pool = self._pool(peer)
        while True:
            connection = pool.idle.pop() if pool.idle else await self._connect(target, pool)
            is_used = connection.answers > 0
            try:
                async with asyncio.timeout(self._answer_seconds):
                    response = await connection.ask(data, most_bytes=request.most_bytes)
            except TimeoutError as error:
                connection.close()
                raise TransportError("No answer in time", where=f"{self._answer_seconds:g} s") from error
            except TransportError:
                # A kept connection may have been closed while it was idle: that says nothing about the partner.
                # Asking twice is safe, because a duplicate gets the same receipt.
                if is_used:
                    continue
                raise
            except asyncio.CancelledError:
                connection.close()
                raise
            if connection.is_open:
                pool.idle.append(connection)
            else:
                connection.close()
            return response

    async def _connect(self, target: SplitResult, pool: _Pool) -> Connection:
        host, port = target.hostname or "", target.port or 443
        lost: asyncio.Future[None] = self._loop.create_future()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                _, connection = await self._loop.create_connection(
                    lambda: Connection(lost), host, port, ssl=pool.context, server_hostname=host
                )
        except (OSError, TimeoutError) as error:
            raise TransportError(
                f"The partner's node cannot be reached: {str(error) or 'no answer in time'}",
                where=f"{host}:{port}",
                remedy="It is tried again by itself. If it lasts, check endpoint, network and both certificates.",
            ) from error
        pool.certificate_until = connection.certificate_until or pool.certificate_until
        self._connections.add(lost)
        lost.add_done_callback(self._connections.discard)
        return connection

    def _pool(self, peer: Peer) -> _Pool:
        key = (peer.endpoint, peer.fingerprint)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = _Pool(client_context(self._keyring, peer.keys.tls_authority_pem))
        return pool


def _outcome_of(response: Response) -> Outcome:
    kind = response.headers.get("content-type", "").partition(";")[0]
    if response.status == 200 and kind == RECEIPT_MEDIA_TYPE:
        return Outcome(response.body, is_receipt=True)
    if kind == PROBLEM_MEDIA_TYPE and response.status < 500:
        return Outcome(response.body)
    wait = response.headers.get("retry-after", "")
    return Outcome(
        failure=f"The partner's node answered {response.status}",
        retry_after_seconds=min(float(wait), 3600.0) if wait.isdecimal() else None,
    )


def _position_of(response: Response) -> Position | None:
    try:
        return read_position(response.body) if response.status == 200 else None
    except CarriedFormError:
        return None
