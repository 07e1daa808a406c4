"""Writes of this room: inspections, findings, seizures, release. Each deed needs a permission and is audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from comity.common import Actor, Reason, new_id
from comity.enforcement.errors import FindingError, InspectionError, ReleaseError, SeizureError
from comity.enforcement.evidence import keep
from comity.enforcement.models import DecisionRow, ExhibitFile, FindingRow, InspectionRow, SeizureRow, Series
from comity.enforcement.rules import (
    DecisionKind,
    InspectionState,
    check_revenue,
    reference_of,
    require_state,
)
from comity.enforcement.selectors import assessed_of, decision_of, inspection_of, seizure_of
from comity.enforcement.values import Assessed, FindingFacts, Inspection, ReleaseDecision, Seizure, SeizureFacts
from comity.intake import StoredRecord
from comity.intake.selectors import record as stored_record
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trade import Exhibit, Finding, FindingResult, Money, Party, Subject, SubjectRole
from comity.trade.encoding import finding_to_body

_OPEN = (InspectionState.ORDERED.value, InspectionState.STARTED.value)
_ALERT = "alert:"


@transaction.atomic
def order_inspection(
    actor: Actor, *, record_id: UUID, reasons: Sequence[Reason], at: datetime, place: str = ""
) -> Inspection:
    """Order the inspection of a record. reasons: why; the code of each is its source, such as alert:<ref>.

    Raises: PermissionRefusedError, RecordNotFoundError, InspectionError.
    """
    require(actor, Permission.DECIDE_CONSIGNMENT)
    record = stored_record(record_id)
    _refuse_released(record_id, record.reference)
    row = ordered(actor, record, reasons, at, place=place.strip()[:200])
    audit(actor, "order_inspection", row.reference, at, record=str(record_id))
    return inspection_of(row)


@transaction.atomic
def start_inspection(actor: Actor, *, inspection_id: UUID, at: datetime, place: str = "") -> Inspection:
    """Begin an ordered inspection.

    Raises: PermissionRefusedError, InspectionError.
    """
    require(actor, Permission.RECORD_FINDING)
    row = locked(inspection_id)
    require_state(row.reference, InspectionState(row.state), InspectionState.ORDERED, "started")
    row.state, row.started_by, row.started_at = InspectionState.STARTED.value, str(actor), at
    row.place = place.strip()[:200] or row.place
    row.save(update_fields=["state", "started_by", "started_at", "place"])
    audit(actor, "start_inspection", row.reference, at)
    return inspection_of(row)


def record_finding(actor: Actor, *, inspection_id: UUID, facts: FindingFacts, at: datetime) -> Finding:
    """Write down what a started inspection saw; this completes it.

    Exhibits are on disk before the rows that name them: a crash leaves at most a file without a row.
    Raises: PermissionRefusedError, InspectionError, FindingError, ExhibitError.
    """
    require(actor, Permission.RECORD_FINDING)
    _check_facts(facts)
    exhibits = tuple(
        keep(upload, root=settings.COMITY_EVIDENCE, limit_bytes=settings.COMITY_MAX_UPLOAD_BYTES)
        for upload in facts.exhibits
    )
    return _record_finding(actor, inspection_id, facts, exhibits, at)


@transaction.atomic
def _record_finding(
    actor: Actor, inspection_id: UUID, facts: FindingFacts, exhibits: tuple[Exhibit, ...], at: datetime
) -> Finding:
    inspection = locked(inspection_id)
    require_state(inspection.reference, InspectionState(inspection.state), InspectionState.STARTED, "completed")
    is_irregular = facts.result is FindingResult.IRREGULAR
    inspection.case_ref = facts.case_ref.strip() or (next_reference("C", at) if is_irregular else "")
    inspection.state, inspection.completed_by = InspectionState.COMPLETED.value, str(actor)
    inspection.completed_at = at
    inspection.save(update_fields=["state", "completed_by", "completed_at", "case_ref"])
    finding = _notice(inspection, facts, exhibits, at)
    row = FindingRow.objects.create(
        reference=finding.ref,
        inspection=inspection,
        record_id=inspection.record_id,
        result=finding.result.value,
        risk_type=finding.risk_type.value if finding.risk_type else "",
        alert_ref=finding.alert_ref,
        notice=finding_to_body(finding),
        found_by=str(actor),
        found_at=at,
        **_revenue_columns(actor, facts.revenue, at),
    )
    ExhibitFile.objects.bulk_create(ExhibitFile(finding=row, **asdict(exhibit)) for exhibit in exhibits)
    digests = " ".join(exhibit.sha256[:16] for exhibit in exhibits)
    stated = _money(facts.revenue) if facts.revenue else ""
    audit(actor, "record_finding", finding.ref, at, result=finding.result.value, exhibits=digests, revenue=stated)
    return finding


@transaction.atomic
def assess_revenue(actor: Actor, *, finding_ref: str, revenue: Money, at: datetime) -> Assessed:
    """State what a finding came to in duties and taxes, where that was worked out later, or anew after an appeal.

    What was stated before stays in the audit. Raises: PermissionRefusedError, FindingError.
    """
    require(actor, Permission.RECORD_FINDING)
    row = FindingRow.objects.select_for_update().filter(reference=finding_ref).first()
    if row is None:
        raise FindingError("There is no such finding", where=finding_ref[:100])
    check_revenue(FindingResult(row.result), revenue)
    before = assessed_of(row)
    columns = _revenue_columns(actor, revenue, at)
    for name, value in columns.items():
        setattr(row, name, value)
    row.save(update_fields=list(columns))
    was = _money(before.revenue) if before else ""
    audit(actor, "assess_revenue", row.reference, at, revenue=_money(revenue), was=was)
    return Assessed(row.reference, revenue, str(actor), at)


def _revenue_columns(actor: Actor, revenue: Money | None, at: datetime) -> dict[str, object]:
    if revenue is None:
        return {}
    return {
        "revenue_amount": str(revenue.amount),
        "revenue_currency": revenue.currency,
        "revenue_by": str(actor),
        "revenue_at": at,
    }


def _money(money: Money) -> str:
    return f"{money.amount} {money.currency}"


@transaction.atomic
def seize(actor: Actor, *, inspection_id: UUID, facts: SeizureFacts, at: datetime) -> Seizure:
    """Take goods that an inspection found irregular.

    Raises: PermissionRefusedError, InspectionError, SeizureError.
    """
    require(actor, Permission.RECORD_FINDING)
    if not facts.legal_basis.strip() or not facts.goods.strip():
        raise SeizureError("A seizure needs its legal basis and the goods", where="legal_basis, goods")
    row = locked(inspection_id)
    finding = FindingRow.objects.filter(inspection=row).first()
    if finding is None or finding.result != FindingResult.IRREGULAR:
        raise SeizureError(
            "Only goods found irregular can be seized", where=row.reference, remedy="Record the finding first."
        )
    _refuse_released(row.record_id, row.reference)
    seizure = SeizureRow.objects.create(
        reference=next_reference("S", at),
        inspection=row,
        record_id=row.record_id,
        legal_basis=facts.legal_basis.strip()[:300],
        goods=facts.goods.strip(),
        hs_code=facts.hs_code,
        quantity=str(facts.quantity.value) if facts.quantity else "",
        unit=facts.quantity.unit if facts.quantity else "",
        amount=str(facts.value.amount) if facts.value else "",
        currency=facts.value.currency if facts.value else "",
        place=facts.place.strip()[:200],
        is_total=facts.is_total,
        case_ref=row.case_ref,
        seized_by=str(actor),
        seized_at=at,
    )
    audit(actor, "seize", seizure.reference, at, inspection=row.reference)
    return seizure_of(seizure)


@transaction.atomic
def release_goods(actor: Actor, *, record_id: UUID, reason: str, at: datetime) -> ReleaseDecision:
    """Let goods go, with the reason.

    Raises: PermissionRefusedError, RecordNotFoundError, ReleaseError.
    """
    require(actor, Permission.DECIDE_CONSIGNMENT)
    reference = _check_decision(record_id, reason)
    if InspectionRow.objects.filter(record_id=record_id, state__in=_OPEN).exists():
        raise ReleaseError(
            "An inspection of these goods is open", where=reference, remedy="Record its finding, then release."
        )
    if SeizureRow.objects.filter(record_id=record_id, is_total=True).exists():
        raise ReleaseError("All of these goods are seized; nothing is left to release", where=reference)
    return _decide(actor, record_id, DecisionKind.RELEASED, reason, at)


@transaction.atomic
def hold_goods(actor: Actor, *, record_id: UUID, reason: str, at: datetime) -> ReleaseDecision:
    """Keep goods until something is cleared up, with the reason.

    Raises: PermissionRefusedError, RecordNotFoundError, ReleaseError.
    """
    require(actor, Permission.DECIDE_CONSIGNMENT)
    _check_decision(record_id, reason)
    return _decide(actor, record_id, DecisionKind.HELD, reason, at)


def _check_decision(record_id: UUID, reason: str) -> str:
    reference = stored_record(record_id).reference
    if not reason.strip():
        raise ReleaseError("A decision needs a reason", where=reference, remedy="Say why, in one sentence.")
    _refuse_released(record_id, reference)
    return reference


def _decide(actor: Actor, record_id: UUID, kind: DecisionKind, reason: str, at: datetime) -> ReleaseDecision:
    row = DecisionRow.objects.create(
        record_id=record_id, kind=kind.value, reason=reason.strip(), decided_by=str(actor), decided_at=at
    )
    deed = "release_goods" if kind is DecisionKind.RELEASED else "hold_goods"
    record_deed(actor, deed=deed, subject=f"record:{record_id}", facts={"reason": reason.strip()[:200]}, at=at)
    return decision_of(row)


def _refuse_released(record_id: UUID, reference: str) -> None:
    if DecisionRow.objects.filter(record_id=record_id, kind=DecisionKind.RELEASED.value).exists():
        raise ReleaseError("The goods were released already", where=reference)


def _check_facts(facts: FindingFacts) -> None:
    if facts.result is FindingResult.IRREGULAR and (facts.risk_type is None or not facts.description.strip()):
        raise FindingError(
            "An irregular finding needs its kind and a description",
            where="risk_type, description",
            remedy="Say what was found and which irregularity it is.",
        )
    if facts.hs_code and not (facts.hs_code.isascii() and facts.hs_code.isdigit() and 2 <= len(facts.hs_code) <= 10):
        raise FindingError("The HS code must be 2 to 10 digits", where=f"hs_code = {facts.hs_code[:20]}")
    if facts.quantity is not None and not facts.quantity.value >= 0:
        raise FindingError("A quantity cannot be negative", where=f"quantity = {facts.quantity.value}")
    check_revenue(facts.result, facts.revenue)


def _notice(inspection: InspectionRow, facts: FindingFacts, exhibits: tuple[Exhibit, ...], at: datetime) -> Finding:
    """The result notice; what it says of the parties comes from the record as it stands now."""
    record = stored_record(inspection.record_id)
    declaration = record.declaration
    alerts = [code.removeprefix(_ALERT) for code, *_ in inspection.reasons if code.startswith(_ALERT)]
    return Finding(
        ref=next_reference("F", at),
        administration=settings.COMITY_ADMINISTRATION,
        found_at=at,
        result=facts.result,
        risk_type=facts.risk_type,
        office=record.content.office,
        ucr=record.ucr,
        declaration_ref=record.reference,
        alert_ref=facts.alert_ref.strip() or next(iter(alerts), ""),
        hs_code=facts.hs_code,
        description=facts.description.strip(),
        quantity=facts.quantity,
        consignor=_subject(SubjectRole.CONSIGNOR, declaration.exporter if declaration else None),
        consignee=_subject(SubjectRole.CONSIGNEE, declaration.importer if declaration else None),
        detection_method=facts.detection_method.strip(),
        handling=facts.handling,
        exhibits=exhibits,
    )


def _subject(role: SubjectRole, party: Party | None) -> Subject | None:
    return Subject(role, party.id, party.name, party.address.country) if party else None


def locked(inspection_id: UUID) -> InspectionRow:
    """The row of an inspection, locked.

    Raises: InspectionError where there is none.
    """
    row = InspectionRow.objects.select_for_update().filter(inspection_id=inspection_id).first()
    if row is None:
        raise InspectionError("There is no such inspection", where=str(inspection_id))
    return row


def ordered(
    actor: Actor, record: StoredRecord, reasons: Sequence[Reason], at: datetime, **more: object
) -> InspectionRow:
    """A new inspection of a record that has none open. more: further columns of the row.

    Raises: InspectionError.
    """
    if not reasons:
        raise InspectionError(
            "An inspection needs a reason", where=record.reference, remedy="Say why, in one sentence."
        )
    if InspectionRow.objects.filter(record_id=record.record_id, state__in=_OPEN).exists():
        raise InspectionError("An inspection of this record is open already", where=record.reference)
    return InspectionRow.objects.create(
        inspection_id=new_id(at),
        reference=next_reference("I", at),
        record_id=record.record_id,
        state=InspectionState.ORDERED.value,
        reasons=[[reason.code, reason.text, reason.clause] for reason in reasons],
        ordered_by=str(actor),
        ordered_at=at,
        **more,
    )


def next_reference(letter: str, at: datetime) -> str:
    """The next reference of a series; the row is locked, so that no number is given twice or left out."""
    Series.objects.get_or_create(letter=letter, year=at.year)
    series = Series.objects.select_for_update().get(letter=letter, year=at.year)
    series.last += 1
    series.save(update_fields=["last"])
    return reference_of(settings.COMITY_ADMINISTRATION, letter, at.year, series.last)


def audit(actor: Actor, deed: str, subject: str, at: datetime, **facts: str) -> None:
    """One entry of the audit; facts without words are left out."""
    kept = {name: words for name, words in facts.items() if words}
    record_deed(actor, deed=deed, subject=subject, facts=kept, at=at)
