"""How inspections are spent: plan and budgets, the planner, other lanes, release times, the proof of chance."""
# ruff: noqa: ARG001 - the framework hands the request over by name

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Field, Query, Router, Schema

from comity.api.fields import Day, Given, Sentence, Word
from comity.api.guard import actor_of, needs
from comity.api.problems import NotFoundError
from comity.common import utc_now
from comity.journeys.override import change_lane
from comity.journeys.prove import prove_selection
from comity.risk import Lane, selectors
from comity.risk.budgets import policy_on, standings_on
from comity.risk.controls import ControlKind, Period
from comity.risk.forecasting import forecast_for
from comity.risk.overriding import LaneChange
from comity.risk.planning import Expected, RevenueSilence
from comity.risk.proving import statement_to_json
from comity.risk.release_times import release_times
from comity.risk.today import local_day
from comity.staff import Permission

router = Router(tags=["risk"])


class DayQuery(Given):
    """Which day; today unless said otherwise."""

    day: Day | None = None


class BudgetOut(Schema):
    """A budget on a day. office, control: null for all of them; left: what may still be selected that day."""

    office: str | None
    control: ControlKind | None
    amount: int
    period: Period
    used: int
    left: int


class PlanOut(Schema):
    """A day's inspections. extra_share: what measured drift adds to exploring that day; used_after: of those spent,
    checks after release.
    """

    day: Day
    capacity: int
    used: int
    used_mandatory: int
    used_risk: int
    used_random: int
    used_learning: int
    used_after: int
    random_share: float
    extra_share: float
    score_threshold: float
    budgets: list[BudgetOut]


class PlannerQuery(Given):
    """How many inspections, and of which office; without an office of all."""

    inspections: int = Field(ge=0, le=100_000)
    office: Word = ""


class ExpectedOut(Schema):
    """What so many inspections would find. hits: irregular consignments, with their 95 % interval.

    critical: of them prohibited, dangerous or counterfeit; value: declared, of what is irregular, in the policy's
    currency; without_value: how many declare none in it. revenue: what the champion model expects of these controls,
    added up over the with_revenue of them of which it told anything; null where of none.
    """

    inspections: int
    hits: float
    low: float
    high: float
    critical: float
    value: float
    without_value: int
    revenue: float | None
    with_revenue: int


class PartOut(Schema):
    """What a part of the inspections would find, at an office and of a kind of control; revenue as for all of them."""

    office: str
    control: ControlKind
    inspections: int
    hits: float
    revenue: float | None
    with_revenue: int


class PlannerOut(Schema):
    """The planner's answer. controls: how many past ones it rests on; is_guess: they are too few to rely on.

    revenue_currency: of expected revenues, of the model's own amounts; null where what it learned from named none.
    revenue_silence: why none are told of any record.
    """

    expected: ExpectedOut
    parts: list[PartOut]
    curve: list[ExpectedOut]
    waiting: int
    controls: int
    is_guess: bool
    revenue_currency: str | None
    revenue_silence: RevenueSilence | None


class LaneIn(Given):
    """Another lane for a record, and why."""

    lane: Lane
    reason: Sentence


class LaneOut(Schema):
    """What came of it. proposal_id: of what a second officer must approve, where a mandatory control falls away."""

    lane: Lane
    proposal_id: UUID | None = None


class ReleaseTimeOut(Schema):
    """How long goods waited from arrival to release. office: null for all of them together."""

    lane: Lane
    office: str | None
    released: int
    median_seconds: float
    p90_seconds: float


class ReleaseTimesQuery(Given):
    """Of how many days, back from now."""

    days: int = Field(default=30, ge=1, le=3650)


class ReleaseTimes(Schema):
    """By lane and office."""

    items: list[ReleaseTimeOut]


@router.get("/selection", response=PlanOut, summary="A day's inspections", **needs(Permission.VIEW_CONSIGNMENTS))
def show_plan(request: HttpRequest, query: Query[DayQuery]) -> PlanOut:
    """The plan of a day, how much of it is spent and for what, and the budgets by office and kind of control."""
    day = query.day or _today()
    plan = selectors.plan(day)
    return PlanOut(
        day=day,
        capacity=plan.capacity,
        used=plan.used,
        used_mandatory=plan.used_mandatory,
        used_risk=plan.used_risk,
        used_random=plan.used_random,
        used_learning=plan.used_learning,
        used_after=plan.used_after,
        random_share=plan.random_share,
        extra_share=plan.extra_share,
        score_threshold=plan.score_threshold,
        budgets=[
            BudgetOut(
                office=each.budget.office or None,
                control=each.budget.control,
                amount=each.budget.amount,
                period=each.budget.period,
                used=each.used,
                left=each.left,
            )
            for each in standings_on(day)
        ],
    )


@router.get(
    "/selection/planner",
    response=PlannerOut,
    summary="What inspections are likely to find",
    **needs(Permission.VIEW_CONSIGNMENTS),
)
def plan_ahead(request: HttpRequest, query: Query[PlannerQuery]) -> PlannerOut:
    """Estimated from what controls found at such scores in the last twelve months, for what waits now."""
    found = forecast_for(query.inspections, policy=policy_on(_today()), at=utc_now(), office=query.office)
    return PlannerOut(
        expected=_expected_of(found.expected),
        parts=[
            PartOut(
                office=part.office,
                control=ControlKind(part.control),
                inspections=part.inspections,
                hits=part.hits,
                revenue=part.revenue,
                with_revenue=part.with_revenue,
            )
            for part in found.parts
        ],
        curve=[_expected_of(each) for each in found.curve],
        waiting=found.waiting,
        controls=found.controls,
        is_guess=found.is_guess,
        revenue_currency=found.basis.currency or None,
        revenue_silence=found.basis.silence,
    )


@router.get(
    "/selection/{day}/proof",
    response={200: dict[str, object]},
    summary="The proof of a day's chance",
    **needs(Permission.VIEW_CONSIGNMENTS),
)
def prove(request: HttpRequest, day: Day) -> HttpResponse:
    """What chance was asked, its seeds and answers, as `comity risk selection verify` computes them again."""
    return JsonResponse(statement_to_json(prove_selection(actor_of(request), day=day, at=utc_now())))


@router.post(
    "/records/{uuid:record_id}/lane",
    response=LaneOut,
    summary="Put a record into another lane",
    **needs(Permission.DECIDE_CONSIGNMENT),
)
def put_into_lane(request: HttpRequest, record_id: UUID, body: LaneIn) -> LaneOut:
    """A higher lane selects it, a lower one takes it from those selected. Where a mandatory control would fall away, a
    second officer must agree first.
    """
    row = selectors.queue_row(record_id)
    if row is None:
        raise NotFoundError("This record was not assessed", where=str(record_id))
    change = LaneChange(body.lane, body.reason)
    moved = change_lane(actor_of(request), record_id=record_id, change=change, at=utc_now())
    return LaneOut(lane=moved.overridden.to_lane if moved.overridden else row.lane, proposal_id=moved.proposal_id)


@router.get(
    "/release-times",
    response=ReleaseTimes,
    summary="From arrival to release",
    **needs(Permission.VIEW_CONSIGNMENTS),
)
def list_release_times(request: HttpRequest, query: Query[ReleaseTimesQuery]) -> ReleaseTimes:
    """Median and ninth decile by lane and office."""
    return ReleaseTimes(
        items=[
            ReleaseTimeOut(
                lane=each.lane,
                office=each.office or None,
                released=each.released,
                median_seconds=each.median.total_seconds(),
                p90_seconds=each.p90.total_seconds(),
            )
            for each in release_times(utc_now() - timedelta(days=query.days))
        ]
    )


def _expected_of(expected: Expected) -> ExpectedOut:
    return ExpectedOut(
        inspections=expected.inspections,
        hits=expected.hits,
        low=expected.low,
        high=expected.high,
        critical=expected.critical,
        value=expected.value,
        without_value=expected.without_value,
        revenue=expected.revenue,
        with_revenue=expected.with_revenue,
    )


def _today() -> date:
    return local_day(utc_now())
