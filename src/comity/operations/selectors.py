"""Reads of this room: cases, their views, what is due, overdue, and whose turn it is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from django.db.models import QuerySet

from comity.agreements.procedures import procedure
from comity.agreements.selectors import adopted_agreement
from comity.common import Actor
from comity.operations.errors import CaseUnknownError
from comity.operations.forgetting import purged_in
from comity.operations.machine import Terms, view
from comity.operations.models import Case, CaseStep
from comity.operations.steps import Party, Step, step_from_body
from comity.operations.views import CaseView
from comity.staff import Permission, Sight, may, require, require_sight, sight_of
from comity.staff.need_to_know import LEVELS

MOST_LISTED = 500
# The flag that the event of time of a late answer raises, by custom of the procedures.
OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in a list, as it was folded last.

    sight: how much of it is shown; of one that is only there neither the procedure nor the roles nor how it stands.
    """

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
    sight: Sight = Sight.WHOLE


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases are wanted; what is empty asks for all. partner: another party. is_ours: where it is our turn."""

    kind: str = ""
    procedure: str = ""
    agreement: str = ""
    partner: str = ""
    state: str = ""
    is_ours: bool = False
    due_before: datetime | None = None


EVERY_CASE = Wanted()


@dataclass(frozen=True, slots=True)
class Sending:
    """What one party got of one step of ours. withheld: the fields that the article withheld from it.

    message_id: as what it was sent.
    recall: how we took it back, and on which ground; empty: we did not.
    """

    digest: str
    recipient: str
    article: str
    withheld: tuple[str, ...]
    message_id: str
    recall: str = ""


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


def cases_for(
    actor: Actor, *, wanted: Wanted = EVERY_CASE, limit: int = MOST_LISTED, offset: int = 0
) -> tuple[CaseLine, ...]:
    """The cases that the actor may see, the newest first.

    Those whose handling the actor need not know whole are there without what they are about, and only where nothing is
    asked of what they are about. Raises: PermissionRefusedError.
    """
    rows = _visible(actor, wanted).order_by("-opened_at", "case_id")[offset : offset + limit]
    return tuple(_seen_by(actor, line_of(row)) for row in rows)


def count_for(actor: Actor, *, wanted: Wanted = EVERY_CASE) -> int:
    """How many cases `cases_for` has in all.

    Raises: PermissionRefusedError.
    """
    return _visible(actor, wanted).count()


def tasks_for(actor: Actor, *, limit: int = MOST_LISTED) -> tuple[CaseLine, ...]:
    """Cases in which it is our turn and which the actor sees whole, what is due first on top.

    Raises: PermissionRefusedError.
    """
    rows = _visible(actor, Wanted(is_ours=True)).order_by("next_due", "opened_at", "case_id")
    return tuple(line_of(row) for row in rows[:limit])


def overdue_for(actor: Actor, *, at: datetime, limit: int = MOST_LISTED) -> tuple[CaseLine, ...]:
    """Cases that are overdue and which the actor sees whole.

    Raises: PermissionRefusedError.
    """
    require_reader(actor)
    return tuple(each for each in overdue(at=at, limit=limit) if sight_of(actor, each.handling) is Sight.WHOLE)


def case_file_for(actor: Actor, case_id: str, *, at: datetime) -> CaseFile:
    """A case as it stands now, for who sees it whole.

    Raises: PermissionRefusedError, CaseUnknownError; SightRefusedError where only its existence is shown.
    """
    require_reader(actor)
    row = case_row(case_id)
    if sight_of(actor, row.handling) is Sight.NOTHING:
        raise unknown_case(case_id)
    require_sight(actor, row.handling, where=row.case_id)
    return case_file(row.case_id, at=at)


def require_reader(actor: Actor) -> None:
    """Cases are read by who sees messages, shares, or approves sharing.

    Raises: PermissionRefusedError.
    """
    if not any(may(actor, each) for each in (Permission.SHARE, Permission.APPROVE_SHARING)):
        require(actor, Permission.VIEW_MESSAGES)


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


def case_line(case_id: str) -> CaseLine:
    """A case as it was folded last; the beginning of its id, eight characters or more, is enough.

    Raises: CaseUnknownError.
    """
    return line_of(case_row(case_id))


def case_file(case_id: str, *, at: datetime) -> CaseFile:
    """A case as it stands now; the beginning of its id, eight characters or more, is enough.

    Raises: CaseUnknownError.
    """
    row = case_row(case_id)
    steps = list(row.steps.prefetch_related("sendings"))
    sendings = tuple(
        Sending(step.digest, each.recipient, each.article, tuple(each.withheld), each.message_id, each.recall)
        for step in sorted(steps, key=lambda each: each.number)
        for each in sorted(step.sendings.all(), key=lambda each: each.recipient)
    )
    troubles = tuple((step.digest, step.trouble) for step in steps if step.trouble)
    return CaseFile(line_of(row), fold(row, steps_of(steps), at), sendings, troubles)


def case_row(case_id: str) -> Case:
    """Raises: CaseUnknownError."""
    rows = list(Case.objects.filter(case_id__startswith=case_id)[:2]) if len(case_id) >= 8 else []
    if len(rows) != 1:
        raise unknown_case(case_id, "" if not rows else "Several cases begin so")
    return rows[0]


def unknown_case(case_id: str, what: str = "") -> CaseUnknownError:
    """That there is no such case, or none that may be told."""
    return CaseUnknownError(
        what or "No case with this id is kept here", where=case_id[:40], remedy="See `comity case list`."
    )


def steps_of(rows: Iterable[CaseStep]) -> list[Step]:
    """The steps in these rows; of what was purged what stays."""
    return [_step_of(row) for row in rows]


def _step_of(row: CaseStep) -> Step:
    step = step_from_body(json.loads(bytes(row.body)), row.article)
    if row.purge is None:
        return step
    return replace(step, purged=purged_in(procedure(step.procedure), step.case, row.purge))


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


def _visible(actor: Actor, wanted: Wanted) -> QuerySet[Case]:
    """The rows that the actor may know of. What is asked of a case is only answered where it is seen whole."""
    require_reader(actor)
    whole = [level for level in LEVELS if sight_of(actor, level) is Sight.WHOLE]
    if wanted == EVERY_CASE:
        return Case.objects.filter(handling__in=[each for each in LEVELS if sight_of(actor, each) is not Sight.NOTHING])
    rows = Case.objects.filter(handling__in=whole)
    named = {
        "kind": wanted.kind,
        "procedure": wanted.procedure,
        "agreement__startswith": wanted.agreement,
        "state": wanted.state,
    }
    rows = rows.filter(**{name: value for name, value in named.items() if value})
    if wanted.partner:
        rows = rows.filter(parties__has_key=wanted.partner)
    if wanted.is_ours:
        rows = rows.filter(is_our_turn=True).exclude(kind="closed")
    if wanted.due_before is not None:
        rows = rows.filter(next_due__lt=wanted.due_before).exclude(kind="closed")
    return rows


def _seen_by(actor: Actor, line: CaseLine) -> CaseLine:
    """The line as the actor may see it: whole, or that it is there, with whom and since when."""
    sight = sight_of(actor, line.handling)
    if sight is Sight.WHOLE:
        return line
    parties = tuple(Party(each.administration, "") for each in line.parties)
    bare = replace(line, procedure="", purpose="", parties=parties, state="", kind="", flags=(), turn=())
    return replace(bare, next_due=None, missing=0, sight=sight)
