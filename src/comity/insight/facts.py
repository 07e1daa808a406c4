"""What a case says about asking and answering: from its view to facts that can be counted. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from comity.agreements import Period
from comity.agreements.clocks import Pause
from comity.agreements.obligations import BREACH_KNOWN, REQUEST_RECEIVED, Fulfilment, Occurrence
from comity.agreements.procedures import Event, GroundRule, Procedure, StateKind
from comity.agreements.vocabulary import ObligationKind
from comity.operations import CaseView, Effect, Entry, Step

REPORT, BREACH = "report", "breach"
_NO_REQUESTS = frozenset({REPORT, BREACH, "aeo_change", "dispute", "load_limit", "spontaneous"})
_REPORTS = ("send", "answer")
_OUTCOME = "report_outcome"
_WITHDRAWN = "withdraw"


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """One case as it is counted. answered_at: when what the opening asked for was given or refused; None: not yet.

    grounds: on which it was refused, as a whole; empty: it was not. reports: what was reported in it, as (kind, step).
    pauses: while the clock of the answer stood still.
    """

    case: str
    procedure: str
    agreement: str
    asker: str
    asked: str
    opened_at: datetime
    answered_at: datetime | None = None
    is_refused: bool = False
    is_withdrawn: bool = False
    grounds: tuple[str, ...] = ()
    reports: tuple[tuple[ObligationKind, Step], ...] = ()
    pauses: tuple[Pause, ...] = ()

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self.answered_at is None and not self.is_withdrawn

    @property
    def is_request(self) -> bool:
        """Whether something was asked for, as against told, reported or disputed."""
        return self.procedure not in _NO_REQUESTS


def facts_of(case: str, agreement: str, view: CaseView) -> tuple[CaseFacts, ...]:
    """The facts of a case, one for each administration that was asked; none before the case has begun."""
    moves = list(_moves(view))
    if not moves:
        return ()
    opening, opened = moves[0]
    others = [party.administration for party in view.parties if party.administration != opened.by]
    asking = [CaseFacts(case, view.procedure.name, agreement, opened.by, asked, opened.at) for asked in others]
    pauses = tuple(pause for each in view.clocks if each.name in opening.starts for pause in each.deadline.paused)
    return tuple(replace(_facts(each, view.procedure, moves), pauses=pauses) for each in asking)


def occurrences_of(facts: CaseFacts) -> tuple[Occurrence, ...]:
    """The events of obligations that this case is: a request that came, or a breach that is known."""
    if facts.is_withdrawn or (facts.procedure != BREACH and not facts.is_request):
        return ()
    event = BREACH_KNOWN if facts.procedure == BREACH else REQUEST_RECEIVED
    return (Occurrence(event, facts.asker, facts.asked, facts.opened_at, facts.case, facts.pauses),)


def fulfilments_of(facts: CaseFacts) -> tuple[Fulfilment, ...]:
    """What was done in this case that an obligation may ask for: the answer, the notice, the reports."""
    done = []
    if facts.answered_at is not None and facts.procedure == BREACH:
        by, to = facts.asker, facts.asked
        done.append(Fulfilment(ObligationKind.NOTIFICATION, by, to, facts.answered_at, facts.case, about=facts.case))
    elif facts.answered_at is not None and facts.is_request:
        by, to = facts.asked, facts.asker
        done.append(Fulfilment(ObligationKind.ANSWER, by, to, facts.answered_at, facts.case, about=facts.case))
    for what, step in facts.reports:
        to = facts.asked if step.by == facts.asker else facts.asker
        about = str(step.fields.get("about", "")) if facts.procedure == REPORT else facts.case
        named = str(step.fields.get("obligation", ""))
        done.append(Fulfilment(what, step.by, to, step.at, facts.case, about, named, _period_of(step)))
    return tuple(done)


def _facts(asking: CaseFacts, procedure: Procedure, moves: list[tuple[Event, Step]]) -> CaseFacts:
    """The facts of who asked whom, with what became of it."""
    opening = moves[0][0]
    ends = [(event, step) for event, step in moves[1:] if _ends(procedure, opening, event)]
    is_withdrawn = any(event.name == _WITHDRAWN for event, _ in ends)
    answer = next(((event, step) for event, step in ends if event.name != _WITHDRAWN), None)
    is_refused = answer is not None and answer[0].grounds is not GroundRule.NONE
    return replace(
        asking,
        answered_at=answer[1].at if answer else None,
        is_refused=is_refused,
        is_withdrawn=is_withdrawn and answer is None,
        grounds=_grounds(answer[1]) if answer and is_refused else (),
        reports=tuple(_reports(procedure, moves)),
    )


def _ends(procedure: Procedure, opening: Event, event: Event) -> bool:
    """Whether an event gives what the opening asked for: it stops a clock of the opening, or closes the case."""
    if opening.starts:
        return bool(set(event.stops) & set(opening.starts))
    return event.to in {state.name for state in procedure.states if state.kind is StateKind.CLOSED}


def _grounds(step: Step) -> tuple[str, ...]:
    named = step.fields.get("grounds")
    return tuple(sorted(str(each) for each in named)) if isinstance(named, list | tuple) else ()


def _reports(procedure: Procedure, moves: list[tuple[Event, Step]]) -> Iterator[tuple[ObligationKind, Step]]:
    """Reports owed: the sending of a report, told by its field `what`, and the report on the outcome of a request.

    The answer to a question for a report says no more than its figures, so what was asked is read off the opening.
    """
    opened = moves[0][1]
    for event, step in moves:
        if procedure.name == REPORT and event.name in _REPORTS:
            what = _remembered(step).get("what") or _remembered(opened).get("what")
            if what in tuple(ObligationKind):
                yield ObligationKind(str(what)), step if step is opened else _with_opening(step, opened)
        elif event.name == _OUTCOME:
            yield ObligationKind.OUTCOME_REPORT, step


def _remembered(step: Step) -> dict[str, object]:
    """What a step says; of one whose content was purged what is still counted."""
    return {**(step.purged.remembered if step.purged else {}), **step.fields}


def _period_of(step: Step) -> Period | None:
    """The period that a report says it is about; None where it says none, or where it is withheld here."""
    first, last = (step.fields.get(name) for name in ("period_from", "period_until"))
    if not isinstance(first, str) or not isinstance(last, str):
        return None
    try:
        return Period(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:
        return None


def _with_opening(step: Step, opened: Step) -> Step:
    return replace(step, fields={**opened.fields, **step.fields})


def _moves(view: CaseView) -> Iterator[tuple[Event, Step]]:
    for entry in view.history:
        if entry.step is not None and _counts(entry):
            yield view.procedure.event(entry.event), entry.step


def _counts(entry: Entry) -> bool:
    return entry.effect is Effect.TAKEN
