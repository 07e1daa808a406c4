"""What a case is at a moment: where it stands, its clocks, whose turn it is, who may do what, and how it came. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from comity.agreements.clocks import Deadline, Standing
from comity.agreements.procedures import Event, Procedure, State
from comity.operations.steps import Party, Step


class Effect(StrEnum):
    """What became of a step. consent: counted, but others of the role are still to come."""

    TAKEN = "taken"
    CONSENT = "consent"
    OVERTAKEN = "overtaken"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history. step: None for an event of time. why: of one overtaken, a word: state, guard, done."""

    event: str
    effect: Effect
    at: datetime
    state: str
    step: Step | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class ClockView:
    """One clock. stopped_at: when what it waits for was done; None: it runs or stands still."""

    name: str
    deadline: Deadline
    standing: Standing
    stopped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as its steps make it. fields: the newest value of each; withheld: the article that withholds the others.
    purged: of fields whose newest value is gone, the step that said it.

    may: the events that each party may do now; automatic: those that its node does by itself.
    consents: (event, party) that counted and wait for others. missing: digests of steps that others have seen and we
    have not. heads: the newest steps that we have; number: the largest.
    """

    procedure: Procedure
    parties: tuple[Party, ...]
    state: State
    flags: tuple[str, ...]
    fields: Mapping[str, object]
    withheld: Mapping[str, str]
    purged: Mapping[str, Step]
    clocks: tuple[ClockView, ...]
    whose_turn: tuple[str, ...]
    may: Mapping[str, tuple[Event, ...]]
    automatic: Mapping[str, tuple[Event, ...]]
    consents: tuple[tuple[str, str], ...]
    history: tuple[Entry, ...]
    missing: tuple[str, ...]
    heads: tuple[str, ...]
    number: int

    @property
    def is_begun(self) -> bool:
        """Whether a step has opened the case."""
        return self.state is not self.procedure.initial

    @property
    def next_due(self) -> datetime | None:
        """The earliest end of a clock that runs."""
        ends = [each.deadline.due_at for each in self.clocks if each.standing in _RUNNING]
        return min(ends, default=None)

    def clock(self, name: str) -> ClockView | None:
        """The clock of this name; None: it was never started."""
        return next((each for each in self.clocks if each.name == name), None)

    def role_of(self, administration: str) -> str:
        """The role of a party; empty: it has none."""
        return next((each.role for each in self.parties if each.administration == administration), "")


_RUNNING = (Standing.RUNNING, Standing.WARNED, Standing.OVERDUE)
