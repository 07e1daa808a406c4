"""The mirror check in what is held of somebody: who was told of a declaration, what a partner's says beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from comity.exchange.models import OutboxMessage
from comity.insight.subjects import Item, Shared
from comity.risk.mirror_files import MirrorCompared, MirrorTold, told_of_records
from comity.trade import Handling

_AT_ONCE = 500


def shared_by_mirror(record_ids: Collection[UUID]) -> dict[UUID, tuple[Shared, ...]]:
    """Of each record the partners that were told of it, each message for itself."""
    told = list(told_of_records(record_ids))
    lines = _lines(each.message_id for each in told)
    found: dict[UUID, list[Shared]] = {}
    for each in told:
        if each.message_id in lines:
            found.setdefault(each.record_id, []).append(_shared(each, *lines[each.message_id]))
    return {record_id: tuple(shared) for record_id, shared in found.items()}


def as_comparison(item: Item, compared: MirrorCompared, reference: str) -> Item:
    """A partner's offer as what it says beside a declaration of ours. What differs is told as an officer decides."""
    figures = (
        ("mirror_agreed", _words(compared.agreed)),
        ("mirror_differing", _words(compared.differing)),
        ("mirror_unknown", _words(compared.unknown)),
        ("mirror_figures", "mirror_told" if compared.values_id else "mirror_closed"),
    )
    return replace(
        item,
        ref=f"mirror:{compared.issuer}:{compared.message_id}",
        what="mirror",
        title=reference,
        since=compared.matched_at,
        handling=max(item.handling, Handling.RESTRICTED) if compared.differing else item.handling,
        figures=tuple((name, figure) for name, figure in figures if figure),
    )


def _words(fields: Iterable[str]) -> str:
    return "; ".join(f"field_{each}" for each in fields)


def _lines(message_ids: Iterable[str]) -> dict[str, tuple[str, str, datetime]]:
    """Agreement, article and day of each message that was sent."""
    wanted, found = sorted(set(message_ids)), dict[str, tuple[str, str, datetime]]()
    for start in range(0, len(wanted), _AT_ONCE):
        rows = OutboxMessage.objects.filter(message_id__in=wanted[start : start + _AT_ONCE])
        for name, agreement, article, at in rows.values_list("message_id", "agreement", "article", "posted_at"):
            found[name] = (agreement, article, at)
    return found


def _shared(told: MirrorTold, agreement: str, article: str, at: datetime) -> Shared:
    return Shared(told.partner, agreement, article, at)
