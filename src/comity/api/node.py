# ruff: noqa: ARG001 - the framework hands the request over by name
"""Is the node well, and what does it have to do."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from ninja import Router, Schema

from comity.api.fields import Instant
from comity.api.guard import needs
from comity.common import utc_now
from comity.enforcement import selectors as enforcement
from comity.exchange import selectors as exchange
from comity.intake import selectors as intake
from comity.ledger import selectors as ledger
from comity.risk import selectors as risk

router = Router(tags=["node"])


class Health(Schema):
    """That the node answers and reaches its database."""

    status: str
    administration: str


class NodeStatus(Schema):
    """What the node is, and what waits in it.

    queue, inspections: how many stand in each state. outbox_waiting: messages without an answer yet; inbox_due:
    messages that were accepted and not acted on yet; log_size: entries of this node's log.
    """

    administration: str
    name: str
    now: Instant
    time_zone: str
    arrivals: int
    records: int
    refusals: int
    queue: dict[str, int]
    inspections: dict[str, int]
    partners: int
    outbox_waiting: int
    outbox_oldest_at: Instant | None = None
    inbox_due: int
    inbox_failing: int
    log_size: int


@router.get("/health", response=Health, auth=None, summary="Whether the node answers and reaches its database")
def health(request: HttpRequest) -> Health:
    """`ok` where the database answers. No token is needed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return Health(status="ok", administration=settings.COMITY_ADMINISTRATION)


@router.get("/status", response=NodeStatus, summary="What waits in the node", **needs(None))
def status(request: HttpRequest) -> NodeStatus:
    """Counts of what arrived, of what is to be delivered, and of the log."""
    taken_in, outbox, inbox = intake.counts(), exchange.outbox_status(), exchange.inbox_status()
    return NodeStatus(
        administration=settings.COMITY_ADMINISTRATION,
        name=settings.COMITY_NAME,
        now=utc_now(),
        time_zone=settings.COMITY_TIME_ZONE,
        arrivals=taken_in.arrivals,
        records=taken_in.records,
        refusals=taken_in.refusals,
        queue={state.value: count for state, count in risk.state_counts().items()},
        inspections={state.value: count for state, count in enforcement.state_counts().items()},
        partners=len(exchange.partners()),
        outbox_waiting=outbox.waiting + outbox.sent,
        outbox_oldest_at=outbox.oldest_at,
        inbox_due=inbox.due,
        inbox_failing=inbox.failing,
        log_size=ledger.log_size(),
    )
