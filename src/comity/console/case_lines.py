"""Cases in lists: what one is about, where it stands, what is due next and who owes it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from comity.agreements.clocks import Standing
from comity.agreements.procedures import FieldType, Procedure, StateKind, procedure
from comity.console.case_words import clock_words, language, value_words
from comity.console.deadlines import Left, left_of
from comity.operations import CaseView, Effect
from comity.operations.selectors import CaseFile, CaseLine
from comity.operations.steps import Step

# The ladder of disputes, and what a breach leads to: suspension and restoration.
DISPUTES = ("dispute", "breach")
TABS = ("us", "partner", "closed", "disputes", "all")
_FAR = datetime.max.replace(tzinfo=UTC)
_SUBJECT = ((FieldType.TEXT, FieldType.LONG_TEXT), (FieldType.REF, FieldType.TEXTS))


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as a list shows it. clock: what is due next, in words; left: until when; flags: in words."""

    case_id: str
    title: str
    subject: str
    partners: tuple[str, ...]
    state: str
    kind: str
    flags: tuple[str, ...]
    turn: tuple[str, ...]
    is_ours: bool
    is_late: bool
    handling: str
    opened_at: datetime
    clock: str = ""
    left: Left | None = None
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Rung:
    """A stage of a case. reached_at: when; None: not yet, or passed by. is_now: where it stands."""

    title: str
    reached_at: datetime | None
    is_now: bool


def row_of(found: CaseFile, us: str, at: datetime) -> CaseRow:
    """The row of a case, as it stands now."""
    line, seen = found.line, found.view
    next_clock, left = next_due(seen, at)
    return CaseRow(
        case_id=line.case_id,
        title=seen.procedure.title.in_(language()),
        subject=subject_of(seen),
        partners=tuple(each.administration for each in line.parties if each.administration != us),
        state=seen.state.title.in_(language()),
        kind=seen.state.kind.value,
        flags=tuple(seen.procedure.flag(each).title.in_(language()) for each in seen.flags),
        turn=seen.whose_turn,
        is_ours=us in seen.whose_turn,
        is_late=is_late(line, at),
        handling=line.handling,
        opened_at=line.opened_at,
        clock=next_clock,
        left=left,
        missing=line.missing,
    )


def next_due(seen: CaseView, at: datetime) -> tuple[str, Left | None]:
    """The clock that ends first among those that run, and how long that is; one that stands still where none runs."""
    if seen.state.kind is StateKind.CLOSED:
        return "", None
    waiting = [each for each in seen.clocks if each.stopped_at is None]
    running = [each for each in waiting if each.standing is not Standing.PAUSED] or waiting
    first = min(running, key=lambda each: each.deadline.due_at, default=None)
    return (clock_words(first.name), left_of(first.deadline, at)) if first else ("", None)


def subject_of(seen: CaseView) -> str:
    """What a case is about: the first text of its first step that is shown here; empty where none is."""
    step = opening_of(seen)
    if step is None:
        return ""
    event = seen.procedure.event(step.event)
    said = [name for name in (*event.needs, *event.may) if name in step.fields]
    named = [name for types in _SUBJECT for name in said if seen.procedure.field(name).type in types]
    return value_words(seen.procedure, named[0], step.fields[named[0]]) if named else ""


def opening_of(seen: CaseView) -> Step | None:
    """The step that opened the case."""
    return next((each.step for each in seen.history if each.step and each.effect is Effect.TAKEN), None)


def rungs_of(seen: CaseView) -> tuple[Rung, ...]:
    """Every stage of the procedure in its order, with the moment at which the case last came to it."""
    reached: dict[str, datetime] = {}
    before = seen.procedure.initial.name
    for entry in seen.history:
        if entry.effect in (Effect.TAKEN, Effect.TIME) and entry.state != before:
            reached[entry.state] = entry.at
            before = entry.state
    return tuple(
        Rung(each.title.in_(language()), reached.get(each.name), each is seen.state)
        for each in seen.procedure.states[1:]
    )


def passed_of(seen: CaseView) -> tuple[Rung, ...]:
    """The stages through which a case has come, in the order in which it came, and where it stands."""
    passed: list[Rung] = []
    for entry in seen.history:
        title = seen.procedure.state(entry.state).title.in_(language())
        if entry.effect in (Effect.TAKEN, Effect.TIME) and (not passed or passed[-1].title != title):
            passed.append(Rung(title, entry.at, is_now=False))
    return tuple(replace(each, is_now=place == len(passed)) for place, each in enumerate(passed, 1))


def is_late(line: CaseLine, at: datetime) -> bool:
    """Whether a clock of an open case has run down."""
    if line.kind == StateKind.CLOSED.value:
        return False
    return bool(late_flags(procedure(line.procedure)) & set(line.flags)) or (
        line.next_due is not None and line.next_due < at
    )


def late_flags(kind: Procedure) -> frozenset[str]:
    """The flags that an event of time raises."""
    return frozenset(flag for event in kind.events if event.is_of_time for flag in event.raises)


def of_tab(lines: Iterable[CaseLine], tab: str, us: str) -> list[CaseLine]:
    """The cases of a tab: those that wait for us, for a partner, the closed ones, disputes, or all."""
    return [each for each in lines if _is_of(each, tab, us)]


def in_order(lines: Iterable[CaseLine], at: datetime) -> list[CaseLine]:
    """What is overdue first, then by the next deadline; the closed ones last, the newest of them first."""
    return sorted(
        lines,
        key=lambda each: (
            each.kind == StateKind.CLOSED.value,
            not is_late(each, at),
            each.next_due or _FAR,
            -each.opened_at.timestamp(),
        ),
    )


def _is_of(line: CaseLine, tab: str, us: str) -> bool:
    is_closed = line.kind == StateKind.CLOSED.value
    match tab:
        case "us":
            return not is_closed and us in line.turn
        case "partner":
            return not is_closed and us not in line.turn
        case "closed":
            return is_closed
        case "disputes":
            return line.procedure in DISPUTES
        case _:
            return True
