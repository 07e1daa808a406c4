"""Data protection: the access log, questions of persons, statistics, the record of processing."""

from __future__ import annotations

import json
from datetime import date
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema
from pydantic import JsonValue

from comity.api.fields import Given, Instant, Sentence, Short, Word
from comity.api.guard import actor_of, needs, needs_one_of
from comity.api.openapi import raw_answer
from comity.common import utc_now
from comity.insight.access import Access, AccessFilter, accesses
from comity.insight.naming import Asked
from comity.insight.privacy_papers import answer_page, item_words, record_json
from comity.insight.processing import record_of
from comity.insight.requests import (
    Report,
    answer_request,
    choose_candidates,
    decide_part,
    open_request,
    view_request,
)
from comity.insight.statistics import figures, quarter_of, read_quarter
from comity.insight.subjects import Decision, Part
from comity.insight.suppression import Table
from comity.staff import Permission, sees_whole

router = Router(tags=["privacy"])


class AccessQuery(Given):
    """Which looks are wanted. about: a message, record or question, by its id or a part of it. before: older than this
    number, for the next page.
    """

    officer: Word = ""
    about: Word = ""
    purpose: Word = ""
    deed: Word = ""
    since: Instant | None = None
    until: Instant | None = None
    is_refused: bool = False
    before: int | None = Field(default=None, ge=1)
    limit: int = Field(default=100, ge=1, le=1000)


class AccessOut(Schema):
    """One look: who saw what, when, for which purpose."""

    number: int
    at: Instant
    actor_kind: str
    actor: str
    administration: str
    deed: str
    subject: str
    purpose: str
    is_refused: bool
    facts: dict[str, str]


class AccessLog(Schema):
    """Looks, the newest first."""

    items: list[AccessOut]


class QuarterQuery(Given):
    """Which quarter is wanted, as 2026-Q1; left out: the present one, which is provisional."""

    quarter: Word = ""


class TableOut(Schema):
    """Counts by two properties; null where suppressed."""

    name: str
    rows: list[str]
    columns: list[str]
    cells: list[list[int | None]]
    row_totals: list[int]
    column_totals: list[int]


class StatisticsOut(Schema):
    """The figures of a quarter. is_provisional: it has not ended; not for publication."""

    administration: str
    quarter: str
    is_provisional: bool
    threshold: int
    tables: list[TableOut]


class QuestionIn(Given):
    """Who asks what is held. reference: of the letter or file."""

    reference: Sentence
    name: Word = ""
    ids: list[Short] = Field(default=[], max_length=20)
    birth_date: date | None = None


class CandidateOut(Schema):
    """A spelling that may be the one who asks, and in how many things it stands."""

    spelling: str
    in_how_many: int
    is_chosen: bool


class PartOut(Schema):
    """One thing that is held. particulars: empty where the token's roles need to know only that it exists."""

    item: str
    what: str
    handling: str
    since: Instant
    is_open: bool
    decision: str
    ground: str
    particulars: dict[str, str]


class QuestionOut(Schema):
    """A question, with what is held now. unread: messages and steps that are not in the index yet."""

    request_id: UUID
    reference: str
    candidates: list[CandidateOut]
    parts: list[PartOut]
    open_parts: int
    is_cut: bool
    unread: int
    answered_at: Instant | None = None


class ChoiceIn(Given):
    """The spellings that are the one who asks, from the candidates."""

    spellings: list[Word] = Field(default=[], max_length=200)


class DecisionIn(Given):
    """What is told of one part. ground: where it is not told."""

    item: Word
    decision: Decision
    ground: Word = ""


class LanguageQuery(Given):
    """In which language."""

    language: Word = "en"


@router.get("/privacy/accesses", response=AccessLog, summary="The access log", **needs(Permission.VIEW_ACCESS_LOG))
def list_accesses(request: HttpRequest, query: Query[AccessQuery]) -> AccessLog:
    """Looks at partners' data, consignments, files and reports, and looks that were refused."""
    wanted = AccessFilter(
        officer=query.officer,
        about=query.about,
        purpose=query.purpose,
        deed=query.deed,
        since=query.since,
        until=query.until,
        is_refused=query.is_refused,
        before=query.before,
    )
    return AccessLog(items=[_access(each) for each in accesses(actor_of(request), wanted, limit=query.limit)])


@router.get(
    "/privacy/statistics", response=StatisticsOut, summary="Figures of a quarter", **needs(Permission.VIEW_STATISTICS)
)
def show_statistics(request: HttpRequest, query: Query[QuarterQuery]) -> StatisticsOut:
    """Suppressed so that nobody can be read off, by themselves or by totals."""
    at = utc_now()
    quarter = read_quarter(query.quarter) if query.quarter else quarter_of(at)
    made = figures(actor_of(request), quarter=quarter, at=at)
    return StatisticsOut(
        administration=made.administration,
        quarter=made.quarter.name,
        is_provisional=made.is_provisional,
        threshold=made.threshold,
        tables=[_table(each) for each in made.tables],
    )


@router.get(
    "/privacy/processing/{agreement_id}",
    response=dict[str, JsonValue],
    summary="The record of processing under an agreement",
    **needs(Permission.VIEW_PROCESSING),
)
def show_processing(request: HttpRequest, agreement_id: str) -> dict[str, JsonValue]:
    """GDPR Art. 30, Convention 108+ Art. 10: read off the articles, the settings and what was counted."""
    record = record_of(actor_of(request), agreement_id=agreement_id, at=utc_now())
    form: dict[str, JsonValue] = json.loads(record_json(record))
    return form


@router.post(
    "/privacy/requests",
    response={201: QuestionOut},
    summary="Open a person's question",
    **needs(Permission.REPORT_SUBJECTS),
)
def open_question(request: HttpRequest, body: QuestionIn) -> QuestionOut:
    """What is found are candidates; they are confirmed before anything counts as held about the person."""
    actor, at = actor_of(request), utc_now()
    asked = Asked(body.name, tuple(body.ids), body.birth_date)
    made = open_request(actor, reference=body.reference, asked=asked, at=at)
    return _question(request, view_request(actor, request_id=made.request_id, at=at))


@router.get(
    "/privacy/requests/{uuid:request_id}",
    response=QuestionOut,
    summary="A person's question, with what is held now",
    **needs_one_of(Permission.REPORT_SUBJECTS, Permission.DECIDE_DISCLOSURE),
)
def show_question(request: HttpRequest, request_id: UUID) -> QuestionOut:
    """For who prepares the answer and for who decides what is told."""
    return _question(request, view_request(actor_of(request), request_id=request_id, at=utc_now()))


@router.post(
    "/privacy/requests/{uuid:request_id}/candidates",
    response=QuestionOut,
    summary="Confirm who asks",
    **needs(Permission.REPORT_SUBJECTS),
)
def choose(request: HttpRequest, request_id: UUID, body: ChoiceIn) -> QuestionOut:
    """Exactly these spellings; others that were chosen before are not any more."""
    actor, at = actor_of(request), utc_now()
    choose_candidates(actor, request_id=request_id, spellings=body.spellings, at=at)
    return _question(request, view_request(actor, request_id=request_id, at=at))


@router.post(
    "/privacy/requests/{uuid:request_id}/decisions",
    response=QuestionOut,
    summary="Decide what is told of a part",
    **needs(Permission.DECIDE_DISCLOSURE),
)
def decide(request: HttpRequest, request_id: UUID, body: DecisionIn) -> QuestionOut:
    """Not by who opened the question."""
    actor, at = actor_of(request), utc_now()
    decide_part(actor, request_id=request_id, item=body.item, decision=body.decision, ground=body.ground, at=at)
    return _question(request, view_request(actor, request_id=request_id, at=at))


@router.post(
    "/privacy/requests/{uuid:request_id}/answer",
    summary="The answer for the person, to print",
    **needs(Permission.REPORT_SUBJECTS, raw_answer("text/html", "One page that needs nothing else")),
)
def make_answer(request: HttpRequest, request_id: UUID, query: Query[LanguageQuery]) -> HttpResponse:
    """409 `report_open` while a part waits for a decision."""
    at = utc_now()
    report, told = answer_request(actor_of(request), request_id=request_id, at=at)
    controller = (str(settings.COMITY_ADMINISTRATION), str(settings.COMITY_NAME))
    text = answer_page(told, controller=controller, reference=report.line.reference, at=at, language=query.language)
    return HttpResponse(text, content_type="text/html; charset=utf-8")


def _access(each: Access) -> AccessOut:
    return AccessOut(
        number=each.number,
        at=each.at,
        actor_kind=each.actor_kind,
        actor=each.actor,
        administration=each.administration,
        deed=each.deed,
        subject=each.subject,
        purpose=each.purpose,
        is_refused=each.is_refused,
        facts=dict(each.facts),
    )


def _table(table: Table) -> TableOut:
    return TableOut(
        name=table.name,
        rows=list(table.rows),
        columns=list(table.columns),
        cells=[list(row) for row in table.cells],
        row_totals=list(table.row_totals),
        column_totals=list(table.column_totals),
    )


def _question(request: HttpRequest, report: Report) -> QuestionOut:
    chosen = set(report.line.chosen)
    return QuestionOut(
        request_id=report.line.request_id,
        reference=report.line.reference,
        candidates=[
            CandidateOut(spelling=each.spelling, in_how_many=each.in_how_many, is_chosen=each.spelling in chosen)
            for each in report.candidates
        ],
        parts=[_part(request, each) for each in report.parts],
        open_parts=report.open_parts,
        is_cut=report.is_cut,
        unread=report.unread,
        answered_at=report.line.answered_at,
    )


def _part(request: HttpRequest, part: Part) -> PartOut:
    item = part.item
    is_shown = part.is_told or sees_whole(actor_of(request), int(item.handling))
    words = item_words(item, str(settings.COMITY_ADMINISTRATION), "en") if is_shown else []
    return PartOut(
        item=item.ref,
        what=item.what,
        handling=item.handling.word,
        since=item.since,
        is_open=part.is_open,
        decision=part.decided.decision.value if part.decided else "",
        ground=part.decided.ground if part.decided else "",
        particulars={name: value for name, value in words if value},
    )
