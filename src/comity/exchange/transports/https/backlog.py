"""The envelopes that wait for the writer: short ones go first, so an alert does not stand behind a transfer.

A sender does not say what is urgent, but what is urgent is short. A group, which is one transaction, holds one kind
alone, and the kinds take turns: so a short one waits for one group of long ones at most, and no long one for ever.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from comity.exchange.transports.https.routes import Page

SHORT_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Job:
    """An envelope that came in, and who waits for its answer."""

    certificate: bytes
    data: bytes
    future: asyncio.Future[Page]


@dataclass(slots=True)
class Backlog:
    """Two lines of jobs, each in the order of arrival. Used by one thread."""

    short: deque[Job] = field(default_factory=deque)
    long: deque[Job] = field(default_factory=deque)
    is_long_next: bool = False

    def __len__(self) -> int:
        return len(self.short) + len(self.long)

    def add(self, job: Job) -> None:
        """It waits from now on."""
        (self.short if len(job.data) <= SHORT_BYTES else self.long).append(job)

    def take(self, group: int, group_bytes: int) -> list[Job]:
        """The next so many, or until they have more than so many bytes."""
        line = self.long if self.long and (self.is_long_next or not self.short) else self.short
        self.is_long_next = line is self.short
        jobs: list[Job] = []
        size = 0
        while line and len(jobs) < group and size <= group_bytes:
            job = line.popleft()
            jobs.append(job)
            size += len(job.data)
        return jobs
