"""Reads of this room: inspections, findings, seizures, decisions, exhibits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db.models import Count

from comity.common import Reason
from comity.enforcement.errors import ExhibitError, FindingError, InspectionError
from comity.enforcement.evidence import read
from comity.enforcement.models import DecisionRow, ExhibitFile, FindingRow, InspectionRow, SeizureRow
from comity.enforcement.rules import DecisionKind, InspectionState
from comity.enforcement.values import Assessed, Inspection, RecordFile, ReleaseDecision, Seizure, SeizureFacts
from comity.trade import Exhibit, Finding, Money, Quantity
from comity.trade.encoding import finding_from_body


@dataclass(frozen=True, slots=True)
class ExhibitContent:
    """An exhibit with its bytes."""

    exhibit: Exhibit
    finding_ref: str
    record_id: UUID
    data: bytes


def inspection(inspection_id: UUID) -> Inspection:
    """One inspection.

    Raises: InspectionError where there is none.
    """
    row = InspectionRow.objects.filter(inspection_id=inspection_id).first()
    if row is None:
        raise InspectionError("There is no such inspection", where=str(inspection_id))
    return inspection_of(row)


def inspections(
    *, states: Iterable[InspectionState] = (), is_after_release: bool | None = None, limit: int = 200
) -> list[Inspection]:
    """Inspections, the latest ordered first. is_after_release: only checks after release, or none of them."""
    rows = InspectionRow.objects.order_by("-ordered_at", "-reference")
    if is_after_release is not None:
        rows = rows.filter(is_after_release=is_after_release)
    wanted = [state.value for state in states]
    if wanted:
        rows = rows.filter(state__in=wanted)
    return [inspection_of(row) for row in rows[:limit]]


def open_inspection(record_id: UUID) -> Inspection | None:
    """The inspection of a record that is ordered or started, or None."""
    wanted = [InspectionState.ORDERED.value, InspectionState.STARTED.value]
    row = InspectionRow.objects.filter(record_id=record_id, state__in=wanted).first()
    return inspection_of(row) if row else None


def finding(finding_ref: str) -> Finding | None:
    """A finding as the result notice, with the seizure that followed it."""
    return next(iter(_findings(FindingRow.objects.filter(reference=finding_ref))), None)


def finding_of_inspection(inspection_id: UUID) -> Finding | None:
    """What an inspection came to, or None while it is open."""
    return next(iter(_findings(FindingRow.objects.filter(inspection_id=inspection_id))), None)


def inspection_of_finding(finding_ref: str) -> Inspection:
    """The inspection that came to a finding.

    Raises: FindingError where there is no such finding.
    """
    row = FindingRow.objects.select_related("inspection").filter(reference=finding_ref).first()
    if row is None:
        raise FindingError("There is no such finding", where=finding_ref[:100])
    return inspection_of(row.inspection)


def assessed(finding_ref: str) -> Assessed | None:
    """What was assessed in addition after a finding; None where nothing was stated."""
    row = FindingRow.objects.filter(reference=finding_ref).first()
    return assessed_of(row) if row else None


def findings(*, alert_ref: str = "", limit: int = 200) -> list[Finding]:
    """Findings, the latest first; those that answer one alert where it is named."""
    rows = FindingRow.objects.order_by("-found_at", "-id")
    if alert_ref:
        rows = rows.filter(alert_ref=alert_ref)
    return _findings(rows[:limit])


def seizures(*, limit: int = 200) -> list[Seizure]:
    """Seizures, the latest first."""
    return [seizure_of(row) for row in SeizureRow.objects.order_by("-seized_at", "-id")[:limit]]


def record_file(record_id: UUID) -> RecordFile:
    """Everything that was done about one record, oldest first."""
    found = list(FindingRow.objects.filter(record_id=record_id).order_by("found_at", "id"))
    stated = [each for each in map(assessed_of, found) if each]
    return RecordFile(
        inspections=tuple(
            inspection_of(row) for row in InspectionRow.objects.filter(record_id=record_id).order_by("ordered_at")
        ),
        findings=tuple(_findings(found)),
        assessed={each.finding_ref: each for each in stated},
        seizures=tuple(seizure_of(row) for row in SeizureRow.objects.filter(record_id=record_id).order_by("id")),
        decisions=tuple(decision_of(row) for row in DecisionRow.objects.filter(record_id=record_id).order_by("id")),
    )


def exhibit(finding_ref: str, sha256: str) -> ExhibitContent:
    """An exhibit of a finding with its bytes, proved against their digest.

    Raises: ExhibitError where there is none, or its file is missing or was changed.
    """
    rows = ExhibitFile.objects.select_related("finding").filter(finding__reference=finding_ref, sha256=sha256)
    row = rows.first()
    if row is None:
        raise ExhibitError("The finding has no such exhibit", where=f"{finding_ref} {sha256[:16]}")
    data = read(settings.COMITY_EVIDENCE, row.sha256)
    shown = Exhibit(row.name, row.sha256, row.media_type, row.size_bytes)
    return ExhibitContent(shown, finding_ref, row.finding.record_id, data)


def state_counts() -> dict[InspectionState, int]:
    """How many inspections stand in each state."""
    rows = InspectionRow.objects.values("state").annotate(n=Count("inspection_id"))
    counted = Counter({InspectionState(row["state"]): row["n"] for row in rows})
    return {state: counted[state] for state in InspectionState}


def inspection_of(row: InspectionRow) -> Inspection:
    """The inspection as a value."""
    return Inspection(
        inspection_id=row.inspection_id,
        reference=row.reference,
        record_id=row.record_id,
        state=InspectionState(row.state),
        reasons=tuple(Reason(code, text, clause) for code, text, clause in row.reasons),
        place=row.place,
        ordered_by=row.ordered_by,
        ordered_at=row.ordered_at,
        started_by=row.started_by,
        started_at=row.started_at,
        completed_by=row.completed_by,
        completed_at=row.completed_at,
        case_ref=row.case_ref,
        is_after_release=row.is_after_release,
        office=row.office,
        due_on=row.due_on,
        assigned_to=row.assigned_to,
        dropped_because=row.dropped_because,
    )


def seizure_of(row: SeizureRow) -> Seizure:
    """The seizure as a value."""
    facts = SeizureFacts(
        legal_basis=row.legal_basis,
        goods=row.goods,
        hs_code=row.hs_code,
        quantity=Quantity(Decimal(row.quantity), row.unit) if row.quantity else None,
        value=Money(Decimal(row.amount), row.currency) if row.amount else None,
        place=row.place,
        is_total=row.is_total,
    )
    return Seizure(row.reference, row.inspection_id, row.record_id, facts, row.case_ref, row.seized_by, row.seized_at)


def assessed_of(row: FindingRow) -> Assessed | None:
    """What was assessed in addition, as a value; None where nothing was stated."""
    if not row.revenue_amount or row.revenue_at is None:
        return None
    return Assessed(
        finding_ref=row.reference,
        revenue=Money(Decimal(row.revenue_amount), row.revenue_currency),
        by=row.revenue_by,
        at=row.revenue_at,
    )


def decision_of(row: DecisionRow) -> ReleaseDecision:
    """The decision as a value."""
    return ReleaseDecision(row.record_id, DecisionKind(row.kind), row.reason, row.decided_by, row.decided_at)


def _findings(rows: Iterable[FindingRow]) -> list[Finding]:
    found = list(rows)
    seized = dict(
        SeizureRow.objects.filter(inspection__in=[row.inspection_id for row in found])
        .order_by("-id")
        .values_list("inspection_id", "reference")
    )
    return [replace(finding_from_body(row.notice), seizure_ref=seized.get(row.inspection_id, "")) for row in found]
