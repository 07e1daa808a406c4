"""Sharing: an alert to partners under an agreement, and what waits for a second pair of eyes."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from ninja import Field, Router, Schema, Status
from pydantic import JsonValue, StringConstraints

from comity.agreements import Purpose
from comity.api.fields import Code, Country, Given, Handlings, HSDigits, Instant, Sentence, Text, Word
from comity.api.guard import actor_of, needs
from comity.api.problems import NotFoundError
from comity.common import show_instant, utc_now
from comity.journeys import share
from comity.journeys.approving import approve_proposal as approve
from comity.staff import Permission, ProposalRefusedError, selectors
from comity.staff.selectors import Proposal
from comity.staff.services import reject
from comity.trade import Alert, AlertCategory, Handling, RiskType, SubjectRole, SuggestedAction
from comity.trade.encoding import alert_from_body

router = Router(tags=["sharing"])

_MOST = 50


class SubjectIn(Given):
    """Whom or what the alert names."""

    role: SubjectRole
    id: Word = ""
    name: Word = ""
    country: Country = ""


class RouteIn(Given):
    """Where the goods come from and go to; places as UN/LOCODE."""

    origin: Country = ""
    dispatch: Country = ""
    transit: list[Country] = Field(default=[], max_length=_MOST)
    destination: Country = ""
    place_loading: Word = ""


class ExhibitIn(Given):
    """A photo or document of a finding, by the SHA-256 of its bytes."""

    name: Word
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    media_type: Word = "application/octet-stream"
    size_bytes: int = Field(default=0, ge=0, le=2**40)


class AlertIn(Given):
    """Risk information. The issuer is this administration; it is issued now."""

    ref: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")]
    category: AlertCategory
    title: Sentence
    risk_type: RiskType
    valid_until: Instant
    valid_from: Instant | None = None
    handling: Handlings = "official"
    subjects: list[SubjectIn] = Field(default=[], max_length=_MOST)
    hs_codes: list[HSDigits] = Field(default=[], max_length=_MOST)
    route: RouteIn = RouteIn()
    modus_operandi: Text = ""
    concealment: Text = ""
    reliability: Annotated[str, StringConstraints(pattern=r"^[A-F]$")] = "C"
    credibility: Annotated[str, StringConstraints(pattern=r"^[1-6]$")] = "3"
    priority: int = Field(default=2, ge=1, le=5)
    suggested_action: SuggestedAction = SuggestedAction.SELECT_FOR_CONTROL
    feedback_due: Instant | None = None
    case_ref: Word = ""
    exhibits: list[ExhibitIn] = Field(default=[], max_length=_MOST)


class ShareIn(Given):
    """An alert, for whom, and what they may use it for. agreement_id: where only this agreement shall answer."""

    alert: AlertIn
    recipients: list[Code] = Field(..., min_length=1, max_length=_MOST)
    purpose: Purpose
    agreement_id: Word = ""


class Posted(Schema):
    """A message that was posted, and to whom."""

    recipient: str
    message_id: str


class ShareOut(Schema):
    """What became of it: the messages that were posted, or the proposal that waits for another officer."""

    posted: list[Posted]
    proposal_id: UUID | None = None


class DoneOut(ShareOut):
    """What was approved and done. told: parties to which a move in the life of an agreement is on its way.

    case_id, agreement_id: what it was about; empty where it was about none.
    """

    told: list[str]
    case_id: str
    agreement_id: str


class ProposalOut(Schema):
    """A deed that waits for a second pair of eyes, or was decided."""

    proposal_id: UUID
    deed: str
    state: str
    handling: Handlings
    payload: dict[str, JsonValue]
    proposed_by: str
    proposed_at: Instant
    decided_by: str
    decided_at: Instant | None = None
    reason: str


class Proposals(Schema):
    """What waits for a second pair of eyes."""

    items: list[ProposalOut]


class RejectIn(Given):
    """Why a proposal is rejected."""

    reason: Sentence


@router.post(
    "/alerts",
    response={201: ShareOut, 202: ShareOut},
    summary="Share an alert under an agreement",
    **needs(Permission.SHARE),
)
def share_alert(request: HttpRequest, body: ShareIn) -> Status[ShareOut]:
    """201: posted, cut to what the article releases. 202: above the level that one officer may share alone; another
    must approve it. 403 `sharing_refused`: no article permits it; the problem names the article and the condition.
    """
    result = share.share_alert(
        actor_of(request),
        alert=alert_of(body.alert),
        recipients=tuple(dict.fromkeys(body.recipients)),
        purpose=body.purpose.value,
        agreement_id=body.agreement_id or None,
        at=utc_now(),
    )
    return Status(202 if result.proposal_id else 201, _result_of(result))


@router.get(
    "/approvals",
    response=Proposals,
    summary="What waits for a second pair of eyes",
    **needs(Permission.APPROVE_SHARING),
)
def list_approvals(request: HttpRequest) -> Proposals:
    """Every open proposal, the oldest first."""
    return Proposals(items=[_proposal_of(proposal) for proposal in selectors.open_proposals()])


@router.post(
    "/approvals/{uuid:proposal_id}/approve",
    response={201: DoneOut},
    summary="Agree to what another officer proposed, and do it",
    **needs(Permission.APPROVE_SHARING),
)
def approve_proposal(request: HttpRequest, proposal_id: UUID) -> DoneOut:
    """It is done in the same transaction: an alert is posted, a step taken, an agreement suspended. Where it cannot
    be done any more nothing is, and the proposal stays open. Nobody approves what he proposed, and only an officer
    approves.
    """
    _check_known(proposal_id)
    done = approve(actor_of(request), proposal_id=proposal_id, at=utc_now())
    return DoneOut(
        posted=_posted(done.posted),
        proposal_id=done.proposal_id,
        told=list(done.told),
        case_id=done.case_id,
        agreement_id=done.agreement_id,
    )


@router.post(
    "/approvals/{uuid:proposal_id}/reject",
    response=ProposalOut,
    summary="Refuse what another officer proposed",
    **needs(Permission.APPROVE_SHARING),
)
def reject_proposal(request: HttpRequest, proposal_id: UUID, body: RejectIn) -> ProposalOut:
    """Nothing is shared; the reason is kept."""
    _check_known(proposal_id)
    return _proposal_of(reject(actor_of(request), proposal_id=proposal_id, reason=body.reason, at=utc_now()))


def alert_of(given: AlertIn) -> Alert:
    """The alert as this administration issues it now.

    Raises: NoticeError naming the field.
    """
    now = show_instant(utc_now())
    body = given.model_dump(mode="json", exclude_none=True)
    body |= {"issuer": settings.COMITY_ADMINISTRATION, "issued_at": now}
    return alert_from_body({"valid_from": now} | body)


def _check_known(proposal_id: UUID) -> None:
    try:
        selectors.proposal(proposal_id)
    except ProposalRefusedError as error:
        raise NotFoundError("There is no such proposal", where=str(proposal_id)) from error


def _result_of(result: share.ShareResult) -> ShareOut:
    return ShareOut(posted=_posted(result.posted), proposal_id=result.proposal_id)


def _posted(posted: tuple[tuple[str, str], ...]) -> list[Posted]:
    return [Posted(recipient=recipient, message_id=message_id) for recipient, message_id in posted]


def _proposal_of(proposal: Proposal) -> ProposalOut:
    return ProposalOut.model_validate(
        {
            "proposal_id": proposal.proposal_id,
            "deed": proposal.deed,
            "state": proposal.state.value,
            "handling": Handling(proposal.handling).word,
            "payload": proposal.payload,
            "proposed_by": proposal.proposed_by,
            "proposed_at": proposal.proposed_at,
            "decided_by": proposal.decided_by,
            "decided_at": proposal.decided_at,
            "reason": proposal.reason,
        }
    )
