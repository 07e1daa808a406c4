"""Reads of this room."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

from comity.agreements.course import Course, course_of
from comity.agreements.engine import Engine
from comity.agreements.errors import UnknownAgreementError
from comity.agreements.models import AgreementRow, DecisionReceiptRow
from comity.agreements.parsing import agreement_from_bytes
from comity.agreements.values import Agreement
from comity.trust import Signature, SignedStatement

PAYLOAD_TYPE = "application/vnd.comity.agreement.v1+json"


class AgreementState(StrEnum):
    """How far an agreement has got: imported, signed by some, in force by all signatures, or past its last day; then
    suspended as a whole, superseded by a later version, or ended since fewer than two parties are left.
    """

    DRAFT = "draft"
    SIGNED = "signed"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    ENDED = "ended"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class StoredAgreement:
    """An agreement and what this node knows of it. signed_by: the parties whose signatures verified."""

    agreement: Agreement
    state: AgreementState
    signed_by: tuple[str, ...]
    signature_count: int
    imported_at: datetime
    adopted_at: datetime | None
    statement: bytes

    @property
    def id(self) -> str:
        """The agreement's id."""
        return self.agreement.id


@dataclass(frozen=True, slots=True)
class Strength:
    """What is asked of an envelope beyond the ordinary: words of Agreement.seal and .second_signature, or empty."""

    seal: str = ""
    second_signature: str = ""


@dataclass(frozen=True, slots=True)
class DecisionReceipt:
    """One decision that was taken here. document: the canonical bytes. direction: sent or received.

    salt, log_index: of the commitment in our log; the index is None until it stands there.
    """

    receipt_id: UUID
    decided_at: datetime
    direction: str
    is_permitted: bool
    agreement_id: str
    article_id: str
    actor: str
    digest: str
    document: bytes
    salt: bytes
    log_index: int | None

    @property
    def facts(self) -> dict[str, Any]:
        """The document read."""
        return cast(dict[str, Any], json.loads(self.document))


def agreements(*, at: datetime) -> tuple[StoredAgreement, ...]:
    """Every agreement, the latest imported first."""
    rows = AgreementRow.objects.prefetch_related("signatures").order_by("-imported_at", "agreement_id")
    return tuple(stored_of(row, at=at) for row in rows)


def agreement(agreement_id: str, *, at: datetime) -> StoredAgreement:
    """One agreement; the beginning of its id, twelve digits or more, is enough.

    Raises: UnknownAgreementError.
    """
    return stored_of(agreement_row(agreement_id), at=at)


def agreement_row(agreement_id: str) -> AgreementRow:
    """The row of an agreement by its id or the beginning of it.

    Raises: UnknownAgreementError.
    """
    is_short = 12 <= len(agreement_id) < 64
    wanted = {"agreement_id__startswith": agreement_id} if is_short else {"agreement_id": agreement_id}
    rows = list(AgreementRow.objects.filter(**wanted)[:2])
    if len(rows) != 1:
        raise UnknownAgreementError(
            "No agreement with this id is known here",
            where=agreement_id[:64],
            remedy="Import and adopt it first: comity agreement adopt FILE.",
        )
    return rows[0]


def engine(at: datetime) -> Engine:
    """The engine over every agreement that was adopted; it minds the dates itself, those of suspensions, leavings and
    later versions among them. Made anew only when one is added or something becomes of one.
    """
    rows = AgreementRow.objects.filter(adopted_at__isnull=False, adopted_at__lte=at).order_by("agreement_id")
    return _engine_of(tuple(rows.values_list("agreement_id", "course")))


def engine_of(agreement_id: str) -> Engine | None:
    """The engine over one adopted agreement, None where there is none: what a receiving node decides with."""
    rows = AgreementRow.objects.filter(agreement_id=agreement_id, adopted_at__isnull=False)
    found = tuple(rows.values_list("agreement_id", "course"))
    return _engine_of(found) if found else None


def adopted_agreement(agreement_id: str) -> Agreement | None:
    """The agreement that was adopted here under this id, whatever became of it; None where there is none.

    What was shared under it is still held, so duties go on after a suspension, a leaving and its last day.
    """
    row = AgreementRow.objects.filter(agreement_id=agreement_id, adopted_at__isnull=False).first()
    return agreement_from_bytes(bytes(row.canonical)) if row else None


def adopted_ids() -> tuple[str, ...]:
    """The ids of every agreement that was adopted here."""
    rows = AgreementRow.objects.filter(adopted_at__isnull=False).order_by("agreement_id")
    return tuple(rows.values_list("agreement_id", flat=True))


def strength_asked(ids: tuple[str, ...], party: str, *, at: datetime) -> Strength:
    """What the agreements of these ids ask for on every envelope to or from a party of theirs, at that time."""
    asking = [each for each in _asking(ids) if party in each.parties and is_in_force(each, at)]
    return Strength(
        seal=next((each.seal for each in asking if each.seal), ""),
        second_signature=next((each.second_signature for each in asking if each.second_signature), ""),
    )


def is_in_force(agreement: Agreement, at: datetime) -> bool:
    """Whether an agreement's period holds that time."""
    return agreement.in_force.opens_at <= at < agreement.in_force.closes_at


def decision_receipts(
    *, agreement_id: str = "", is_permitted: bool | None = None, limit: int = 100
) -> tuple[DecisionReceipt, ...]:
    """Receipts of decisions, the latest first."""
    rows = DecisionReceiptRow.objects.order_by("-decided_at", "-receipt_id")
    if agreement_id:
        rows = rows.filter(agreement_id=agreement_id)
    if is_permitted is not None:
        rows = rows.filter(is_permitted=is_permitted)
    return tuple(receipt_of(row) for row in rows[:limit])


def stored_of(row: AgreementRow, *, at: datetime) -> StoredAgreement:
    """The value of a row."""
    found = agreement_from_bytes(bytes(row.canonical))
    signatures = sorted(row.signatures.all(), key=lambda each: (each.party, each.keyid))
    statement = SignedStatement(
        payload_type=PAYLOAD_TYPE,
        payload=bytes(row.canonical),
        signatures=tuple(Signature(each.keyid, bytes(each.signature)) for each in signatures),
    )
    return StoredAgreement(
        agreement=found,
        state=_state(row, found, len(signatures), at),
        signed_by=tuple(sorted({each.party for each in signatures})),
        signature_count=len(signatures),
        imported_at=row.imported_at,
        adopted_at=row.adopted_at,
        statement=statement.to_bytes() if signatures else b"",
    )


def _state(row: AgreementRow, found: Agreement, signatures: int, at: datetime) -> AgreementState:
    if at >= found.in_force.closes_at:
        return AgreementState.EXPIRED
    if row.adopted_at is not None:
        return _state_in_force(course_of(row.course), found, at)
    return AgreementState.SIGNED if signatures else AgreementState.DRAFT


def _state_in_force(course: Course, found: Agreement, at: datetime) -> AgreementState:
    if course.ended_at(found.parties, at):
        return AgreementState.ENDED
    if course.superseded_at is not None and at >= course.superseded_at:
        return AgreementState.SUPERSEDED
    if any(each.holds(at) and not each.article for each in course.suspensions):
        return AgreementState.SUSPENDED
    return AgreementState.IN_FORCE


def receipt_of(row: DecisionReceiptRow) -> DecisionReceipt:
    """The value of a row."""
    return DecisionReceipt(
        receipt_id=row.receipt_id,
        decided_at=row.decided_at,
        direction=row.direction,
        is_permitted=row.is_permitted,
        agreement_id=row.agreement_id,
        article_id=row.article_id,
        actor=row.actor,
        digest=row.digest,
        document=bytes(row.document),
        salt=bytes(row.salt),
        log_index=row.log_index,
    )


@lru_cache(maxsize=64)
def _asking(ids: tuple[str, ...]) -> tuple[Agreement, ...]:
    """Those that ask for more than the ordinary seal and signature. By content, so never stale."""
    rows = AgreementRow.objects.filter(agreement_id__in=ids)
    found = (agreement_from_bytes(bytes(row.canonical)) for row in rows)
    return tuple(each for each in found if each.seal or each.second_signature)


@lru_cache(maxsize=64)
def _engine_of(adopted: tuple[tuple[str, str], ...]) -> Engine:
    """By content, each id with its course: an id is a hash, so a remembered engine can never be stale."""
    courses = {agreement_id: course_of(course) for agreement_id, course in adopted}
    rows: Iterable[AgreementRow] = AgreementRow.objects.filter(agreement_id__in=courses)
    return Engine((agreement_from_bytes(bytes(row.canonical)) for row in rows), courses)
