"""Which day it is where the officers are: by it plans, budgets and terms count."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings


def local_day(at: datetime) -> date:
    """The calendar day of an instant in the administration's own time zone."""
    return at.astimezone(ZoneInfo(settings.COMITY_TIME_ZONE)).date()
