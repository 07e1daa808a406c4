"""Background work: what is due now, over rows that exist.

A job is idempotent and asks the tables what is due, so that a node that was killed goes on where it was.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from django.db import close_old_connections, connection

from comity.common import Clock
from comity.node.meters import JOB_FAILURES, JOB_RUNS, JOB_SECONDS

log = logging.getLogger("comity.jobs")

_TURN_SECONDS = 0.25
_LONGEST_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Job:
    """Something that falls due again and again.

    every_seconds: the pause between two runs; 0 runs at every turn. is_urgent: also runs when the worker is woken.
    """

    name: str
    every_seconds: float
    run: Callable[[datetime], object]
    is_urgent: bool = False


@dataclass(slots=True)
class _Schedule:
    job: Job
    next_run: float = 0.0
    failures: int = 0
    trouble: str = ""


@dataclass(slots=True)
class JobWorker:
    """One thread that runs jobs in turn until it is stopped."""

    jobs: Sequence[Job]
    clock: Clock
    _stopping: threading.Event = field(default_factory=threading.Event)
    _waking: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Run the urgent jobs now: something has just arrived."""
        self._waking.set()

    def stop(self, wait_seconds: float = 10.0) -> None:
        """Finish the present job and end."""
        self._stopping.set()
        self._waking.set()
        if self._thread is not None:
            self._thread.join(wait_seconds)

    def _work(self) -> None:
        schedules = [_Schedule(job) for job in self.jobs]
        try:
            while not self._stopping.is_set():
                is_woken = self._waking.wait(_TURN_SECONDS)
                self._waking.clear()
                for schedule in schedules:
                    self._take_turn(schedule, is_woken=is_woken)
        finally:
            connection.close()

    def _take_turn(self, schedule: _Schedule, *, is_woken: bool) -> None:
        is_due = monotonic() >= schedule.next_run
        is_called = is_woken and schedule.job.is_urgent and not schedule.failures
        if self._stopping.is_set() or not (is_due or is_called):
            return
        schedule.next_run = monotonic() + schedule.job.every_seconds
        close_old_connections()
        begun = monotonic()
        JOB_RUNS.labels(schedule.job.name).inc()
        try:
            schedule.job.run(self.clock())
        except Exception as error:  # a worker's edge: the next turn must come whatever this one met
            _note_failure(schedule, error)
        else:
            schedule.failures, schedule.trouble = 0, ""
        JOB_SECONDS.labels(schedule.job.name).observe(monotonic() - begun)


def _note_failure(schedule: _Schedule, error: Exception) -> None:
    """The first time with its traceback; what fails the same way again waits longer and takes one line."""
    schedule.failures += 1
    JOB_FAILURES.labels(schedule.job.name).inc()
    wait = max(
        schedule.job.every_seconds, min(_TURN_SECONDS * 2.0 ** min(schedule.failures, 20), _LONGEST_WAIT_SECONDS)
    )
    schedule.next_run = monotonic() + wait
    # The first line alone: PostgreSQL quotes values in the second.
    trouble = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    is_new, schedule.trouble = trouble != schedule.trouble, trouble
    log.error(
        "the job %s failed and will be tried again in %.1f s: %s",
        schedule.job.name,
        wait,
        trouble,
        exc_info=error if is_new else None,
    )
