"""Road 4 and 8: goods are inspected; risk learns what was found, and partners whose alerts asked for it are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from comity.agreements import SharingRefusedError
from comity.common import Actor, Reason
from comity.enforcement import (
    Assessed,
    FindingError,
    FindingFacts,
    Inspection,
    InspectionState,
    Seizure,
    SeizureFacts,
)
from comity.enforcement import selectors as enforcement_selectors
from comity.enforcement import services as enforcement
from comity.exchange.errors import PartnerStateError, PartnerUnknownError
from comity.journeys.actors import standing_rule
from comity.journeys.after_release import Gone, let_go
from comity.journeys.share import answer_alert
from comity.risk import TargetState
from comity.risk import selectors as risk_selectors
from comity.risk import services as risk
from comity.risk.accounts import currency_of_account
from comity.risk.values import Learned, Signal
from comity.staff import Permission, may
from comity.trade import Finding, FindingResult, Money, Outcome

_ALERT = "alert:"
# How it was detected, unless the officer says so: partners read it with the finding.
AFTER_RELEASE = "check of documents after release"


@dataclass(frozen=True, slots=True)
class Notice:
    """A result notice to a partner: the id of the message, or why it could not be sent."""

    recipient: str
    message_id: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Completed:
    """What the end of an inspection came to."""

    finding: Finding
    seizure: Seizure | None
    learned: Learned
    notices: tuple[Notice, ...]


@transaction.atomic
def order_inspection(actor: Actor, *, record_id: UUID, at: datetime, place: str = "", remark: str = "") -> Inspection:
    """Order an inspection for the reasons of the assessment, and the officer's own remark.

    Raises: PermissionRefusedError, InspectionError, RecordNotFoundError, SelectionError.
    """
    found = risk_selectors.explanation(record_id).reasons
    reasons = [Reason(each.source, f"{each.title}: {each.text}", each.clause) for each in found]
    if remark.strip():
        reasons.append(Reason("officer", remark.strip()))
    inspection = enforcement.order_inspection(actor, record_id=record_id, reasons=reasons, at=at, place=place)
    risk.set_target_state(actor, record_id=record_id, state=TargetState.INSPECTING, at=at)
    return inspection


@transaction.atomic
def complete_inspection(
    actor: Actor, *, inspection_id: UUID, facts: FindingFacts, at: datetime, seizure: SeizureFacts | None = None
) -> Completed:
    """Record what an inspection found, seize where asked, learn, and answer the alerts that asked for the control.

    An irregular consignment is held until it is released; one that is in order can be released; one that has left in
    the blue lane stays released. Whether a partner may be told, its agreement decides; a refusal is kept and does not
    undo the finding.
    Raises: PermissionRefusedError, InspectionError, FindingError, ExhibitError, SeizureError.
    """
    _check_currency(facts.revenue, at)
    inspection = _started(actor, inspection_id, at)
    if inspection.is_after_release and not facts.detection_method.strip():
        facts = replace(facts, detection_method=AFTER_RELEASE)
    finding = enforcement.record_finding(actor, inspection_id=inspection_id, facts=facts, at=at)
    seized = None
    if seizure is not None:
        seized = enforcement.seize(actor, inspection_id=inspection_id, facts=seizure, at=at)
        finding = replace(finding, seizure_ref=seized.reference)
    if finding.result is FindingResult.IRREGULAR and not inspection.is_after_release:
        risk.set_target_state(actor, record_id=inspection.record_id, state=TargetState.HELD, at=at)
    learned = risk.learn(_outcome(finding, inspection, facts.revenue), at=at)
    notices = tuple(_answer(actor, finding, signal, at) for signal in _signals(inspection, at))
    return Completed(finding, seized, learned, notices)


@transaction.atomic
def assess_revenue(actor: Actor, *, finding_ref: str, revenue: Money, at: datetime) -> Assessed:
    """State later what a finding came to in duties and taxes; models learn it from then on.

    Raises: PermissionRefusedError, FindingError.
    """
    _check_currency(revenue, at)
    assessed = enforcement.assess_revenue(actor, finding_ref=finding_ref, revenue=revenue, at=at)
    finding = enforcement_selectors.finding(finding_ref)
    if finding is not None:
        inspection = enforcement_selectors.inspection_of_finding(finding_ref)
        risk.learn_revenue(_outcome(finding, inspection, revenue), at=at)
    return assessed


def _check_currency(revenue: Money | None, at: datetime) -> None:
    """One currency of account: this house knows no rates of exchange, and sums in two currencies cannot be learned."""
    if revenue is None:
        return
    account = currency_of_account(at)
    if not account:
        raise FindingError(
            "No currency of account is stated here, so no amount can be recorded",
            where=f"revenue = {revenue.amount} {revenue.currency}"[:80],
            remedy="A supervisor states it with `comity risk selection policy --currency`; the amount can follow then.",
        )
    if revenue.currency != account:
        raise FindingError(
            f"Duties and taxes are recorded in {account}, the currency of account",
            where=f"revenue = {revenue.amount} {revenue.currency}"[:80],
            remedy=f"State the amount in {account}, at the rate by which the customs value was worked out.",
        )


@transaction.atomic
def release(actor: Actor, *, record_id: UUID, reason: str, at: datetime) -> Gone:
    """Let goods go, with the reason; in the blue lane their documents are checked afterwards.

    Raises: PermissionRefusedError, ReleaseError, RecordNotFoundError, SelectionError.
    """
    return let_go(actor, record_id=record_id, reason=reason, at=at)


def _started(actor: Actor, inspection_id: UUID, at: datetime) -> Inspection:
    inspection = enforcement_selectors.inspection(inspection_id)
    if inspection.state is InspectionState.ORDERED:
        return enforcement.start_inspection(actor, inspection_id=inspection_id, at=at)
    return inspection


def _outcome(finding: Finding, inspection: Inspection, revenue: Money | None) -> Outcome:
    return Outcome(
        declaration_ref=finding.declaration_ref,
        is_irregular=finding.result is FindingResult.IRREGULAR,
        decided_at=finding.found_at,
        risk_type=finding.risk_type,
        sources=inspection.sources,
        hs_code=finding.hs_code,
        consignor_id=finding.consignor.id if finding.consignor else "",
        importer_id=finding.consignee.id if finding.consignee else "",
        is_after_release=inspection.is_after_release,
        revenue=revenue,
    )


def _signals(inspection: Inspection, at: datetime) -> Iterator[Signal]:
    """The partners' alerts that asked for this control."""
    wanted = {source.removeprefix(_ALERT) for source in inspection.sources if source.startswith(_ALERT)}
    for signal in risk_selectors.signals(at) if wanted else ():
        if signal.ref in wanted and signal.issuer != settings.COMITY_ADMINISTRATION:
            yield signal


def _answer(actor: Actor, finding: Finding, signal: Signal, at: datetime) -> Notice:
    """TFA 12.5.1(f): who asked for a control is told its outcome, by an officer who may share, else by the rule."""
    sharer = actor if may(actor, Permission.SHARE) else standing_rule("answer-alerts")
    answer = replace(finding, alert_ref=signal.ref)
    try:
        told = answer_alert(
            sharer, finding=answer, recipient=signal.issuer, in_reply_to=signal.message_id, finder=actor, at=at
        )
    except (SharingRefusedError, PartnerUnknownError, PartnerStateError) as error:
        return Notice(signal.issuer, refusal=str(error))
    if told.proposal_id is not None:
        return Notice(signal.issuer, refusal=f"At the level {answer.handling.word} a second officer must agree first")
    return Notice(signal.issuer, message_id=told.posted[0][1])
