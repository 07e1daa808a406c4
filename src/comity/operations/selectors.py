"""Reads of this room: cases, their views, what is due, overdue, and whose turn it is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from comity.agreements.procedures import procedure
from comity.agreements.selectors import adopted_agreement
from comity.operations.errors import CaseUnknownError
from comity.operations.machine import Terms, view
from comity.operations.models import Case, CaseStep
from comity.operations.steps import Party, Step, step_from_body
from comity.operations.views import CaseView

MOST_LISTED = 500
# The flag that the event of time of a late answer raises, by custom of the procedures.
OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in a list, as it was folded last."""

    case_id: str
    procedure: str
    agreement: str
    purpose: str
    handling: str
    parties: tuple[Party, ...]
    state: str
    kind: str
    flags: tuple[str, ...]
    turn: tuple[str, ...]
    next_due: datetime | None
    missing: int
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Sending:
    """What one party got of one step of ours. withheld: the fields that the article withheld from it."""

    digest: str
    recipient: str
    article: str
    withheld: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with its view now, what each party got of our steps, and what did not fit: (digest, trouble)."""

    line: CaseLine
    view: CaseView
    sendings: tuple[Sending, ...]
    troubles: tuple[tuple[str, str], ...]


def cases(*, kind: str = "", procedure_name: str = "", limit: int = MOST_LISTED) -> tuple[CaseLine, ...]:
    """Cases, the newest first. kind: open, waiting or closed."""
    rows = Case.objects.order_by("-opened_at", "case_id")
    if kind:
        rows = rows.filter(kind=kind)
    if procedure_name:
        rows = rows.filter(procedure=procedure_name)
    return tuple(line_of(row) for row in rows[:limit])


def tasks(*, limit: int = MOST_LISTED) -> tuple[CaseLine, ...]:
    """Cases in which it is our turn, what is due first on top."""
    rows = Case.objects.filter(is_our_turn=True).exclude(kind="closed").order_by("next_due", "opened_at", "case_id")
    return tuple(line_of(row) for row in rows[:limit])


def due(*, before: datetime, limit: int = MOST_LISTED) -> tuple[CaseLine, ...]:
    """Cases with a clock that ends before this moment, the earliest first."""
    rows = Case.objects.filter(next_due__lt=before).exclude(kind="closed").order_by("next_due", "case_id")
    return tuple(line_of(row) for row in rows[:limit])


def overdue(*, at: datetime, limit: int = MOST_LISTED) -> tuple[CaseLine, ...]:
    """Cases that are flagged as overdue, or of which a clock has run down since they were folded."""
    rows = Case.objects.exclude(kind="closed").order_by("next_due", "opened_at", "case_id")
    found = (row for row in rows if OVERDUE in row.flags or (row.next_due is not None and row.next_due < at))
    return tuple(line_of(row) for row in islice(found, limit))


def case_file(case_id: str, *, at: datetime) -> CaseFile:
    """A case as it stands now; the beginning of its id, eight characters or more, is enough.

    Raises: CaseUnknownError.
    """
    row = case_row(case_id)
    steps = list(row.steps.prefetch_related("sendings"))
    sendings = tuple(
        Sending(step.digest, each.recipient, each.article, tuple(each.withheld))
        for step in sorted(steps, key=lambda each: each.number)
        for each in sorted(step.sendings.all(), key=lambda each: each.recipient)
    )
    troubles = tuple((step.digest, step.trouble) for step in steps if step.trouble)
    return CaseFile(line_of(row), fold(row, steps_of(steps), at), sendings, troubles)


def case_row(case_id: str) -> Case:
    """Raises: CaseUnknownError."""
    rows = list(Case.objects.filter(case_id__startswith=case_id)[:2]) if len(case_id) >= 8 else []
    if len(rows) != 1:
        raise CaseUnknownError(
            "No case with this id is kept here" if not rows else "Several cases begin so",
            where=case_id[:40],
            remedy="See `comity case list`.",
        )
    return rows[0]


def steps_of(rows: Iterable[CaseStep]) -> list[Step]:
    """The steps in these rows."""
    return [step_from_body(json.loads(bytes(row.body)), row.article) for row in rows]


def fold(row: Case, steps: Iterable[Step], at: datetime) -> CaseView:
    """What the steps make of the case."""
    return view(procedure(row.procedure), steps, at=at, terms=terms_of(row.agreement, row.procedure))


def terms_of(agreement_id: str, procedure_name: str) -> Terms:
    """The calendars and clocks that an agreement sets for a procedure."""
    agreement = adopted_agreement(agreement_id)
    if agreement is None:
        return Terms()
    own = next((each for each in agreement.procedures if each.procedure == procedure_name), None)
    return Terms(dict(agreement.calendars), dict(own.clocks) if own else {})


def line_of(row: Case) -> CaseLine:
    """The row as a value."""
    return CaseLine(
        case_id=row.case_id,
        procedure=row.procedure,
        agreement=row.agreement,
        purpose=row.purpose,
        handling=row.handling,
        parties=tuple(Party(code, role) for code, role in sorted(row.parties.items())),
        state=row.state,
        kind=row.kind,
        flags=tuple(row.flags),
        turn=tuple(row.turn),
        next_due=row.next_due,
        missing=row.missing,
        opened_at=row.opened_at,
    )
