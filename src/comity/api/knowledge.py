"""Knowledge shared with partners: profiles given, hits asked about and told, what became of ours."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema, Status
from pydantic import StringConstraints

from comity.agreements import Purpose
from comity.api.fields import Code, Given, Handlings, Instant, PurposeQuery
from comity.api.guard import actor_of, needs
from comity.api.sharing import Posted, ShareOut
from comity.common import utc_now
from comity.journeys.consult import ask_about_hit, tell_hit
from comity.journeys.look import Look, Veil, open_feedback, see_signals
from comity.journeys.share import ShareResult, Wish
from comity.journeys.teach import share_profile
from comity.risk.errors import ScreeningError
from comity.risk.hit_advice import Advice, advice_on
from comity.risk.hits import hit
from comity.risk.reporting import Report, reports_on
from comity.staff import Permission
from comity.trade import Handling, RiskType
from comity.trade.knowledge import HitGround, HitVerdict, TagBy, Told

router = Router(tags=["risk"])

ProfileRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
HitRef = Annotated[str, StringConstraints(min_length=3, max_length=100)]
_MOST = 50


class GiveIn(Given):
    """For whom, and what they may use it for."""

    recipients: list[Code] = Field(..., min_length=1, max_length=_MOST)
    purpose: Purpose
    handling: Handlings = "official"


class AskHitIn(Given):
    """Which partners are asked about which hit, and for what."""

    ref: HitRef
    recipients: list[Code] = Field(..., min_length=1, max_length=_MOST)
    purpose: Purpose


class TellHitIn(AskHitIn):
    """Which partners are told the decision on which hit."""

    handling: Handlings = "official"


class AdviceQuery(PurposeQuery):
    """Of which hit; without a purpose what partners decided is not shown."""

    ref: HitRef


class AdviceOut(Schema):
    """A partner's decision on the same party and entry. withheld: why it is empty."""

    issuer: str
    message_id: str
    article: str
    verdict: HitVerdict | None = None
    ground: HitGround | None = None
    reason: str
    recognised_by: TagBy | None = None
    decided_at: Instant | None = None
    withheld: Veil = Veil.NONE


class AdviceList(Schema):
    """What partners decided, the latest first."""

    items: list[AdviceOut]


class FoundKindOut(Schema):
    """How often controls found this irregularity."""

    risk_type: RiskType
    found: int


class ReportOut(Schema):
    """What a partner told last. fired: null where its article does not release it; is_closed: it targets no more."""

    administration: str
    message_id: str
    article: str
    fired: int | None = None
    examined: int
    found: int
    kinds: list[FoundKindOut]
    is_closed: bool
    counted_until: Instant


class ReportList(Schema):
    """What each partner told of one alert or profile of this administration."""

    items: list[ReportOut]


@router.post(
    "/profiles/{ref}/share",
    response={201: ShareOut, 202: ShareOut},
    summary="Give a profile to partners",
    **needs(Permission.SHARE),
)
def give_profile(request: HttpRequest, ref: ProfileRef, body: GiveIn) -> Status[ShareOut]:
    """201: posted. 202: from the level restricted another officer must approve it. 403 `sharing_refused`: no article
    permits it. The partner tries it and approves it before it runs there; retired here, it ends there.
    """
    handling = Handling.from_word(body.handling)
    result = share_profile(actor_of(request), ref=ref, wish=_wish_of(body), handling=handling, at=utc_now())
    return _answer(result)


@router.post(
    "/screening/questions",
    response={201: ShareOut, 202: ShareOut},
    summary="Ask partners about a hit",
    **needs(Permission.SHARE),
)
def ask_hit(request: HttpRequest, body: AskHitIn) -> Status[ShareOut]:
    """What they decided of the same party and entry. The party is not named: a keyed hash of it is sent."""
    return _answer(ask_about_hit(actor_of(request), ref=body.ref, wish=_wish_of(body), at=utc_now()))


@router.post(
    "/screening/tellings",
    response={201: ShareOut, 202: ShareOut},
    summary="Tell partners a decision on a hit",
    **needs(Permission.SHARE),
)
def tell_decision(request: HttpRequest, body: TellHitIn) -> Status[ShareOut]:
    """The decision in force; partners see it beside their own hit, as advice. When another takes its place it is
    taken back.
    """
    handling = Handling.from_word(body.handling)
    return _answer(tell_hit(actor_of(request), ref=body.ref, wish=_wish_of(body), handling=handling, at=utc_now()))


@router.get(
    "/screening/advice",
    response=AdviceList,
    summary="What partners decided of a hit",
    **needs(Permission.VIEW_CONSIGNMENTS),
)
def list_advice(request: HttpRequest, query: Query[AdviceQuery]) -> AdviceList:
    """Advice: nothing is decided by it. Empty where nobody has told, or there is no such hit any more."""
    try:
        advice = advice_on(hit(query.ref))
    except ScreeningError:
        return AdviceList(items=[])
    look = Look(actor_of(request), query.purpose)
    veils = see_signals(look, [(each.issuer, each.message_id) for each in advice])
    seen = ((each, veils.get((each.issuer, each.message_id))) for each in advice)
    return AdviceList(items=[_advice(each, veil) for each, veil in seen if veil is not None])


@router.get(
    "/alerts/{ref}/reports",
    response=ReportList,
    summary="What partners made of an alert",
    **needs(Permission.VIEW_MESSAGES),
)
def list_alert_reports(request: HttpRequest, ref: str, query: Query[PurposeQuery]) -> ReportList:
    """Counts by partner, as each told last. 403 `purpose_missing` without a purpose."""
    return _reports(request, Told.ALERT, ref, query.purpose)


@router.get(
    "/profiles/{ref}/reports",
    response=ReportList,
    summary="What partners made of a profile",
    **needs(Permission.VIEW_MESSAGES),
)
def list_profile_reports(request: HttpRequest, ref: ProfileRef, query: Query[PurposeQuery]) -> ReportList:
    """Counts by partner, as each told last. 403 `purpose_missing` without a purpose."""
    return _reports(request, Told.PROFILE, ref, query.purpose)


def _reports(request: HttpRequest, told: Told, ref: str, purpose: str) -> ReportList:
    open_feedback(actor_of(request), ref=ref, purpose=purpose, at=utc_now())
    return ReportList(items=[_report(each) for each in reports_on(told, ref)])


def _wish_of(body: GiveIn | AskHitIn) -> Wish:
    return Wish(tuple(dict.fromkeys(body.recipients)), body.purpose.value)


def _answer(result: ShareResult) -> Status[ShareOut]:
    posted = [Posted(recipient=recipient, message_id=message_id) for recipient, message_id in result.posted]
    return Status(202 if result.proposal_id else 201, ShareOut(posted=posted, proposal_id=result.proposal_id))


def _advice(found: Advice, veil: Veil) -> AdviceOut:
    if veil:
        return AdviceOut(issuer=found.issuer, message_id="", article=found.article, reason="", withheld=veil)
    return AdviceOut(
        issuer=found.issuer,
        message_id=found.message_id,
        article=found.article,
        verdict=found.verdict,
        ground=found.ground,
        reason=found.reason,
        recognised_by=found.by,
        decided_at=found.decided_at,
    )


def _report(found: Report) -> ReportOut:
    return ReportOut(
        administration=found.administration,
        message_id=found.message_id,
        article=found.article,
        fired=found.fired,
        examined=found.examined,
        found=found.found,
        kinds=[FoundKindOut(risk_type=each.risk_type, found=each.found) for each in found.kinds],
        is_closed=found.is_closed,
        counted_until=found.counted_until,
    )
