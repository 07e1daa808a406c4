"""The writer of the partner port: one queue, one thread, one transaction for what has come in meanwhile."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import close_old_connections, connections

from comity.common import Clock
from comity.exchange.errors import EnvelopeRefusedError
from comity.exchange.inbox import Receiver, Reply
from comity.exchange.transports.https.backlog import Backlog, Job
from comity.exchange.transports.https.doorman import Doorman
from comity.exchange.transports.https.paths import PROBLEM_MEDIA_TYPE, RECEIPT_MEDIA_TYPE
from comity.exchange.transports.https.routes import Page, problem

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WriterRules:
    """How much goes into one transaction, how much may wait, how often the partners are read; see PartnerPort."""

    group: int
    group_bytes: int
    waiting: int
    refresh_seconds: float


class Writer:
    """One thread that takes what has come in meanwhile and answers it with one transaction."""

    def __init__(self, receiver: Receiver, clock: Clock, doorman: Doorman, rules: WriterRules) -> None:
        self._receiver, self._clock, self._doorman, self._rules = receiver, clock, doorman, rules
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._backlog = Backlog()
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

    def put(self, job: Job) -> bool:
        """Whether there was room."""
        if self._jobs.qsize() + len(self._backlog) >= self._rules.waiting:
            return False
        self._jobs.put(job)
        return True

    def _run(self) -> None:
        try:
            is_running = True
            while is_running or self._backlog:
                self._refresh()
                self._is_ready.set()
                is_running = is_running and self._drain()
                jobs = self._backlog.take(self._rules.group, self._rules.group_bytes)
                if jobs:
                    self._work(jobs)
        finally:
            self._is_ready.set()
            connections.close_all()

    def _refresh(self) -> None:
        try:
            self._doorman.refresh(self._clock(), self._rules.refresh_seconds)
        except Exception:  # the edge of a worker: the database may be away for a while
            logger.exception("The partners could not be read")
            close_old_connections()

    def _drain(self) -> bool:
        """Let what has come in wait in its line; where none does, wait for the first. Whether to go on."""
        try:
            job = self._jobs.get_nowait() if self._backlog else self._jobs.get(timeout=self._rules.refresh_seconds)
            while job is not None:
                self._backlog.add(job)
                job = self._jobs.get_nowait()
        except queue.Empty:
            return True
        return False

    def _work(self, jobs: Sequence[Job]) -> None:
        try:
            pages = self._answer(jobs)
        except Exception:  # the edge of a worker: find the one that fails, so that the others pass
            logger.exception("A group of %d envelopes failed; each is tried alone", len(jobs))
            pages = [page for job in jobs for page in self._answer_alone(job)]
        pages[0][0].future.get_loop().call_soon_threadsafe(_tell, pages)

    def _answer_alone(self, job: Job) -> list[tuple[Job, Page]]:
        try:
            return self._answer([job])
        except Exception:  # the edge of a worker: the sender keeps the envelope and comes back
            logger.exception("An envelope could not be answered")
            close_old_connections()
            return [(job, problem(500, "internal", "The envelope could not be stored; nothing was taken"))]

    def _answer(self, jobs: Sequence[Job]) -> list[tuple[Job, Page]]:
        at = self._clock()
        welcome, pages = [], []
        for job in jobs:
            try:
                self._doorman.check(job.certificate, job.data, at)
                welcome.append(job)
            except EnvelopeRefusedError as error:
                pages.append((job, page_of(self._receiver.refuse(job.data, error, at))))
        replies = self._receiver.answer([job.data for job in welcome], at) if welcome else []
        return pages + [(job, page_of(reply)) for job, reply in zip(welcome, replies, strict=True)]


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
