"""What can go wrong between a term and a deadline."""

from __future__ import annotations

from comity.common import ComityError


class ClockError(ComityError):
    """Root of what legal clocks raise."""

    code = "clock_error"


class ClockFormError(ClockError):
    """A term, a clock or a calendar is written in a way that has no meaning."""

    code = "clock_form"


class UnknownCountryError(ClockError):
    """No holidays are published for this country or part of a country."""

    code = "unknown_country"


class CalendarRangeError(ClockError):
    """A day is needed for which the calendar holds no holidays."""

    code = "calendar_range"


class CalendarMissingError(ClockError):
    """The clock counts by a calendar that was not given."""

    code = "calendar_missing"


class ClockNotStartedError(ClockError):
    """The moment from which the clock counts is not known yet."""

    code = "clock_not_started"


class ExtensionRefusedError(ClockError):
    """The instrument does not allow this extension."""

    code = "extension_refused"


class DeadlineDiffersError(ClockError):
    """Two administrations computed different deadlines from what should be the same inputs."""

    code = "deadline_differs"
