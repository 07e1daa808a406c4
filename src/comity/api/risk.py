"""The targeting queue, and why a record stands where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from comity.api.fields import Day, Given, Instant, PurposeQuery, Stated, Word
from comity.api.guard import actor_of, needs
from comity.api.problems import NotFoundError
from comity.common import utc_now
from comity.journeys.look import Look, SeenReason, Veil, see_reasons, see_rows
from comity.risk import Cause, Explanation, Lane, QueueFilter, QueueRow, TargetState, selectors
from comity.staff import Permission
from comity.staff.services import record_deed
from comity.trade import RiskType

router = Router(tags=["risk"])


class QueueQuery(Given):
    """Which records of the queue are wanted; what is left out does not narrow. page: from 1."""

    state: list[TargetState] = Field(default=[], max_length=10)
    lane: list[Lane] = Field(default=[], max_length=10)
    cause: list[Cause] = Field(default=[], max_length=10)
    office: Word = ""
    assigned_to: Word = ""
    min_score: float = Field(default=0, ge=0, le=100, allow_inf_nan=False)
    text: Word = ""
    page: int = Field(default=1, ge=1, le=1_000_000)
    page_size: int = Field(default=50, ge=1, le=200)
    purpose: Stated = Field(default="", description="Without one, first reasons that partners gave are not shown")


class QueueEntry(Schema):
    """A record in the queue. administrations: partners whose alerts speak of it.

    withheld: why the first reason is empty: purpose, use (another purpose will do) or need_to_know.
    """

    record_id: UUID
    version: int
    kind: str
    reference: str
    office: str
    exporter: str
    importer: str
    hs_code: str
    origin: str
    state: TargetState
    cause: Cause
    score: float
    lane: Lane
    is_mandatory: bool
    top_reason: str
    administrations: list[str]
    assigned_to: str
    received_at: Instant
    assessed_at: Instant
    withheld: Veil = Veil.NONE


class QueueOut(Schema):
    """A page of the queue. facets: name of the facet -> value -> how many, each without its own filter."""

    items: list[QueueEntry]
    total: int
    page: int
    pages: int
    facets: dict[str, dict[str, int]]


class EvidenceOut(Schema):
    """One thing that was compared. item_no: 0 where it is not of one goods item."""

    text: str
    column: str
    value: str
    comparison: str
    bound: str
    item_no: int


class AssessmentReason(Schema):
    """A reason for looking at a record. administration: the one whose knowledge it is.

    withheld: why a partner's reason says nothing: purpose, use (another purpose will do) or need_to_know.
    """

    source: str
    title: str
    text: str
    weight: float
    lane: Lane
    administration: str
    is_mandatory: bool
    is_unverified: bool
    risk_type: RiskType | None = None
    clause: str
    evidence: list[EvidenceOut]
    withheld: Veil = Veil.NONE


class AssessmentOut(Schema):
    """Why a record stands where it stands: score, lane, every reason, and how and when it was selected."""

    record_id: UUID
    version: int
    number: int
    score: float
    lane: Lane
    formula: str
    assessed_at: Instant
    state: TargetState
    cause: Cause
    selection: str
    day: Day | None = None
    assigned_to: str
    reasons: list[AssessmentReason]


@router.get("/queue", response=QueueOut, summary="The targeting queue", **needs(Permission.VIEW_CONSIGNMENTS))
def list_queue(request: HttpRequest, query: Query[QueueQuery]) -> QueueOut:
    """Records by urgency: mandatory ones first, then by score, then the latest."""
    chosen = QueueFilter(
        states=tuple(query.state),
        lanes=tuple(query.lane),
        causes=tuple(query.cause),
        office=query.office,
        assigned_to=query.assigned_to,
        min_score=query.min_score,
        text=query.text,
        page=query.page,
        page_size=query.page_size,
    )
    found = selectors.queue(chosen)
    return QueueOut(
        items=[_entry_of(row, veil) for row, veil in see_rows(Look(actor_of(request), query.purpose), found.rows)],
        total=found.total,
        page=found.page,
        pages=found.pages,
        facets={name: dict(counts) for name, counts in found.facets.items()},
    )


@router.get(
    "/records/{uuid:record_id}/assessment",
    response=AssessmentOut,
    summary="Why a record stands where it stands",
    **needs(Permission.VIEW_CONSIGNMENTS),
)
def show_assessment(request: HttpRequest, record_id: UUID, query: Query[PurposeQuery]) -> AssessmentOut:
    """The current assessment, with every reason, its evidence, and the administration that it came from. What partners
    told is shown for a purpose only.
    """
    if selectors.assessment(record_id) is None:
        raise NotFoundError("This record was not assessed", where=str(record_id))
    actor, found = actor_of(request), selectors.explanation(record_id)
    given = frozenset({record_id} if found.assigned_to == actor.id else ())
    reasons = see_reasons(Look(actor, query.purpose, given), record_id, found.reasons)
    facts = {"purpose": query.purpose}
    record_deed(actor, deed="view_assessment", subject=f"record:{record_id}", facts=facts, at=utc_now())
    return _assessment_of(found, reasons)


def _entry_of(row: QueueRow, veil: Veil) -> QueueEntry:
    return QueueEntry(
        record_id=row.record_id,
        version=row.version,
        kind=row.kind,
        reference=row.reference,
        office=row.office,
        exporter=row.exporter,
        importer=row.importer,
        hs_code=row.hs_code,
        origin=row.origin,
        state=row.state,
        cause=row.cause,
        score=row.score,
        lane=row.lane,
        is_mandatory=row.is_mandatory,
        top_reason=row.top_reason,
        administrations=list(row.administrations),
        assigned_to=row.assigned_to,
        received_at=row.received_at,
        assessed_at=row.assessed_at,
        withheld=veil,
    )


def _assessment_of(explanation: Explanation, reasons: Iterable[SeenReason]) -> AssessmentOut:
    assessment = explanation.assessment
    return AssessmentOut(
        record_id=assessment.record_id,
        version=assessment.version,
        number=assessment.number,
        score=assessment.score,
        lane=assessment.lane,
        formula=explanation.formula,
        assessed_at=assessment.at,
        state=explanation.state,
        cause=explanation.cause,
        selection=explanation.selection,
        day=explanation.day,
        assigned_to=explanation.assigned_to,
        reasons=[_reason_of(each) for each in reasons],
    )


def _reason_of(seen: SeenReason) -> AssessmentReason:
    reason = seen.reason
    return AssessmentReason(
        withheld=seen.veil,
        source=reason.source if not seen.veil else reason.source_kind.value,
        title=reason.title,
        text=reason.text,
        weight=reason.weight,
        lane=reason.lane,
        administration=reason.administration,
        is_mandatory=reason.is_mandatory,
        is_unverified=reason.is_unverified,
        risk_type=reason.risk_type,
        clause=reason.clause,
        evidence=[
            EvidenceOut(
                text=each.text,
                column=each.column,
                value=each.value,
                comparison=each.comparison,
                bound=each.bound,
                item_no=each.item_no,
            )
            for each in reason.evidence
        ],
    )
