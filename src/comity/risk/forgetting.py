"""A partner's alert is taken back or has run out: it stops targeting, and what was kept of its content goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from comity.common import Actor
from comity.risk.assessing import reassess_for_signal
from comity.risk.models import AssessmentReason, PartnerSignal, Selection, SignalKey
from comity.risk.rules import Cause, SourceKind, TargetState
from comity.staff.services import record_deed

_GONE = "An alert that was taken back"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What became of an alert. changed: records whose assessment changed since nothing speaks for the control now."""

    ref: str
    changed: tuple[UUID, ...]


def records_told(issuer: str, message_id: str) -> tuple[str, tuple[UUID, ...]]:
    """The reference of a partner's alert, and every record of which an assessment named it; empty where unknown."""
    signal = PartnerSignal.objects.filter(issuer=issuer, message_id=message_id).first()
    if signal is None:
        return "", ()
    reasons = AssessmentReason.objects.filter(
        source_kind=SourceKind.ALERT.value, source_ref=signal.ref, administration=issuer
    )
    told = reasons.order_by().values_list("assessment__record_id", flat=True).distinct()
    return signal.ref, tuple(told)


@transaction.atomic
def forget_signal(actor: Actor, *, issuer: str, message_id: str, reason: str, at: datetime) -> Forgotten:
    """Withdraw the alert of one message, assess again what it concerned, and empty what was kept of its content.

    A newer alert of the same reference stays in force. What was decided because of it stays decided: assessments keep
    that an alert spoke for a control, with its weight, and no longer what it said.
    """
    signal = PartnerSignal.objects.select_for_update().filter(issuer=issuer, message_id=message_id).first()
    if signal is None or not signal.body:
        return Forgotten(signal.ref if signal else "", ())
    was_in_force = signal.withdrawn_at is None
    if was_in_force:
        signal.withdrawn_at, signal.withdrawn_because = at, reason[:300]
        signal.save(update_fields=["withdrawn_at", "withdrawn_because"])
    changed = reassess_for_signal(actor, signal_ref=signal.ref, at=at) if was_in_force else []
    return_to_queue(changed, at)
    is_replaced = PartnerSignal.objects.filter(ref=signal.ref, issuer=issuer, withdrawn_at=None).exists()
    _empty(signal, keeps_reasons=is_replaced)
    facts = {"issuer": issuer, "reason": reason[:200], "records": str(len(changed))}
    record_deed(actor, deed="withdraw_signal", subject=f"alert:{signal.ref}", facts=facts, at=at)
    return Forgotten(signal.ref, tuple(changed))


def tighten_signal(*, issuer: str, message_id: str, until: datetime) -> None:
    """Let an alert target no longer than this instant."""
    PartnerSignal.objects.filter(issuer=issuer, message_id=message_id, valid_until__gt=until).update(valid_until=until)


def return_to_queue(changed: Sequence[UUID], at: datetime) -> None:
    """What was selected for this alert and for nothing else waits again; an officer's own choice stays."""
    asked_by_reasons = [Cause.RISK.value, Cause.MANDATORY.value]
    rows = Selection.objects.filter(record_id__in=changed, state=TargetState.SELECTED.value, cause__in=asked_by_reasons)
    rows.filter(assessment__score=0).update(
        state=TargetState.NEW.value, cause=Cause.NONE.value, day=None, changed_at=at
    )


def _empty(signal: PartnerSignal, *, keeps_reasons: bool) -> None:
    SignalKey.objects.filter(signal=signal).delete()
    signal.body, signal.title = {}, _GONE
    signal.save(update_fields=["body", "title"])
    reasons = AssessmentReason.objects.filter(
        source_kind=SourceKind.ALERT.value, source_ref=signal.ref, administration=signal.issuer
    )
    if keeps_reasons:
        reasons = reasons.filter(assessment__is_current=False)
    reasons.update(title=_GONE, text=_GONE, evidence=[], facts={}, risk_type="")
