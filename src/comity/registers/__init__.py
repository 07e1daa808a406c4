"""Watch lists and registers, dated; names matched against them. Reads in `selectors`, writes in `services`."""

from comity.registers.errors import ListFormError, RegisterError, ShrunkListError, TooManyBrokenError
from comity.registers.values import (
    BrokenRow,
    EntryKind,
    Identifier,
    ListedName,
    ListFormat,
    ListSource,
    Reading,
    RegisterKind,
    RegisterVersion,
    WatchEntry,
)

__all__ = [
    "BrokenRow",
    "EntryKind",
    "Identifier",
    "ListFormError",
    "ListFormat",
    "ListSource",
    "ListedName",
    "Reading",
    "RegisterError",
    "RegisterKind",
    "RegisterVersion",
    "ShrunkListError",
    "TooManyBrokenError",
    "WatchEntry",
]
