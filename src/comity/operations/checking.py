"""Whether a step could ever be right: its procedure, its author, its fields, its grounds, its deadlines. Pure.

A step that merely came too late is no matter of this: the machine sees it overtaken. docs/protocol.md lists the codes.
"""

from __future__ import annotations

from collections.abc import Sequence

from comity.agreements.clocks import ClockError, DeadlineDiffersError, check_claim
from comity.agreements.procedures import (
    GROUNDS,
    LAW_REFERENCE,
    REASON,
    Event,
    GroundRule,
    Procedure,
)
from comity.agreements.vocabulary import meant
from comity.operations.errors import StepRefusedError
from comity.operations.fields import form_of, is_value
from comity.operations.machine import Terms, deadlines_of, past_of
from comity.operations.steps import Party, Step

MOST_LAW_TEXT = 2000


def check_step(procedure: Procedure, known: Sequence[Step], step: Step, terms: Terms) -> None:
    """Raises: StepRefusedError where the step could never be right beside the steps that are known."""
    event = check_form(procedure, known, step)
    past, is_whole = past_of(known, step.after)
    _check_order(event, procedure, past, step)
    if is_whole:
        check_deadlines(procedure, past, step, terms)


def check_form(procedure: Procedure, known: Sequence[Step], step: Step) -> Event:
    """The event of a step whose words are right. Raises: StepRefusedError."""
    event = check_event(procedure, step)
    check_parties(procedure, event, known, step)
    check_fields(procedure, event, step)
    check_grounds(procedure, event, step)
    return event


def check_event(procedure: Procedure, step: Step) -> Event:
    """The event of the step. Raises: StepRefusedError (unknown_procedure, unknown_edition, unknown_event)."""
    if step.procedure != procedure.name:
        raise StepRefusedError("unknown_procedure", f"The case runs by {procedure.name}", where="procedure")
    if step.edition != procedure.edition:
        raise StepRefusedError(
            "unknown_edition",
            f"{procedure.name} is known here in edition {procedure.edition}, not {step.edition}",
            where="edition",
            remedy="Agree on one edition: one of the two nodes is older.",
        )
    names = tuple(event.name for event in procedure.events if not event.is_of_time)
    if step.event not in names:
        raise StepRefusedError(
            "unknown_event",
            f"In {procedure.name} nobody can do {step.event}",
            where="event",
            remedy=meant(step.event, names),
        )
    return procedure.event(step.event)


def check_parties(procedure: Procedure, event: Event, known: Sequence[Step], step: Step) -> None:
    """Who takes part plays a role, and who takes the step plays one that may.

    Raises: StepRefusedError (bad_parties, parties_differ, wrong_role).
    """
    for role in procedure.roles:
        count = sum(each.role == role.name for each in step.parties)
        if count == 0 or (count > 1 and not role.is_many):
            raise StepRefusedError(
                "bad_parties",
                f"{count} administrations are {role.name} in {procedure.name}",
                where="parties",
                remedy=f"Name {'at least one' if role.is_many else 'one'}.",
            )
    roles = tuple(role.name for role in procedure.roles)
    for party in step.parties:
        if party.role not in roles:
            raise StepRefusedError(
                "bad_parties", f"There is no role {party.role}", where="parties", remedy=meant(party.role, roles)
            )
    if known and known[0].parties != step.parties:
        raise StepRefusedError(
            "parties_differ", "The case has other parties", where="parties", remedy="Open a new case with these."
        )
    role_of = next((each.role for each in step.parties if each.administration == step.by), "")
    if role_of not in event.by:
        raise StepRefusedError(
            "wrong_role",
            f"{step.by} is {role_of or 'no party'} and may not do {event.name}",
            where="by",
            remedy=f"Only {' or '.join(event.by)} may.",
        )


def check_fields(procedure: Procedure, event: Event, step: Step) -> None:
    """Everything that the event needs is said, nothing else is, and each in its form.

    Raises: StepRefusedError (field_missing, field_unknown, bad_field, field_withheld).
    """
    said = frozenset(step.commitments)
    for name in event.needs:
        if name not in said:
            raise StepRefusedError(
                "field_missing",
                f"{event.name} needs {name}",
                where=f"fields.{name}",
                remedy=f"Give {form_of(procedure.field(name))}.",
            )
    extra = (GROUNDS, LAW_REFERENCE, REASON) if event.grounds is not GroundRule.NONE else ()
    allowed = frozenset((*event.needs, *event.may, *extra))
    for name in sorted(said - allowed):
        raise StepRefusedError(
            "field_unknown", f"{event.name} does not say {name}", where=f"fields.{name}", remedy=meant(name, allowed)
        )
    for name, value in step.fields.items():
        if name not in extra and not is_value(procedure.field(name), value):
            raise StepRefusedError(
                "bad_field",
                f"{name} has the wrong form",
                where=f"fields.{name}",
                remedy=f"Write {form_of(procedure.field(name))}.",
            )
    check_shown(procedure, step)


def check_shown(procedure: Procedure, step: Step) -> None:
    """What a guard reads is shown to everybody: else two nodes would see two states.

    Raises: StepRefusedError (field_withheld).
    """
    read = frozenset().union(*(event.when.fields for event in procedure.events if event.when is not None))
    for name in sorted(step.withheld & read):
        raise StepRefusedError(
            "field_withheld",
            f"{name} decides how the case goes on, and is withheld",
            where=f"fields.{name}",
            remedy=f"Let the article release fields.{name}.",
        )


def check_grounds(procedure: Procedure, event: Event, step: Step) -> None:
    """A refusal names its grounds, and the law where the ground asks for it.

    Raises: StepRefusedError (ground_missing, ground_unknown, law_missing).
    """
    if event.grounds is GroundRule.NONE:
        return
    known = tuple(ground.name for ground in procedure.grounds_of(event))
    if GROUNDS not in step.commitments:
        raise StepRefusedError(
            "ground_missing",
            f"{event.name} names no ground",
            where=f"fields.{GROUNDS}",
            remedy=f"Name {'one' if event.grounds is GroundRule.ONE else 'at least one'} of {', '.join(known)}.",
        )
    if GROUNDS in step.fields:
        _check_named(procedure, event, step, known)
    for name in (LAW_REFERENCE, REASON):
        value = step.fields.get(name, "-")
        if not isinstance(value, str) or not value.strip() or len(value) > MOST_LAW_TEXT:
            raise StepRefusedError(
                "bad_field",
                f"{name} is no text of 1 to {MOST_LAW_TEXT} characters",
                where=f"fields.{name}",
                remedy="Write it, or leave it out.",
            )


def _check_named(procedure: Procedure, event: Event, step: Step, known: tuple[str, ...]) -> None:
    named = step.fields[GROUNDS]
    is_list = isinstance(named, list) and 0 < len(named) <= len(known)
    if not isinstance(named, list) or not is_list or (event.grounds is GroundRule.ONE and len(named) != 1):
        raise StepRefusedError(
            "ground_missing",
            f"{event.name} names {'one ground' if event.grounds is GroundRule.ONE else 'grounds'} in a list",
            where=f"fields.{GROUNDS}",
            remedy=f"Known are: {', '.join(known)}.",
        )
    for name in named:
        if name not in known:
            is_other = any(ground.name == name for ground in procedure.grounds)
            raise StepRefusedError(
                "ground_unknown",
                f"{event.name} cannot rest on the ground {name}" if is_other else f"There is no ground {name}",
                where=f"fields.{GROUNDS}",
                remedy=meant(str(name), known),
            )
    for name in named:
        if procedure.ground(name).needs_law and LAW_REFERENCE not in step.commitments:
            raise StepRefusedError(
                "law_missing",
                f"The ground {name} needs the reference of the law",
                where=f"fields.{LAW_REFERENCE}",
                remedy="Name the law and its article.",
            )


def check_deadlines(procedure: Procedure, past: Sequence[Step], step: Step, terms: Terms) -> None:
    """Both nodes come to the same ends of the clocks that the step sets.

    Raises: StepRefusedError (deadline_differs) naming the clock, both dates and the first day that differs.
    """
    ours = deadlines_of(procedure, past, step, terms)
    if [str(each.get("clock")) for each in step.deadlines] != [each.clock for each in ours]:
        named = ", ".join(str(each.get("clock")) for each in step.deadlines) or "no clock"
        raise StepRefusedError(
            "deadline_differs",
            f"The step sets {named}; by our count it sets {', '.join(each.clock for each in ours) or 'none'}",
            where="deadlines",
            remedy="Compare the agreement and the edition of the procedure on both sides.",
        )
    for limit, claim in zip(ours, step.deadlines, strict=True):
        try:
            check_claim(limit, claim)
        except DeadlineDiffersError as error:
            raise StepRefusedError(
                "deadline_differs",
                f"{error.what}: {error.where}",
                where=f"deadlines.{limit.clock}",
                remedy=error.remedy,
            ) from error
        except ClockError as error:
            raise StepRefusedError("bad_deadline", error.what, where=error.where, remedy=error.remedy) from error


def parties_of(roles: dict[str, tuple[str, ...]]) -> tuple[Party, ...]:
    """Parties sorted by code, from the administrations of each role."""
    found = {code: role for role, codes in roles.items() for code in codes}
    return tuple(Party(code, found[code]) for code in sorted(found))


def _check_order(event: Event, procedure: Procedure, past: Sequence[Step], step: Step) -> None:
    """A step stands behind all that its author had seen; the first of a case behind none.

    Raises: StepRefusedError (bad_order).
    """
    is_opening = procedure.initial.name in event.sources
    if is_opening != (not step.after) or is_opening != (step.number == 1):
        raise StepRefusedError(
            "bad_order",
            f"{event.name} {'opens a case, but names steps before it' if is_opening else 'names no step before it'}",
            where="after",
            remedy="Name the newest steps that were seen.",
        )
    if any(each.number >= step.number for each in past):
        raise StepRefusedError(
            "bad_order", "The step is numbered before one that it names", where="number", remedy="Count on from it."
        )
