"""What may go wrong in what is counted and reminded of."""

from __future__ import annotations

from comity.common import ComityError


class InsightError(ComityError):
    """The root of this room's errors."""

    code = "insight_error"


class ReminderUnknownError(InsightError):
    """No reminder of this number is kept here."""

    code = "reminder_unknown"


class RequestUnknownError(InsightError):
    """No question of a person with this number is kept here."""

    code = "unknown_request"


class SubjectRequestError(InsightError):
    """A question of a person, or a decision about a part of its answer, cannot be taken as it stands."""

    code = "bad_subject_request"


class ReportOpenError(InsightError):
    """An answer cannot be given while a part of it waits for a decision."""

    code = "report_open"


class PeriodError(InsightError):
    """Not a period of statistics."""

    code = "bad_period"
