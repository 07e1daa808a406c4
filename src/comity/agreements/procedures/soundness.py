"""What no procedure may hold although its words are right: what could never happen, end or be used. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from comity.agreements.clocks import Start
from comity.agreements.errors import AgreementFormError
from comity.agreements.markup import Mapped, Node
from comity.agreements.procedures.values import (
    SAME,
    Event,
    FieldType,
    GroundRule,
    Procedure,
    StateKind,
)
from comity.agreements.vocabulary import meant


@dataclass(frozen=True, slots=True)
class Lines:
    """The line on which each named thing of a file stands: (section, name) -> line."""

    found: Mapping[tuple[str, str], int]

    @classmethod
    def of(cls, root: Node) -> Lines:
        """The lines of a file that was read."""
        sections = root.items if isinstance(root, Mapped) else {}
        return cls(
            {
                (section, name): line
                for section, node in sections.items()
                if isinstance(node, Mapped)
                for name, line in node.lines.items()
            }
        )

    def fail(self, section: str, name: str, what: str, remedy: str) -> NoReturn:
        """Raise the error of this thing's line."""
        line = self.found.get((section, name), 1)
        raise AgreementFormError(what, where=f"line {line}", remedy=remedy)


def check_sound(procedure: Procedure, lines: Lines) -> None:
    """Raises: AgreementFormError for the first thing that could never happen, never end, or is never used."""
    for check in (_roles, _openings, _events, _guards, _reach, _ends, _clocks, _flags, _fields, _grounds):
        check(procedure, lines)


def _roles(procedure: Procedure, lines: Lines) -> None:
    if sum(not role.is_many for role in procedure.roles) == 0 and len(procedure.roles) > 1:
        lines.fail(
            "roles", procedure.roles[-1].name, "Two roles with many each cannot be told apart", "Leave one of many."
        )
    for role in procedure.roles:
        if not any(role.name in event.by for event in procedure.events):
            lines.fail("roles", role.name, f"The role {role.name} does nothing", "Give it an event, or leave it out.")


def _openings(procedure: Procedure, lines: Lines) -> None:
    first = procedure.initial.name
    if not procedure.openings:
        lines.fail("states", first, f"No event leads from {first}, the first state", "Let somebody open a case.")
    for event in procedure.openings:
        if event.to in (SAME, first):
            lines.fail("events", event.name, f"{event.name} does not open the case", "Let it lead to another state.")
        if len(event.by) != 1:
            lines.fail("events", event.name, f"{event.name} opens a case for several roles", "Name one role.")
    for event in procedure.events:
        if event.to == first:
            lines.fail("events", event.name, f"{event.name} leads to {first}, before the case", "Choose another state.")
        if first in event.sources and len(event.sources) > 1:
            lines.fail("events", event.name, f"{event.name} opens a case and goes on in one", "Make two events of it.")


def _events(procedure: Procedure, lines: Lines) -> None:
    for event in procedure.events:
        if event.is_of_time and (event.needs or event.may or event.grounds is not GroundRule.NONE or event.needs_all):
            lines.fail("events", event.name, f"Nobody does {event.name}, so it says nothing", "Leave its fields out.")
        if event.is_automatic and (event.needs or event.grounds is not GroundRule.NONE or event.is_of_time):
            lines.fail("events", event.name, f"A node cannot do {event.name} by itself", "Leave its needs out.")
        if twice := set(event.needs) & set(event.may):
            lines.fail("events", event.name, f"{event.name} needs and may say {min(twice)}", "Name it once.")
        if event.needs_all and not any(procedure.role(role).is_many for role in event.by):
            lines.fail("events", event.name, f"{event.name} asks all of a role of one", "Leave needs_all out.")
        if event.to == SAME and not _has_effect(event):
            lines.fail("events", event.name, f"{event.name} changes nothing", "Let it say or change something.")


def _has_effect(event: Event) -> bool:
    changes = (event.needs, event.may, event.stops, event.pauses, event.touches, event.raises, event.clears)
    return any(changes) or event.grounds is not GroundRule.NONE


def _guards(procedure: Procedure, lines: Lines) -> None:
    names = {
        "field": frozenset(each.name for each in procedure.fields),
        "flag": frozenset(each.name for each in procedure.flags),
        "state": frozenset(each.name for each in procedure.states),
    }
    for event in procedure.events:
        if event.when is None:
            continue
        guard = event.when
        used = {"field": guard.fields | guard.present, "flag": guard.flags, "state": guard.states}
        for what, found in used.items():
            for name in sorted(found - names[what]):
                lines.fail(
                    "events", event.name, f"{event.name}.when: there is no {what} {name!r}", meant(name, names[what])
                )
        for name, word in sorted(guard.words):
            known = tuple(each for each, _ in procedure.field(name).words)
            if word not in known:
                lines.fail("events", event.name, f"{event.name}.when: {name} is never {word!r}", meant(word, known))
        for name in sorted(guard.fields - {name for name, _ in guard.words}):
            if procedure.field(name).type is not FieldType.FLAG:
                lines.fail("events", event.name, f"{event.name}.when: {name} is no flag", f"Write `has {name}`.")
        if guard.states and not guard.states & set(event.sources):
            lines.fail("events", event.name, f"{event.name}.when can never hold where it starts", "Mend `from`.")


def _next(procedure: Procedure, state: str) -> Iterator[str]:
    for event in procedure.events:
        if state in event.sources and event.to != SAME:
            yield event.to


def _reach(procedure: Procedure, lines: Lines) -> None:
    reached, waiting = {procedure.initial.name}, [procedure.initial.name]
    while waiting:
        for name in _next(procedure, waiting.pop()):
            if name not in reached:
                reached.add(name)
                waiting.append(name)
    for state in procedure.states:
        if state.name not in reached:
            lines.fail("states", state.name, f"No event leads to {state.name}", "Lead one there, or leave it out.")
    for event in procedure.events:
        if not reached & set(event.sources):
            lines.fail("events", event.name, f"Nobody can ever do {event.name}", "Mend `from`.")


def _ends(procedure: Procedure, lines: Lines) -> None:
    """From every state a closed one can be reached: nothing stays open for ever for want of an event."""
    ending = {state.name for state in procedure.states if state.kind is StateKind.CLOSED}
    if not ending:
        lines.fail("states", procedure.initial.name, "No state is closed", "Give the procedure an end.")
    grown = True
    while grown:
        more = {each.name for each in procedure.states if ending & set(_next(procedure, each.name))} - ending
        ending |= more
        grown = bool(more)
    for state in procedure.states:
        if state.name not in ending:
            lines.fail("states", state.name, f"{state.name} is a dead end that is not closed", "Lead on, or close it.")
        if state.kind is not StateKind.CLOSED and state is not procedure.initial and not state.whose_turn:
            lines.fail("states", state.name, f"It is nobody's turn in {state.name}", "Say whose_turn it is.")
        for role in state.whose_turn:
            if not any(state.name in each.sources and role in each.by for each in procedure.events):
                lines.fail("states", state.name, f"In {state.name} {role} can do nothing", "Mend whose_turn.")


def _clocks(procedure: Procedure, lines: Lines) -> None:
    events = procedure.events
    for clock in procedure.clocks:
        starting = [event for event in events if clock.name in event.starts]
        if not starting:
            lines.fail("clocks", clock.name, f"No event starts the clock {clock.name}", "Start it, or leave it out.")
        if clock.start is Start.RECEIPT and not all(event.is_automatic for event in starting):
            lines.fail(
                "clocks",
                clock.name,
                f"The clock {clock.name} starts by receipt, but a person starts it",
                "Let the automatic event of receipt start it.",
            )
        if clock.start is Start.REQUEST and any(event.is_automatic for event in starting):
            lines.fail("clocks", clock.name, f"The clock {clock.name} starts by request", "Let the request start it.")
        if not any(event.clock == clock.name for event in events):
            lines.fail("clocks", clock.name, f"Nothing happens when {clock.name} ends", "Add an event `by: clock …`.")
        if not any(clock.name in event.stops for event in events):
            lines.fail("clocks", clock.name, f"No event stops the clock {clock.name}", "Say what stops it.")
        if any(clock.name in each.pauses for each in events) != any(clock.name in each.resumes for each in events):
            lines.fail("clocks", clock.name, f"{clock.name} is paused or resumed alone", "Name both.")
        if any(clock.name in each.extends for each in events) and clock.extendable is None:
            lines.fail("clocks", clock.name, f"{clock.name} is extended by nothing", "Say `extendable`.")
        if clock.extendable is not None and not any(clock.name in each.extends for each in events):
            lines.fail("clocks", clock.name, f"No event extends {clock.name}", "Add `extends`, or leave it out.")


def _flags(procedure: Procedure, lines: Lines) -> None:
    for flag in procedure.flags:
        if not any(flag.name in event.raises for event in procedure.events):
            lines.fail("flags", flag.name, f"No event raises the flag {flag.name}", "Raise it, or leave it out.")


def _fields(procedure: Procedure, lines: Lines) -> None:
    for field in procedure.fields:
        if not any(field.name in (*event.needs, *event.may) for event in procedure.events):
            lines.fail("fields", field.name, f"No event uses the field {field.name}", "Use it, or leave it out.")


def _grounds(procedure: Procedure, lines: Lines) -> None:
    asking = [event for event in procedure.events if event.grounds is not GroundRule.NONE]
    if procedure.grounds and not asking:
        name = procedure.grounds[0].name
        lines.fail("grounds", name, "No event names a ground", "Say `grounds: one` where it does.")
    if asking and not procedure.grounds:
        lines.fail("events", asking[0].name, f"{asking[0].name} names grounds, but there are none", "Add `grounds`.")
    for event in procedure.events:
        if event.of and event.grounds is GroundRule.NONE:
            lines.fail("events", event.name, f"{event.name} names no ground, and says which", "Say `grounds: some`.")
    named = {each.name for event in asking for each in procedure.grounds_of(event)}
    for ground in procedure.grounds:
        if ground.name not in named:
            lines.fail("grounds", ground.name, f"No event may name the ground {ground.name}", "Add it to `of`.")
