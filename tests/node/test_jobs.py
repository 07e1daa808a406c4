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


@pytest.mark.django_db(transaction=True)
def test_a_job_that_fails_the_same_way_again_is_one_line_and_less_often(caplog: pytest.LogCaptureFixture) -> None:
    runs: list[datetime] = []
    often = threading.Event()

    def fail(at: datetime) -> None:
        runs.append(at)
        if len(runs) == 3:
            often.set()
        raise RuntimeError("the disk is full")

    worker = JobWorker((Job("failing", 0, fail, is_urgent=True),), utc_now)
    with caplog.at_level(logging.ERROR):
        worker.start()
        assert often.wait(30)
        worker.stop()
    lines = [record for record in caplog.records if "the job failing failed" in record.getMessage()]
    assert [bool(record.exc_info) for record in lines[:3]] == [True, False, False]
    assert "0.5 s" in lines[0].getMessage()
    assert "2.0 s" in lines[2].getMessage()
