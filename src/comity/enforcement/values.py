"""What enforcement tells others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from comity.common import Reason
from comity.enforcement.rules import DecisionKind, InspectionState, Upload
from comity.trade import Finding, FindingResult, Handling, Money, Quantity, RiskType


@dataclass(frozen=True, slots=True)
class FindingFacts:
    """What an officer writes down after an inspection.

    alert_ref: the alert that is answered; where empty, the first alert among the reasons of the inspection.
    case_ref: where empty, an irregular finding opens a case of its own.
    """

    result: FindingResult
    risk_type: RiskType | None = None
    description: str = ""
    hs_code: str = ""
    quantity: Quantity | None = None
    detection_method: str = ""
    alert_ref: str = ""
    case_ref: str = ""
    handling: Handling = Handling.OFFICIAL
    exhibits: tuple[Upload, ...] = ()


@dataclass(frozen=True, slots=True)
class SeizureFacts:
    """What is taken. is_total: whether nothing of the consignment is left to release."""

    legal_basis: str
    goods: str
    hs_code: str = ""
    quantity: Quantity | None = None
    value: Money | None = None
    place: str = ""
    is_total: bool = True


@dataclass(frozen=True, slots=True)
class Inspection:
    """An inspection. reasons: why it was ordered; their codes are the sources that risk learns for."""

    inspection_id: UUID
    reference: str
    record_id: UUID
    state: InspectionState
    reasons: tuple[Reason, ...]
    place: str
    ordered_by: str
    ordered_at: datetime
    started_by: str
    started_at: datetime | None
    completed_by: str
    completed_at: datetime | None
    case_ref: str

    @property
    def sources(self) -> tuple[str, ...]:
        """What asked for the control: alert:<ref>, profile:<ref>, random."""
        return tuple(reason.code for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Seizure:
    """Goods that were taken."""

    reference: str
    inspection_id: UUID
    record_id: UUID
    facts: SeizureFacts
    case_ref: str
    seized_by: str
    seized_at: datetime


@dataclass(frozen=True, slots=True)
class ReleaseDecision:
    """Goods released or held, by whom and why."""

    record_id: UUID
    kind: DecisionKind
    reason: str
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class RecordFile:
    """Everything that was done about one record."""

    inspections: tuple[Inspection, ...]
    findings: tuple[Finding, ...]
    seizures: tuple[Seizure, ...]
    decisions: tuple[ReleaseDecision, ...]

    @property
    def is_released(self) -> bool:
        """Whether the goods have left."""
        return any(decision.kind is DecisionKind.RELEASED for decision in self.decisions)
