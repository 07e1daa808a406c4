"""Obligations from what really lies in the tables: cases, messages, agreements; and the reminders of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from comity.agreements.obligations import Level, OwedState
from comity.common import Actor, ActorKind
from comity.insight import ReminderUnknownError
from comity.insight import selectors as insight
from comity.insight.services import acknowledge, remind_due
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from tests.exchange.cast import ANA, introduce
from tests.insight.cast import BORIS, REQUEST, agreement, answer, ask, bind, day, refuse, share_finding, step


@pytest.fixture(autouse=True)
def bound(db: None) -> None:
    """Partners are introduced and the agreement is in force."""
    introduce("XB", "XC")
    bind()


def states(on: str, obligation: str) -> list[tuple[str, str, OwedState]]:
    """Who owes whom what under an obligation, and how it stands."""
    found = insight.obligations(at=day(on))
    return [(each.by, each.to, each.state) for each in found if each.obligation.id == obligation]


def test_an_answer_is_due_overdue_and_given() -> None:
    """From the case itself: thirty days from the request."""
    case = ask("2026-03-02")
    assert states("2026-03-02", "o1") == [("XB", "XA", OwedState.DUE)]
    assert states("2026-04-02", "o1") == [("XB", "XA", OwedState.OVERDUE)]
    answer(case, "2026-04-03")
    assert states("2026-04-03", "o1") == [("XB", "XA", OwedState.LATE)]


def test_a_refusal_answers_and_a_withdrawal_is_none() -> None:
    """Refused in time is met; what was withdrawn is no answer of the other."""
    refuse(ask("2026-03-02"), "2026-03-05")
    assert states("2026-03-06", "o1") == [("XB", "XA", OwedState.MET)]
    step(ask("2026-03-07"), "2026-03-08", "withdraw", by=ANA)
    assert sorted(states("2026-03-09", "o1"))[-1] == ("XB", "XA", OwedState.MET)
    assert len(states("2026-03-09", "o1")) == 1


def test_what_is_postponed_is_not_overdue() -> None:
    """While the clock of the case stands still, so does what is owed for it; then the days are given back."""
    case = ask("2026-03-02")
    step(case, "2026-03-03", "receive", by=BORIS)
    fields = {"grounds": ["R3"], "postponed_until": "2026-06-01"}
    step(case, "2026-03-10", "postpone", by=BORIS, fields=fields)
    assert states("2026-05-20", "o1") == [("XB", "XA", OwedState.DUE)]
    step(case, "2026-06-01", "resume", by=BORIS)
    assert states("2026-06-24", "o1") == [("XB", "XA", OwedState.DUE)]
    assert states("2026-06-25", "o1") == [("XB", "XA", OwedState.OVERDUE)]


def test_a_shared_finding_obliges_its_receiver_to_report() -> None:
    """XC owes XA what became of it."""
    message = share_finding("2026-03-03")
    (found,) = insight.obligations(at=day("2026-03-04"), partner="XC")
    assert (found.by, found.to, found.ref, found.due_at) == ("XC", "XA", message, found.due_at)
    assert insight.obligations(at=day("2026-03-04"), partner="XB") == ()


def test_statistics_are_reported_in_a_case() -> None:
    """The quarter from April is due in July; the report says what it covers."""
    assert states("2026-06-30", "o3") == []
    assert states("2026-07-02", "o3") == [("XB", "XA", OwedState.DUE)]
    fields = {"obligation": "o3", "what": "statistics", "period_from": "2026-04-01", "period_until": "2026-06-30"}
    case = ask("2026-07-03", procedure="report", fields=fields)
    assert states("2026-07-04", "o3") == [("XB", "XA", OwedState.DUE)]
    step(case, "2026-07-05", "answer", by=BORIS, fields={"figures": ["12 requests"]})
    assert states("2026-07-06", "o3") == [("XB", "XA", OwedState.MET)]


def test_a_breach_is_to_be_notified() -> None:
    """Whoever knows of it owes the others a notice within three days on which both work."""
    fields = {
        "agreement_id": agreement().id,
        "discovered_on": "2026-03-05",
        "kind": "loss",
        "details": "A list is lost.",
    }
    ask("2026-03-05", by=BORIS, procedure="breach", fields=fields)
    assert states("2026-03-10", "o4") == [("XB", "XA", OwedState.DUE)]
    assert states("2026-03-11", "o4") == [("XB", "XA", OwedState.OVERDUE)]


def test_reminders_escalate_once_a_level_and_are_settled() -> None:
    """Notice, reminder, contact points, heads; a second turn tells nothing new; an answer ends it."""
    case = ask("2026-03-02")
    told = [remind_due(day(on)) for on in ("2026-03-03", "2026-03-20", "2026-03-21", "2026-04-03", "2026-04-12")]
    assert told == [0, 1, 0, 1, 1]
    (shown,) = insight.reminders()
    assert (shown.level, shown.owed_by, shown.is_ours, shown.ref) == (Level.CONTACT_POINTS, "XB", False, case)
    assert remind_due(day("2026-05-10")) == 1
    assert [each.level for each in insight.reminders()] == [Level.HEADS]
    answer(case, "2026-05-11")
    assert remind_due(day("2026-05-12")) == 0
    assert insight.reminders() == ()
    assert [each.settled_at is not None for each in insight.reminders(is_open=False)] == [True] * 4


def test_what_we_owe_is_ours() -> None:
    """XB asked us."""
    ask("2026-03-02", by=BORIS)
    remind_due(day("2026-03-25"))
    assert [each.is_ours for each in insight.reminders()] == [True]


def test_an_officer_takes_note_once() -> None:
    """One audit entry; the next level comes all the same."""
    ask("2026-03-02")
    remind_due(day("2026-03-20"))
    (shown,) = insight.reminders()
    seen = [acknowledge(ANA, reminder_id=shown.id, at=day("2026-03-21") + timedelta(days=extra)) for extra in (0, 1)]
    assert [(each.seen_by, each.seen_at) for each in seen] == [("ana", day("2026-03-21"))] * 2
    assert AuditEntry.objects.filter(deed="acknowledge_reminder").count() == 1
    assert insight.reminders() == ()
    assert remind_due(day("2026-04-03")) == 1
    assert len(insight.reminders()) == 1


def test_who_may_not_read_messages_takes_no_note() -> None:
    """Nor is there a reminder that does not exist."""
    ask("2026-03-02")
    remind_due(day("2026-03-20"))
    nobody = Actor(ActorKind.OFFICER, "dora", "XA", frozenset())
    with pytest.raises(PermissionRefusedError):
        acknowledge(nobody, reminder_id=insight.reminders()[0].id, at=day("2026-03-21"))
    with pytest.raises(ReminderUnknownError):
        acknowledge(ANA, reminder_id=0, at=day("2026-03-21"))


def test_an_agreement_that_has_ended_obliges_nobody_any_more() -> None:
    """After its last day nothing is listed, and reminders are settled."""
    ask("2028-12-01", fields=REQUEST)
    remind_due(day("2028-12-31"))
    assert insight.reminders() != ()
    assert insight.obligations(at=day("2029-01-01")) == ()
    remind_due(day("2029-01-01"))
    assert insight.reminders() == ()
