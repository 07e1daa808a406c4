"""What the mirror check told partners of our declarations, and what partners told of the same consignments.

For who asks what is held about them. Reads only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from comity.risk.models import MirrorExport, MirrorMatch
from comity.risk.writing import parts

_SENT = "sent"


@dataclass(frozen=True, slots=True)
class MirrorTold:
    """A message of ours about a declaration: its offer as commitments, or the figures that a partner asked for."""

    record_id: UUID
    partner: str
    message_id: str


@dataclass(frozen=True, slots=True)
class MirrorCompared:
    """A partner's declaration of the same consignment beside ours. fields: agreed, differing, and unknown ones.

    message_id: of the offer; values_id: of the figures, where it told any.
    """

    record_id: UUID
    issuer: str
    message_id: str
    values_id: str
    agreed: tuple[str, ...]
    differing: tuple[str, ...]
    unknown: tuple[str, ...]
    matched_at: datetime


def told_of_records(record_ids: Collection[UUID]) -> Iterator[MirrorTold]:
    """What partners were told of these records, the earliest first."""
    for part in parts(sorted(record_ids)):
        for row in MirrorExport.objects.filter(record_id__in=part).order_by("id"):
            if row.state == _SENT and row.message_id:
                yield MirrorTold(row.record_id, row.partner, row.message_id)
            if row.answer_state == _SENT and row.answer_id:
                yield MirrorTold(row.record_id, row.partner, row.answer_id)


def compared_with_records(record_ids: Collection[UUID]) -> Iterator[MirrorCompared]:
    """Partners' declarations that were compared with these records, the earliest first."""
    for part in parts(sorted(record_ids)):
        for row in MirrorMatch.objects.filter(record_id__in=part).select_related("offer").order_by("id"):
            yield MirrorCompared(
                record_id=row.record_id,
                issuer=row.offer.issuer,
                message_id=row.offer.message_id,
                values_id=row.values_id,
                agreed=tuple(row.agreed),
                differing=tuple(row.differing),
                unknown=tuple(row.unknown),
                matched_at=row.matched_at,
            )
