"""What each party owes by when, computed from an agreement and from what happened under it. Pure.

Who owes whom:
1. After a request was received or a finding shared, the one to whom it came owes the one from whom it came.
2. After a breach is known, the one that knows owes everybody to whom the agreement says so.
3. Since the agreement is in force, and for what is due every so often, each that owes owes each to whom it is owed.

What is due every month, quarter or year is due once for each that lies wholly in the period of the agreement: by its
last day, or, of what reports on it, within REPORT_WITHIN after it or the term that the agreement sets. Terms count
from the event, working days where both work (docs/guide/clocks.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum

from comity.agreements.clocks import (
    Calendar,
    CalendarChoice,
    ClockError,
    ClockSpec,
    Deadline,
    Pause,
    Start,
    Term,
    Unit,
    calendar_of,
    deadline,
    years_needed,
)
from comity.agreements.values import Agreement, Obligation, Period
from comity.agreements.vocabulary import Every, ObligationKind

REQUEST_RECEIVED, FINDING_SHARED, IN_FORCE, BREACH_KNOWN = (
    "request.received",
    "finding.shared",
    "agreement.in_force",
    "breach.known",
)
# Escalation: a notice before the end, a reminder after it, then contact points, then the heads of administration.
NOTICE_BEFORE = timedelta(days=14)
CONTACT_POINTS_AFTER = timedelta(days=7)
HEADS_AFTER = timedelta(days=30)
# Reports look back: they are due after their period. How soon, an agreement may say.
REPORT_WITHIN = Term(30, Unit.CALENDAR_DAYS)
_REPORTS = frozenset({ObligationKind.STATISTICS, ObligationKind.OUTCOME_REPORT})
_MONTHS = {Every.MONTH: 1, Every.QUARTER: 3, Every.YEAR: 12}
_MOST_PERIODS = 1200


class OwedState(StrEnum):
    """Due: there is time. Overdue: the time has passed. Met and late: it was done, in time or after it."""

    DUE = "due"
    OVERDUE = "overdue"
    MET = "met"
    LATE = "late"

    @property
    def is_open(self) -> bool:
        """Whether it is still owed."""
        return self in (OwedState.DUE, OwedState.OVERDUE)


class Level(IntEnum):
    """How far something owed has escalated."""

    NONE = 0
    NOTICE = 1
    REMINDER = 2
    CONTACT_POINTS = 3
    HEADS = 4


@dataclass(frozen=True, slots=True)
class Occurrence:
    """Something that happened under an agreement: by whom, to whom, and the message or case that says so.

    pauses: while what is owed for it stood still.
    """

    event: str
    by: str
    to: str
    at: datetime
    ref: str
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class Fulfilment:
    """Something that was done. about: the ref of what it answers, where it answers something.

    obligation: the id that it names; empty: any of this kind. covers: the period that it says it is about; None: it
    counts for the earliest that is still owed.
    """

    what: ObligationKind
    by: str
    to: str
    at: datetime
    ref: str
    about: str = ""
    obligation: str = ""
    covers: Period | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """One thing that one party owes another. ref: what it answers, or the first day of its period.

    due_at: None where the deadline cannot be computed; problem: why. limit: the deadline with all its inputs, where a
    term set it. met_at, met_by: when it was done, and the message or case that did it.
    """

    agreement_id: str
    obligation: Obligation
    by: str
    to: str
    ref: str
    since: datetime
    due_at: datetime | None
    state: OwedState
    level: Level
    limit: Deadline | None = None
    met_at: datetime | None = None
    met_by: str = ""
    problem: str = ""

    @property
    def key(self) -> str:
        """What names it for good: the same at every node and at every time."""
        return "/".join((self.agreement_id, self.obligation.id, self.by, self.to, self.ref))


@dataclass(frozen=True, slots=True)
class _Duty:
    """What is owed, before it is looked whether it was done. period: of what is due every so often."""

    obligation: Obligation
    by: str
    to: str
    ref: str
    since: datetime
    period: Period | None = None
    pauses: tuple[Pause, ...] = ()


def owed_under(
    agreement: Agreement, *, occurrences: Iterable[Occurrence], fulfilments: Iterable[Fulfilment], at: datetime
) -> tuple[Owed, ...]:
    """Everything that was or is owed under an agreement up to a moment, what is due first before the rest."""
    happened = [each for each in occurrences if each.at <= at]
    done = sorted((each for each in fulfilments if each.at <= at), key=lambda each: (each.at, each.ref))
    duties = [duty for each in agreement.obligations for duty in _duties(agreement, each, happened, at)]
    owed = _settled(agreement, duties, done, at)
    return tuple(sorted(owed, key=lambda each: (not each.state.is_open, each.due_at or each.since, each.key)))


def level_of(due_at: datetime, at: datetime) -> Level:
    """How far something that is still owed has escalated at a moment."""
    if at > due_at + HEADS_AFTER:
        return Level.HEADS
    if at > due_at + CONTACT_POINTS_AFTER:
        return Level.CONTACT_POINTS
    if at > due_at:
        return Level.REMINDER
    return Level.NOTICE if at >= due_at - NOTICE_BEFORE else Level.NONE


def counted(owed: Iterable[Owed]) -> Mapping[OwedState, int]:
    """How many there are in each state."""
    found = dict.fromkeys(OwedState, 0)
    for each in owed:
        found[each.state] += 1
    return found


def _duties(agreement: Agreement, obligation: Obligation, happened: list[Occurrence], at: datetime) -> list[_Duty]:
    begun = agreement.in_force.opens_at
    if obligation.every is not None:
        looks_back = obligation.what in _REPORTS
        return [
            _Duty(obligation, by, to, str(period.first), since, period)
            for period in _periods(agreement.in_force, obligation.every, at)
            for since in [_last_second(period) if looks_back else period.opens_at]
            if since <= at
            for by, to in _pairs(agreement, obligation)
        ]
    if obligation.after == IN_FORCE:
        started = [(by, to) for by, to in _pairs(agreement, obligation) if begun <= at]
        return [_Duty(obligation, by, to, str(agreement.in_force.first), begun) for by, to in started]
    wanted = [each for each in happened if each.event == obligation.after and begun <= each.at]
    return [
        _Duty(obligation, by, to, each.ref, each.at, pauses=each.pauses)
        for each in wanted
        for by, to in _pairs(agreement, obligation)
        if _concerns(each, by, to)
    ]


def _concerns(happened: Occurrence, by: str, to: str) -> bool:
    """Rules 1 and 2."""
    if happened.event == BREACH_KNOWN:
        return happened.by == by
    return (happened.to, happened.by) == (by, to)


def _pairs(agreement: Agreement, obligation: Obligation) -> list[tuple[str, str]]:
    owing, owed = obligation.owed_by or agreement.parties, obligation.owed_to or agreement.parties
    return [(by, to) for by in sorted(owing) for to in sorted(owed) if by != to]


def _periods(in_force: Period, every: Every, at: datetime) -> list[Period]:
    """Calendar months, quarters or years that have begun and lie wholly in the period of the agreement."""
    step, first = _MONTHS[every], in_force.first
    if first is None:
        return []
    count = first.year * 12 + first.month - 1
    count += -count % step
    if date(count // 12, count % 12 + 1, 1) < first:
        count += step
    found: list[Period] = []
    while len(found) < _MOST_PERIODS:
        begins = date(count // 12, count % 12 + 1, 1)
        count += step
        ends = date(count // 12, count % 12 + 1, 1) - timedelta(days=1)
        if begins > at.date() or (in_force.last is not None and ends > in_force.last):
            break
        found.append(Period(begins, ends))
    return found


def _settled(agreement: Agreement, duties: list[_Duty], done: list[Fulfilment], at: datetime) -> list[Owed]:
    """Each duty with the first deed that meets it. A deed for a period meets one duty, a deed about something all."""
    spent: set[tuple[str, str]] = set()
    owed = []
    for duty in sorted(duties, key=lambda each: (each.since, each.obligation.id, each.by, each.to, each.ref)):
        deed = next((each for each in done if _meets(each, duty) and (each.ref, duty.obligation.id) not in spent), None)
        if deed is not None and not deed.about and deed.covers is None:
            spent.add((deed.ref, duty.obligation.id))
        owed.append(_owed(agreement, duty, deed, at))
    return owed


def _meets(deed: Fulfilment, duty: _Duty) -> bool:
    is_same = (deed.what, deed.by, deed.to) == (duty.obligation.what, duty.by, duty.to)
    if not is_same or deed.obligation not in ("", duty.obligation.id):
        return False
    if deed.covers is not None and duty.period is not None:
        return deed.covers.opens_at <= duty.period.opens_at and duty.period.closes_at <= deed.covers.closes_at
    if deed.about:
        return deed.about == duty.ref
    return deed.at >= duty.since and (duty.period is not None or duty.obligation.after == IN_FORCE)


def _owed(agreement: Agreement, duty: _Duty, deed: Fulfilment | None, at: datetime) -> Owed:
    limit, problem = None, ""
    due_at = _last_second(duty.period) if duty.period is not None else None
    within = duty.obligation.within
    if within is None and duty.period is not None and duty.obligation.what in _REPORTS:
        within = REPORT_WITHIN
    if within is not None:
        try:
            limit = _limit(agreement, duty, within)
            due_at = limit.due_at
        except ClockError as error:
            problem = str(error)
    is_paused = limit is not None and limit.is_paused
    state = _state(None if is_paused else due_at, deed, at)
    level = level_of(due_at, at) if due_at is not None and state.is_open and not is_paused else Level.NONE
    return Owed(
        agreement_id=agreement.id,
        obligation=duty.obligation,
        by=duty.by,
        to=duty.to,
        ref=duty.ref,
        since=duty.since,
        due_at=due_at,
        state=state,
        level=level,
        limit=limit,
        met_at=deed.at if deed else None,
        met_by=deed.ref if deed else "",
        problem=problem,
    )


def _state(due_at: datetime | None, deed: Fulfilment | None, at: datetime) -> OwedState:
    if deed is not None:
        return OwedState.LATE if due_at is not None and deed.at > due_at else OwedState.MET
    return OwedState.OVERDUE if due_at is not None and at > due_at else OwedState.DUE


def _limit(agreement: Agreement, duty: _Duty, within: Term) -> Deadline:
    """Raises: ClockError where the calendars do not reach."""
    spec = ClockSpec(duty.obligation.id, within, start=Start.EVENT, calendar=CalendarChoice.BOTH)
    calendars: dict[str, Calendar] = {}
    if within.unit is Unit.WORKING_DAYS:
        years = years_needed(spec, started_at=duty.since, pauses=duty.pauses)
        for role, party in (("asked", duty.by), ("asker", duty.to)):
            calendars[role] = calendar_of(party, agreement.calendar(party), years=years)
    return deadline(spec, started_at=duty.since, calendars=calendars, pauses=duty.pauses)


def _last_second(period: Period) -> datetime:
    """The end of the last day that counts, as deadlines end."""
    return period.closes_at - timedelta(seconds=1)
