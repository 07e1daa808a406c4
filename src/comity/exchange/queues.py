"""Reads of what waits and of the pace: how long each queue is, how old, and what slows it down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, Sum

from comity.exchange.errors import PartnerUnknownError
from comity.exchange.limits import LoadLimits, Priority, read_load_limits
from comity.exchange.models import Delivery, InboxEnvelope, OutboxEnvelope, OutboxMessage, Reception
from comity.exchange.pace import Allowance, Intake
from comity.exchange.underway import is_under_way, open_runs

# No partner has more of them in a minute; so the newest are found without an index of their times.
_ENVELOPES_LOOKED_AT = 8192


@dataclass(frozen=True, slots=True)
class Queue:
    """Messages of one priority that wait. oldest_at: when the one was posted that waits longest; None: none waits."""

    priority: Priority
    waiting: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class PartnerPace:
    """How fast the exchange with a partner goes. limits: what it published.

    sent, received: messages of envelopes of the last minute. in_flight: envelopes that are not answered. may_go: how
    many ordinary messages its pace allows now; None: any. wait_seconds: until we take more from it; 0: now.
    """

    administration: str
    limits: LoadLimits
    sent: int
    received: int
    in_flight: int
    may_go: int | None
    wait_seconds: int


def queues(partner: str = "") -> tuple[Queue, ...]:
    """What waits for one partner or for all, by priority, the most urgent first."""
    rows = OutboxMessage.objects.filter(Q(partner__administration=partner) if partner else Q(), state="waiting")
    rows = rows.exclude(is_under_way(open_runs()))
    found = {
        priority: Queue(Priority(priority), count, oldest)
        for priority, count, oldest in rows.order_by()
        .values_list("priority")
        .annotate(count=Count("id"), oldest=Min("posted_at"))
    }
    return tuple(found.get(each.value) or Queue(each, 0, None) for each in Priority)


def partner_pace(administration: str, *, ours: LoadLimits, at: datetime) -> PartnerPace:
    """How fast the exchange with one partner goes at this time. ours: the load limits of this node.

    Raises: PartnerUnknownError.
    """
    delivery = Delivery.objects.filter(partner__administration=administration).first()
    if delivery is None:
        raise PartnerUnknownError("No such partner", where=administration, remedy="See `comity partner list`.")
    limits, begin = read_load_limits(delivery.load_limits), at - timedelta(minutes=1)
    sent = OutboxEnvelope.objects.filter(pk__gt=_recent(OutboxEnvelope), partner_id=delivery.partner_id)
    received = InboxEnvelope.objects.filter(pk__gt=_recent(InboxEnvelope), sender=administration)
    still_open = OutboxEnvelope.objects.filter(partner_id=delivery.partner_id, state=OutboxEnvelope.State.OPEN)
    per_minute, may_go = limits.messages_per_minute, None
    if per_minute is not None:
        allowance = Allowance(delivery.allowance, delivery.allowance_at).refilled(per_minute, at)
        may_go = allowance.room(per_minute, is_urgent=False)
    return PartnerPace(
        administration=administration,
        limits=limits,
        sent=sent.filter(created_at__gt=begin).aggregate(sum=Sum("count"))["sum"] or 0,
        received=received.filter(received_at__gt=begin).aggregate(sum=Sum("count"))["sum"] or 0,
        in_flight=still_open.filter(leased_until__gt=at).count(),
        may_go=may_go,
        wait_seconds=_wait_seconds(delivery.partner_id, ours, at),
    )


def _wait_seconds(partner_id: int, ours: LoadLimits, at: datetime) -> int:
    if ours.messages_per_minute is None:
        return 0
    row = Reception.objects.get(partner_id=partner_id)
    return Intake(row.taken, row.taken_at).faded(ours.messages_per_minute, at).wait_seconds(ours.messages_per_minute)


def _recent(model: type[OutboxEnvelope] | type[InboxEnvelope]) -> int:
    """The key after which the rows are looked at."""
    newest: int | None = model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
    return (newest or 0) - _ENVELOPES_LOOKED_AT
