"""Counts for monitoring. Nothing here tells who or what: kinds, states, codes and seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models import Count, Max, Min, Q

from comity.exchange.models import InboxEnvelope, InboxMessage, OutboxEnvelope, OutboxMessage, Refusal
from comity.exchange.receipt import read_answer_text
from comity.exchange.underway import SENT, is_under_way, open_runs

_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class Tally:
    """messages: by (direction, state, kind). refusals: by (whose, code), where whose is ours or theirs.

    received_envelopes: that were answered here.
    """

    messages: Mapping[tuple[str, str, str], int]
    refusals: Mapping[tuple[str, str], int]
    received_envelopes: int


def tally() -> Tally:
    """Everything counted; it reads whole tables, so remember it for a while."""
    messages: Counter[tuple[str, str, str]] = Counter()
    sent = OutboxMessage.objects.order_by().values_list("state", "kind").annotate(Count("id"))
    messages.update({("sent", state, kind): count for state, kind, count in sent})
    under_way = OutboxMessage.objects.filter(is_under_way(open_runs())).order_by()
    for kind, count in under_way.values_list("kind").annotate(Count("id")):
        messages.update({("sent", SENT, kind): count})
        messages.subtract({("sent", OutboxMessage.State.WAITING.value, kind): count})
    for state, wanted in _RECEIVED.items():
        rows = InboxMessage.objects.filter(wanted).order_by().values_list("kind").annotate(Count("id"))
        messages.update({("received", state, kind): count for kind, count in rows})
    refusals: Counter[tuple[str, str]] = Counter()
    whole = Refusal.objects.order_by().values_list("code").annotate(Count("id"))
    refusals.update({("ours", code): count for code, count in whole})
    for text in InboxMessage.objects.filter(is_accepted=False).values_list("answer", flat=True).iterator():
        refusals["ours", read_answer_text(text).code] += 1
    theirs = OutboxMessage.objects.filter(state=OutboxMessage.State.REFUSED).values_list("answer", flat=True)
    for answer in theirs.iterator():
        refusals["theirs", str((answer or {}).get("code", ""))[:60]] += 1
    return Tally(messages, refusals, InboxEnvelope.objects.count())


_RECEIVED = {
    "refused": Q(is_accepted=False),
    "due": Q(is_accepted=True, processed_at=None, failures=0),
    "failing": Q(is_accepted=True, processed_at=None, failures__gt=0),
    "done": Q(is_accepted=True, processed_at__isnull=False),
}


@dataclass(slots=True)
class Latencies:
    """Seconds from forming an envelope to having its receipt, of those that were answered since the first look.

    low: no envelope below it is looked at again. counted: those at or above it that were.
    """

    low: int = -1
    counted: set[int] = field(default_factory=set)

    def since_last(self) -> list[float]:
        """What has been answered since the last look."""
        if self.low < 0:
            self.low = self._first_open()
            return []
        rows = OutboxEnvelope.objects.filter(id__gte=self.low).exclude(state=OutboxEnvelope.State.OPEN)
        found = []
        for key, made, answered in rows.order_by("id").values_list("id", "created_at", "answered_at")[:_AT_ONCE]:
            if key not in self.counted:
                self.counted.add(key)
                if answered is not None:
                    found.append((answered - made).total_seconds())
        self.low = min(self._first_open(), max(self.counted, default=self.low) + 1)
        self.counted = {key for key in self.counted if key >= self.low}
        return found

    def _first_open(self) -> int:
        still = OutboxEnvelope.objects.filter(state=OutboxEnvelope.State.OPEN).aggregate(first=Min("id"))["first"]
        if still is not None:
            return int(still)
        return int(OutboxEnvelope.objects.aggregate(last=Max("id"))["last"] or 0) + 1
