"""Road 3: a day's inspections are spent on what waits."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from comity.common import Actor
from comity.journeys.chance import chance_seed
from comity.risk.services import select_for_day
from comity.risk.values import SelectionRun


def select_today(actor: Actor, *, at: datetime) -> SelectionRun:
    """Spend what is left of today's inspections: mandatory first, then by score, then at random.

    Today is the administration's own day. Raises: PermissionRefusedError.
    """
    today = at.astimezone(ZoneInfo(settings.COMITY_TIME_ZONE)).date()
    return select_for_day(actor, day=today, at=at, seed=chance_seed())
