"""What this process counts by itself: its jobs. Everything else in /metrics is read from the tables."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Summary

REGISTRY = CollectorRegistry()
JOB_RUNS = Counter("comity_job_runs", "Runs of a job in this process.", ["job"], registry=REGISTRY)
JOB_FAILURES = Counter("comity_job_failures", "Runs of a job that failed.", ["job"], registry=REGISTRY)
JOB_SECONDS = Summary("comity_job_seconds", "How long the runs of a job took.", ["job"], registry=REGISTRY)
