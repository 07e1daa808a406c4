"""The live stream as an ASGI application: who may listen, what is told, when it ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from comity.common import Actor, ActorKind
from comity.console.asgi import application
from comity.console.live import LiveEvents
from comity.staff.services import propose, require_second_factor
from tests.console.conftest import CHIEF

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 20


class Listener:
    """A page that listens, without a network."""

    def __init__(self, live: LiveEvents, cookie: str, *, method: str = "GET") -> None:
        headers = [(b"host", b"node"), (b"cookie", cookie.encode())] if cookie else []
        scope = {"type": "http", "path": "/live", "method": method, "headers": headers}
        self._leaving: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.task = asyncio.ensure_future(live(scope, self._leaving.get, self._told.put))

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._told.get(), PATIENCE_SECONDS)

    async def text(self, beginning: str) -> str:
        """The next part that begins so."""
        while True:
            part = (await self.next()).get("body", b"").decode()
            if part.startswith(beginning):
                return part

    async def counts(self) -> dict[str, int]:
        return dict(json.loads((await self.text("event: counts")).split("data: ")[1]))

    async def leave(self) -> None:
        self._leaving.put_nowait({"type": "http.disconnect"})
        await asyncio.wait_for(self.task, PATIENCE_SECONDS)


def cookie_of(client: Client) -> str:
    return f"other=1; {settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


async def elsewhere(deed: Callable[[], object]) -> None:
    """Do it in another thread, whose connection is given back."""

    def do() -> None:
        deed()
        connection.close()

    await sync_to_async(do)()


def propose_something() -> None:
    liaison = Actor(ActorKind.OFFICER, "boris", "XA", frozenset({"liaison"}))
    propose(liaison, deed="share_alert", payload={"to": ["XB"]}, handling=2, at=datetime.now(UTC))


def test_counters_come_at_once_and_again_when_they_change(as_role: Callable[..., Client]):
    cookie = cookie_of(as_role("supervisor"))

    async def listen() -> None:
        live = LiveEvents(turn_seconds=0.01)
        listener = Listener(live, cookie)
        start = await listener.next()
        assert start["status"] == 200
        assert dict(start["headers"])[b"content-type"] == b"text/event-stream; charset=utf-8"
        first = await listener.counts()
        assert first == {"queue": 0, "assessed": 0, "messages": 0, "approvals": 0, "recalls": 0, "arrivals": 0}
        await elsewhere(propose_something)
        while (await listener.counts())["approvals"] != 1:
            pass
        assert live.listeners == 1
        await listener.leave()
        assert live.listeners == 0

    asyncio.run(listen())


def test_everyone_hears_only_what_he_may_know(as_role: Callable[..., Client]):
    cookie = cookie_of(as_role("administrator"))

    async def listen() -> dict[str, int]:
        listener = Listener(LiveEvents(), cookie)
        told = await listener.counts()
        await listener.leave()
        return told

    assert asyncio.run(listen()) == {"arrivals": 0}


def test_a_heartbeat_keeps_the_line_and_ends_with_the_session(as_role: Callable[..., Client]):
    cookie = cookie_of(as_role("officer"))

    async def listen() -> None:
        listener = Listener(LiveEvents(heartbeat_seconds=0.02), cookie)
        assert await listener.text(": still here")
        await elsewhere(Session.objects.all().delete)
        await asyncio.wait_for(listener.task, PATIENCE_SECONDS)

    asyncio.run(listen())


@pytest.mark.parametrize(
    ("cookie", "method", "status"),
    [("", "GET", 401), ("sessionid=unknown", "GET", 401), ("a=b; \x00;", "GET", 401), ("", "POST", 405)],
)
def test_strangers_hear_nothing(db: None, cookie: str, method: str, status: int):
    async def listen() -> int:
        listener = Listener(LiveEvents(), cookie, method=method)
        answer = await listener.next()
        await asyncio.wait_for(listener.task, PATIENCE_SECONDS)
        return int(answer["status"])

    assert asyncio.run(listen()) == status


def test_without_the_second_factor_that_is_required_nothing_is_heard(as_role: Callable[..., Client]):
    cookie = cookie_of(as_role("officer"))
    require_second_factor(CHIEF, username="the-officer", is_required=True, at=datetime.now(UTC))

    async def listen() -> int:
        return int((await Listener(LiveEvents(), cookie).next())["status"])

    assert asyncio.run(listen()) == 401


def test_too_many_listeners_are_turned_away(as_role: Callable[..., Client], monkeypatch: pytest.MonkeyPatch):
    cookie = cookie_of(as_role("officer"))
    monkeypatch.setattr("comity.console.live.MOST_LISTENERS", 1)

    async def listen() -> None:
        live = LiveEvents()
        first = Listener(live, cookie)
        await first.counts()
        assert (await Listener(live, cookie).next())["status"] == 503
        await first.leave()

    asyncio.run(listen())


def test_only_the_stream_goes_past_the_pool_of_pages():
    reached: list[str] = []

    async def live(scope: Any, _receive: Any, _send: Any) -> None:
        reached.append(scope["path"])

    def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        reached.append("pages:" + environ["PATH_INFO"])
        start_response("200 OK", [])
        return [b"a page"]

    async def ask(path: str) -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(_message: Any) -> None:
            pass

        scope = {"type": "http", "path": path, "method": "GET", "headers": [], "query_string": b"", "server": ("n", 1)}
        scope |= {"http_version": "1.1", "scheme": "http", "client": ("c", 1), "root_path": ""}
        await application(wsgi, live, workers=1)(scope, receive, send)

    asyncio.run(ask("/live"))
    asyncio.run(ask("/live/other"))
    assert reached == ["/live", "pages:/live/other"]
