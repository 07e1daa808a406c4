"""Server-sent events: the counters of the menu, told to every open page when they change.

One broadcaster for the process. A single thread of its own watches the database: on SQLite by PRAGMA data_version,
which rises when another connection has written, elsewhere by counting again at each turn. It works only while
someone listens. An officer's session is checked at the beginning and at each heartbeat.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, connection
from django.http import HttpRequest
from django_otp import DEVICE_ID_SESSION_KEY

from comity.common import Actor
from comity.console import counters
from comity.console.asgi import Message, Receive, Send
from comity.staff.models import Officer
from comity.staff.services import actor_of

log = logging.getLogger("comity.console.live")

TURN_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
MOST_LISTENERS = 1000


@dataclass(eq=False, slots=True)
class _Listener:
    """An open page. waiting: at most one set of counters; a slow reader gets the newest, never a queue."""

    actor: Actor
    waiting: asyncio.Queue[dict[str, int]] = field(default_factory=lambda: asyncio.Queue(maxsize=1))

    def offer(self, every: dict[str, int]) -> None:
        with contextlib.suppress(asyncio.QueueEmpty):
            self.waiting.get_nowait()
        self.waiting.put_nowait(counters.visible(every, self.actor))


class LiveEvents:
    """The ASGI application behind `/live`."""

    def __init__(self, *, turn_seconds: float = TURN_SECONDS, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._turn_seconds = turn_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._listeners: set[_Listener] = set()
        self._watching: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._version: object = None
        self._counts: dict[str, int] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request with a stream that ends when the page closes or the session ends."""
        if scope["method"] not in {"GET", "HEAD"}:
            await _answer(send, 405, "Read it with GET.")
            return
        try:
            await self._admit(scope, receive, send)
        finally:
            if not self._listeners:
                self._rest()

    async def _admit(self, scope: Message, receive: Receive, send: Send) -> None:
        key = _session_key(scope)
        actor = await self._in_thread(_actor_of_session, key) if key else None
        if actor is None:
            await _answer(send, 401, "Sign in first.")
        elif len(self._listeners) >= MOST_LISTENERS:
            await _answer(send, 503, "Too many pages listen already; this one works without.")
        else:
            await self._stream(actor, key, receive, send)

    @property
    def listeners(self) -> int:
        """How many pages listen."""
        return len(self._listeners)

    async def _stream(self, actor: Actor, key: str, receive: Receive, send: Send) -> None:
        listener = _Listener(actor)
        self._listeners.add(listener)
        leaving = asyncio.ensure_future(_disconnected(receive))
        try:
            listener.offer(await self._in_thread(counters.counts))
            await _begin(send)
            self._watch()
            await self._tell(listener, key, leaving, send)
        finally:
            leaving.cancel()
            self._listeners.discard(listener)

    async def _tell(self, listener: _Listener, key: str, leaving: asyncio.Future[None], send: Send) -> None:
        while not leaving.done():
            news = asyncio.ensure_future(listener.waiting.get())
            both: set[asyncio.Future[Any]] = {news, leaving}
            await asyncio.wait(both, timeout=self._heartbeat_seconds, return_when=asyncio.FIRST_COMPLETED)
            if news.done():
                await _send_part(send, f"event: counts\ndata: {json.dumps(news.result())}\n\n")
                continue
            news.cancel()
            if leaving.done():
                return
            if await self._in_thread(_actor_of_session, key) != listener.actor:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            await _send_part(send, ": still here\n\n")

    def _watch(self) -> None:
        if self._watching is None or self._watching.done():
            self._watching = asyncio.ensure_future(self._watch_database())

    async def _watch_database(self) -> None:
        while self._listeners:
            await asyncio.sleep(self._turn_seconds)
            try:
                news = await self._in_thread(self._look)
            except DatabaseError:
                log.exception("the database could not be read; the next turn tries again")
                continue
            if news is not None:
                for listener in tuple(self._listeners):
                    listener.offer(news)

    def _look(self) -> dict[str, int] | None:
        """The counters, where they have changed since the last look."""
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA data_version")
                version = cursor.fetchone()
            if version == self._version:
                return None
            self._version = version
        fresh = counters.counts()
        if fresh == self._counts:
            return None
        self._counts = fresh
        return fresh

    def _rest(self) -> None:
        """Nobody listens: stop watching and give the connection back."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        if self._thread is not None:
            thread, self._thread = self._thread, None
            thread.submit(_give_back)
            thread.shutdown(wait=False)
        self._version, self._counts = None, {}

    async def _in_thread(self, work: Any, *arguments: object) -> Any:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="live")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def _give_back() -> None:
    """Close this thread's own connection: `connection.close` itself would be the one of whoever names it."""
    connection.close()


def _session_key(scope: Message) -> str:
    """The session's cookie; empty where there is none that can be read."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            with contextlib.suppress(CookieError):
                morsel = SimpleCookie(value.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
                if morsel is not None:
                    return morsel.value
    return ""


def _actor_of_session(key: str) -> Actor | None:
    """The officer of a session, exactly as a page would know him: active, session hash right, second factor given."""
    request = HttpRequest()
    request.session = SessionStore(key)
    officer = get_user(request)
    if not isinstance(officer, Officer) or not officer.is_active:
        return None
    if officer.needs_second_factor and DEVICE_ID_SESSION_KEY not in request.session:
        return None
    return actor_of(officer)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _begin(send: Send) -> None:
    headers = [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await _send_part(send, "retry: 3000\n\n")


async def _send_part(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _answer(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
