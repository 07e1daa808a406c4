"""What enforcement tells others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from comity.common import Reason
from comity.enforcement.rules import DecisionKind, InspectionState, Upload
from comity.trade import Finding, FindingResult, Handling, Money, Quantity, RiskType


@dataclass(frozen=True, slots=True)
class FindingFacts:
    """What an officer writes down after an inspection.

    alert_ref: the alert that is answered; where empty, the first alert among the reasons of the inspection.
    case_ref: where empty, an irregular finding opens a case of its own. revenue: duties and taxes assessed in addition;
    None: not assessed yet, 0: nothing is owed.
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
    revenue: Money | None = None


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
    """An inspection. reasons: why it was ordered; their codes are the sources that risk learns for.

    is_after_release: a check of documents when the goods have left, due on a day of the administration, and given to
    an officer (a username) or to nobody. completed_by, completed_at: who ended it, also by dropping it.
    """

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
    is_after_release: bool = False
    office: str = ""
    due_on: date | None = None
    assigned_to: str = ""
    dropped_because: str = ""

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.state in (InspectionState.ORDERED, InspectionState.STARTED)

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
class Assessed:
    """Duties and taxes assessed in addition after a finding, as stated last."""

    finding_ref: str
    revenue: Money
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordFile:
    """Everything that was done about one record. assessed: by the reference of the finding."""

    inspections: tuple[Inspection, ...]
    findings: tuple[Finding, ...]
    seizures: tuple[Seizure, ...]
    decisions: tuple[ReleaseDecision, ...]
    assessed: Mapping[str, Assessed] = field(default_factory=dict)

    @property
    def is_released(self) -> bool:
        """Whether the goods have left."""
        return any(decision.kind is DecisionKind.RELEASED for decision in self.decisions)
