"""Asking a partner for chunks, and pushing chunks to one: HTTPS with mutual TLS, one connection for each thread.

Blocking, since a file is carried by threads of its own: it never holds up the loop that carries envelopes. The time
limit is for silence, not for the whole: a slow line may take its minutes for a chunk.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from comity.exchange.directory import Peer
from comity.exchange.errors import TransportError
from comity.exchange.evidence.errors import ChunkRefusedError, EvidenceGoneError, NoRoomError
from comity.exchange.evidence.parts import CHUNK_MEDIA_TYPE, MOST_BYTES, CarriedChunk, read_chunk
from comity.exchange.transports.https.contexts import client_context
from comity.trust import Keyring

SILENCE_SECONDS = 30.0
_PATH = "/exchange/v1/evidence"
_PROBLEM_BYTES = 64 * 1024


class ChunkLine(Protocol):
    """What carries chunks to and from one partner; used by several threads at once."""

    def fetch(self, root: str, number: int) -> CarriedChunk:
        """Step E5: ask for a chunk."""

    def push(self, root: str, number: int, chunk: CarriedChunk) -> int:
        """Step E8: hand over a chunk; how many the partner then has."""

    def close(self) -> None:
        """Give up what is under way."""


Connect = Callable[[Keyring, Peer], ChunkLine]


@dataclass(slots=True)
class Line:
    """The way to one partner. Each thread that uses it has a connection of its own; close it when done."""

    keyring: Keyring
    peer: Peer
    silence_seconds: float = SILENCE_SECONDS
    _context: ssl.SSLContext = field(init=False)
    _target: SplitResult = field(init=False)
    _local: threading.local = field(default_factory=threading.local)
    _open: list[http.client.HTTPSConnection] = field(default_factory=list)
    _is_closed: bool = False

    def __post_init__(self) -> None:
        self._context = client_context(self.keyring, self.peer.keys.tls_authority_pem)
        self._target = urlsplit(self.peer.endpoint)

    def fetch(self, root: str, number: int) -> CarriedChunk:
        """Step E5: ask for a chunk.

        Raises: TransportError, EvidenceGoneError, ChunkRefusedError where it has not the form of a chunk.
        """
        status, kind, body = self._ask("GET", root, number, b"")
        if status == http.HTTPStatus.OK and kind == CHUNK_MEDIA_TYPE:
            return read_chunk(body)
        raise _trouble(status, body)

    def push(self, root: str, number: int, chunk: CarriedChunk) -> int:
        """Step E8: hand over a chunk. Returns how many the partner has.

        Raises: TransportError, EvidenceGoneError, NoRoomError, ChunkRefusedError where the partner refuses the chunk.
        """
        status, _, body = self._ask("PUT", root, number, chunk.to_bytes())
        if status == http.HTTPStatus.OK:
            have = _member(body, "have")
            if isinstance(have, int) and not isinstance(have, bool) and have >= 0:
                return have
            raise TransportError("The partner did not say how many chunks it has")
        if status == http.HTTPStatus.INSUFFICIENT_STORAGE:
            raise NoRoomError("The partner's disk has no room for more now", where=self.peer.administration)
        raise _trouble(status, body)

    def close(self) -> None:
        """End every connection; who waits for an answer on one is told at once."""
        self._is_closed = True
        for connection in list(self._open):
            with suppress(OSError, AttributeError):  # without a socket there is nothing to end
                connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _ask(self, method: str, root: str, number: int, body: bytes) -> tuple[int, str, bytes]:
        path = f"{self._target.path.rstrip('/')}{_PATH}/{root}/{number}?sender={self.keyring.administration}"
        headers = {"content-type": CHUNK_MEDIA_TYPE} if body else {}
        is_used = hasattr(self._local, "connection")
        try:
            return self._ask_once(method, path, headers, body)
        except TransportError:
            # A kept connection may have been closed while it was idle: that says nothing about the partner.
            if not is_used:
                raise
            return self._ask_once(method, path, headers, body)

    def _ask_once(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        connection = self._connection()
        try:
            connection.request(method, path, body=body or None, headers=headers)
            response = connection.getresponse()
            kind = response.headers.get_content_type()
            most = MOST_BYTES if kind == CHUNK_MEDIA_TYPE else _PROBLEM_BYTES
            data = response.read(most + 1)
            if len(data) > most:
                raise TransportError("The answer is too large")
        except (OSError, http.client.HTTPException) as error:
            self._drop(connection)
            raise TransportError(
                f"The partner's node cannot be reached: {str(error) or type(error).__name__}",
                where=self._target.netloc,
                remedy="It is tried again by itself; what has come is kept.",
            ) from error
        except TransportError:
            self._drop(connection)
            raise
        if response.will_close:
            self._drop(connection)
        return response.status, kind, data

    def _connection(self) -> http.client.HTTPSConnection:
        connection: http.client.HTTPSConnection | None = getattr(self._local, "connection", None)
        if self._is_closed:
            raise TransportError("The line was given up")
        if connection is None:
            host, port = self._target.hostname or "", self._target.port or 443
            connection = http.client.HTTPSConnection(host, port, timeout=self.silence_seconds, context=self._context)
            self._local.connection = connection
            self._open.append(connection)
        return connection

    def _drop(self, connection: http.client.HTTPSConnection) -> None:
        connection.close()
        with suppress(ValueError):
            self._open.remove(connection)
        with suppress(AttributeError):
            del self._local.connection


def _trouble(status: int, body: bytes) -> TransportError | EvidenceGoneError | ChunkRefusedError:
    title = _member(body, "title")
    said = title[:200] if isinstance(title, str) else ""
    if status == http.HTTPStatus.GONE:
        return EvidenceGoneError(said or "The file was withdrawn", remedy="Ask the partner why.")
    if status in (http.HTTPStatus.OK, http.HTTPStatus.UNPROCESSABLE_ENTITY):
        return ChunkRefusedError(said or "The partner's answer is no chunk")
    # 404 too: the partner may not have stored the message yet, or be restored from a backup of before it.
    return TransportError(f"The partner's node answered {status}" + (f": {said}" if said else ""))


def _member(body: bytes, name: str) -> object:
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return values.get(name) if isinstance(values, dict) else None
