"""At XA, one holder: what a recall of the alert of XC does to goods that wait, to a seizure, to what comes late."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.conf import settings

from comity.common import Actor, new_id
from comity.custody import Mode, RecallOrder, Status
from comity.custody import selectors as custody
from comity.custody.notices import sign_recall
from comity.enforcement import FindingFacts, SeizureFacts
from comity.exchange import Message, ReceivedMessage
from comity.exchange import selectors as exchange
from comity.exchange.models import InboxEnvelope, InboxMessage
from comity.journeys import forget
from comity.journeys.arrive import arrive
from comity.journeys.hold import hold_arrived
from comity.journeys.inspect import complete_inspection, order_inspection
from comity.journeys.receive import take_alert, take_finding
from comity.risk import QueueFilter, QueueRow, TargetState
from comity.risk import selectors as risk
from comity.risk.models import AssessmentReason, PartnerFinding, PartnerSignal
from comity.trade import FindingResult, Handling, RiskType
from comity.trade.encoding import alert_to_body
from comity.trade.formats.wco_xml import write_wco_xml
from comity.training import Day
from tests.exchange.cast import agreement_id, finding_message, keyring, message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bound")]


def store(wanted: Message, at: datetime, *, is_accepted: bool = True) -> ReceivedMessage:
    """As the receiver stores what arrived."""
    data = wanted.to_bytes()
    InboxMessage.objects.create(
        sender=wanted.sender,
        message_id=wanted.id,
        sequence=1,
        kind=wanted.kind,
        agreement=wanted.agreement,
        article=wanted.article,
        purpose=wanted.purpose,
        handling=wanted.handling,
        received_at=at,
        envelope_id=str(UUID(int=1)),
        position=0,
        data=data,
        sha256="0" * 64,
        is_accepted=is_accepted,
        answer='{"id":"","sha256":"","accepted":true}',
    )
    return ReceivedMessage(wanted, at, 1, 1)


def alert_of(day: Day, at: datetime, number: int = 1, **changes: object) -> Message:
    return message(number, body=alert_to_body(day.story.alert.issue(issuer="XC", at=at)), created=at, **changes)


def order(*names: str, at: datetime, mode: Mode = Mode.RECALL, **limits: object) -> ReceivedMessage:
    made = RecallOrder(
        str(new_id(at)),
        "XC",
        names,
        mode,
        "information_wrong",
        at,
        at + timedelta(days=1),
        **limits,  # type: ignore[arg-type]  # fields of the order
    )
    body = sign_recall(made, keyring("XC").signing).to_body()
    duty = message(90, kind="recall/1", agreement=agreement_id(), article="duty", purpose="duty", body=body)
    return ReceivedMessage(duty, at, 2, 1)


def lodged(ana: Actor, day: Day, at: datetime) -> QueueRow:
    data = next(write_wco_xml(each) for each in day.afternoon_exports if each.lrn == day.story.second_export_lrn)
    arrive(ana, source="api", name="second.xml", data=data, mapping=None, at=at)
    return row(day)


def row(day: Day) -> QueueRow:
    (found,) = risk.queue(QueueFilter(text=day.story.second_export_lrn)).rows
    return found


def answers() -> list[dict[str, object]]:
    sent = [exchange.message(line.id).message for line in exchange.messages(direction="sent", kind="holding/1")]
    return [dict(each.body) for each in sent if each is not None]


def test_a_recalled_alert_stops_targeting_and_leaves_no_word_of_what_it_said(
    ana: Actor, day: Day, at: datetime
) -> None:
    received = store(alert_of(day, at), at)
    hold_arrived(received.message, at=at)
    take_alert(received)
    assert lodged(ana, day, at).state is TargetState.SELECTED
    forget.take_recall(order(received.message.id, at=at))
    after = row(day)
    assert (after.state, after.score) == (TargetState.NEW, 0)
    assert InboxMessage.objects.get(message_id=received.message.id).data in (b"", memoryview(b""))
    signal = PartnerSignal.objects.get()
    assert (signal.body, signal.withdrawn_at) == ({}, at)
    told = AssessmentReason.objects.filter(source_kind="alert")
    assert told.exists()
    assert {(reason.text, len(reason.evidence)) for reason in told} == {("An alert that was taken back", 0)}
    (answer,) = answers()
    assert (answer["status"], answer["ground"], answer["holder"]) == ("purged", "recalled", "XA")
    # What arrives next is assessed without it.
    forget.take_recall(order(received.message.id, at=at))
    assert len(answers()) == 2


def test_what_a_seizure_rests_on_is_retained_as_evidence(ana: Actor, day: Day, at: datetime) -> None:
    received = store(alert_of(day, at), at)
    hold_arrived(received.message, at=at)
    take_alert(received)
    record_id = lodged(ana, day, at).record_id
    inspection = order_inspection(ana, record_id=record_id, at=at)
    facts = FindingFacts(result=FindingResult.IRREGULAR, risk_type=RiskType.COUNTERFEIT, description="Imitations")
    seized = SeizureFacts(legal_basis="Act, s. 31", goods="Shoes")
    complete_inspection(ana, inspection_id=inspection.inspection_id, facts=facts, seizure=seized, at=at)
    forget.take_recall(order(received.message.id, at=at))
    (answer,) = answers()
    assert (answer["status"], answer["ground"]) == ("retained", "evidence_in_seizure")
    assert bytes(InboxMessage.objects.get(message_id=received.message.id).data)
    assert PartnerSignal.objects.get().body
    later = at + timedelta(days=4000)
    assert forget.purge_due(later) == 0
    held = custody.holding_of("XC", received.message.id, "XA")
    assert held is not None
    assert held.status is Status.RETAINED
    assert custody.recalls(origin="XC")[0].own[0].ground_text


def test_a_recall_meets_what_was_refused_and_what_has_not_run(day: Day, at: datetime) -> None:
    refused = store(alert_of(day, at, 1), at, is_accepted=False)
    waiting = store(alert_of(day, at, 2), at)
    forget.take_recall(order(refused.message.id, waiting.message.id, at=at))
    assert {bytes(each.data) for each in InboxMessage.objects.all()} == {b""}
    assert InboxMessage.objects.filter(processed_at=None).count() == 0
    assert len(answers()) == 2
    assert risk.signals(at) == []


def test_a_recall_of_what_never_came_is_remembered_and_not_answered(at: datetime) -> None:
    name = str(new_id(at))
    forget.take_recall(order(name, at=at))
    assert answers() == []
    (view,) = custody.received_recalls("XA")
    assert (view.messages, view.came_from, view.sent_to, view.holders) == ((name,), ("XC",), (), ())
    assert custody.recall(view.recall_id) == view
    assert custody.recall("nothing") is None


def test_one_order_is_not_answered_again_and_again(day: Day, at: datetime) -> None:
    received = store(alert_of(day, at), at)
    hold_arrived(received.message, at=at)
    recall = order(received.message.id, at=at)
    for minutes in (0, 1, 59):
        forget.take_recall(replace(recall, received_at=at + timedelta(minutes=minutes)))
    assert len(answers()) == 1
    forget.take_recall(replace(recall, received_at=at + timedelta(hours=2)))
    assert len(answers()) == 2


def test_what_was_tightened_into_the_past_before_it_came_is_never_used(day: Day, at: datetime) -> None:
    forget.take_recall(order(alert_of(day, at).id, at=at, mode=Mode.TIGHTEN, keep_until=at))
    received = store(alert_of(day, at), at)
    assert forget.forget_on_arrival(hold_arrived(received.message, at=at), at)
    (answer,) = answers()
    assert (answer["status"], answer["ground"]) == ("purged", "retention_ended")


def test_a_tightening_to_the_past_purges_at_once(day: Day, at: datetime) -> None:
    received = store(alert_of(day, at), at)
    hold_arrived(received.message, at=at)
    take_alert(received)
    forget.take_recall(order(received.message.id, at=at, mode=Mode.TIGHTEN, keep_until=at))
    (answer,) = answers()
    assert (answer["status"], answer["ground"]) == ("purged", "retention_ended")


def test_a_sender_that_names_no_end_loosens_nothing(day: Day, at: datetime) -> None:
    received = store(alert_of(day, at, valid_until=None), at)
    held = hold_arrived(received.message, at=at)
    assert held.keep_until == at + timedelta(days=1095)
    assert InboxMessage.objects.get().keep_until == held.keep_until


def test_a_finding_is_learned_from_until_it_is_tightened_or_recalled(at: datetime) -> None:
    """Also one that answers nothing of ours; by the origin's name, under the article it came by."""
    received = store(finding_message(), at)
    hold_arrived(received.message, at=at)
    take_finding(received)
    row = PartnerFinding.objects.get()
    assert (row.issuer, row.agreement, row.article, row.taken_at) == ("XC", agreement_id(), "3", at)
    later = at + timedelta(days=1)
    forget.take_recall(order(received.message.id, at=at, mode=Mode.TIGHTEN, handling="restricted"))
    assert [each.handling for each in PartnerFinding.objects.all()] == [Handling.RESTRICTED]
    forget.take_recall(order(received.message.id, at=later))
    assert not PartnerFinding.objects.exists()


def test_what_has_run_out_without_any_holding_is_purged_too(day: Day, at: datetime) -> None:
    store(alert_of(day, at), at, is_accepted=False)
    InboxMessage.objects.update(keep_until=at)
    assert forget.purge_due(at) == 1
    assert forget.purge_due(at) == 0
    assert answers() == []
    assert InboxEnvelope.objects.count() == 0
    assert settings.COMITY_ADMINISTRATION == "XA"
