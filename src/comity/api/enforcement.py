"""What is done about goods: inspections, findings with their exhibits, seizures, release."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Field, File, Form, Query, Router, Schema
from ninja.files import UploadedFile
from pydantic import JsonValue, StringConstraints

from comity.api.fields import Amount, Day, Given, Handlings, Instant, OptionalAmount, OptionalHS, Sentence, Short, Text
from comity.api.guard import actor_of, needs
from comity.api.problems import NotFoundError
from comity.common import Reason, utc_now
from comity.enforcement import (
    Assessed,
    FindingFacts,
    Inspection,
    InspectionError,
    InspectionState,
    Seizure,
    SeizureFacts,
    Upload,
    selectors,
)
from comity.enforcement.services import seize
from comity.intake.selectors import record as stored_record
from comity.journeys import inspect
from comity.risk.accounts import currency_of_account
from comity.risk.rules import AfterRelease
from comity.staff import Permission
from comity.trade import FindingResult, Handling, Money, Quantity, RiskType
from comity.trade.encoding import finding_to_body

router = Router(tags=["enforcement"])

Unit = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{0,3}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
OptionalCurrency = Annotated[str, StringConstraints(pattern=r"^([A-Z]{3})?$")]
FindingRef = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00/]+$")]


class OrderIn(Given):
    """Where the inspection takes place, and what the officer adds to the reasons of the assessment."""

    place: Short = ""
    remark: Text = ""


class ReasonOut(Schema):
    """Why an inspection was ordered. code: its source, such as profile:<ref>, alert:<ref>, random, officer.

    Of a partner's alert the code alone is told here; what it says, the assessment of the record shows for a purpose.
    """

    code: str
    text: str
    clause: str


class InspectionOut(Schema):
    """An inspection. is_after_release: a check of the documents of goods that have left, due on a day, given to an
    officer or to nobody. completed_by, completed_at: who ended it, also by dropping it.
    """

    inspection_id: UUID
    reference: str
    record_id: UUID
    state: InspectionState
    reasons: list[ReasonOut]
    place: str
    ordered_by: str
    ordered_at: Instant
    started_at: Instant | None = None
    completed_by: str
    completed_at: Instant | None = None
    case_ref: str
    is_after_release: bool = False
    office: str = ""
    due_on: Day | None = None
    assigned_to: str = ""
    dropped_because: str = ""


class InspectionQuery(Given):
    """Which inspections are wanted. after_release: checks after release alone, or none of them."""

    state: list[InspectionState] = Field(default=[], max_length=4)
    after_release: bool | None = None
    limit: int = Field(default=50, ge=1, le=200)


class Inspections(Schema):
    """Inspections, the latest ordered first."""

    items: list[InspectionOut]


class FindingIn(Given):
    """What the inspection saw; where irregular, risk_type and description too. unit: UN/ECE Recommendation 20.

    revenue: duties and taxes assessed in addition; empty: not assessed yet, 0: nothing is owed. Left out, its currency
    is the one of account; another one is refused.
    """

    result: FindingResult
    risk_type: RiskType | Literal[""] = ""
    description: Text = ""
    hs_code: OptionalHS = ""
    quantity: OptionalAmount = ""
    unit: Unit = ""
    detection_method: Short = ""
    alert_ref: Short = ""
    case_ref: Short = ""
    handling: Handlings = "official"
    revenue: OptionalAmount = ""
    revenue_currency: OptionalCurrency = ""


class RevenueIn(Given):
    """Duties and taxes assessed in addition. Left out, the currency is the one of account; another one is refused."""

    revenue: Amount
    revenue_currency: OptionalCurrency = ""


class AssessedOut(Schema):
    """What a finding came to in duties and taxes, as stated last."""

    finding_ref: str
    revenue: str
    revenue_currency: str
    by: str
    at: Instant


class NoticeOut(Schema):
    """The result notice to a partner whose alert asked for the control: the message, or why it could not be sent."""

    recipient: str
    message_id: str
    refusal: str


class FindingOut(Schema):
    """A finding. finding: its body as the result notice has it, before an article cuts it.

    assessed: what it came to in duties and taxes; no partner is told.
    """

    finding: dict[str, JsonValue]
    notices: list[NoticeOut]
    assessed: AssessedOut | None = None


class SeizureIn(Given):
    """What is taken. is_total: nothing of the consignment is left to release. Money is a decimal in a string."""

    legal_basis: Annotated[Sentence, StringConstraints(max_length=300)]
    goods: Sentence
    hs_code: OptionalHS = ""
    quantity: Amount | None = None
    unit: Unit = ""
    amount: Amount | None = None
    currency: Currency = "USD"
    place: Short = ""
    is_total: bool = True


class SeizureOut(Schema):
    """Goods that were taken."""

    reference: str
    inspection_id: UUID
    record_id: UUID
    legal_basis: str
    goods: str
    hs_code: str
    quantity: str | None = None
    unit: str
    amount: str | None = None
    currency: str
    place: str
    is_total: bool
    case_ref: str
    seized_by: str
    seized_at: Instant


class Seizures(Schema):
    """Seizures, the latest first."""

    items: list[SeizureOut]


class ReleaseIn(Given):
    """Why goods are let go."""

    reason: Sentence


class ReleaseOut(Schema):
    """The decision that goods may go. after: in the blue lane, whether their documents are checked afterwards."""

    record_id: UUID
    reason: str
    decided_by: str
    decided_at: Instant
    after: AfterRelease = AfterRelease.NONE
    check: InspectionOut | None = None


@router.post(
    "/records/{uuid:record_id}/inspections",
    response={201: InspectionOut},
    summary="Order an inspection",
    **needs(Permission.DECIDE_CONSIGNMENT),
)
def order_inspection(request: HttpRequest, record_id: UUID, body: OrderIn) -> InspectionOut:
    """For the reasons of the assessment and the officer's remark; one of them at least must be there."""
    stored_record(record_id)
    inspection = inspect.order_inspection(
        actor_of(request), record_id=record_id, at=utc_now(), place=body.place, remark=body.remark
    )
    return inspection_out(inspection)


@router.get("/inspections", response=Inspections, summary="Inspections", **needs(Permission.VIEW_CONSIGNMENTS))
def list_inspections(request: HttpRequest, query: Query[InspectionQuery]) -> Inspections:
    """Inspections, the latest ordered first."""
    found = selectors.inspections(states=query.state, is_after_release=query.after_release, limit=query.limit)
    return Inspections(items=[inspection_out(each) for each in found])


@router.get(
    "/inspections/{uuid:inspection_id}",
    response=InspectionOut,
    summary="One inspection",
    **needs(Permission.VIEW_CONSIGNMENTS),
)
def show_inspection(request: HttpRequest, inspection_id: UUID) -> InspectionOut:
    """An inspection with its reasons."""
    return inspection_out(_known(inspection_id))


@router.post(
    "/inspections/{uuid:inspection_id}/findings",
    response={201: FindingOut},
    summary="Record what an inspection found",
    **needs(Permission.RECORD_FINDING),
)
def record_finding(
    request: HttpRequest, inspection_id: UUID, facts: Form[FindingIn], exhibits: File[tuple[UploadedFile, ...]] = ()
) -> FindingOut:
    """Completes the inspection. Photos and documents are kept by their SHA-256; risk learns from the result; partners
    whose alerts asked for the control are told, as far as the agreement permits.
    """
    _known(inspection_id)
    at = utc_now()
    done = inspect.complete_inspection(
        actor_of(request), inspection_id=inspection_id, facts=_facts_of(facts, exhibits, at), at=at
    )
    return FindingOut.model_validate(
        {
            "finding": finding_to_body(done.finding),
            "notices": [
                NoticeOut(recipient=notice.recipient, message_id=notice.message_id, refusal=notice.refusal)
                for notice in done.notices
            ],
            "assessed": _assessed_of(found) if (found := selectors.assessed(done.finding.ref)) else None,
        }
    )


@router.post(
    "/findings/{finding_ref}/revenue",
    response=AssessedOut,
    summary="State what a finding came to",
    **needs(Permission.RECORD_FINDING),
)
def assess_revenue(request: HttpRequest, finding_ref: FindingRef, body: RevenueIn) -> AssessedOut:
    """Duties and taxes assessed in addition, where they were worked out after the finding, or anew after an appeal."""
    if selectors.finding(finding_ref) is None:
        raise NotFoundError("There is no such finding", where=finding_ref)
    at = utc_now()
    revenue = Money(Decimal(body.revenue), body.revenue_currency or currency_of_account(at))
    return _assessed_of(inspect.assess_revenue(actor_of(request), finding_ref=finding_ref, revenue=revenue, at=at))


@router.post(
    "/inspections/{uuid:inspection_id}/seizures",
    response={201: SeizureOut},
    summary="Seize goods that were found irregular",
    **needs(Permission.RECORD_FINDING),
)
def seize_goods(request: HttpRequest, inspection_id: UUID, body: SeizureIn) -> SeizureOut:
    """After an irregular finding only."""
    _known(inspection_id)
    facts = SeizureFacts(
        legal_basis=body.legal_basis,
        goods=body.goods,
        hs_code=body.hs_code,
        quantity=Quantity(Decimal(body.quantity), body.unit) if body.quantity else None,
        value=Money(Decimal(body.amount), body.currency) if body.amount else None,
        place=body.place,
        is_total=body.is_total,
    )
    return _seizure_of(seize(actor_of(request), inspection_id=inspection_id, facts=facts, at=utc_now()))


@router.get("/seizures", response=Seizures, summary="Seizures", **needs(Permission.VIEW_CONSIGNMENTS))
def list_seizures(request: HttpRequest) -> Seizures:
    """The latest 200 seizures."""
    return Seizures(items=[_seizure_of(each) for each in selectors.seizures()])


@router.post(
    "/records/{uuid:record_id}/release",
    response=ReleaseOut,
    summary="Let goods go",
    **needs(Permission.DECIDE_CONSIGNMENT),
)
def release_goods(request: HttpRequest, record_id: UUID, body: ReleaseIn) -> ReleaseOut:
    """With the reason. Not while an inspection is open, and not where all of the goods are seized. Of goods in the
    blue lane the documents are checked afterwards, as far as controls are left.
    """
    stored_record(record_id)
    gone = inspect.release(actor_of(request), record_id=record_id, reason=body.reason, at=utc_now())
    decision = gone.decision
    return ReleaseOut(
        record_id=decision.record_id,
        reason=decision.reason,
        decided_by=decision.decided_by,
        decided_at=decision.decided_at,
        after=gone.after,
        check=inspection_out(gone.check) if gone.check else None,
    )


def _known(inspection_id: UUID) -> Inspection:
    try:
        return selectors.inspection(inspection_id)
    except InspectionError as error:
        raise NotFoundError("There is no such inspection", where=str(inspection_id)) from error


def _revenue_of(amount: str, currency: str, at: datetime) -> Money | None:
    return Money(Decimal(amount), currency or currency_of_account(at)) if amount else None


def _assessed_of(found: Assessed) -> AssessedOut:
    return AssessedOut(
        finding_ref=found.finding_ref,
        revenue=str(found.revenue.amount),
        revenue_currency=found.revenue.currency,
        by=found.by,
        at=found.at,
    )


def _facts_of(given: FindingIn, exhibits: tuple[UploadedFile, ...], at: datetime) -> FindingFacts:
    return FindingFacts(
        result=given.result,
        risk_type=RiskType(given.risk_type) if given.risk_type else None,
        description=given.description,
        hs_code=given.hs_code,
        quantity=Quantity(Decimal(given.quantity), given.unit) if given.quantity else None,
        detection_method=given.detection_method,
        alert_ref=given.alert_ref,
        case_ref=given.case_ref,
        handling=Handling.from_word(given.handling),
        exhibits=tuple(Upload(file.name or "exhibit", file.read()) for file in exhibits),
        revenue=_revenue_of(given.revenue, given.revenue_currency, at),
    )


def inspection_out(inspection: Inspection) -> InspectionOut:
    """The inspection as it is told."""
    return InspectionOut(
        inspection_id=inspection.inspection_id,
        reference=inspection.reference,
        record_id=inspection.record_id,
        state=inspection.state,
        reasons=[_reason_of(reason) for reason in inspection.reasons],
        place=inspection.place,
        ordered_by=inspection.ordered_by,
        ordered_at=inspection.ordered_at,
        started_at=inspection.started_at,
        completed_by=inspection.completed_by,
        completed_at=inspection.completed_at,
        case_ref=inspection.case_ref,
        is_after_release=inspection.is_after_release,
        office=inspection.office,
        due_on=inspection.due_on,
        assigned_to=inspection.assigned_to,
        dropped_because=inspection.dropped_because,
    )


def _reason_of(reason: Reason) -> ReasonOut:
    """A partner's words do not leave by this road: here no purpose is asked for."""
    is_partners = reason.code.startswith("alert:")
    code = "alert" if is_partners else reason.code
    return ReasonOut(code=code, text="" if is_partners else reason.text, clause=reason.clause)


def _seizure_of(seizure: Seizure) -> SeizureOut:
    facts = seizure.facts
    return SeizureOut(
        reference=seizure.reference,
        inspection_id=seizure.inspection_id,
        record_id=seizure.record_id,
        legal_basis=facts.legal_basis,
        goods=facts.goods,
        hs_code=facts.hs_code,
        quantity=str(facts.quantity.value) if facts.quantity else None,
        unit=facts.quantity.unit if facts.quantity else "",
        amount=str(facts.value.amount) if facts.value else None,
        currency=facts.value.currency if facts.value else "",
        place=facts.place,
        is_total=facts.is_total,
        case_ref=seizure.case_ref,
        seized_by=seizure.seized_by,
        seized_at=seizure.seized_at,
    )
