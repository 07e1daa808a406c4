"""Long polls on the partner port: whoever waits is woken when something was posted, or looks again after a while."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from comity.exchange.bell import posted
from comity.exchange.transports.https.clerks import Clerks, Question
from comity.exchange.transports.https.routes import NOTHING_YET, Page, busy

Receive = Callable[[], Awaitable[dict[str, Any]]]
# What another process posted rings no bell here.
LOOK_SECONDS = 1.0
POLLS_AT_ONCE = 4


class Polls:
    """Those who wait. Used by the loop's thread alone, but for the bell."""

    def __init__(self, clerks: Clerks) -> None:
        self._clerks = clerks
        self._bell = asyncio.Event()
        self._waiting: Counter[str] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_ending = False

    def start(self) -> None:
        """Begin to listen."""
        self._loop = asyncio.get_running_loop()
        posted.subscribe(self._ring)

    def stop(self) -> None:
        """Let everybody who waits go home, and nobody wait any more."""
        posted.unsubscribe(self._ring)
        self._is_ending = True
        self._bell.set()

    async def answer(self, question: Question, receive: Receive) -> Page:
        """The answer to a question, at once or as soon as there is one."""
        bell = self._bell  # before asking, so that no ring is missed
        first = self._clerks.ask(question)
        if first is None:
            return busy()
        page = await first
        if page is not None:
            return page
        # Who asks was proved at the first asking. By name, since an authority issues as many certificates as it likes;
        # those who do not name themselves share the places of one.
        who = question.query.get("sender", "")
        if self._waiting[who] >= POLLS_AT_ONCE:
            return busy()
        self._waiting[who] += 1
        try:
            return await self._wait(replace(question, body=b"", is_again=True), receive, bell)
        finally:
            self._waiting[who] -= 1
            self._waiting += Counter()  # drops those at zero

    async def _wait(self, question: Question, receive: Receive, bell: asyncio.Event) -> Page:
        loop = asyncio.get_running_loop()
        end = loop.time() + question.route.wait_seconds
        gone = asyncio.ensure_future(receive())  # after the body, only a disconnection can come
        try:
            while not self._is_ending and (left := end - loop.time()) > 0:
                rung = asyncio.ensure_future(bell.wait())
                await asyncio.wait({rung, gone}, timeout=min(left, LOOK_SECONDS), return_when="FIRST_COMPLETED")
                rung.cancel()
                if gone.done():
                    break  # nothing is handed out to a broken line
                bell = self._bell
                future = self._clerks.ask(question)
                page = await future if future is not None else None
                if page is not None:
                    return page
            return NOTHING_YET
        finally:
            gone.cancel()

    def _ring(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()
        if self._is_ending:
            self._bell.set()
