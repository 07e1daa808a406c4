"""The writer of the partner port: one queue, one transaction for what has come in meanwhile."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import close_old_connections, connections

from comity.common import Clock
from comity.exchange.errors import EnvelopeRefusedError
from comity.exchange.inbox import Opened, Receiver, Reply
from comity.exchange.transports.https.backlog import Backlog, Job
from comity.exchange.transports.https.doorman import Doorman
from comity.exchange.transports.https.paths import PROBLEM_MEDIA_TYPE, RECEIPT_MEDIA_TYPE
from comity.exchange.transports.https.routes import Page, problem

logger = logging.getLogger(__name__)

_UNDER_WAY = 2


@dataclass(frozen=True, slots=True)
class WriterRules:
    """How much goes into one transaction, how much may wait, how often the partners are read; see PartnerPort."""

    group: int
    group_bytes: int
    waiting: int
    refresh_seconds: float


@dataclass(frozen=True, slots=True)
class _Group:
    """What the reader hands to the writer. opened: None where the group failed as a whole; each is tried alone then.

    turned_away: not from whom it says. welcome: the rest, which was opened.
    """

    jobs: Sequence[Job]
    turned_away: Sequence[tuple[Job, EnvelopeRefusedError]] = ()
    welcome: Sequence[Job] = ()
    opened: Opened | None = None


class Writer:
    """Answers what has come in meanwhile with one transaction.

    Two threads: one opens and judges a group while the other writes the one before. So two groups are under way at
    most, and what comes meanwhile makes up the next.
    """

    def __init__(self, receiver: Receiver, clock: Clock, doorman: Doorman, rules: WriterRules) -> None:
        self._receiver, self._clock, self._doorman, self._rules = receiver, clock, doorman, rules
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._backlog = Backlog()
        self._groups: queue.SimpleQueue[_Group | None] = queue.SimpleQueue()
        self._room = threading.Semaphore(_UNDER_WAY)
        self._is_ready = threading.Event()
        self._threads = (
            threading.Thread(target=self._read, name="comity-inbox-reader", daemon=True),
            threading.Thread(target=self._write, name="comity-inbox-writer", daemon=True),
        )

    def start(self) -> None:
        """Begin. Returns when the partners' authorities were read: before, every handshake would fail."""
        for thread in self._threads:
            thread.start()
        self._is_ready.wait()

    def stop(self) -> None:
        """End after what is under way."""
        self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def put(self, job: Job) -> bool:
        """Whether there was room."""
        if self._jobs.qsize() + len(self._backlog) >= self._rules.waiting:
            return False
        self._jobs.put(job)
        return True

    def _read(self) -> None:
        try:
            is_running = True
            while is_running or self._backlog:
                self._refresh()
                self._is_ready.set()
                self._room.acquire()  # first of all: what comes until there is room goes with the next group
                is_running = is_running and self._drain(wait=not self._backlog)
                if self._backlog:
                    self._hand_on()
                else:
                    self._room.release()
        finally:
            self._is_ready.set()
            self._groups.put(None)
            connections.close_all()

    def _refresh(self) -> None:
        try:
            self._doorman.refresh(self._clock(), self._rules.refresh_seconds)
        except Exception:  # the edge of a worker: the database may be away for a while
            logger.exception("The partners could not be read")
            close_old_connections()

    def _drain(self, *, wait: bool) -> bool:
        """Let what has come in wait in its line; where none does, wait for the first. Whether to go on."""
        try:
            job = self._jobs.get(timeout=self._rules.refresh_seconds) if wait else self._jobs.get_nowait()
            while job is not None:
                self._backlog.add(job)
                job = self._jobs.get_nowait()
        except queue.Empty:
            return True
        return False

    def _hand_on(self) -> None:
        """Open what waits, and let the writer have it."""
        jobs = self._backlog.take(self._rules.group, self._rules.group_bytes)
        try:
            group = self._opened(jobs)
        except Exception:  # the edge of a worker: the writer finds the one that fails, so that the others pass
            logger.exception("A group of %d envelopes failed; each is tried alone", len(jobs))
            close_old_connections()
            group = _Group(jobs)
        self._groups.put(group)

    def _write(self) -> None:
        try:
            while (group := self._groups.get()) is not None:
                pages = self._answers(group)
                self._room.release()
                group.jobs[0].future.get_loop().call_soon_threadsafe(_tell, pages)
        finally:
            connections.close_all()

    def _opened(self, jobs: Sequence[Job]) -> _Group:
        at = self._clock()
        welcome, turned_away = [], []
        for job in jobs:
            try:
                self._doorman.check(job.certificate, job.data, at)
                welcome.append(job)
            except EnvelopeRefusedError as error:
                turned_away.append((job, error))
        return _Group(jobs, turned_away, welcome, self._receiver.open([job.data for job in welcome], at))

    def _answers(self, group: _Group) -> list[tuple[Job, Page]]:
        if group.opened is not None:
            try:
                return self._take(group, group.opened)
            except Exception:  # the edge of a worker: find the one that fails, so that the others pass
                logger.exception("A group of %d envelopes failed; each is tried alone", len(group.jobs))
        return [page for job in group.jobs for page in self._answer_alone(job)]

    def _answer_alone(self, job: Job) -> list[tuple[Job, Page]]:
        try:
            group = self._opened([job])
            return self._take(group, group.opened) if group.opened else []
        except Exception:  # the edge of a worker: the sender keeps the envelope and comes back
            logger.exception("An envelope could not be answered")
            close_old_connections()
            return [(job, problem(500, "internal", "The envelope could not be stored; nothing was taken"))]

    def _take(self, group: _Group, opened: Opened) -> list[tuple[Job, Page]]:
        refused = [
            (job, page_of(self._receiver.refuse(job.data, error, opened.at))) for job, error in group.turned_away
        ]
        replies = self._receiver.take(opened) if group.welcome else []
        return refused + [(job, page_of(reply)) for job, reply in zip(group.welcome, replies, strict=True)]


def page_of(reply: Reply) -> Page:
    """The receipt or the signed refusal of an envelope as it goes back."""
    if reply.is_receipt:
        return Page(200, RECEIPT_MEDIA_TYPE, reply.body)
    if reply.retry_after_seconds:
        return Page(503, PROBLEM_MEDIA_TYPE, reply.body, retry_after=str(reply.retry_after_seconds))
    return Page(413 if reply.code == "too_large" else 422, PROBLEM_MEDIA_TYPE, reply.body)


def _tell(pages: Sequence[tuple[Job, Page]]) -> None:
    for job, page in pages:
        if not job.future.done():  # the partner may have gone; it will ask again
            job.future.set_result(page)
