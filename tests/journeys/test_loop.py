"""The loop at XA: an alert arrives, a consignment is selected because of it, inspected, and the finding goes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from comity.common import Actor, ActorKind
from comity.enforcement import FindingFacts, SeizureFacts, Upload
from comity.exchange import ReceivedMessage
from comity.exchange import selectors as exchange
from comity.journeys.arrive import arrive, assess_records, assess_waiting
from comity.journeys.inspect import complete_inspection, order_inspection, release
from comity.journeys.receive import take_alert, take_finding
from comity.journeys.select import select_today
from comity.journeys.share import approve_sharing, share_alert
from comity.risk import QueueFilter, QueueRow, TargetState
from comity.risk import selectors as risk
from comity.staff import ProposalRefusedError
from comity.staff.selectors import AuditFilter, audit_entries, open_proposals
from comity.trade import FindingResult, Handling, RiskType
from comity.trade.encoding import alert_to_body, finding_to_body
from comity.trade.formats.wco_xml import write_wco_xml
from comity.training import Day, photo
from tests.exchange.cast import alert, finding, message

pytestmark = pytest.mark.django_db

FACTS = FindingFacts(
    result=FindingResult.IRREGULAR,
    risk_type=RiskType.COUNTERFEIT,
    description="Imitations",
    exhibits=(Upload("label.png", photo()),),
)


def _second_export(day: Day) -> bytes:
    return next(write_wco_xml(each) for each in day.afternoon_exports if each.lrn == day.story.second_export_lrn)


def _lodge(actor: Actor, day: Day, at: datetime) -> None:
    receipt = arrive(actor, source="api", name="second.xml", data=_second_export(day), mapping=None, at=at)
    assert len(receipt.imported) == 1


def _row(day: Day) -> QueueRow:
    (row,) = risk.queue(QueueFilter(text=day.story.second_export_lrn)).rows
    return row


def _received(day: Day, at: datetime, **changes: object) -> ReceivedMessage:
    alert = day.story.alert.issue(issuer="XC", at=at)
    return ReceivedMessage(message(body=alert_to_body(alert), created=at, **changes), at, 1, 1)


def test_without_an_alert_nothing_speaks_against_the_consignment(ana: Actor, day: Day, at: datetime) -> None:
    _lodge(ana, day, at)
    assert _row(day).score == 0


@pytest.mark.parametrize("is_lodged_first", [True, False])
def test_an_alert_selects_what_has_not_left_and_what_comes_later(
    ana: Actor, day: Day, at: datetime, *, is_lodged_first: bool
) -> None:
    steps = [lambda: _lodge(ana, day, at), lambda: take_alert(_received(day, at))]
    for step in steps if is_lodged_first else reversed(steps):
        step()
    row = _row(day)
    assert row.state is TargetState.SELECTED
    assert row.administrations == ("XC",)
    assert "alert" in row.top_reason.lower()


def test_the_issuer_is_who_signed_and_the_article_bounds_the_time(day: Day, at: datetime) -> None:
    until = at + timedelta(days=2)
    take_alert(_received(day, at, origin="XB", sender="XB", valid_until=until))
    (signal,) = risk.signals(at)
    assert (signal.issuer, signal.valid_until, signal.article) == ("XB", until, "1")


@pytest.mark.usefixtures("bound")
def test_the_finding_goes_back_and_reliability_rises(ana: Actor, day: Day, at: datetime) -> None:
    take_alert(_received(day, at))
    _lodge(ana, day, at)
    before = risk.reliability("XC").value
    inspection = order_inspection(ana, record_id=_row(day).record_id, at=at, remark="Seen by the scanner too")
    assert _row(day).state is TargetState.INSPECTING
    seizure = SeizureFacts(legal_basis="Act, s. 31", goods="Shoes")
    done = complete_inspection(ana, inspection_id=inspection.inspection_id, facts=FACTS, seizure=seizure, at=at)
    assert risk.reliability("XC").value > before
    assert _row(day).state is TargetState.HELD
    (notice,) = done.notices
    view = exchange.message(notice.message_id)
    assert view.message is not None
    assert view.message.recipient == "XC"
    assert view.message.in_reply_to == message().id
    assert view.message.body["alert_ref"] == day.story.alert.ref
    assert done.seizure is not None
    assert view.message.body["seizure_ref"] == done.seizure.reference
    assert "name" not in view.message.body.get("consignee", {})  # type: ignore[operator]  # JSON of the notice


@pytest.mark.usefixtures("bound")
def test_an_officer_who_may_not_share_answers_by_the_standing_rule(ana: Actor, day: Day, at: datetime) -> None:
    officer = replace(ana, roles=frozenset({"officer"}))
    take_alert(_received(day, at))
    _lodge(ana, day, at)
    inspection = order_inspection(officer, record_id=_row(day).record_id, at=at)
    done = complete_inspection(officer, inspection_id=inspection.inspection_id, facts=FACTS, at=at)
    assert done.notices[0].message_id
    deeds = {(entry.actor_id, entry.deed) for entry in audit_entries(AuditFilter())}
    assert ("standing-rule:answer-alerts", "permit_sharing") in deeds


@pytest.mark.usefixtures("bound")
@pytest.mark.parametrize("finder_roles", [{"officer"}, {"officer", "liaison"}, {"supervisor"}])
def test_a_restricted_finding_waits_for_another_officer(
    ana: Actor, day: Day, at: datetime, finder_roles: set[str]
) -> None:
    finder = replace(ana, roles=frozenset(finder_roles))
    take_alert(_received(day, at))
    _lodge(ana, day, at)
    inspection = order_inspection(finder, record_id=_row(day).record_id, at=at)
    restricted = replace(FACTS, handling=Handling.RESTRICTED)
    done = complete_inspection(finder, inspection_id=inspection.inspection_id, facts=restricted, at=at)
    assert not done.notices[0].message_id
    assert "second officer" in done.notices[0].refusal
    assert exchange.outbox_status().waiting == 0
    (proposal,) = open_proposals()
    supervisor = frozenset({"supervisor"})
    with pytest.raises(ProposalRefusedError):
        approve_sharing(replace(finder, roles=finder.roles | supervisor), proposal_id=proposal.proposal_id, at=at)
    clara = Actor(ActorKind.OFFICER, "clara", "XA", supervisor)
    ((recipient, message_id),) = approve_sharing(clara, proposal_id=proposal.proposal_id, at=at).posted
    view = exchange.message(message_id)
    assert view.message is not None
    assert (recipient, view.message.kind, view.message.handling) == ("XC", "finding/1", "restricted")
    assert view.message.in_reply_to == message().id
    assert open_proposals() == []


def test_without_an_agreement_the_finding_stays_and_says_why_it_was_not_told(
    ana: Actor, day: Day, at: datetime
) -> None:
    take_alert(_received(day, at))
    _lodge(ana, day, at)
    inspection = order_inspection(ana, record_id=_row(day).record_id, at=at)
    done = complete_inspection(ana, inspection_id=inspection.inspection_id, facts=FACTS, at=at)
    assert done.finding.result is FindingResult.IRREGULAR
    assert not done.notices[0].message_id
    assert done.notices[0].refusal


def test_goods_in_order_are_released_and_the_alert_loses_reliability(ana: Actor, day: Day, at: datetime) -> None:
    take_alert(_received(day, at))
    _lodge(ana, day, at)
    record_id = _row(day).record_id
    inspection = order_inspection(ana, record_id=record_id, at=at)
    facts = FindingFacts(result=FindingResult.IN_ORDER)
    complete_inspection(ana, inspection_id=inspection.inspection_id, facts=facts, at=at)
    assert risk.reliability("XC").value < 0.5
    release(ana, record_id=record_id, reason="Nothing was found", at=at)
    assert _row(day).state is TargetState.RELEASED


def _answer_of(sender: str, at: datetime, **changes: object) -> ReceivedMessage:
    body = finding_to_body(replace(finding(), administration="XA", alert_ref="XA-2026-0001"))
    answer = message(kind="finding/1", origin=sender, sender=sender, body=body)
    return ReceivedMessage(replace(answer, **changes), at, 1, 1)  # type: ignore[arg-type]  # fields of Message


@pytest.mark.usefixtures("bound")
def test_a_partners_finding_closes_the_loop_of_our_alert_and_nobody_elses_does(ana: Actor, at: datetime) -> None:
    ours = alert(issuer="XA", ref="XA-2026-0001", risk_type=RiskType.SAFETY)
    ((_, sent),) = share_alert(ana, alert=ours, recipients=["XC"], purpose="control", at=at).posted
    for lie in (
        _answer_of("XB", at, in_reply_to=sent),
        _answer_of("XC", at),
        _answer_of("XC", at, in_reply_to=str(UUID(int=9))),
        _answer_of("XC", at, in_reply_to=sent, body=finding_to_body(finding())),
    ):
        take_finding(lie)
    assert risk.feedback("XA-2026-0001") == []
    assert risk.feedback(finding().alert_ref) == []
    take_finding(_answer_of("XC", at, in_reply_to=sent))
    (feedback,) = risk.feedback("XA-2026-0001")
    assert (feedback.administration, feedback.is_irregular) == ("XC", True)


def test_what_was_imported_and_not_assessed_is_assessed_later(
    ana: Actor, day: Day, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("comity.journeys.arrive.assess_records", lambda _ids, at: 0)
        _lodge(ana, day, at)
    assert risk.queue(QueueFilter()).total == 0
    assert assess_waiting(at) == 1
    assert assess_waiting(at) == 0
    assert _row(day).reference == day.story.second_export_lrn
    assert assess_records([], at=at) == 0


def test_a_days_inspections_are_spent_on_what_waits(ana: Actor, day: Day, at: datetime) -> None:
    _lodge(ana, day, at)
    run = select_today(ana, at=at)
    assert run.plan.day == at.date()
    assert len(run.chosen) <= run.plan.capacity
