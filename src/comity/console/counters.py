"""The counters of the menu: what waits. The same figures go into pages and into the live stream."""

from __future__ import annotations

from django.conf import settings

from comity.common import Actor
from comity.custody.selectors import consents_waiting, open_count
from comity.custody.successors import due_count
from comity.exchange.lines import last_arrival_at
from comity.exchange.selectors import inbox_status
from comity.risk import TargetState
from comity.risk.selectors import state_counts
from comity.staff import Permission, may
from comity.staff.selectors import open_proposals


def counts() -> dict[str, int]:
    """Every counter, whoever looks."""
    states = state_counts()
    return {
        "queue": states[TargetState.NEW] + states[TargetState.SELECTED],
        "assessed": sum(states.values()),
        "messages": inbox_status().due,
        "recalls": open_count() + len(consents_waiting(settings.COMITY_ADMINISTRATION)) + due_count(),
        "approvals": len(open_proposals()),
        "arrivals": last_arrival(),
    }


def last_arrival() -> int:
    """When anything last came from a partner, in milliseconds since 1970; 0 where nothing did."""
    at = last_arrival_at()
    return int(at.timestamp() * 1000) if at else 0


def counts_for(actor: Actor) -> dict[str, int]:
    """The counters that the actor may know."""
    return visible(counts(), actor)


def visible(every: dict[str, int], actor: Actor) -> dict[str, int]:
    """Those of the counters that the actor may know."""
    needed = {
        "queue": may(actor, Permission.VIEW_CONSIGNMENTS),
        "assessed": may(actor, Permission.VIEW_CONSIGNMENTS),
        "messages": may(actor, Permission.VIEW_MESSAGES),
        "recalls": may(actor, Permission.VIEW_MESSAGES),
        "approvals": may(actor, Permission.APPROVE_SHARING) or may(actor, Permission.SHARE),
        "arrivals": may(actor, Permission.MANAGE_PARTNERS) or may(actor, Permission.VIEW_MESSAGES),
    }
    return {name: value for name, value in every.items() if needed.get(name)}
