"""Risk profiles: written down, tried on past records, approved."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema
from pydantic import StringConstraints

from comity.api.fields import Given, Instant, PurposeQuery, Sentence, Text, Word
from comity.api.guard import actor_of, needs
from comity.api.problems import NotFoundError
from comity.common import utc_now
from comity.journeys.look import Look, Veil, see_signals
from comity.risk import Lane, Profile, selectors
from comity.risk.backtesting import MAX_RECORDS
from comity.risk.profiles import MOST_BASIS
from comity.risk.services import Past, ProfileDraft, approve_profile, backtest_profile, draft_profile
from comity.risk.values import Backtest
from comity.staff import Permission
from comity.trade import RiskType

# The operations have the names under which programs know them.
router = Router(tags=["risk"])

ProfileRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]


class ProfileIn(Given):
    """A profile to draft. expression: in the rule language; weight: 1 to 100; legal_basis: what allows the control."""

    ref: ProfileRef
    title: Annotated[Sentence, StringConstraints(max_length=200)]
    owner: Annotated[Sentence, StringConstraints(max_length=200)]
    legal_basis: Annotated[Sentence, StringConstraints(max_length=300)]
    expression: Text
    weight: int = Field(strict=True, ge=1, le=100)
    risk_type: RiskType
    lane: Lane
    valid_from: Instant
    valid_until: Instant | None = None
    priority: int = Field(default=5, strict=True, ge=1, le=9)
    expected_hit_rate: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)


class BacktestIn(Given):
    """How far back a rule is tried, and on how many records at most."""

    days: int = Field(default=365, ge=1, le=1095)
    limit: int = Field(default=MAX_RECORDS, ge=1, le=MAX_RECORDS)


class ApproveIn(Given):
    """legal_basis: of a partner's profile, the law of ours by which it runs here; of our own profiles empty."""

    legal_basis: Annotated[Word, StringConstraints(max_length=MOST_BASIS)] = ""


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
    in force, and never fired. issuer: the partner whose it is, empty of our own; issuer_ref: how that one names it;
    digest: of what runs; legal_basis_here: by which law of ours a partner's
    runs here. withheld: why title, rule and legal basis of a partner's are empty.
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
    issuer: str
    issuer_ref: str
    digest: str
    legal_basis_here: str
    withheld: Veil = Veil.NONE


class Profiles(Schema):
    """Every profile, by its reference."""

    items: list[ProfileOut]


@router.get(
    "/profiles",
    response=Profiles,
    summary="Risk profiles",
    operation_id="comity_api_risk_list_profiles",
    **needs(Permission.VIEW_CONSIGNMENTS),
)
def list_profiles(request: HttpRequest, query: Query[PurposeQuery]) -> Profiles:
    """Every profile with its state and how often it was confirmed. A partner's rule is shown for a purpose."""
    every = selectors.profiles(utc_now())
    pairs = [(profile.issuer, profile.ref) for profile in every if profile.issuer]
    veils = see_signals(Look(actor_of(request), query.purpose), pairs)
    seen = ((profile, veils.get((profile.issuer, profile.ref), Veil.NONE)) for profile in every)
    return Profiles(items=[_profile_of(profile, veil) for profile, veil in seen if veil is not None])


@router.post(
    "/profiles",
    response={201: ProfileOut},
    summary="Draft a risk profile",
    operation_id="comity_api_risk_draft",
    **needs(Permission.MANAGE_PROFILES),
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
    operation_id="comity_api_risk_backtest",
    **needs(Permission.MANAGE_PROFILES),
)
def backtest(request: HttpRequest, ref: ProfileRef, body: BacktestIn) -> BacktestOut:
    """Run a profile's rule over the node's own past records and keep the answer beside it. Approval asks for it."""
    now = utc_now()
    _require_known(ref)
    past = Past.before(now, timedelta(days=body.days), body.limit)
    return _backtest_of(backtest_profile(actor_of(request), ref=ref, past=past, at=now))


@router.post(
    "/profiles/{ref}/approve",
    response=ProfileOut,
    summary="Approve a drafted profile",
    operation_id="comity_api_risk_approve",
    **needs(Permission.APPROVE_PROFILES),
)
def approve(request: HttpRequest, ref: ProfileRef, body: ApproveIn | None = None) -> ProfileOut:
    """Put a draft in force, after exactly this rule was tried on past records. Whoever drafted it may not.

    A partner's profile asks for a legal basis of ours: 409 `bad_profile` without one.
    """
    _require_known(ref)
    basis = body.legal_basis if body else ""
    return _profile_of(approve_profile(actor_of(request), ref=ref, legal_basis=basis, at=utc_now()))


def _require_known(ref: str) -> None:
    if not selectors.has_profile(ref):
        raise NotFoundError("There is no such profile", where=ref)


def _profile_of(profile: Profile, veil: Veil = Veil.NONE) -> ProfileOut:
    return ProfileOut(
        ref=profile.ref,
        title="" if veil else profile.title,
        owner="" if veil else profile.owner,
        legal_basis="" if veil else profile.legal_basis,
        expression="" if veil else profile.expression,
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
        issuer=profile.issuer,
        issuer_ref=profile.issuer_ref,
        digest=profile.digest,
        legal_basis_here=profile.legal_basis_here,
        withheld=veil,
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
