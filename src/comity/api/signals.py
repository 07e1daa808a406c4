"""Partners' alerts as they target goods here, how reliable their issuers proved, and what came of our own alerts."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Schema

from comity.api.fields import Instant
from comity.api.guard import needs
from comity.common import utc_now
from comity.risk import selectors
from comity.staff import Permission

router = Router(tags=["risk"])


class SignalOut(Schema):
    """A partner's alert in force here or not any more. reliability: from 0 to 1, measured by `outcomes` controls."""

    ref: str
    issuer: str
    message_id: str
    article: str
    title: str
    state: str
    valid_from: Instant
    valid_until: Instant
    hits: int
    confirmed: int
    unconfirmed: int
    reliability: float
    outcomes: int


class Signals(Schema):
    """Every partner's alert that was taken, the latest first."""

    items: list[SignalOut]


class FeedbackOut(Schema):
    """What a partner found where it followed an alert of ours."""

    administration: str
    finding_ref: str
    is_irregular: bool
    found_at: Instant


class Feedback(Schema):
    """Everything that partners found where they followed one alert."""

    items: list[FeedbackOut]


@router.get("/signals", response=Signals, summary="Partners' alerts", **needs(Permission.VIEW_CONSIGNMENTS))
def list_signals(request: HttpRequest) -> Signals:
    """Each with its hits, what controls confirmed, and the measured reliability of its issuer."""
    return Signals(
        items=[
            SignalOut(
                ref=signal.ref,
                issuer=signal.issuer,
                message_id=signal.message_id,
                article=signal.article,
                title=signal.title,
                state=signal.state,
                valid_from=signal.valid_from,
                valid_until=signal.valid_until,
                hits=signal.hits,
                confirmed=signal.confirmed,
                unconfirmed=signal.unconfirmed,
                reliability=signal.reliability.value,
                outcomes=signal.reliability.count,
            )
            for signal in selectors.signals(utc_now())
        ]
    )


@router.get(
    "/alerts/{ref}/feedback", response=Feedback, summary="What became of an alert", **needs(Permission.VIEW_MESSAGES)
)
def list_feedback(request: HttpRequest, ref: str) -> Feedback:
    """The findings of partners that followed the alert `ref` of this administration; empty where nobody has told."""
    return Feedback(
        items=[
            FeedbackOut(
                administration=each.administration,
                finding_ref=each.finding_ref,
                is_irregular=each.is_irregular,
                found_at=each.found_at,
            )
            for each in selectors.feedback(ref)
        ]
    )
