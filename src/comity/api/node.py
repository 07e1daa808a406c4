# ruff: noqa: ARG001 - the framework hands the request over by name
"""Is the node well, and what does it have to do."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from ninja import Router, Schema

from comity.api.guard import needs
from comity.common import show_instant, utc_now

router = Router(tags=["node"])


class Health(Schema):
    """That the node answers and reaches its database."""

    status: str
    administration: str


class NodeStatus(Schema):
    """What the node is, and what waits in it."""

    administration: str
    name: str
    now: str
    time_zone: str


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
    return NodeStatus(
        administration=settings.COMITY_ADMINISTRATION,
        name=settings.COMITY_NAME,
        now=show_instant(utc_now()),
        time_zone=settings.COMITY_TIME_ZONE,
    )
