"""Partners' alerts as they target goods here, how reliable their issuers proved, and what came of our own alerts."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Query, Router, Schema

from comity.api.fields import Instant, PurposeQuery
from comity.api.guard import actor_of, needs
from comity.common import utc_now
from comity.journeys.look import Look, Veil, open_feedback, see_signals
from comity.risk import selectors
from comity.risk.values import Signal
from comity.staff import Permission

router = Router(tags=["risk"])


class SignalOut(Schema):
    """A partner's alert in force here or not any more. reliability: from 0 to 1, measured by `outcomes` controls.

    withheld: why reference and title are empty: purpose, use (another purpose will do) or need_to_know.
    """

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
    withheld: Veil = Veil.NONE


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
def list_signals(request: HttpRequest, query: Query[PurposeQuery]) -> Signals:
    """Each with its hits, what controls confirmed, and the measured reliability of its issuer. What it says is shown
    for a purpose only.
    """
    every = selectors.signals(utc_now())
    seen = see_signals(Look(actor_of(request), query.purpose), [(each.issuer, each.ref) for each in every])
    veils = ((each, seen[each.issuer, each.ref]) for each in every)
    return Signals(items=[_signal_of(each, veil) for each, veil in veils if veil is not None])


@router.get(
    "/alerts/{ref}/feedback", response=Feedback, summary="What became of an alert", **needs(Permission.VIEW_MESSAGES)
)
def list_feedback(request: HttpRequest, ref: str, query: Query[PurposeQuery]) -> Feedback:
    """The findings of partners that followed the alert `ref` of this administration; empty where nobody has told.
    403 `purpose_missing` without a purpose.
    """
    open_feedback(actor_of(request), ref=ref, purpose=query.purpose, at=utc_now())
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


def _signal_of(signal: Signal, veil: Veil) -> SignalOut:
    is_named = veil is not Veil.NEED_TO_KNOW
    return SignalOut(
        ref=signal.ref if is_named else "",
        issuer=signal.issuer,
        message_id=signal.message_id if is_named else "",
        article=signal.article,
        title="" if veil else signal.title,
        state=signal.state,
        valid_from=signal.valid_from,
        valid_until=signal.valid_until,
        hits=signal.hits,
        confirmed=signal.confirmed,
        unconfirmed=signal.unconfirmed,
        reliability=signal.reliability.value,
        outcomes=signal.reliability.count,
        withheld=veil,
    )
