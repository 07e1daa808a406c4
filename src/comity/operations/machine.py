"""The one state machine: steps, in whatever order they came, folded into the same view at every node. Pure.

Steps are ordered by (number, precedence of the event in the file, role, code, digest). The number of a step is one more
than the largest that its author had seen, so a step stands behind all that it knew of; only what crossed is decided by
precedence. What has no effect in its turn is overtaken: it is kept and shown, and is no error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache

from comity.agreements.clocks import (
    CalendarTerms,
    ClockSpec,
    Deadline,
    Pause,
    Term,
    calendar_of,
    deadline,
    standing,
    years_needed,
)
from comity.agreements.procedures import SAME, Event, Facts, Procedure, could_hold, holds
from comity.operations.steps import Party, Step
from comity.operations.views import CaseView, ClockView, Effect, Entry

# A case is folded anew at each look, and nearly always with the clocks of the look before.
_REMEMBERED = 4096
_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an agreement sets for its cases: the calendar of each party, and terms of clocks in place of the file's."""

    calendars: Mapping[str, CalendarTerms] = field(default_factory=dict)
    clocks: Mapping[str, Term] = field(default_factory=dict)


def view(procedure: Procedure, steps: Iterable[Step], *, at: datetime, terms: Terms) -> CaseView:
    """The case that these steps make, as it stands at a moment. The same step twice counts once."""
    known = {step.digest: step for step in steps}
    ordered = sorted(known.items(), key=lambda item: _place(procedure, *item))
    run = _Run(procedure, terms, ordered[0][1].parties if ordered else ())
    for _, step in ordered:
        run.pass_time(step.at)
        run.take(step)
    run.pass_time(at)
    seen = {digest for step in known.values() for digest in step.after}
    return run.view(
        at,
        missing=tuple(sorted(seen - known.keys())),
        heads=tuple(sorted(known.keys() - seen)),
        number=max((step.number for step in known.values()), default=0),
    )


def past_of(steps: Iterable[Step], after: Sequence[str]) -> tuple[tuple[Step, ...], bool]:
    """The steps that the author of a step had seen, as far as they are here; and whether all of them are."""
    known = {step.digest: step for step in steps}
    found: dict[str, Step] = {}
    waiting, is_whole = list(after), True
    while waiting:
        digest = waiting.pop()
        if digest in found:
            continue
        if digest not in known:
            is_whole = False
            continue
        found[digest] = known[digest]
        waiting.extend(known[digest].after)
    return tuple(found.values()), is_whole


def deadlines_of(procedure: Procedure, past: Sequence[Step], step: Step, terms: Terms) -> tuple[Deadline, ...]:
    """The ends of the clocks that this step sets, for who knows this past; none where it is overtaken in it."""
    after = view(procedure, [*past, step], at=step.at, terms=terms)
    own = next((each for each in after.history if each.step is not None and each.step.digest == step.digest), None)
    if own is None or own.effect is not Effect.TAKEN:
        return ()
    touched = procedure.event(step.event).touches
    return tuple(each.deadline for each in after.clocks if each.name in touched)


def _place(procedure: Procedure, digest: str, step: Step) -> tuple[int, int, int, str, str]:
    events = [event.name for event in procedure.events]
    roles = [role.name for role in procedure.roles]
    role = next((each.role for each in step.parties if each.administration == step.by), "")
    return (
        step.number,
        events.index(step.event) if step.event in events else len(events),
        roles.index(role) if role in roles else len(roles),
        step.by,
        digest,
    )


@dataclass(slots=True)
class _Clock:
    """One clock of a case: when it was started, what happened to it, which of its events of time have come."""

    spec: ClockSpec
    started_at: datetime
    pauses: list[Pause] = field(default_factory=list)
    extensions: list[Term] = field(default_factory=list)
    stopped_at: datetime | None = None
    fired: set[str] = field(default_factory=set)

    @property
    def is_paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1].until_at is None


@dataclass(slots=True)
class _Run:
    """A case while its steps are taken one after the other."""

    procedure: Procedure
    terms: Terms
    parties: tuple[Party, ...]
    now: datetime = _BEGINNING
    state: str = ""
    opener: str = ""
    flags: set[str] = field(default_factory=set)
    fields: dict[str, object] = field(default_factory=dict)
    withheld: dict[str, str] = field(default_factory=dict)
    purged: dict[str, Step] = field(default_factory=dict)
    clocks: dict[str, _Clock] = field(default_factory=dict)
    consents: dict[tuple[str, str], None] = field(default_factory=dict)
    history: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = self.procedure.initial.name

    def pass_time(self, until: datetime) -> None:
        """Let the clocks run to this moment: those that end before it do what their end does, the earliest first."""
        while (due := self._next_end(until)) is not None:
            ends_at, event = due
            self.now = max(self.now, ends_at)
            self.clocks[event.clock].fired.add(event.name)
            self._apply(event, ends_at)
            self.history.append(Entry(event.name, Effect.TIME, ends_at, self.state))
        self.now = max(self.now, until)

    def take(self, step: Step) -> None:
        """Take a step, or see it overtaken."""
        event = self.procedure.event(step.event)
        why = self._hindrance(event, step)
        if why:
            self.history.append(Entry(event.name, Effect.OVERTAKEN, step.at, self.state, step, why))
            return
        if not self.opener:
            self.opener, self.parties = step.by, step.parties
        self._keep_fields(step)
        self.consents[(event.name, step.by)] = None
        if event.needs_all and not self._all_consent(event):
            self.history.append(Entry(event.name, Effect.CONSENT, step.at, self.state, step))
            return
        self._apply(event, step.at)
        self.history.append(Entry(event.name, Effect.TAKEN, step.at, self.state, step))

    def view(self, at: datetime, *, missing: tuple[str, ...], heads: tuple[str, ...], number: int) -> CaseView:
        """What came of it."""
        state = self.procedure.state(self.state)
        is_begun = bool(self.opener)
        clocks = tuple(self._clock_view(clock, at) for clock in self.clocks.values())
        may = {each.administration: self._may(each, is_automatic=False) for each in self.parties if is_begun}
        automatic = {each.administration: self._may(each, is_automatic=True) for each in self.parties if is_begun}
        return CaseView(
            procedure=self.procedure,
            parties=self.parties,
            state=state,
            flags=tuple(flag.name for flag in self.procedure.flags if flag.name in self.flags),
            fields=dict(self.fields),
            withheld=dict(self.withheld),
            purged=dict(self.purged),
            clocks=clocks,
            whose_turn=tuple(each.administration for each in self.parties if self._is_awaited(each)),
            may=may,
            automatic=automatic,
            consents=tuple(each for each in self.consents if self.procedure.event(each[0]).needs_all),
            history=tuple(self.history),
            missing=missing,
            heads=heads,
            number=number,
        )

    def _hindrance(self, event: Event, step: Step) -> str:
        """Why a step has no effect now; empty: it has one."""
        if self.state not in event.sources:
            return "state"
        if event.needs_all and (event.name, step.by) in self.consents:
            return "done"
        if any(self._is_extended(name) for name in event.extends):
            return "extended"
        before = self._facts()
        said = {name: value for name, value in before.fields.items() if name not in step.commitments}
        said |= dict(step.purged.remembered if step.purged else {}) | dict(step.fields)
        facts = replace(before, fields=said, withheld=(before.withheld | step.withheld) - frozenset(step.fields))
        return "" if event.when is None or holds(event.when, facts) else "guard"

    def _facts(self) -> Facts:
        """What guards are held against: also what a purged step leaves for them."""
        remembered = {
            name: step.purged.remembered[name]
            for name, step in self.purged.items()
            if step.purged is not None and name in step.purged.remembered
        }
        hidden = frozenset(self.withheld) | frozenset(self.purged)
        return Facts(self.state, frozenset(self.flags), {**self.fields, **remembered}, hidden)

    def _is_extended(self, name: str) -> bool:
        clock = self.clocks.get(name)
        return clock is None or bool(clock.extensions) or clock.stopped_at is not None

    def _keep_fields(self, step: Step) -> None:
        for name in step.commitments:
            self.fields.pop(name, None)
            self.withheld.pop(name, None)
            self.purged.pop(name, None)
            if name in step.fields:
                self.fields[name] = step.fields[name]
            elif step.purged is not None and name in step.purged.fields:
                self.purged[name] = step
            else:
                self.withheld[name] = step.article

    def _all_consent(self, event: Event) -> bool:
        asked = [each.administration for each in self.parties if each.role in event.by]
        return all((event.name, party) in self.consents for party in asked)

    def _apply(self, event: Event, at: datetime) -> None:
        for name in event.stops:
            if name in self.clocks and self.clocks[name].stopped_at is None:
                self.clocks[name].stopped_at = self.now
        for name in event.pauses:
            if name in self.clocks and not self.clocks[name].is_paused:
                self.clocks[name].pauses.append(Pause(self.now))
        for name in event.resumes:
            self._resume(name)
        for name in event.extends:
            self._extend(name)
        for name in event.starts:
            self.clocks[name] = _Clock(self._spec(name), at)
        self.flags |= set(event.raises)
        self.flags -= set(event.clears)
        if event.to not in (SAME, self.state):
            self.state = event.to
            self.consents.clear()

    def _resume(self, name: str) -> None:
        clock = self.clocks.get(name)
        if clock is not None and clock.is_paused:
            clock.pauses[-1] = Pause(clock.pauses[-1].from_at, max(self.now, clock.pauses[-1].from_at))
            clock.fired.clear()

    def _extend(self, name: str) -> None:
        clock = self.clocks.get(name)
        if clock is not None and clock.spec.extendable is not None:
            clock.extensions.append(clock.spec.extendable)
            clock.fired.clear()

    def _spec(self, name: str) -> ClockSpec:
        spec = self.procedure.clock(name)
        return replace(spec, term=self.terms.clocks[name]) if name in self.terms.clocks else spec

    def _next_end(self, until: datetime) -> tuple[datetime, Event] | None:
        facts = self._facts()
        found = [
            (self._deadline(clock).due_at, place, event)
            for place, event in enumerate(self.procedure.events)
            if event.is_of_time and self.state in event.sources and (clock := self.clocks.get(event.clock)) is not None
            if clock.stopped_at is None and not clock.is_paused and event.name not in clock.fired
            if event.when is None or holds(event.when, facts)
        ]
        first = min((each for each in found if each[0] < until), default=None, key=lambda each: each[:2])
        return (first[0], first[2]) if first else None

    def _deadline(self, clock: _Clock) -> Deadline:
        """The asker is who opened the case, the asked the first of the others by code."""
        others = sorted(each.administration for each in self.parties if each.administration != self.opener)
        codes = {"asker": self.opener, "asked": others[0] if others else ""}
        sides = tuple((side, code, self.terms.calendars.get(code)) for side, code in codes.items() if code)
        return _deadline_of(clock.spec, clock.started_at, tuple(clock.pauses), tuple(clock.extensions), sides)

    def _clock_view(self, clock: _Clock, at: datetime) -> ClockView:
        limit = self._deadline(clock)
        return ClockView(clock.spec.name, limit, standing(limit, at=at, stopped_at=clock.stopped_at), clock.stopped_at)

    def _may(self, party: Party, *, is_automatic: bool) -> tuple[Event, ...]:
        facts = self._facts()
        return tuple(
            event
            for event in self.procedure.events
            if self.state in event.sources
            and party.role in event.by
            and event.is_automatic is is_automatic
            and not (event.needs_all and (event.name, party.administration) in self.consents)
            and not any(self._is_extended(name) for name in event.extends)
            and (event.when is None or could_hold(event.when, facts, frozenset((*event.needs, *event.may))))
        )

    def _is_awaited(self, party: Party) -> bool:
        """Whether it is this party's turn: its role's, unless what it was asked for is its consent and it gave it."""
        if not self.opener or party.role not in self.procedure.state(self.state).whose_turn:
            return False
        return not any(name for name, by in self.consents if by == party.administration and self._waits_for_all(name))

    def _waits_for_all(self, name: str) -> bool:
        event = self.procedure.event(name)
        return event.needs_all and self.state in event.sources


@lru_cache(maxsize=_REMEMBERED)
def _deadline_of(
    spec: ClockSpec,
    started_at: datetime,
    pauses: tuple[Pause, ...],
    extensions: tuple[Term, ...],
    sides: tuple[tuple[str, str, CalendarTerms | None], ...],
) -> Deadline:
    """sides: role, code and agreed calendar of each."""
    years = years_needed(spec, started_at=started_at, pauses=pauses)
    calendars = {side: calendar_of(code, terms, years=years) for side, code, terms in sides}
    return deadline(spec, started_at=started_at, calendars=calendars, pauses=pauses, extensions=extensions)
