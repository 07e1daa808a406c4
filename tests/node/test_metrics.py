"""/metrics: parsed by Prometheus' own parser, compared with what really went through, and without a word too many."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from comity.common import Actor, utc_now
from comity.exchange.delivery import deliver_due
from comity.exchange.models import OutboxEnvelope
from comity.exchange.services import post
from comity.exchange.tallies import Latencies, tally
from comity.node import meters
from comity.node.jobs import Job, JobWorker
from comity.staff import Role
from comity.staff.services import issue_token
from tests.exchange.cast import AT, CHIPO, Loop, adopt_demo, introduce, keyring, release

pytestmark = pytest.mark.django_db


def scrape(**headers: str) -> dict[str, Any]:
    answer = Client().get("/metrics", **{"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8100", **headers})  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("text/plain; version=")
    return {family.name: family for family in text_string_to_metric_families(answer.content.decode())}


def value(families: dict[str, Any], sample: str, **labels: str) -> float:
    found = [
        each.value
        for family in families.values()
        for each in family.samples
        if each.name == sample and labels.items() <= each.labels.items()
    ]
    assert len(found) == 1, (sample, labels, found)
    return float(found[0])


@pytest.fixture
def traffic(db: None) -> None:
    """Two alerts from XC to XA that arrived in one envelope, and one to XA that waits."""
    introduce("XA", "XC")
    adopt_demo()
    for _ in range(2):
        post(CHIPO, release(), signer=keyring("XC").log, at=AT)


def test_the_figures_are_those_of_the_traffic(traffic: None) -> None:
    before = scrape()
    assert value(before, "comity_outbox_waiting", partner="XA", priority="ordinary") == 2
    assert value(before, "comity_outbox_oldest_seconds", partner="XA", priority="ordinary") > 0
    assert value(before, "comity_envelope_seconds_count") >= 0
    assert deliver_due(keyring("XC"), AT, transport=Loop()) == 1
    after = scrape()
    assert value(after, "comity_outbox_waiting", partner="XA", priority="ordinary") == 0
    assert value(after, "comity_journeys_due") == 2
    assert value(after, "comity_journeys_oldest_seconds") > 0
    assert value(after, "comity_log_entries") == 3
    assert value(after, "comity_partner_failures", partner="XA") == 0
    assert value(after, "comity_disk_free_bytes", used_for="home") > 0
    assert value(after, "comity_key_document_days", administration="XC") < 366
    assert value(after, "comity_node", administration="XA") == 1
    counted = tally()
    assert counted.messages == {("sent", "delivered", "alert/1"): 2, ("received", "due", "alert/1"): 2}
    assert (counted.received_envelopes, counted.refusals) == (1, {})


def test_an_envelope_is_counted_once_when_it_is_answered(traffic: None) -> None:
    latencies = Latencies()
    assert latencies.since_last() == []
    deliver_due(keyring("XC"), AT, transport=Loop())
    OutboxEnvelope.objects.update(answered_at=AT + timedelta(seconds=3))
    assert latencies.since_last() == [3.0]
    assert latencies.since_last() == []
    post(CHIPO, release(), signer=keyring("XC").log, at=AT)
    deliver_due(keyring("XC"), AT, transport=Loop(is_down=True))
    assert latencies.since_last() == []
    OutboxEnvelope.objects.filter(state="open").update(state="answered", answered_at=AT + timedelta(seconds=7))
    assert len(latencies.since_last()) == 1


def test_refusals_are_counted_by_code(traffic: None) -> None:
    from_the_past = Loop(at=AT - timedelta(days=3))
    deliver_due(keyring("XC"), AT, transport=from_the_past)
    assert tally().refusals == {("ours", "created_in_future"): 2, ("theirs", "created_in_future"): 2}


@pytest.mark.parametrize(
    "headers",
    [
        {"REMOTE_ADDR": "10.0.0.7"},
        {"HTTP_HOST": "comity.example"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"REMOTE_ADDR": ""},
    ],
)
def test_others_need_a_token(headers: dict[str, str]) -> None:
    wanted = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost", **headers}
    refused = Client().get("/metrics", **wanted)  # type: ignore[arg-type]
    assert refused.status_code == 401
    assert b"comity_" not in refused.content
    admin = Actor(CHIPO.kind, "ana", "XA", frozenset({Role.ADMINISTRATOR.value}))
    token = issue_token(admin, name="prometheus", roles=[Role.AUDITOR.value], officer=None, at=utc_now())
    allowed = Client().get("/metrics", HTTP_AUTHORIZATION=f"Bearer {token}", **wanted)  # type: ignore[arg-type]
    assert allowed.status_code == 200
    assert Client().post("/metrics", **wanted).status_code == 405  # type: ignore[arg-type]


def test_nothing_is_said_of_persons_or_messages(traffic: None) -> None:
    text = Client().get("/metrics", REMOTE_ADDR="127.0.0.1", HTTP_HOST="localhost").content.decode()
    for word in ("Blue Heron", "XA123", "XC-2026-0007", "shoes", "chipo"):
        assert word not in text


def test_jobs_are_counted_with_their_failures() -> None:
    def fail(_at: object) -> None:
        raise ValueError

    worker = JobWorker((Job("metrics test well", 0, lambda _at: None), Job("metrics test ill", 0, fail)), utc_now)
    worker.start()
    while not meters.REGISTRY.get_sample_value("comity_job_failures_total", {"job": "metrics test ill"}):
        worker.wake()
    worker.stop()
    families = scrape()
    assert value(families, "comity_job_runs_total", job="metrics test well") >= 1
    assert value(families, "comity_job_seconds_count", job="metrics test well") >= 1
    assert value(families, "comity_job_failures_total", job="metrics test ill") >= 1
