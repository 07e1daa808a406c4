"""What is owed, reminders of it, and what administrations gave each other, for programs."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from comity.agreements.obligations import Owed
from comity.api.fields import Code, Instant, Word
from comity.api.guard import actor_of, needs
from comity.api.problems import BadFieldError
from comity.common import utc_now
from comity.exchange.selectors import partner as partner_of
from comity.insight import Balance, Side
from comity.insight import selectors as insight
from comity.insight.selectors import ReminderView
from comity.insight.services import acknowledge
from comity.staff import Permission

router = Router(tags=["insight"])

_View = needs(Permission.VIEW_MESSAGES)
_A_YEAR = timedelta(days=365)


class OwedFilter(Schema):
    """Which obligations are wanted."""

    partner: Word = ""
    open: bool = Field(default=True, description="Only what was not done yet")


class OwedOut(Schema):
    """What one party owes another. ref: what it answers, or the first day of its period; level: how far it escalated.

    due_at: null where the deadline cannot be computed; problem says why.
    """

    agreement_id: str
    obligation: str
    what: str
    owed_by: str
    owed_to: str
    ref: str
    since: Instant
    due_at: Instant | None = None
    state: str
    level: str
    met_at: Instant | None = None
    met_by: str
    problem: str


class Obligations(Schema):
    """What is owed, what is due first on top."""

    items: list[OwedOut]


class ReminderFilter(Schema):
    """Which reminders are wanted."""

    open: bool = Field(default=True, description="Only of what is still owed and that nobody has seen")
    limit: int = Field(default=200, ge=1, le=500)


class ReminderOut(Schema):
    """A notice that something is owed. settled_at: when it was no longer owed."""

    reminder_id: int
    agreement_id: str
    obligation: str
    what: str
    owed_by: str
    owed_to: str
    ref: str
    level: str
    due_at: Instant
    told_at: Instant
    settled_at: Instant | None = None
    seen_by: str
    seen_at: Instant | None = None
    is_ours: bool


class Reminders(Schema):
    """Reminders, what escalated furthest on top."""

    items: list[ReminderOut]


class Span(Schema):
    """Which time is counted: from `since`, a year ago where left out, until before `until`, now where left out."""

    since: Instant | None = None
    until: Instant | None = None


class SideOut(Schema):
    """What one administration asked and gave. grounds: refusals of its requests by ground; given: messages by kind."""

    administration: str
    asked: int
    answered: int
    refused: int
    withdrawn: int
    waiting: int
    median_days: float | None = None
    longest_days: float | None = None
    grounds: dict[str, int]
    given: dict[str, int]


class BalanceOut(Schema):
    """Both sides under one agreement; of the sum of all the id is empty."""

    agreement_id: str
    ours: SideOut
    theirs: SideOut


class Reciprocity(Schema):
    """What we and a partner asked of each other and gave each other."""

    partner: str
    since: Instant
    until: Instant
    total: BalanceOut
    by_agreement: list[BalanceOut]


@router.get("/obligations", response=Obligations, summary="What is owed under agreements", **_View)
def list_obligations(request: HttpRequest, wanted: Query[OwedFilter]) -> Obligations:
    """By us and to us, under the agreements in force."""
    found = insight.obligations(at=utc_now(), partner=wanted.partner, is_open=wanted.open)
    return Obligations(items=[_owed_of(each) for each in found])


@router.get("/reminders", response=Reminders, summary="Reminders of what is owed", **_View)
def list_reminders(request: HttpRequest, wanted: Query[ReminderFilter]) -> Reminders:
    """Each level of escalation reminds once."""
    return Reminders(items=[_reminder_of(each) for each in insight.reminders(is_open=wanted.open, limit=wanted.limit)])


@router.post("/reminders/{reminder_id}/seen", response=ReminderOut, summary="Take note of a reminder", **_View)
def take_note(request: HttpRequest, reminder_id: int) -> ReminderOut:
    """The next level of escalation comes all the same. Who took note first stays named."""
    if abs(reminder_id) >= 2**63:
        raise BadFieldError("There is no such number", where="reminder_id")
    return _reminder_of(acknowledge(actor_of(request), reminder_id=reminder_id, at=utc_now()))


@router.get("/reciprocity/{partner}", response=Reciprocity, summary="What was asked and given", **_View)
def show_reciprocity(request: HttpRequest, partner: Code, wanted: Query[Span]) -> Reciprocity:
    """Requests, answers, median days, refusals by ground, messages sent, by agreement and in all."""
    until = wanted.until or utc_now()
    since = wanted.since or until - _A_YEAR
    found = insight.ledger_with(partner_of(partner).administration, since=since, until=until)
    return Reciprocity(
        partner=found.partner,
        since=found.since,
        until=found.until,
        total=_balance_of(found.total),
        by_agreement=[_balance_of(each) for each in found.by_agreement],
    )


def _owed_of(owed: Owed) -> OwedOut:
    return OwedOut(
        agreement_id=owed.agreement_id,
        obligation=owed.obligation.id,
        what=owed.obligation.what.value,
        owed_by=owed.by,
        owed_to=owed.to,
        ref=owed.ref,
        since=owed.since,
        due_at=owed.due_at,
        state=owed.state.value,
        level=owed.level.name.lower(),
        met_at=owed.met_at,
        met_by=owed.met_by,
        problem=owed.problem,
    )


def _reminder_of(view: ReminderView) -> ReminderOut:
    return ReminderOut(
        reminder_id=view.id,
        agreement_id=view.agreement_id,
        obligation=view.obligation,
        what=view.what,
        owed_by=view.owed_by,
        owed_to=view.owed_to,
        ref=view.ref,
        level=view.level.name.lower(),
        due_at=view.due_at,
        told_at=view.told_at,
        settled_at=view.settled_at,
        seen_by=view.seen_by,
        seen_at=view.seen_at,
        is_ours=view.is_ours,
    )


def _balance_of(balance: Balance) -> BalanceOut:
    return BalanceOut(agreement_id=balance.agreement, ours=_side_of(balance.ours), theirs=_side_of(balance.theirs))


def _side_of(side: Side) -> SideOut:
    return SideOut(
        administration=side.administration,
        asked=side.asked,
        answered=side.answered,
        refused=side.refused,
        withdrawn=side.withdrawn,
        waiting=side.waiting,
        median_days=side.median_days,
        longest_days=side.longest_days,
        grounds=dict(side.grounds),
        given=dict(side.given),
    )
