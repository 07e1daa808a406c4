"""Jobs run when they are due, run at once when woken, and outlive what one of them raises."""

from __future__ import annotations

import logging
import threading
from datetime import datetime

import pytest

from comity.common import utc_now
from comity.node.jobs import Job, JobWorker


@pytest.mark.django_db(transaction=True)
def test_a_failing_job_is_logged_and_the_next_one_runs(caplog: pytest.LogCaptureFixture) -> None:
    ran, tried = threading.Event(), threading.Event()

    def fail(_at: datetime) -> None:
        tried.set()
        raise RuntimeError("the disk is full")

    worker = JobWorker((Job("failing", 0, fail), Job("good", 0, lambda _at: ran.set())), utc_now)
    with caplog.at_level(logging.ERROR):
        worker.start()
        assert tried.wait(10)
        assert ran.wait(10)
        worker.stop()
    assert "failing" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_waking_runs_urgent_jobs_before_they_are_due() -> None:
    runs: list[datetime] = []
    first, second = threading.Event(), threading.Event()

    def run(at: datetime) -> None:
        runs.append(at)
        (second if first.is_set() else first).set()

    worker = JobWorker((Job("inbox", 3600, run, is_urgent=True), Job("night", 3600, lambda _at: None)), utc_now)
    worker.start()
    assert first.wait(10)
    worker.wake()
    assert second.wait(10)
    worker.stop()
    assert len(runs) == 2
