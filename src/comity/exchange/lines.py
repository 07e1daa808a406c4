"""Reads for those who look after the node: how each line stands, what waits how long, what should have been purged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min

from comity.exchange.models import Delivery, InboxMessage, OutboxMessage, Reception


@dataclass(frozen=True, slots=True)
class LineView:
    """How sending to one partner goes.

    waiting, oldest_at: messages without an answer yet, by priority too. skew_seconds: how far its clock is ahead of
    ours for certain, None until a receipt came. certificate_until: of the TLS certificate that it showed last.
    """

    partner: str
    state: str
    way: str
    failures: int
    last_error: str
    last_answer_at: datetime | None
    next_attempt_at: datetime | None
    waiting: int
    oldest_at: datetime | None
    waiting_by_priority: Mapping[int, tuple[int, datetime]]
    skew_seconds: float | None
    certificate_until: datetime | None
    cosigned_size: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is due and has not happened. oldest_at: since when the oldest of it. last_error: of one that fails."""

    due: int
    failing: int = 0
    oldest_at: datetime | None = None
    last_error: str = ""


def lines() -> tuple[LineView, ...]:
    """Every partner's line, in the order of their codes."""
    waiting = _waiting()
    return tuple(
        _line(row, waiting.get(row.partner_id, {}))
        for row in Delivery.objects.select_related("partner").order_by("partner__administration")
    )


def last_arrival_at() -> datetime | None:
    """When anything last came from any partner: an envelope, or an answer to one of ours."""
    came = Reception.objects.aggregate(last=Max("last_envelope_at"))["last"]
    answered = Delivery.objects.aggregate(last=Max("last_answer_at"))["last"]
    return max((each for each in (came, answered) if each is not None), default=None)


def journeys_backlog() -> Backlog:
    """Accepted messages whose journey has not ended."""
    rows = InboxMessage.objects.filter(is_accepted=True, processed_at=None)
    counts = rows.aggregate(due=Count("id"), oldest=Min("received_at"))
    failing = rows.filter(failures__gt=0)
    last = failing.order_by("-id").values_list("last_error", flat=True).first()
    return Backlog(counts["due"], failing.count() if last is not None else 0, counts["oldest"], last or "")


def retention_backlog(at: datetime) -> Backlog:
    """Messages that an agreement bade us to purge before this time, and that are still here."""
    rows = InboxMessage.objects.filter(purged_at=None, keep_until__lt=at)
    counts = rows.aggregate(due=Count("id"), oldest=Min("keep_until"))
    return Backlog(counts["due"], oldest_at=counts["oldest"])


def _waiting() -> dict[int, dict[int, tuple[int, datetime]]]:
    rows: Iterable[tuple[int, int, int, datetime]] = (
        OutboxMessage.objects.filter(state=OutboxMessage.State.WAITING)
        .order_by()
        .values_list("partner_id", "priority")
        .annotate(Count("id"), Min("posted_at"))
    )
    found: dict[int, dict[int, tuple[int, datetime]]] = {}
    for partner_id, priority, count, oldest in rows:
        found.setdefault(partner_id, {})[priority] = (count, oldest)
    return found


def _line(row: Delivery, waiting: Mapping[int, tuple[int, datetime]]) -> LineView:
    return LineView(
        partner=row.partner.administration,
        state=row.partner.state,
        way=row.partner.way,
        failures=row.failures,
        last_error=row.last_error,
        last_answer_at=row.last_answer_at,
        next_attempt_at=row.next_attempt_at,
        waiting=sum(count for count, _ in waiting.values()),
        oldest_at=min((oldest for _, oldest in waiting.values()), default=None),
        waiting_by_priority=waiting,
        skew_seconds=row.skew_seconds,
        certificate_until=row.certificate_until,
        cosigned_size=row.cosigned_size,
    )
