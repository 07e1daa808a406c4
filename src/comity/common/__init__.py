"""The ground: ids, clock, actor, reason, the root error. Nothing about customs."""

from comity.common.actor import Actor, ActorKind
from comity.common.clock import Clock, clock_file, parse_instant, show_instant, utc_now
from comity.common.errors import ComityError
from comity.common.ids import new_id
from comity.common.reason import Reason

__all__ = [
    "Actor",
    "ActorKind",
    "Clock",
    "ComityError",
    "Reason",
    "clock_file",
    "new_id",
    "parse_instant",
    "show_instant",
    "utc_now",
]
