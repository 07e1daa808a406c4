"""What arrived: raw bytes, versioned records, refusals. Reads are in `selectors`, writes in `services`."""

from comity.intake.errors import (
    ArchiveError,
    ArrivalNotFoundError,
    IntakeError,
    RecordNotFoundError,
    TooLargeError,
)
from comity.intake.rules import normal_key
from comity.intake.values import (
    ArrivalInfo,
    KeyKind,
    Receipt,
    RecordKind,
    RecordRef,
    RefusalNote,
    StoredRecord,
)

__all__ = [
    "ArchiveError",
    "ArrivalInfo",
    "ArrivalNotFoundError",
    "IntakeError",
    "KeyKind",
    "Receipt",
    "RecordKind",
    "RecordNotFoundError",
    "RecordRef",
    "RefusalNote",
    "StoredRecord",
    "TooLargeError",
    "normal_key",
]
