"""Figures and reminders read from what other rooms keep: obligations, reciprocity. Reads in `selectors`."""

from comity.insight.errors import InsightError, ReminderUnknownError
from comity.insight.printing import page_of, rows_of, text_of
from comity.insight.reciprocity import Balance, Between, Ledger, Sent, Side, reciprocity

__all__ = [
    "Balance",
    "Between",
    "InsightError",
    "Ledger",
    "ReminderUnknownError",
    "Sent",
    "Side",
    "page_of",
    "reciprocity",
    "rows_of",
    "text_of",
]
