"""The officers' port: the live stream natively, everything else by Django in a fixed pool of threads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from a2wsgi import WSGIMiddleware

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

WORKERS = 8


def application(wsgi: Callable[..., Any], live: App, *, workers: int = WORKERS) -> App:
    """`/live` goes to `live`, the rest to the pages; a stream never holds one of the pool's threads."""
    pages = cast(App, WSGIMiddleware(wsgi, workers=workers))  # its own types of scope and message are narrower

    async def dispatch(scope: Message, receive: Receive, send: Send) -> None:
        is_live = scope["type"] == "http" and scope["path"] == "/live"
        await (live if is_live else pages)(scope, receive, send)

    return dispatch
