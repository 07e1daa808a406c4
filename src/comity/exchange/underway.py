"""Which waiting messages are in an open envelope: the envelope says so, and no message is written for it.

A row of the outbox is large and has six indices. To mark it when it leaves and again when it is answered cost the
sender's database more than all else (docs/decisions/0023).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import Q

from comity.exchange.models import OutboxEnvelope, OutboxMessage
from comity.exchange.position import Range, merged

Runs = Mapping[int, tuple[Range, ...]]
SENT = "sent"


def open_runs(partner_id: int | None = None) -> Runs:
    """The runs of sequences in open envelopes, by partner id; of one partner or of all."""
    rows = OutboxEnvelope.objects.filter(state=OutboxEnvelope.State.OPEN)
    rows = rows if partner_id is None else rows.filter(partner_id=partner_id)
    found: dict[int, list[Range]] = defaultdict(list)
    for whose, first, count in rows.values_list("partner_id", "first_sequence", "count"):
        found[whose].append((first, first + count - 1))
    return {whose: merged(ranges) for whose, ranges in found.items()}


def is_under_way(runs: Runs) -> Q:
    """Of messages that wait: those in these runs."""
    wanted = Q(pk__in=())
    for partner_id, ranges in runs.items():
        wanted |= Q(partner_id=partner_id) & _within(ranges)
    return wanted & Q(state=OutboxMessage.State.WAITING)


def word_of(row: OutboxMessage, runs: Runs) -> str:
    """The state of a message as people read it: waiting, sent, delivered or refused."""
    ranges = runs.get(row.partner_id, ()) if row.state == OutboxMessage.State.WAITING else ()
    return SENT if any(first <= row.sequence <= last for first, last in ranges) else row.state


def _within(ranges: Iterable[Range]) -> Q:
    wanted = Q()
    for first, last in ranges:
        wanted |= Q(sequence__range=(first, last))
    return wanted
