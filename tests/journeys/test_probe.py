"""A probe at XA: asked of a partner, answered to one, and what the newest one showed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity import __version__
from comity.common import Actor, ActorKind, ComityError
from comity.exchange import ReceivedMessage
from comity.exchange.models import InboxMessage, OutboxMessage
from comity.exchange.selectors import message as message_by_id
from comity.exchange.services import suspend_partner
from comity.exchange.skew import certain_skew
from comity.journeys.actors import this_node
from comity.journeys.probe import (
    MOST_ANSWERS,
    Probe,
    ProbeFormError,
    probe_due,
    probe_from_body,
    probe_journey,
    probe_partners,
    probe_results,
)
from comity.staff import PermissionRefusedError, Role
from tests.exchange.cast import message

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "probe-1.json").read_text())
NONCE = "0123456789abcdef"
KINDS = ("finding/1", "alert/1")


def question(number: int, at: datetime, sender: str = "XC") -> ReceivedMessage:
    asked = message(number, kind="probe/1", sender=sender, origin=sender, body=Probe(NONCE).to_body(), created=at)
    return ReceivedMessage(asked, at, number, 1)


def arrive(question_id: str, at: datetime, probe: Probe, *, number: int = 90) -> None:
    """What XC sent as an answer, stored as accepted."""
    sent = message(number, kind="probe/1", body=probe.to_body(), in_reply_to=question_id, created=at)
    InboxMessage.objects.create(
        sender="XC",
        message_id=sent.id,
        sequence=number,
        kind="probe/1",
        in_reply_to=question_id,
        received_at=at,
        envelope_id=str(UUID(int=number)),
        position=0,
        data=sent.to_bytes(),
        is_accepted=True,
        answer='{"id":"","sha256":"","accepted":true}',
    )


@pytest.mark.django_db
def test_a_probe_goes_to_every_partner_and_no_second_one_while_it_is_on_its_way(bound: str, at: datetime) -> None:
    first = probe_partners(this_node(), at=at)
    assert sorted(first) == ["XB", "XC"]
    assert probe_partners(this_node(), at=at + timedelta(days=30)) == first
    assert OutboxMessage.objects.count() == 2
    OutboxMessage.objects.update(state="delivered", answered_at=at + timedelta(seconds=2))
    assert probe_partners(this_node(), at=at + timedelta(seconds=59)) == first
    again = probe_partners(this_node(), at=at + timedelta(seconds=61), partners=["XC"])
    assert set(again) == {"XC"}
    assert again["XC"] != first["XC"]


@pytest.mark.django_db
def test_the_job_probes_once_an_hour_and_leaves_a_suspended_partner_alone(bound: str, at: datetime) -> None:
    admin = Actor(ActorKind.OFFICER, "ana", "XA", frozenset(role.value for role in Role))
    suspend_partner(admin, administration="XB", reason="a test", at=at)
    assert probe_due(at) == 1
    OutboxMessage.objects.update(state="delivered")
    assert probe_due(at + timedelta(minutes=59)) == 0
    assert probe_due(at + timedelta(minutes=61)) == 1
    assert set(OutboxMessage.objects.values_list("partner__administration", flat=True)) == {"XC"}


@pytest.mark.django_db
def test_an_officer_needs_the_leave_to_manage_partners(bound: str, at: datetime) -> None:
    with pytest.raises(PermissionRefusedError):
        probe_partners(Actor(ActorKind.OFFICER, "ana", "XA", frozenset({Role.ANALYST.value})), at=at)


@pytest.mark.django_db
def test_a_question_is_answered_with_what_stands_behind_it(bound: str, at: datetime) -> None:
    asked = question(1, at)
    probe_journey(KINDS)(asked)
    row = OutboxMessage.objects.get()
    answer = message_by_id(row.message_id).message
    assert answer is not None
    assert (row.partner.administration, row.in_reply_to) == ("XC", asked.message.id)
    assert probe_from_body(answer.body) == Probe(
        NONCE, is_answer=True, version=__version__, kinds=("alert/1", "finding/1"), agreements=1, clock=at
    )
    assert jsonschema_rs.is_valid(SCHEMA, dict(answer.body))


@pytest.mark.django_db
def test_an_answer_is_not_answered_and_a_flood_gets_few_answers(bound: str, at: datetime) -> None:
    journey = probe_journey(KINDS)
    clock = Probe(NONCE, is_answer=True, version="1", clock=at)
    journey(ReceivedMessage(message(1, kind="probe/1", body=clock.to_body()), at, 1, 1))
    assert not OutboxMessage.objects.exists()
    for number in range(MOST_ANSWERS + 5):
        journey(question(number + 1, at))
    assert OutboxMessage.objects.count() == MOST_ANSWERS
    journey(question(99, at, sender="XB"))
    journey(question(100, at + timedelta(minutes=2)))
    assert OutboxMessage.objects.count() == MOST_ANSWERS + 2


@pytest.mark.django_db
def test_the_result_tells_receipt_answer_and_clock(bound: str, at: datetime) -> None:
    assert [each.asked_at for each in probe_results()] == [None, None]
    probe_id = probe_partners(this_node(), at=at, partners=["XC"])["XC"]
    (asked,) = probe_results(["XC"])
    assert (asked.message_id, asked.state, asked.is_answered) == (probe_id, "waiting", False)
    assert (asked.receipt_seconds, asked.answer_seconds) == (None, None)
    OutboxMessage.objects.update(state="delivered", answered_at=at + timedelta(seconds=2))
    nonce = str(message_by_id(probe_id).message.body["nonce"])  # type: ignore[union-attr]  # it was just posted
    ahead = at + timedelta(hours=1)
    arrive(probe_id, at + timedelta(seconds=3), Probe("f" * 16, is_answer=True, version="9", clock=ahead), number=91)
    assert not probe_results(["XC"])[0].is_answered, "another nonce answers nothing"
    said = Probe(nonce, is_answer=True, version="9", kinds=KINDS, agreements=2, clock=ahead)
    arrive(probe_id, at + timedelta(seconds=5), said)
    (result,) = probe_results(["XC"])
    assert (result.receipt_seconds, result.answer_seconds, result.skew_seconds) == (2, 5, 3595)
    assert (result.version, result.kinds, result.agreements) == ("9", KINDS, 2)


@pytest.mark.parametrize(
    ("before", "theirs", "after", "ahead"),
    [(0, 1, 2, 0), (0, 0, 0, 0), (0, 2, 2, 0), (0, 9, 2, 7), (5, 1, 6, -4), (5, 5, 9, 0)],
)
def test_only_what_is_certain_counts_as_skew(before: int, theirs: int, after: int, ahead: int, at: datetime) -> None:
    moments = [at + timedelta(seconds=each) for each in (before, theirs, after)]
    assert certain_skew(*moments) == ahead


def _changes() -> dict[str, object]:
    return {"nonce": "xyz", "answer": "yes", "version": "", "kinds": [1], "agreements": -1, "clock": 5}


@pytest.mark.parametrize("field", _changes())
def test_a_wrong_body_is_refused_by_field_as_the_schema_does(field: str, at: datetime) -> None:
    body = Probe(NONCE, is_answer=True, version="1", kinds=("alert/1",), agreements=1, clock=at).to_body()
    assert jsonschema_rs.is_valid(SCHEMA, body)
    assert probe_from_body(body).kinds == ("alert/1",)
    wrong = {**body, field: _changes()[field]}
    assert not jsonschema_rs.is_valid(SCHEMA, wrong)
    with pytest.raises(ProbeFormError) as refused:
        probe_from_body(wrong)
    assert refused.value.where == field
    with pytest.raises(ComityError):
        probe_from_body({**body, "clock": "yesterday"})


@given(st.dictionaries(st.sampled_from([*_changes(), "other"]), st.none() | st.booleans() | st.text() | st.integers()))
def test_garbage_never_crashes(body: dict[str, object]) -> None:
    try:
        probe = probe_from_body(body)
    except ComityError:
        return
    assert probe.to_body()["nonce"] == body["nonce"]
