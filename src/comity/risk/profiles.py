"""The life of a profile: drafted by one officer, approved by another, active by its dates, retired with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from comity.common import Actor
from comity.risk.backtesting import digest_of, require_backtest
from comity.risk.errors import FourEyesError, ProfileError
from comity.risk.expressions import parse_rule
from comity.risk.models import RuleProfile
from comity.risk.rules import Lane, ProfileState, state_at
from comity.risk.values import Profile
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trade import RiskType
from comity.trade.facts import FACT_TYPES
from comity.trade.knowledge import RULE_LANGUAGE
from comity.trust import canonical_json, sha256_hex

MOST_BASIS = 300


@dataclass(frozen=True, slots=True)
class ProfileDraft:
    """What an officer fills in. weight: 1 to 100; legal_basis: the law or order that allows the control.

    priority: 1 is looked at first, 9 last; expected_hit_rate: on which share of records it should fire, 0 to 1.
    """

    ref: str
    title: str
    owner: str
    legal_basis: str
    expression: str
    weight: int
    risk_type: RiskType
    lane: Lane
    valid_from: datetime
    valid_until: datetime | None = None
    priority: int = 5
    expected_hit_rate: float | None = None


@transaction.atomic
def draft_profile(actor: Actor, *, draft: ProfileDraft, at: datetime) -> Profile:
    """Write a profile down, or change it while it is a draft.

    Raises: PermissionRefusedError, RuleError, ProfileError.
    """
    require(actor, Permission.MANAGE_PROFILES)
    _check(draft)
    row = RuleProfile.objects.select_for_update().filter(ref=draft.ref).first() or RuleProfile(ref=draft.ref)
    if row.pk and row.state != ProfileState.DRAFT:
        raise ProfileError(
            f"The profile is {row.state} and can no longer be changed",
            where=draft.ref,
            remedy="Retire it and draft another one under a new reference.",
        )
    if row.expression != draft.expression:
        row.tested_at = None  # what was tried on the past was another rule
    row.title, row.owner, row.legal_basis = draft.title.strip(), draft.owner.strip(), draft.legal_basis.strip()
    row.expression, row.weight = draft.expression, draft.weight
    row.risk_type, row.lane = draft.risk_type.value, draft.lane.value
    row.valid_from, row.valid_until = draft.valid_from, draft.valid_until
    row.priority, row.expected_hit_rate = draft.priority, draft.expected_hit_rate
    row.state, row.drafted_by, row.drafted_at = ProfileState.DRAFT.value, str(actor), at
    row.save()
    record_deed(actor, deed="draft_profile", subject=f"profile:{row.ref}", facts={"weight": str(row.weight)}, at=at)
    return profile_of(row, at)


@transaction.atomic
def approve_profile(actor: Actor, *, ref: str, legal_basis: str = "", at: datetime) -> Profile:
    """Put a draft in force; a second pair of eyes does it, after exactly this rule was tried on the past.

    legal_basis: of a partner's profile, the law of ours by which it runs here (GDPR Art. 6 and 22, Directive (EU)
    2016/680 Art. 8: who profiles needs a basis of its own).
    Raises: PermissionRefusedError, ProfileError, FourEyesError, RuleError.
    """
    require(actor, Permission.APPROVE_PROFILES)
    row = _locked(ref)
    if row.state not in (ProfileState.DRAFT, ProfileState.RECEIVED):
        raise ProfileError(f"The profile is {row.state} already", where=ref)
    if row.drafted_by == str(actor):
        raise FourEyesError(
            "The officer who drafted a profile may not approve it", where=ref, remedy="Ask another officer."
        )
    parse_rule(row.expression, FACT_TYPES)
    untested = _require_trial(row, actor, at) if row.issuer else require_backtest(row, at)
    row.legal_basis_here = _basis_here(row, legal_basis)
    row.state, row.approved_by, row.approved_at = ProfileState.APPROVED.value, str(actor), at
    row.save(update_fields=["state", "approved_by", "approved_at", "legal_basis_here"])
    facts = {"drafted_by": row.drafted_by} | ({"untested": untested} if untested else {})
    facts |= {"digest": row.digest, "legal_basis": row.legal_basis_here} if row.issuer else {}
    record_deed(actor, deed="approve_profile", subject=f"profile:{ref}", facts=facts, at=at)
    return profile_of(row, at)


@transaction.atomic
def retire_profile(actor: Actor, *, ref: str, reason: str, at: datetime) -> Profile:
    """Take a profile out of force for good.

    Raises: PermissionRefusedError, ProfileError.
    """
    require(actor, Permission.MANAGE_PROFILES)
    row = _locked(ref)
    if row.state == ProfileState.RETIRED:
        raise ProfileError("The profile is retired already", where=ref)
    if not reason.strip():
        raise ProfileError("Retiring a profile needs a reason", where="reason", remedy="Say why, in one sentence.")
    row.state, row.retired_by, row.retired_at = ProfileState.RETIRED.value, str(actor), at
    row.retired_because = reason.strip()[:300]
    row.save(update_fields=["state", "retired_by", "retired_at", "retired_because"])
    record_deed(actor, deed="retire_profile", subject=f"profile:{ref}", facts={"reason": row.retired_because}, at=at)
    return profile_of(row, at)


def digest_of_profile(expression: str, weight: int, lane: str, risk_type: str) -> str:
    """The name of what runs: SHA-256 (hex) of rule, weight, lane and irregularity in canonical JSON."""
    runs = {
        "expression": expression,
        "lane": lane,
        "language": RULE_LANGUAGE,
        "risk_type": risk_type,
        "weight": weight,
    }
    return sha256_hex(canonical_json(runs))


def profile_of(row: RuleProfile, at: datetime) -> Profile:
    """The profile as a value, its state by the dates."""
    return Profile(
        ref=row.ref,
        title=row.title,
        owner=row.owner,
        legal_basis=row.legal_basis,
        expression=row.expression,
        weight=row.weight,
        risk_type=RiskType(row.risk_type),
        lane=Lane(row.lane),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        state=_state(row, at),
        drafted_by=row.drafted_by,
        approved_by=row.approved_by,
        hits=row.hits,
        confirmed=row.confirmed,
        unconfirmed=row.unconfirmed,
        priority=row.priority,
        expected_hit_rate=row.expected_hit_rate,
        tested_at=row.tested_at,
        issuer=row.issuer,
        issuer_ref=row.issuer_ref,
        message_id=row.message_id,
        article=row.article,
        digest=row.digest or digest_of_profile(row.expression, row.weight, row.lane, row.risk_type),
        retired_because=row.retired_because,
        legal_basis_here=row.legal_basis_here,
    )


def _basis_here(row: RuleProfile, legal_basis: str) -> str:
    """The law of ours by which a partner's profile runs here; a profile of ours has its own already."""
    basis = legal_basis.strip()
    if not row.issuer:
        if basis:
            raise ProfileError(
                "The profile has its legal basis already", where="legal_basis", remedy="Leave it out: it is our own."
            )
        return ""
    if not basis or len(basis) > MOST_BASIS:
        raise ProfileError(
            f"A partner's profile needs a legal basis of our own, with at most {MOST_BASIS} characters",
            where="legal_basis",
            remedy=f"Name our law that allows this control; what it came with is the law of {row.issuer}.",
        )
    return basis


def _require_trial(row: RuleProfile, actor: Actor, at: datetime) -> str:
    """See that a partner's profile is as it came, is not in force twice, and was tried here by another officer.

    Answers as `require_backtest`. Raises: ProfileError, FourEyesError.
    """
    if row.digest != digest_of_profile(row.expression, row.weight, row.lane, row.risk_type):
        raise ProfileError(
            "The profile is not as it came", where=row.ref, remedy=f"Ask {row.issuer} to share it again."
        )
    if row.valid_until is not None and row.valid_until <= at:
        raise ProfileError("The profile has ended at its issuer", where=row.ref)
    same = RuleProfile.objects.filter(issuer=row.issuer, digest=row.digest, state=ProfileState.APPROVED.value)
    if same.exists():
        raise ProfileError("The same profile of this issuer is approved already", where=row.ref)
    tried_by = row.backtests.filter(digest=digest_of(row.expression)).order_by("-at", "-id").first()
    if tried_by is None:
        raise ProfileError(
            "The partner's profile was not tried on our own records",
            where=row.ref,
            remedy=f"Run its back-test first: comity risk profiles backtest {row.ref}",
        )
    if tried_by.by == str(actor):
        raise FourEyesError(
            "The officer who tried a partner's profile may not approve it", where=row.ref, remedy="Ask another officer."
        )
    return require_backtest(row, at)


def _state(row: RuleProfile, at: datetime) -> ProfileState:
    if row.state == ProfileState.RECEIVED and row.valid_until is not None and row.valid_until <= at:
        return ProfileState.EXPIRED
    if row.state == ProfileState.DRAFT and row.tested_at is not None:
        return ProfileState.TESTED
    return state_at(row.state, row.valid_from, row.valid_until, at)


def _locked(ref: str) -> RuleProfile:
    row = RuleProfile.objects.select_for_update().filter(ref=ref).first()
    if row is None:
        raise ProfileError("There is no such profile", where=ref, remedy="Look at `comity risk profiles list`.")
    return row


def _check(draft: ProfileDraft) -> None:
    for name, limit in (("ref", 100), ("title", 200), ("owner", 200), ("legal_basis", MOST_BASIS)):
        text = str(getattr(draft, name)).strip()
        if not text or len(text) > limit:
            raise ProfileError(f"Fill in {name}, with at most {limit} characters", where=name)
    if not 1 <= draft.weight <= 100:
        raise ProfileError("The weight goes from 1 to 100", where=f"weight = {draft.weight}")
    if not 1 <= draft.priority <= 9:
        raise ProfileError("The priority goes from 1, first, to 9, last", where="priority")
    if draft.expected_hit_rate is not None and not 0 <= draft.expected_hit_rate <= 1:
        raise ProfileError("The expected hit rate is a share of records, from 0 to 1", where="expected_hit_rate")
    if draft.valid_until is not None and draft.valid_until <= draft.valid_from:
        raise ProfileError("The profile ends before it begins", where="valid_until")
    parse_rule(draft.expression, FACT_TYPES)
