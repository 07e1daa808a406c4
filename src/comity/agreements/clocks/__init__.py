"""Legal clocks: terms, calendars of administrations, and deadlines that two nodes compute alike. Pure."""

from comity.agreements.clocks.errors import ClockError, ClockFormError
from comity.agreements.clocks.values import CalendarChoice, CalendarTerms, ClockSpec, Deadline, Pause, Start, Term, Unit

__all__ = [
    "CalendarChoice",
    "CalendarTerms",
    "ClockError",
    "ClockFormError",
    "ClockSpec",
    "Deadline",
    "Pause",
    "Start",
    "Term",
    "Unit",
]
