"""What comes in from partners and from controls: signals taken and withdrawn, outcomes learned, feedback kept."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from comity.common import Actor, ActorKind
from comity.risk.errors import SignalError
from comity.risk.models import (
    AlertFeedback,
    AssessmentReason,
    IssuerReliability,
    LearnedOutcome,
    PartnerSignal,
    RuleProfile,
    Selection,
    SignalKey,
)
from comity.risk.outcomes import note_result, snapshot
from comity.risk.rules import Reliability, SourceKind
from comity.risk.signals import CORRECTED_BY, signal_keys
from comity.risk.values import Learned, ReliabilityChange
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trade import Alert, Finding, FindingResult, Money, Outcome
from comity.trade.encoding import alert_to_body


@transaction.atomic
def take_signal(alert: Alert, *, message_id: str, at: datetime, article: str = "", agreement: str = "") -> str:
    """Let a partner's alert target goods here; the same message again changes nothing.

    A later message with the same reference from the same issuer is a correction and replaces the earlier one.
    article, agreement: under which it was shared. Returns the reference.
    """
    if PartnerSignal.objects.filter(issuer=alert.issuer, message_id=message_id).exists():
        return alert.ref
    earlier = PartnerSignal.objects.filter(ref=alert.ref, issuer=alert.issuer, withdrawn_at=None)
    earlier.update(withdrawn_at=at, withdrawn_because=f"{CORRECTED_BY} {message_id}")
    signal = PartnerSignal.objects.create(
        message_id=message_id,
        ref=alert.ref,
        issuer=alert.issuer,
        agreement=agreement[:64],
        article=article[:100],
        title=alert.title[:300],
        body=alert_to_body(alert),
        valid_from=alert.valid_from,
        valid_until=alert.valid_until,
        taken_at=at,
    )
    SignalKey.objects.bulk_create(SignalKey(signal=signal, key=key[:255]) for key in signal_keys(alert))
    return alert.ref


@transaction.atomic
def withdraw_signal(actor: Actor, *, signal_ref: str, reason: str, at: datetime) -> None:
    """Stop an alert from targeting: its issuer recalled it, or an officer here found it wrong.

    A partner withdraws its own alerts only. Raises: PermissionRefusedError, SignalError.
    """
    rows = PartnerSignal.objects.select_for_update().filter(ref=signal_ref, withdrawn_at=None)
    if actor.kind is ActorKind.PARTNER:
        rows = rows.filter(issuer=actor.administration)
    else:
        require(actor, Permission.MANAGE_PROFILES)
    if not rows.update(withdrawn_at=at, withdrawn_because=reason.strip()[:300]):
        raise SignalError("There is no such signal in force", where=signal_ref)
    record_deed(actor, deed="withdraw_signal", subject=f"alert:{signal_ref}", facts={"reason": reason[:200]}, at=at)


@transaction.atomic
def learn(outcome: Outcome, *, at: datetime) -> Learned:
    """Count an outcome for the profiles and the issuers that asked for the control; the same outcome counts once."""
    known = snapshot(outcome)
    row, is_new = LearnedOutcome.objects.get_or_create(
        declaration_ref=outcome.declaration_ref,
        decided_at=outcome.decided_at,
        defaults={
            "is_irregular": outcome.is_irregular,
            "is_random": SourceKind.RANDOM.value in outcome.sources,
            "sources": list(outcome.sources),
            "learned_at": at,
            "is_after_release": outcome.is_after_release,
        }
        | _revenue_columns(outcome.revenue, outcome.decided_at)
        | known,
    )
    if not is_new:
        return Learned(is_new=False)
    note_result(row)
    column = "confirmed" if outcome.is_irregular else "unconfirmed"
    profiles = _refs(outcome, SourceKind.PROFILE)
    RuleProfile.objects.filter(ref__in=profiles).update(**{column: F(column) + 1})
    alerts = _alerts(outcome)
    issuers = sorted(set(alerts.values_list("issuer", flat=True)))
    alerts.update(**{column: F(column) + 1})
    changes = tuple(_learn_issuer(issuer, column) for issuer in issuers)
    return Learned(is_new=True, profiles=tuple(profiles), issuers=changes)


@transaction.atomic
def learn_revenue(outcome: Outcome, *, at: datetime) -> bool:
    """Learn what an outcome came to in duties and taxes, where that is stated later. False where it is not known."""
    rows = LearnedOutcome.objects.filter(declaration_ref=outcome.declaration_ref, decided_at=outcome.decided_at)
    return bool(outcome.revenue and rows.update(**_revenue_columns(outcome.revenue, at)))


def _revenue_columns(revenue: Money | None, at: datetime) -> dict[str, object]:
    if revenue is None:
        return {}
    return {"revenue": float(revenue.amount), "currency": revenue.currency, "revenue_at": at}


def _alerts(outcome: Outcome) -> QuerySet[PartnerSignal]:
    """The alerts of an outcome: of the issuers that the record's assessments name, since two may use one reference."""
    alerts = PartnerSignal.objects.filter(ref__in=_refs(outcome, SourceKind.ALERT))
    records = Selection.objects.filter(reference=outcome.declaration_ref).values("record_id")
    told = AssessmentReason.objects.filter(assessment__record_id__in=records, source_kind=SourceKind.ALERT.value)
    issuers = set(told.values_list("administration", flat=True))
    return alerts.filter(issuer__in=issuers) if issuers else alerts


def _refs(outcome: Outcome, kind: SourceKind) -> list[str]:
    mark = f"{kind.value}:"
    return sorted({source.removeprefix(mark) for source in outcome.sources if source.startswith(mark)})


def _learn_issuer(issuer: str, column: str) -> ReliabilityChange:
    IssuerReliability.objects.get_or_create(issuer=issuer)
    row = IssuerReliability.objects.select_for_update().get(issuer=issuer)
    before = Reliability(issuer, row.confirmed, row.unconfirmed)
    setattr(row, column, getattr(row, column) + 1)
    row.save(update_fields=[column])
    return ReliabilityChange(before, Reliability(issuer, row.confirmed, row.unconfirmed))


@transaction.atomic
def take_feedback(finding: Finding, *, message_id: str, at: datetime) -> bool:
    """Keep what a partner found where it followed an alert of ours. False where it is known or follows no alert."""
    if not finding.alert_ref:
        return False
    _, is_new = AlertFeedback.objects.get_or_create(
        administration=finding.administration,
        message_id=message_id,
        defaults={
            "alert_ref": finding.alert_ref,
            "finding_ref": finding.ref,
            "is_irregular": finding.result is FindingResult.IRREGULAR,
            "found_at": finding.found_at,
            "taken_at": at,
        },
    )
    return is_new
