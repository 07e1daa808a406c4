"""The clerks of the partner port: a few threads that answer what routes.py lists, beside the one writer."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import close_old_connections, connections

from comity.common import Clock, ComityError
from comity.exchange.errors import EnvelopeRefusedError
from comity.exchange.transports.https.doorman import Doorman
from comity.exchange.transports.https.routes import Asked, Page, Route, problem

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """A request for a route, before anybody knows whose it is. `sender` in the query: who says that he asks."""

    certificate: bytes
    route: Route
    parts: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    is_again: bool = False


@dataclass(frozen=True, slots=True)
class _Task:
    question: Question
    future: asyncio.Future[Page | None]


class Clerks:
    """Threads that each take the next question, find out who asks, and run the handler. waiting: questions at most."""

    def __init__(self, clock: Clock, doorman: Doorman, *, count: int, waiting: int) -> None:
        self._clock, self._doorman, self._waiting = clock, doorman, waiting
        self._tasks: queue.Queue[_Task | None] = queue.Queue()
        self._threads = [
            threading.Thread(target=self._run, name=f"comity-clerk-{number}", daemon=True) for number in range(count)
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End after what is under way."""
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def ask(self, question: Question) -> asyncio.Future[Page | None] | None:
        """What will be the answer; None where there is no room. Called by the loop's thread."""
        if self._tasks.qsize() >= self._waiting:
            return None
        future: asyncio.Future[Page | None] = asyncio.get_running_loop().create_future()
        self._tasks.put(_Task(question, future))
        return future

    def _run(self) -> None:
        try:
            while (task := self._tasks.get()) is not None:
                # Who has gone meanwhile is not worth the work.
                if not task.future.cancelled():
                    page = self._answer(task.question)
                    task.future.get_loop().call_soon_threadsafe(_tell, task.future, page)
        finally:
            connections.close_all()

    def _answer(self, question: Question) -> Page | None:
        try:
            at = self._clock()
            peer = self._doorman.identify(question.certificate, question.query.get("sender", ""), at)
            return question.route.handler(
                Asked(peer, at, question.parts, question.query, question.body, question.is_again)
            )
        except EnvelopeRefusedError as error:
            return problem(403, error.code, error.what, remedy=error.remedy)
        except ComityError as error:
            return problem(422, error.code, f"{error.what} ({error.where})", remedy=error.remedy)
        except Exception:  # the edge of a worker: the partner comes back
            logger.exception("%s %s could not be answered", question.route.method, question.route.pattern)
            close_old_connections()
            return problem(500, "internal", "The request could not be answered; nothing was taken")


def _tell(future: asyncio.Future[Page | None], page: Page | None) -> None:
    if not future.done():  # the partner may have gone; it will ask again
        future.set_result(page)
