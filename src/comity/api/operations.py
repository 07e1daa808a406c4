"""Procedures and cases for programs: what ships, what runs, opening a case, looking ahead, taking a step."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status

from comity.agreements import PURPOSES
from comity.agreements.procedures import Event, Procedure, mermaid, procedure, procedure_names
from comity.agreements.selectors import agreement as agreement_by_id
from comity.agreements.vocabulary import PARTY
from comity.api.case_forms import (
    CaseFilter,
    CaseId,
    CaseLineOut,
    CaseOut,
    ClockOut,
    EntryOut,
    Name,
    OpenIn,
    Preview,
    PreviewIn,
    ProcedureLine,
    ProcedureOut,
    Procedures,
    PurgedOut,
    SendingOut,
    ShowingOut,
    Speaking,
    StateOut,
    StepIn,
    TakenOut,
    Told,
)
from comity.api.fields import PurposeQuery
from comity.api.guard import actor_of, needs
from comity.api.openapi import raw_answer
from comity.api.paging import Page, page_of
from comity.api.problems import BadFieldError
from comity.common import utc_now
from comity.journeys import assist
from comity.journeys.look import PurposeMissingError, is_use
from comity.operations import CaseView, Entry, Party, Step, selectors
from comity.operations.repeats import opened_already, taken_already
from comity.operations.schemas import event_schema
from comity.operations.selectors import CaseFile, CaseLine, Wanted
from comity.operations.services import Opening
from comity.staff import Permission, SecondOfficerNeededError
from comity.staff.selectors import Proposal
from comity.staff.services import record_deed

router = Router(tags=["operations"])

_View = needs(Permission.VIEW_MESSAGES)
_Share = needs(Permission.SHARE)
_Diagram = needs(None, raw_answer("text/vnd.mermaid", "The procedure as a Mermaid state diagram"))


@router.get("/procedures", response=Procedures, summary="Procedures that ship", **needs(None))
def list_procedures(request: HttpRequest, wanted: Query[Speaking]) -> Procedures:
    """Each with its edition: two nodes run a case in the same edition only."""
    found = [procedure(name) for name in procedure_names()]
    return Procedures(items=[ProcedureLine.model_validate(_line_of(each, wanted.language)) for each in found])


@router.get("/procedures/{name}", response=ProcedureOut, summary="One procedure", **needs(None))
def show_procedure(request: HttpRequest, name: Name, wanted: Query[Speaking]) -> ProcedureOut:
    """Its states and events; `fields` of an event is the JSON Schema of what its step says."""
    found, language = procedure(name), wanted.language
    states = [
        StateOut(name=each.name, title=each.title.in_(language), kind=each.kind.value, whose_turn=list(each.whose_turn))
        for each in found.states
    ]
    return ProcedureOut.model_validate(
        _line_of(found, language)
        | {
            "text": found.text.in_(language),
            "roles": {each.name: each.title.in_(language) for each in found.roles},
            "states": states,
            "events": [_event_of(found, each, language) for each in found.events],
            "grounds": {each.name: each.label.in_(language) for each in found.grounds},
        }
    )


@router.get("/procedures/{name}/diagram", summary="A procedure as a diagram", **_Diagram)
def show_diagram(request: HttpRequest, name: Name, wanted: Query[Speaking]) -> HttpResponse:
    """Text in the language Mermaid."""
    return HttpResponse(mermaid(procedure(name), wanted.language), content_type="text/vnd.mermaid; charset=utf-8")


@router.get("/cases", response=Page[CaseLineOut], summary="Cases, the newest first", **_View)
def list_cases(request: HttpRequest, wanted: Query[CaseFilter]) -> Page[CaseLineOut]:
    """A case that the caller need not know whole is there by its existence alone, and is not found by a filter."""
    asked = Wanted(
        kind=wanted.kind,
        procedure=wanted.procedure,
        agreement=wanted.agreement_id,
        partner=wanted.partner,
        state=wanted.state,
        is_ours=wanted.ours,
        due_before=wanted.due_before,
    )
    actor = actor_of(request)
    lines = selectors.cases_for(actor, wanted=asked, limit=wanted.limit, offset=wanted.offset)
    rows = [CaseLineOut.model_validate(_facts_of(each)) for each in lines]
    return page_of(rows, wanted, total=selectors.count_for(actor, wanted=asked))


@router.get("/cases/{case_id}", response=CaseOut, summary="One case", **_View)
def show_case(request: HttpRequest, case_id: CaseId, query: Query[PurposeQuery]) -> CaseOut:
    """Where it stands, its clocks, who may do what now, and how it came; eight characters of its id are enough. 403
    `purpose_missing` without a purpose; the look is in the access log with it.
    """
    actor, at = actor_of(request), utc_now()
    found = selectors.case_file_for(actor, case_id, at=at)
    if not is_use(actor, (), query.purpose):
        raise PurposeMissingError(
            "A case is shown for a stated purpose only", where="purpose", remedy=f"State one of: {', '.join(PURPOSES)}."
        )
    facts = {"purpose": query.purpose}
    record_deed(actor, deed="view_case", subject=f"case:{found.line.case_id}", facts=facts, at=at)
    return _case_of(found)


@router.post(
    "/cases",
    response={200: TakenOut, 201: TakenOut, 202: TakenOut},
    summary="Open a case",
    **_Share,
)
def open_case(request: HttpRequest, body: OpenIn) -> Status[TakenOut]:
    """201: opened and told. 202: restricted or confidential, so another officer must approve it. 200: the case with
    this `case_id` was opened so before.
    """
    actor, at = actor_of(request), utc_now()
    if wrong := sorted(code for code in body.parties if not PARTY.fullmatch(code)):
        raise BadFieldError("A party is a code of two capital letters", where=f"parties.{wrong[0][:40]}")
    opening = Opening(
        procedure=body.procedure,
        agreement=agreement_by_id(body.agreement_id, at=at).id,
        parties=tuple(Party(code, body.parties[code]) for code in sorted(body.parties)),
        fields=dict(body.fields),
        purpose=body.purpose.value,
        handling=body.handling,
        event=body.event,
        case_id=str(body.case_id) if body.case_id else "",
    )
    known = opened_already(actor.administration, opening)
    if known is not None:
        return Status(200, TakenOut(case_id=known.case, digest=known.digest, number=known.number))
    try:
        return Status(201, _taken_of(assist.open_case(actor, opening=opening, at=at)))
    except SecondOfficerNeededError:
        return Status(202, _waiting(assist.propose_opening(actor, opening=opening, at=at)))


@router.post("/cases/{case_id}/preview", response=Preview, summary="Who would see what of a step", **_Share)
def preview_step(request: HttpRequest, case_id: CaseId, body: PreviewIn) -> Preview:
    """Nothing is kept and nothing is sent."""
    shown = assist.preview_step(
        actor_of(request), case_id=case_id, event=body.event, fields=dict(body.fields), at=utc_now()
    )
    return Preview(
        items=[
            ShowingOut(
                recipient=each.recipient,
                is_permitted=each.decision.is_permitted,
                article_id=each.decision.article_id,
                reasons=[reason.text for reason in each.decision.reasons],
                withheld=list(each.withheld),
            )
            for each in shown
        ]
    )


@router.post(
    "/cases/{case_id}/steps",
    response={200: TakenOut, 201: TakenOut, 202: TakenOut},
    summary="Take a step in a case",
    **_Share,
)
def take_step(request: HttpRequest, case_id: CaseId, body: StepIn) -> Status[TakenOut]:
    """201: taken and told. 202: another officer must approve it. 200: the step with this `number` was taken so before.
    409 `not_now` or `case_moved`: the case has moved; read it again.
    """
    actor, at, fields = actor_of(request), utc_now(), dict(body.fields)
    if body.number is not None:
        known = taken_already(
            actor.administration, case_id=case_id, event=body.event, fields=fields, number=body.number
        )
        if known is not None:
            return Status(200, TakenOut(case_id=known.case, digest=known.digest, number=known.number))
    try:
        taken = assist.take_step(actor, case_id=case_id, event=body.event, fields=fields, at=at)
    except SecondOfficerNeededError:
        waiting = assist.propose_step(actor, case_id=case_id, event=body.event, fields=fields, at=at)
        return Status(202, _waiting(waiting))
    return Status(201, _taken_of(taken))


def _line_of(found: Procedure, language: str) -> dict[str, object]:
    return {
        "name": found.name,
        "edition": found.edition,
        "title": found.title.in_(language),
        "source": found.source,
        "tag": found.tag.value,
        "is_verified": found.is_verified,
    }


def _event_of(found: Procedure, event: Event, language: str) -> dict[str, object]:
    return {
        "name": event.name,
        "title": event.title.in_(language),
        "by": list(event.by),
        "clock": event.clock,
        "sources": list(event.sources),
        "to": event.to,
        "when": event.when.text if event.when else "",
        "is_automatic": event.is_automatic,
        "fields": {} if event.is_of_time else event_schema(found, event),
    }


def _facts_of(line: CaseLine) -> dict[str, object]:
    return {
        "case_id": line.case_id,
        "sight": line.sight.value,
        "procedure": line.procedure,
        "agreement_id": line.agreement,
        "purpose": line.purpose,
        "handling": line.handling,
        "parties": {each.administration: each.role for each in line.parties},
        "state": line.state,
        "kind": line.kind,
        "flags": list(line.flags),
        "turn": list(line.turn),
        "next_due": line.next_due,
        "missing": line.missing,
        "opened_at": line.opened_at,
    }


def _case_of(found: CaseFile) -> CaseOut:
    """As it stands now: the columns of the line were folded before."""
    view = found.view
    now = {
        "state": view.state.name,
        "kind": view.state.kind.value,
        "flags": list(view.flags),
        "turn": list(view.whose_turn),
        "next_due": view.next_due,
    }
    return CaseOut.model_validate(
        _facts_of(found.line)
        | now
        | {
            "fields": dict(view.fields),
            "withheld": dict(view.withheld),
            "purged": {name: gone for name, step in view.purged.items() if (gone := _gone(step)) is not None},
            "clocks": _clocks_of(view),
            "may": {party: [event.name for event in events] for party, events in view.may.items()},
            "history": [_entry_of(each) for each in view.history],
            "sendings": [
                SendingOut(
                    digest=each.digest,
                    recipient=each.recipient,
                    article=each.article,
                    withheld=list(each.withheld),
                    recall=each.recall,
                )
                for each in found.sendings
            ],
            "troubles": dict(found.troubles),
            "number": view.number,
        }
    )


def _gone(step: Step) -> PurgedOut | None:
    purged = step.purged
    if purged is None:
        return None
    return PurgedOut(
        ground=purged.ground,
        at=purged.at,
        agreement_id=step.agreement,
        article_id=step.article,
        digest=step.digest,
    )


def _clocks_of(view: CaseView) -> list[ClockOut]:
    return [
        ClockOut(name=each.name, standing=each.standing.value, due_at=each.deadline.due_at, stopped_at=each.stopped_at)
        for each in view.clocks
    ]


def _entry_of(entry: Entry) -> EntryOut:
    step = entry.step
    return EntryOut(
        event=entry.event,
        effect=entry.effect.value,
        why=entry.why,
        at=entry.at,
        state=entry.state,
        by=step.by if step else "",
        digest=step.digest if step else "",
        number=step.number if step else None,
    )


def _taken_of(taken: assist.Assisted) -> TakenOut:
    step = taken.step
    return TakenOut(
        case_id=step.case,
        digest=step.digest,
        number=step.number,
        state=taken.view.state.name,
        posted=[Told(recipient=recipient, message_id=message_id) for recipient, message_id in taken.posted],
    )


def _waiting(waiting: Proposal) -> TakenOut:
    case_id = waiting.payload.get("case", "")
    return TakenOut(case_id=str(case_id), proposal_id=waiting.proposal_id)
