"""States of an inspection, what may follow what, and what a file is by its first bytes. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from comity.enforcement.errors import ExhibitError, FindingError, InspectionError
from comity.trade import FindingResult, Money
from comity.trade.codes import check_currency

MAX_NAME = 200
# More in one finding is a slip of the pen in every currency.
MOST_REVENUE = Decimal(10) ** 15
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class InspectionState(StrEnum):
    """The life of an inspection; a check after release alone may be dropped."""

    ORDERED = "ordered"
    STARTED = "started"
    COMPLETED = "completed"
    DROPPED = "dropped"


class DecisionKind(StrEnum):
    """What was decided about goods."""

    RELEASED = "released"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Upload:
    """A photo or document as it was handed in."""

    name: str
    data: bytes


def require_state(reference: str, state: InspectionState, wanted: InspectionState, deed: str) -> None:
    """Let a deed pass only in one state.

    Raises: InspectionError, saying what to do first.
    """
    if state is wanted:
        return
    remedy = {
        (InspectionState.DROPPED, wanted): "It was dropped, with a reason; it is not taken up again.",
        (InspectionState.ORDERED, InspectionState.STARTED): "Start the inspection first.",
        (InspectionState.STARTED, InspectionState.ORDERED): "It was started before.",
    }.get((state, wanted), "A completed inspection stays as it is; order another one.")
    raise InspectionError(f"An inspection that is {state.value} cannot be {deed}", where=reference, remedy=remedy)


def check_revenue(result: FindingResult, revenue: Money | None) -> None:
    """Let through what can be owed in addition: a sum of money from 0, and 0 where all was in order.

    Raises: FindingError.
    """
    if revenue is None:
        return
    shown = f"revenue = {revenue.amount} {revenue.currency}"[:80]
    if not revenue.amount.is_finite() or not 0 <= revenue.amount < MOST_REVENUE:
        raise FindingError("Duties and taxes assessed in addition are 0 or more", where=shown)
    if check_currency(revenue.currency):
        raise FindingError("The currency is no ISO 4217 code", where=shown, remedy="Write three capitals, such as XAF.")
    if result is FindingResult.IN_ORDER and revenue.amount:
        raise FindingError(
            "Goods found in order owe nothing more",
            where=shown,
            remedy="Record the finding as irregular, or leave the amount out.",
        )


def media_type_of(data: bytes) -> str:
    """What a file is by its own first bytes; what its name claims does not count."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "application/octet-stream"


def safe_name(name: str) -> str:
    """The file name without folders and control signs, short enough to store."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    return _CONTROL.sub("", last).strip()[-MAX_NAME:] or "exhibit"


def check_upload(upload: Upload, *, limit_bytes: int) -> str:
    """The SHA-256 (hex) of an upload that may be kept.

    Raises: ExhibitError where it is empty or too large.
    """
    if not upload.data:
        raise ExhibitError("The file is empty", where=safe_name(upload.name), remedy="Attach the photo or document.")
    if len(upload.data) > limit_bytes:
        raise ExhibitError(
            f"The file has {len(upload.data):,} bytes; {limit_bytes:,} are the most",
            where=safe_name(upload.name),
            remedy="Make it smaller or split it.",
        )
    return hashlib.sha256(upload.data).hexdigest()


def reference_of(administration: str, letter: str, year: int, number: int) -> str:
    """The reference of an inspection (I), finding (F), seizure (S) or case (C): XA-I-2026-000001."""
    return f"{administration}-{letter}-{year}-{number:06d}"
