"""Profiles that partners share: what is told of one, what is kept of a partner's, and what ends it.

A partner's profile is received: it does nothing until one of our officers tried it on our own records and another
approved it. Then it runs as it came; its digest says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from comity.common import Actor
from comity.intake.selectors import records_by_id
from comity.risk.assessing import assess_all
from comity.risk.errors import ProfileError, RuleError
from comity.risk.expressions import parse_rule
from comity.risk.forgetting import return_to_queue
from comity.risk.models import AssessmentReason, ProfileShare, RuleProfile, Selection
from comity.risk.profiles import digest_of_profile
from comity.risk.rules import ProfileState, SourceKind, TargetState, state_at
from comity.risk.values import AlertSource, Source
from comity.staff.services import record_deed
from comity.trade import Handling, RiskType
from comity.trade.facts import FACT_TYPES
from comity.trade.knowledge import RULE_LANGUAGE, SharedProfile, profile_from_body

_GONE = "A profile that was taken back"
_IN_FORCE = frozenset({ProfileState.APPROVED, ProfileState.ACTIVE, ProfileState.EXPIRING})
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


@dataclass(frozen=True, slots=True)
class Share:
    """To whom a profile of ours was given. ended_at: when it was taken back, None while it is there."""

    recipient: str
    message_id: str
    shared_at: datetime
    ended_at: datetime | None


def profile_to_share(
    ref: str, *, issuer: str, recipients: Collection[str], handling: Handling, at: datetime
) -> SharedProfile:
    """What is told of a profile of ours that is in force.

    Raises: ProfileError where it is a partner's, is not in force, or one of the recipients has it.
    """
    row = RuleProfile.objects.filter(ref=ref).first()
    if row is None:
        raise ProfileError("There is no such profile", where=ref)
    if row.issuer:
        raise ProfileError(
            f"The profile is {row.issuer}'s", where=ref, remedy=f"Hand its message on, or ask {row.issuer}."
        )
    state = state_at(row.state, row.valid_from, row.valid_until, at)
    if state not in _IN_FORCE:
        raise ProfileError(f"The profile is {state}", where=ref, remedy="Only one that is approved here is shared.")
    has = sorted(set(row.shares.filter(ended_at=None).values_list("recipient", flat=True)) & set(recipients))
    if has:
        raise ProfileError(f"{' and '.join(has)} has this profile already", where=ref, remedy="Leave it out.")
    return SharedProfile(
        issuer=issuer,
        ref=row.ref,
        title=row.title,
        legal_basis=row.legal_basis,
        language=RULE_LANGUAGE,
        expression=row.expression,
        weight=row.weight,
        lane=row.lane,
        risk_type=RiskType(row.risk_type),
        digest=digest_of_profile(row.expression, row.weight, row.lane, row.risk_type),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        priority=row.priority,
        expected_hit_rate=None if row.expected_hit_rate is None else Decimal(str(row.expected_hit_rate)),
        owner=row.owner,
        handling=handling,
    )


def note_shared(ref: str, posted: Iterable[tuple[str, str]], *, at: datetime) -> None:
    """Remember to whom a profile was given. posted: recipient and message id each.

    Raises: ProfileError where it has ended while a second officer was asked.
    """
    row = RuleProfile.objects.get(ref=ref)
    if row.state == ProfileState.RETIRED:
        raise ProfileError("The profile is retired", where=ref, remedy="It is shared no more.")
    ProfileShare.objects.bulk_create(
        ProfileShare(profile=row, recipient=recipient, message_id=message_id, shared_at=at)
        for recipient, message_id in posted
    )


def shares_of(ref: str) -> tuple[Share, ...]:
    """To whom a profile of ours was given, the latest first."""
    rows = ProfileShare.objects.filter(profile__ref=ref).order_by("-shared_at", "-id")
    return tuple(Share(row.recipient, row.message_id, row.shared_at, row.ended_at) for row in rows)


def ended_shares() -> list[str]:
    """Messages by which profiles were given that are retired here since, and that were not taken back yet."""
    rows = ProfileShare.objects.filter(ended_at=None, profile__state=ProfileState.RETIRED.value)
    return list(rows.order_by("id").values_list("message_id", flat=True))


def mark_ended(message_ids: Collection[str], *, at: datetime) -> None:
    """These were taken back."""
    ProfileShare.objects.filter(message_id__in=message_ids, ended_at=None).update(ended_at=at)


def readable_profile(body: Mapping[str, object]) -> SharedProfile:
    """A partner's profile that this node can run unchanged.

    Raises: NoticeError; ProfileError naming the word of the rule that this node does not know, or another digest.
    """
    shared = profile_from_body(body)
    try:
        parse_rule(shared.expression, FACT_TYPES)
    except RuleError as error:
        raise ProfileError(
            f"This node cannot read the rule: {error.what}", where=f"expression, {error.where}", remedy=error.remedy
        ) from error
    if shared.digest != digest_of_profile(shared.expression, shared.weight, shared.lane, shared.risk_type.value):
        raise ProfileError(
            "The digest is not that of this rule, weight, lane and irregularity",
            where="digest",
            remedy="Share the profile as it runs, under an article that releases all four.",
        )
    return shared


@transaction.atomic
def take_profile(shared: SharedProfile, *, source: Source, until: datetime | None, at: datetime) -> str:
    """Keep a partner's profile as it came; the same message again changes nothing. Returns its reference here.

    until: the last moment for which it may be kept. Raises: ProfileError where it is not the issuer's own.
    """
    if shared.issuer != source.issuer:
        raise ProfileError("A profile is given by its issuer", where=shared.issuer)
    known = RuleProfile.objects.filter(issuer=source.issuer, message_id=source.message_id).first()
    if known is not None:
        return known.ref
    ends = [each for each in (shared.valid_until, until) if each is not None]
    row = RuleProfile.objects.create(
        ref=_free_ref(shared, source.message_id),
        title=shared.title.strip(),
        owner=shared.owner.strip() or shared.issuer,
        legal_basis=shared.legal_basis.strip(),
        expression=shared.expression,
        weight=shared.weight,
        risk_type=shared.risk_type.value,
        lane=shared.lane,
        valid_from=shared.valid_from,
        valid_until=min(ends, default=None),
        state=ProfileState.RECEIVED.value,
        drafted_by=f"partner:{source.issuer}",
        drafted_at=at,
        priority=shared.priority,
        expected_hit_rate=None if shared.expected_hit_rate is None else float(shared.expected_hit_rate),
        issuer=source.issuer,
        issuer_ref=shared.ref,
        message_id=source.message_id,
        article=source.article[:100],
        digest=shared.digest,
        handling=shared.handling.word,
    )
    return row.ref


def _free_ref(shared: SharedProfile, message_id: str) -> str:
    """The issuer's reference behind its code; where that is taken, with the end of the message's id."""
    plain = "".join(sign if sign in _PLAIN else "-" for sign in shared.ref)
    ref = f"{shared.issuer}.{plain}"[:80]
    return ref if not RuleProfile.objects.filter(ref=ref).exists() else f"{ref}.{message_id[-12:]}"


def profile_told(issuer: str, message_id: str) -> tuple[str, tuple[UUID, ...]]:
    """The reference here of a partner's profile, and every record of which an assessment named it; else empty."""
    row = RuleProfile.objects.filter(issuer=issuer, message_id=message_id).first() if message_id else None
    if row is None:
        return "", ()
    told = _reasons(row.ref).order_by().values_list("assessment__record_id", flat=True).distinct()
    return row.ref, tuple(told)


@transaction.atomic
def forget_profile(actor: Actor, *, issuer: str, message_id: str, reason: str, at: datetime) -> tuple[UUID, ...]:
    """End a partner's profile, assess again what it concerned, and empty what was kept of its content.

    What was decided because of it stays decided: assessments keep that a profile spoke, and no longer what it said.
    Returns the records whose assessment changed.
    """
    row = RuleProfile.objects.select_for_update().filter(issuer=issuer, message_id=message_id).first()
    if row is None or not row.expression:
        return ()
    if row.state != ProfileState.RETIRED:
        row.state, row.retired_by, row.retired_at = ProfileState.RETIRED.value, str(actor), at
        row.retired_because = reason[:300]
    row.title, row.legal_basis, row.expression = _GONE, _GONE, ""
    row.save()
    changed = _reassess(actor, row.ref, at)
    return_to_queue(changed, at)
    _reasons(row.ref).update(title=_GONE, text=_GONE, evidence=[], facts={}, risk_type="", clause="")
    facts = {"issuer": issuer, "reason": reason[:200], "records": str(len(changed))}
    record_deed(actor, deed="end_received_profile", subject=f"profile:{row.ref}", facts=facts, at=at)
    return tuple(changed)


def tighten_profile(*, issuer: str, message_id: str, until: datetime) -> None:
    """Let a partner's profile run no longer than this instant."""
    rows = RuleProfile.objects.filter(issuer=issuer, message_id=message_id)
    rows.filter(valid_until=None).update(valid_until=until)
    rows.filter(valid_until__gt=until).update(valid_until=until)


def profile_sources(wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], AlertSource]:
    """Partners' profiles by (issuer, reference here); unknown ones are left out. Emptied ones have no handling."""
    pairs = set(wanted)
    rows = RuleProfile.objects.filter(ref__in={ref for _, ref in pairs}).exclude(issuer="")
    return {
        (row.issuer, row.ref): AlertSource(row.message_id, row.handling if row.expression else "")
        for row in rows
        if (row.issuer, row.ref) in pairs
    }


def _reasons(ref: str) -> QuerySet[AssessmentReason]:
    return AssessmentReason.objects.filter(source_kind=SourceKind.PROFILE.value, source_ref=ref)


def _reassess(actor: Actor, ref: str, at: datetime) -> Sequence[UUID]:
    """What has not left yet and names the profile is assessed again without it."""
    told = _reasons(ref).filter(assessment__is_current=True).values_list("assessment__record_id", flat=True)
    still_open = Selection.objects.exclude(state=TargetState.RELEASED.value).filter(record_id__in=list(told))
    records = records_by_id(list(still_open.values_list("record_id", flat=True)))
    assess_all(actor, records=list(records.values()), at=at)
    return list(records)
