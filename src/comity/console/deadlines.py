"""How much time is left until a deadline, in the unit in which its clock counts, in plain words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from comity.agreements.clocks import Deadline, Unit
from comity.enforcement import Inspection

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_SOON_DAYS = 7


@dataclass(frozen=True, slots=True)
class Left:
    """The time until a deadline. count: hours, working days or days, of what is left or of what it is late."""

    due_at: datetime
    count: int = 0
    unit: Unit = Unit.CALENDAR_DAYS
    is_late: bool = False
    is_paused: bool = False

    @property
    def text(self) -> str:
        """3 working days left, 2 days late, ends today."""
        if self.is_paused:
            return _("the clock stands still")
        if self.unit is Unit.HOURS:
            return self._in_hours()
        if self.is_late:
            return ngettext("%(n)d day late", "%(n)d days late", self.count) % {"n": self.count}
        if self.count == 0:
            return _("ends today")
        if self.unit is Unit.WORKING_DAYS:
            return ngettext("%(n)d working day left", "%(n)d working days left", self.count) % {"n": self.count}
        return ngettext("%(n)d day left", "%(n)d days left", self.count) % {"n": self.count}

    @property
    def colour(self) -> str:
        """Of its tag: red where it is late, amber where it ends soon."""
        if self.is_late:
            return "red"
        if self.is_paused:
            return "grey"
        return "amber" if self.unit is Unit.HOURS or self.count <= _SOON_DAYS else "blue"

    def _in_hours(self) -> str:
        if self.is_late:
            return ngettext("%(n)d hour late", "%(n)d hours late", self.count) % {"n": self.count}
        return ngettext("%(n)d hour left", "%(n)d hours left", self.count) % {"n": self.count}


def left_until(due_at: datetime, at: datetime) -> Left:
    """The days from a moment to a deadline that no clock counts."""
    if at > due_at:
        return Left(due_at, max(1, (at.date() - due_at.date()).days), is_late=True)
    return Left(due_at, (due_at.date() - at.date()).days)


@dataclass(frozen=True, slots=True)
class Due:
    """When something is to be done, in words, and the colour of its tag."""

    text: str
    colour: str


def due_of(check: Inspection, today: date) -> Due | None:
    """When an open check is due: due in 12 days, due today, 3 days overdue; None where nothing is to be done."""
    if check.due_on is None or not check.is_open:
        return None
    days = (check.due_on - today).days
    if days < 0:
        return Due(ngettext("%(n)d day overdue", "%(n)d days overdue", -days) % {"n": -days}, "red")
    if days == 0:
        return Due(_("due today"), "amber")
    text = ngettext("due in %(n)d day", "due in %(n)d days", days) % {"n": days}
    return Due(text, "amber" if days <= _SOON_DAYS else "grey")


def left_of(limit: Deadline, at: datetime) -> Left:
    """The time from a moment to a deadline: working days where the clock counts those, hours where it counts hours.

    A day that the clock did not count is not counted here either.
    """
    if limit.is_paused:
        return Left(limit.due_at, is_paused=True)
    unit = (limit.extension or limit.term).unit
    if unit is Unit.HOURS:
        span = abs(limit.due_at - at)
        return Left(limit.due_at, int(span / _HOUR), Unit.HOURS, is_late=at > limit.due_at)
    plain = left_until(limit.due_at, at)
    if unit is not Unit.WORKING_DAYS or plain.is_late:
        return plain
    off = {each.day for each in limit.skipped}
    days = (at.date() + _DAY * number for number in range(1, plain.count + 1))
    return Left(limit.due_at, sum(each not in off for each in days), Unit.WORKING_DAYS)
