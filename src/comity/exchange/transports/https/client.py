"""HTTPS push: a loop in a thread of its own, a pool of kept-alive connections for each partner."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

import uvloop

from comity.exchange.checking import Parcel
from comity.exchange.directory import Peer
from comity.exchange.errors import TransportError
from comity.exchange.limits import LIMITS
from comity.exchange.message import MAX_INTEGER
from comity.exchange.outcomes import Outcome
from comity.exchange.position import Position
from comity.exchange.transports.base import Done, Told
from comity.exchange.transports.https.connection import Connection, Response
from comity.exchange.transports.https.contexts import client_context
from comity.exchange.transports.https.paths import (
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
    """The connections to one partner as its key document and endpoint now say."""

    context: ssl.SSLContext
    idle: list[Connection] = field(default_factory=list)


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
            head = f"content-type: application/vnd.comity.envelope\r\ncontent-length: {len(parcel.data)}\r\n"
            response = await self._ask(parcel.peer, "POST", ENVELOPES_PATH, head, parcel.data)
            outcome = _outcome_of(response)
        except TransportError as error:
            outcome = Outcome(failure=str(error))
        finally:
            done(parcel, outcome)

    async def _position(self, peer: Peer, told: Told) -> None:
        position = None
        try:
            query = f"{POSITION_PATH}?sender={self._keyring.administration}"
            response = await self._ask(peer, "GET", query, "", b"")
            position = _position_of(response)
        except TransportError:
            position = None
        finally:
            told(peer, position)

    async def _ask(self, peer: Peer, method: str, path: str, head: str, body: bytes) -> Response:
        target = urlsplit(peer.endpoint)
        prefix = target.path.rstrip("/")
        request = f"{method} {prefix}{path} HTTP/1.1\r\nhost: {target.netloc}\r\n{head}\r\n".encode() + body
        pool = self._pool(peer)
        while True:
            connection = pool.idle.pop() if pool.idle else await self._connect(target, pool)
            is_used = connection.answers > 0
            try:
                async with asyncio.timeout(self._answer_seconds):
                    response = await connection.ask(request)
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
        values = json.loads(response.body) if response.status == 200 else None
        if not isinstance(values, dict):
            return None
        islands = values["islands"]
        if len(islands) > LIMITS.islands:
            return None
        return Position(_sequence(values["contiguous"]), tuple((_sequence(a), _sequence(b)) for a, b in islands))
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _sequence(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_INTEGER:
        raise ValueError("not a sequence")
    return value
