"""Legal clocks: terms, calendars of administrations, and deadlines that two nodes compute alike. Pure."""

# Packed by hand: one name a line would make the face longer than a page.
# isort: off
# fmt: off
from comity.agreements.clocks.calendars import Calendar, Holiday, calendar_of
from comity.agreements.clocks.comparing import Difference, check_claim, claim_of, first_difference
from comity.agreements.clocks.counting import Standing, deadline, standing, start_of, years_needed
from comity.agreements.clocks.errors import CalendarMissingError, CalendarRangeError, ClockError, ClockFormError
from comity.agreements.clocks.errors import ClockNotStartedError, DeadlineDiffersError, ExtensionRefusedError
from comity.agreements.clocks.errors import UnknownCountryError
from comity.agreements.clocks.shipped import DefaultClock, default_clock, default_clocks, read_clocks
from comity.agreements.clocks.values import CalendarChoice, CalendarTerms, ClockSpec, Deadline, Pause, Skipped
from comity.agreements.clocks.values import SkipReason, Start, Term, Unit
from comity.agreements.clocks.words import EXPLAINED_LANGUAGES, explain, term_in_words

__all__ = [
    "EXPLAINED_LANGUAGES", "Calendar", "CalendarChoice", "CalendarMissingError", "CalendarRangeError",
    "CalendarTerms", "ClockError", "ClockFormError", "ClockNotStartedError", "ClockSpec", "Deadline",
    "DeadlineDiffersError", "DefaultClock", "Difference", "ExtensionRefusedError", "Holiday", "Pause", "SkipReason",
    "Skipped", "Standing", "Start", "Term", "Unit", "UnknownCountryError", "calendar_of", "check_claim", "claim_of",
    "deadline", "default_clock", "default_clocks", "explain", "first_difference", "read_clocks", "standing",
    "start_of", "term_in_words", "years_needed",
]
