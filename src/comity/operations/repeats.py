"""What was done already: a program that did not hear the answer sends the same again, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Mapping

from comity.operations.errors import StepRefusedError
from comity.operations.models import Case, CaseStep
from comity.operations.selectors import case_row, steps_of
from comity.operations.services import Opening
from comity.operations.steps import Step


def opened_already(us: str, opening: Opening) -> Step | None:
    """The first step of the case that has the id of this opening; None where there is no such case yet.

    Raises: StepRefusedError (case_exists) where that case is another one.
    """
    row = Case.objects.filter(case_id=opening.case_id).first() if opening.case_id else None
    if row is None:
        return None
    first = next((each for each in steps_of(row.steps.filter(number=1, by=us))), None)
    parties = {each.administration: each.role for each in opening.parties}
    same_case = (row.procedure, row.agreement, row.purpose, row.handling, row.parties) == (
        opening.procedure,
        opening.agreement,
        opening.purpose,
        opening.handling,
        parties,
    )
    if first is None or not same_case or dict(first.fields) != dict(opening.fields):
        raise StepRefusedError(
            "case_exists", "There is another case with this id", where=opening.case_id, remedy="Choose another id."
        )
    return first


def taken_already(us: str, *, case_id: str, event: str, fields: Mapping[str, object], number: int) -> Step | None:
    """The step of ours that has this number; None where this number is the next one.

    Raises: CaseUnknownError; StepRefusedError (case_moved) where the number is another step's, or not the next.
    """
    row = case_row(case_id)
    own = steps_of(CaseStep.objects.filter(case=row, number=number, by=us))
    for step in own:
        if (step.event, dict(step.fields)) == (event, dict(fields)):
            return step
    last = row.steps.order_by("-number").values_list("number", flat=True).first() or 0
    if number != last + 1:
        raise StepRefusedError(
            "case_moved",
            f"The next step of this case has the number {last + 1}, not {number}",
            where=row.case_id,
            remedy="Read the case again, and decide anew.",
        )
    return None
