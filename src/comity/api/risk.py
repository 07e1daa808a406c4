"""The targeting queue, why a record stands where it stands, and the profiles that say so."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from pydantic import StringConstraints

from comity.api.fields import Day, Given, Instant, PurposeQuery, Sentence, Stated, Text, Word
from comity.api.guard import actor_of, needs
from comity.api.problems import NotFoundError
from comity.common import utc_now
from comity.journeys.look import Look, SeenReason, Veil, see_reasons, see_rows
from comity.risk import Cause, Explanation, Lane, Profile, QueueFilter, QueueRow, TargetState, selectors
from comity.risk.backtesting import MAX_RECORDS
from comity.risk.services import Past, ProfileDraft, approve_profile, backtest_profile, draft_profile
from comity.risk.values import Backtest
from comity.staff import Permission
from comity.staff.services import record_deed
from comity.trade import RiskType

router = Router(tags=["risk"])

ProfileRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


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


class ProfileIn(Given):
    """A profile to draft. expression: in the rule language; weight: 1 to 100; legal_basis: what allows the control."""

    ref: ProfileRef
    title: Annotated[Sentence, StringConstraints(max_length=200)]
    owner: Annotated[Sentence, StringConstraints(max_length=200)]
    legal_basis: Annotated[Sentence, StringConstraints(max_length=300)]
    expression: Text
    weight: int = Field(ge=1, le=100)
    risk_type: RiskType
    lane: Lane
    valid_from: Instant
    valid_until: Instant | None = None
    priority: int = Field(default=5, ge=1, le=9)
    expected_hit_rate: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)


class BacktestIn(Given):
    """How far back a rule is tried, and on how many records at most."""

    days: int = Field(default=365, ge=1, le=1095)
    limit: int = Field(default=MAX_RECORDS, ge=1, le=MAX_RECORDS)


class CurvePointOut(Schema):
    """How far the back-test had come: records looked at, how often the rule had fired, how many were irregular."""

    records: int
    fired: int
    found: int


class BacktestOut(Schema):
    """What a rule would have found among past records. is_cut: there were more, the latest were looked at.

    Of those that were controlled: found (fired, irregular), vain (fired, in order), missed (silent, irregular), spared
    (silent, in order). precision, recall: null where nothing is known.
    """

    since: Instant
    until: Instant
    at: Instant
    by: str
    records: int
    is_cut: bool
    fired: int
    found: int
    vain: int
    missed: int
    spared: int
    hit_rate: float
    precision: float | None = None
    recall: float | None = None
    curve: list[CurvePointOut]


class ProfileOut(Schema):
    """A profile with its statistics. precision: the share of controls that confirmed it; null where none was made.

    tested_at: of its back-test; shadowed_by: a profile, no less severe, that fires wherever this one does; is_silent:
    in force, and never fired.
    """

    ref: str
    title: str
    owner: str
    legal_basis: str
    expression: str
    weight: int
    risk_type: RiskType
    lane: Lane
    valid_from: Instant
    valid_until: Instant | None = None
    state: str
    drafted_by: str
    approved_by: str
    hits: int
    confirmed: int
    unconfirmed: int
    precision: float | None = None
    priority: int
    expected_hit_rate: float | None = None
    tested_at: Instant | None = None
    shadowed_by: str
    is_silent: bool


class Profiles(Schema):
    """Every profile, by its reference."""

    items: list[ProfileOut]


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


@router.get("/profiles", response=Profiles, summary="Risk profiles", **needs(Permission.VIEW_CONSIGNMENTS))
def list_profiles(request: HttpRequest) -> Profiles:
    """Every profile with its state and how often it was confirmed."""
    return Profiles(items=[_profile_of(profile) for profile in selectors.profiles(utc_now())])


@router.post(
    "/profiles", response={201: ProfileOut}, summary="Draft a risk profile", **needs(Permission.MANAGE_PROFILES)
)
def draft(request: HttpRequest, body: ProfileIn) -> ProfileOut:
    """Write a profile down, or change it while it is a draft. It assesses nothing until another officer approves it."""
    drafted = draft_profile(
        actor_of(request),
        draft=ProfileDraft(
            ref=body.ref,
            title=body.title,
            owner=body.owner,
            legal_basis=body.legal_basis,
            expression=body.expression,
            weight=body.weight,
            risk_type=body.risk_type,
            lane=body.lane,
            valid_from=body.valid_from,
            valid_until=body.valid_until,
            priority=body.priority,
            expected_hit_rate=body.expected_hit_rate,
        ),
        at=utc_now(),
    )
    return _profile_of(drafted)


@router.post(
    "/profiles/{ref}/backtest",
    response=BacktestOut,
    summary="Try a profile on past records",
    **needs(Permission.MANAGE_PROFILES),
)
def backtest(request: HttpRequest, ref: ProfileRef, body: BacktestIn) -> BacktestOut:
    """Run a profile's rule over the node's own past records and keep the answer beside it. Approval asks for it."""
    now = utc_now()
    if ref not in {profile.ref for profile in selectors.profiles(now)}:
        raise NotFoundError("There is no such profile", where=ref)
    past = Past.before(now, timedelta(days=body.days), body.limit)
    return _backtest_of(backtest_profile(actor_of(request), ref=ref, past=past, at=now))


@router.post(
    "/profiles/{ref}/approve",
    response=ProfileOut,
    summary="Approve a drafted profile",
    **needs(Permission.APPROVE_PROFILES),
)
def approve(request: HttpRequest, ref: ProfileRef) -> ProfileOut:
    """Put a draft in force, after exactly this rule was tried on past records. Whoever drafted it may not."""
    now = utc_now()
    if ref not in {profile.ref for profile in selectors.profiles(now)}:
        raise NotFoundError("There is no such profile", where=ref)
    return _profile_of(approve_profile(actor_of(request), ref=ref, at=now))


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


def _profile_of(profile: Profile) -> ProfileOut:
    return ProfileOut(
        ref=profile.ref,
        title=profile.title,
        owner=profile.owner,
        legal_basis=profile.legal_basis,
        expression=profile.expression,
        weight=profile.weight,
        risk_type=profile.risk_type,
        lane=profile.lane,
        valid_from=profile.valid_from,
        valid_until=profile.valid_until,
        state=profile.state.value,
        drafted_by=profile.drafted_by,
        approved_by=profile.approved_by,
        hits=profile.hits,
        confirmed=profile.confirmed,
        unconfirmed=profile.unconfirmed,
        precision=profile.precision,
        priority=profile.priority,
        expected_hit_rate=profile.expected_hit_rate,
        tested_at=profile.tested_at,
        shadowed_by=profile.shadowed_by,
        is_silent=profile.is_silent,
    )


def _backtest_of(found: Backtest) -> BacktestOut:
    return BacktestOut(
        since=found.since,
        until=found.until,
        at=found.at,
        by=found.by,
        records=found.records,
        is_cut=found.is_cut,
        fired=found.fired,
        found=found.found,
        vain=found.vain,
        missed=found.missed,
        spared=found.spared,
        hit_rate=found.hit_rate,
        precision=found.precision,
        recall=found.recall,
        curve=[CurvePointOut(records=each.records, fired=each.fired, found=each.found) for each in found.curve],
    )
