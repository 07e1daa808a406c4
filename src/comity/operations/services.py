"""Writes of this room: cases opened, steps taken here and steps that arrived. What leaves the house is for journeys."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from comity.agreements.clocks import Standing
from comity.agreements.procedures import StateKind, procedure
from comity.common import Actor, new_id
from comity.operations.checking import check_deadlines, check_step
from comity.operations.composing import Move, compose
from comity.operations.errors import StepRefusedError
from comity.operations.forgetting import purge_note
from comity.operations.machine import past_of
from comity.operations.models import Case, CaseSending, CaseStep
from comity.operations.selectors import case_row, fold, steps_of, terms_of
from comity.operations.steps import Party, Step
from comity.operations.views import CaseView
from comity.staff import Permission, require
from comity.staff.need_to_know import LEVELS
from comity.staff.services import record_deed
from comity.trust import Signer, canonical_json


@dataclass(frozen=True, slots=True)
class Opening:
    """A case that is to be opened. event: empty takes the only one that opens a case. case_id: empty makes one."""

    procedure: str
    agreement: str
    parties: tuple[Party, ...]
    fields: Mapping[str, object]
    purpose: str
    handling: str
    event: str = ""
    case_id: str = ""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A step that a partner sent: the message, and what it travelled under."""

    step: Step
    message_id: str
    purpose: str
    handling: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was kept, and the case as it stands with it. is_new: it was not here before."""

    step: Step
    view: CaseView
    is_new: bool = True


@transaction.atomic
def open_case(actor: Actor, *, opening: Opening, key: Signer, at: datetime) -> Taken:
    """Open a case with its first step.

    Raises: PermissionRefusedError, UnknownProcedureError, StepRefusedError.
    """
    require(actor, Permission.SHARE)
    kind = procedure(opening.procedure)
    if opening.case_id and Case.objects.filter(case_id=opening.case_id).exists():
        raise StepRefusedError("case_exists", "There is a case with this id", where=opening.case_id)
    row = Case(
        case_id=opening.case_id or str(new_id(at)),
        procedure=kind.name,
        edition=kind.edition,
        agreement=opening.agreement,
        purpose=opening.purpose,
        handling=opening.handling,
        parties={each.administration: each.role for each in opening.parties},
        state=kind.initial.name,
        kind=kind.initial.kind.value,
        opened_at=at,
        folded_at=at,
    )
    event = opening.event or kind.openings[0].name
    move = Move(row.case_id, row.agreement, event, actor.administration, opening.parties, opening.fields)
    row.save(force_insert=True)
    return _take(actor, row, move, key, at)


@transaction.atomic
def take_step(
    actor: Actor, *, case_id: str, event: str, fields: Mapping[str, object], key: Signer, at: datetime
) -> Taken:
    """Take a step in a case, as the officer of a party.

    Raises: PermissionRefusedError, CaseUnknownError, StepRefusedError.
    """
    require(actor, Permission.SHARE)
    row = _locked(case_row(case_id).case_id)
    parties = tuple(Party(code, role) for code, role in sorted(row.parties.items()))
    move = Move(row.case_id, row.agreement, event, actor.administration, parties, fields)
    return _take(actor, row, move, key, at)


@transaction.atomic
def note_sending(step: Step, *, recipient: str, message_id: str, article: str, withheld: Iterable[str]) -> None:
    """Keep what one party gets of a step of ours."""
    row = CaseStep.objects.get(case__case_id=step.case, digest=step.digest)
    CaseSending.objects.create(
        step=row, recipient=recipient, message_id=message_id, article=article, withheld=sorted(withheld)
    )


def check_arrival(step: Step) -> None:
    """Whether a partner's step could ever be right beside what is kept here. Reads only.

    Raises: StepRefusedError, UnknownProcedureError.
    """
    kind = procedure(step.procedure)
    row = Case.objects.filter(case_id=step.case).first()
    _check_same_case(row, step)
    known = steps_of(row.steps.all()) if row else []
    check_step(kind, known, step, terms_of(step.agreement, kind.name))


@transaction.atomic
def take_arrived(us: str, *, arrived: Arrived, at: datetime) -> Taken:
    """Keep a step that arrived, whatever the order, and fold the case anew. The same step twice counts once.

    Raises: StepRefusedError where it belongs to another case, CaseFormError.
    """
    step, kind = arrived.step, procedure(arrived.step.procedure)
    row, _ = Case.objects.get_or_create(
        case_id=step.case,
        defaults={
            "procedure": kind.name,
            "edition": step.edition,
            "agreement": step.agreement,
            "purpose": arrived.purpose,
            "handling": arrived.handling,
            "parties": {each.administration: each.role for each in step.parties},
            "state": kind.initial.name,
            "kind": kind.initial.kind.value,
            "opened_at": at,
            "folded_at": at,
        },
    )
    row = _locked(row.case_id)
    _check_same_case(row, step)
    known = steps_of(row.steps.all())
    if any(each.digest == step.digest for each in known):
        return Taken(step, fold(row, known, at), is_new=False)
    _keep(row, step, at, message_id=arrived.message_id, trouble=_trouble(known, step))
    return Taken(step, _refold(row, us, at))


@transaction.atomic
def forget_steps(message_ids: Iterable[str], *, by: str, ground: str, at: datetime) -> int:
    """Take what partners' steps say out of their cases: who did what when stays, and where the case stands.

    by: who sent the messages. Returns how many were emptied now.
    """
    rows = CaseStep.objects.select_for_update().filter(message_id__in=[each for each in message_ids if each], by=by)
    found = list(rows.filter(purge__isnull=True))
    for row, step in zip(found, steps_of(found), strict=True):
        row.purge = purge_note(procedure(step.procedure), step, ground=ground, at=at)
        row.body = canonical_json(replace(step, fields={}, salts={}).to_body())
        row.save(update_fields=["purge", "body"])
    return len(found)


@transaction.atomic
def note_recall(message_ids: Iterable[str], *, mode: str, ground: str) -> None:
    """Remember in our cases that what was told of a step of ours was taken back, corrected or tightened."""
    CaseSending.objects.filter(message_id__in=list(message_ids)).update(recall=f"{mode}: {ground}"[:100])


@transaction.atomic
def tighten_cases(message_ids: Iterable[str], *, handling: str) -> None:
    """Handle the cases of these messages at this level from now on, where theirs is lower."""
    if handling not in LEVELS:
        return
    lower = LEVELS[: LEVELS.index(handling)]
    rows = Case.objects.filter(steps__message_id__in=[each for each in message_ids if each], handling__in=lower)
    Case.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(handling=handling)


def refold_due(us: str, *, at: datetime, limit: int = 200) -> tuple[CaseView, ...]:
    """Fold anew the cases of which a clock has run down: overdue is an event of time. Returns what changed."""
    changed = []
    found = Case.objects.filter(next_due__lt=at).exclude(kind=StateKind.CLOSED.value).order_by("next_due")
    for case_id in list(found.values_list("case_id", flat=True)[:limit]):
        with transaction.atomic():
            row = _locked(case_id)
            before = (row.state, list(row.flags))
            seen = _refold(row, us, at)
            if (row.state, list(row.flags)) != before:
                changed.append(seen)
    return tuple(changed)


def _take(actor: Actor, row: Case, move: Move, key: Signer, at: datetime) -> Taken:
    kind = procedure(row.procedure)
    known = steps_of(row.steps.all())
    terms = terms_of(row.agreement, row.procedure)
    step = compose(kind, known, move, terms, at=at, salt=lambda: secrets.token_hex(16)).signed(key)
    _keep(row, step, at, taken_by=str(actor))
    seen = _refold(row, actor.administration, at)
    facts = {"procedure": kind.name, "event": step.event, "number": str(step.number), "step": step.digest}
    record_deed(actor, deed="take_step", subject=f"case:{row.case_id}", facts=facts, at=at)
    return Taken(step, seen)


def _keep(
    row: Case, step: Step, at: datetime, *, message_id: str = "", taken_by: str = "", trouble: str = ""
) -> CaseStep:
    return CaseStep.objects.create(
        case=row,
        digest=step.digest,
        number=step.number,
        event=step.event,
        by=step.by,
        made_at=step.at,
        kept_at=at,
        body=canonical_json(step.to_body()),
        article=step.article,
        message_id=message_id,
        taken_by=taken_by[:140],
        trouble=trouble[:400],
    )


def _refold(row: Case, us: str, at: datetime) -> CaseView:
    """Fold the case and repeat what came of it in its columns."""
    steps = steps_of(row.steps.all())
    # A step may be ahead of our clock; it has happened all the same.
    moment = max([at, *(step.at for step in steps)])
    seen = fold(row, steps, moment)
    row.state, row.kind = seen.state.name, seen.state.kind.value
    row.flags, row.turn = list(seen.flags), list(seen.whose_turn)
    row.is_our_turn = us in seen.whose_turn
    row.next_due = min(
        (each.deadline.due_at for each in seen.clocks if each.standing in (Standing.RUNNING, Standing.WARNED)),
        default=None,
    )
    row.missing, row.folded_at = len(seen.missing), at
    row.save()
    return seen


def _locked(case_id: str) -> Case:
    """The case, for nobody else until the transaction ends."""
    return Case.objects.select_for_update().get(case_id=case_id)


def _check_same_case(row: Case | None, step: Step) -> None:
    if row is not None and (row.procedure, row.agreement) != (step.procedure, step.agreement):
        raise StepRefusedError(
            "case_differs",
            "The case runs by another procedure or under another agreement",
            where="case",
            remedy="Open a new case.",
        )


def _trouble(known: list[Step], step: Step) -> str:
    """What does not fit in a step that was let in before all that it follows had come; empty: nothing."""
    past, is_whole = past_of(known, step.after)
    if not is_whole:
        return ""
    try:
        check_deadlines(procedure(step.procedure), past, step, terms_of(step.agreement, step.procedure))
    except StepRefusedError as error:
        return f"{error.code}: {error}"
    return ""
