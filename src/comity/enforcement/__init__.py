"""Inspections, findings, exhibits, seizures, release. Reads in `selectors`, writes in `services`."""

from comity.enforcement.errors import (
    EnforcementError,
    ExhibitError,
    FindingError,
    InspectionError,
    ReleaseError,
    SeizureError,
)
from comity.enforcement.rules import DecisionKind, InspectionState, Upload
from comity.enforcement.values import (
    Assessed,
    FindingFacts,
    Inspection,
    RecordFile,
    ReleaseDecision,
    Seizure,
    SeizureFacts,
)

__all__ = [
    "Assessed",
    "DecisionKind",
    "EnforcementError",
    "ExhibitError",
    "FindingError",
    "FindingFacts",
    "Inspection",
    "InspectionError",
    "InspectionState",
    "RecordFile",
    "ReleaseDecision",
    "ReleaseError",
    "Seizure",
    "SeizureError",
    "SeizureFacts",
    "Upload",
]
