"""What may go wrong in what is counted and reminded of."""

from __future__ import annotations

from comity.common import ComityError


class InsightError(ComityError):
    """The root of this room's errors."""

    code = "insight_error"


class ReminderUnknownError(InsightError):
    """No reminder of this number is kept here."""

    code = "reminder_unknown"
