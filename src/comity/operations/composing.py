"""Making the next step of a case: its number, what its author had seen, and the deadlines it computed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from comity.agreements.clocks import claim_of
from comity.agreements.procedures import Procedure
from comity.operations.checking import check_form, check_step
from comity.operations.errors import StepRefusedError
from comity.operations.machine import Terms, deadlines_of, view
from comity.operations.steps import Party, Step, committed
from comity.operations.views import Effect

Salts = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Move:
    """What a party wants to do in a case. fields: what it says."""

    case: str
    agreement: str
    event: str
    by: str
    parties: tuple[Party, ...]
    fields: Mapping[str, object]


def compose(
    procedure: Procedure, known: Sequence[Step], move: Move, terms: Terms, *, at: datetime, salt: Salts
) -> Step:
    """The step that this move makes after the steps that are known.

    salt: gives 32 random hexadecimal digits each time.
    Raises: StepRefusedError; its code is not_now where the case does not allow it at this moment.
    """
    # Never before what it follows: another node's clock may be ahead of ours.
    at = max([at, *(step.at for step in known)]).replace(microsecond=0)
    before = view(procedure, known, at=at, terms=terms)
    salts = {name: salt() for name in move.fields}
    step = Step(
        case=move.case,
        agreement=move.agreement,
        procedure=procedure.name,
        edition=procedure.edition,
        event=move.event,
        by=move.by,
        number=before.number + 1,
        after=before.heads,
        at=at,
        parties=before.parties or move.parties,
        fields=dict(move.fields),
        commitments=committed(move.fields, salts),
        salts=salts,
    )
    check_form(procedure, known, step)
    check_now(procedure, known, step, terms)
    claims = tuple(claim_of(limit) for limit in deadlines_of(procedure, known, step, terms))
    step = replace(step, deadlines=claims)
    check_step(procedure, known, step, terms)
    return step


def check_now(procedure: Procedure, known: Sequence[Step], step: Step, terms: Terms) -> None:
    """Raises: StepRefusedError (not_now) where the step would have no effect among the steps that are known."""
    after = view(procedure, [*known, step], at=step.at, terms=terms)
    own = next(each for each in after.history if each.step is not None and each.step.digest == step.digest)
    if own.effect is not Effect.OVERTAKEN:
        return
    before = view(procedure, known, at=step.at, terms=terms)
    names = [event.name for event in before.may.get(step.by, ())]
    event = procedure.event(step.event)
    why = {
        "state": f"The case is {before.state.name}",
        "guard": f"The condition of {step.event} does not hold: {event.when.text if event.when else ''}",
        "done": f"{step.by} has done {step.event} already",
        "extended": "The clock was extended already, or does not run",
    }[own.why]
    raise StepRefusedError(
        "not_now",
        f"{step.by} cannot do {step.event} now. {why}",
        where=step.case,
        remedy=f"It may do: {', '.join(names) or 'nothing until others have done their part'}.",
    )
