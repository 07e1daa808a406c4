"""Kinds of control and what they may cost: budgets by office and kind, a week's spread over its open days. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from comity.risk.errors import SelectionError
from comity.risk.rules import Cause, Lane

EVERY_DAY = "1111111"
WORKING_DAYS = "1111100"
MOST = 100_000


class ControlKind(StrEnum):
    """What is done with goods that are selected: their papers, a scan without opening, or an examination."""

    DOCUMENTS = "documents"
    SCAN = "scan"
    PHYSICAL = "physical"


class Period(StrEnum):
    """For how long a budget lasts."""

    DAY = "day"
    WEEK = "week"


_BY_LANE = {
    Lane.RED: ControlKind.PHYSICAL,
    Lane.ORANGE: ControlKind.SCAN,
    Lane.YELLOW: ControlKind.DOCUMENTS,
    Lane.BLUE: ControlKind.DOCUMENTS,
    Lane.GREEN: ControlKind.DOCUMENTS,
}


@dataclass(frozen=True, slots=True)
class Budget:
    """So many controls of a kind at an office. office, control: empty for all of them.

    open_days: seven signs from Monday to Sunday, 1 where controls are made. valid_from: a Monday for a week's budget.
    """

    amount: int
    period: Period = Period.WEEK
    office: str = ""
    control: ControlKind | None = None
    open_days: str = WORKING_DAYS
    valid_from: date = date.min

    def check(self) -> None:
        """Raises: SelectionError where a figure makes no sense."""
        is_sound = 0 <= self.amount <= MOST and len(self.open_days) == 7 and set(self.open_days) <= {"0", "1"}
        if not is_sound or "1" not in self.open_days:
            raise SelectionError(
                "The budget's figures make no sense",
                where=f"{self.amount} a {self.period}, open {self.open_days}",
                remedy="From 0 to 100,000; the open days as seven signs from Monday to Sunday, such as 1111100.",
            )
        if self.period is Period.WEEK and self.valid_from.weekday():
            raise SelectionError(
                "A week's budget begins on a Monday",
                where=f"{self.valid_from}",
                remedy=f"Let it begin on {self.valid_from + timedelta(days=7 - self.valid_from.weekday())}.",
            )

    def covers(self, office: str, control: ControlKind) -> bool:
        """Whether a control of this kind at this office is paid from it."""
        return self.office in ("", office) and self.control in (None, control)

    def is_open(self, day: date) -> bool:
        """Whether controls are made on this day."""
        return self.open_days[day.weekday()] == "1"


@dataclass(frozen=True, slots=True)
class Use:
    """How many controls of a kind were selected at an office on a day."""

    day: date
    office: str
    control: ControlKind
    used: int


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """What a budget comes to on a day. allowed: by the end of the day, what the week left included."""

    budget: Budget
    allowed: int
    used: int

    @property
    def left(self) -> int:
        """How many may still be selected on the day; mandatory ones may have used more than there were."""
        return max(0, self.allowed - self.used)


def control_of(lane: Lane, cause: Cause, random_control: ControlKind = ControlKind.PHYSICAL) -> ControlKind:
    """The kind of control that a selection asks for: the lane says it; a random one is always of one kind.

    Random controls are the measure of the trade, and a measure must not depend on what it measures.
    """
    return random_control if cause is Cause.RANDOM else _BY_LANE[lane]


def monday_of(day: date) -> date:
    """The first day of the week of a day."""
    return day - timedelta(days=day.weekday())


def allowed_until(amount: int, open_days: str, day: date) -> int:
    """How much of a week's budget may be spent by the end of a day: as many parts as open days have begun.

    What a day leaves is there on the next ones of the week, and goes with it.
    """
    begun = open_days[: day.weekday() + 1].count("1")
    return amount * begun // open_days.count("1")


def standing(budget: Budget, day: date, uses: Iterable[Use]) -> BudgetStanding:
    """What a budget comes to on a day, after these uses of its week."""
    own = [use for use in uses if budget.covers(use.office, use.control) and monday_of(use.day) == monday_of(day)]
    if budget.period is Period.DAY:
        allowed = budget.amount if budget.is_open(day) else 0
        return BudgetStanding(budget, allowed, sum(use.used for use in own if use.day == day))
    used, all_used = sum(use.used for use in own if use.day <= day), sum(use.used for use in own)
    allowed = allowed_until(budget.amount, budget.open_days, day) if budget.is_open(day) else 0
    # What is selected for a later day of the week already is spent today, too.
    return BudgetStanding(budget, min(allowed, budget.amount - (all_used - used)), used)


def in_force(budgets: Iterable[Budget], day: date) -> list[Budget]:
    """Of the budgets of each office and kind the one that was stated last for this day."""
    latest: dict[tuple[str, ControlKind | None], Budget] = {}
    for budget in sorted((each for each in budgets if each.valid_from <= day), key=lambda each: each.valid_from):
        latest[budget.office, budget.control] = budget
    return [latest[key] for key in sorted(latest, key=lambda key: (key[0], key[1] or ""))]


class Purse:
    """What the budgets leave on a day, spent control by control."""

    def __init__(self, standings: Sequence[BudgetStanding]) -> None:
        self._standings = standings
        self._left = [each.allowed - each.used for each in standings]
        self._spent: Counter[tuple[str, ControlKind]] = Counter()

    def has_room(self, office: str, control: ControlKind) -> bool:
        """Whether no budget that pays for such a control is spent."""
        return all(
            left > 0
            for each, left in zip(self._standings, self._left, strict=True)
            if each.budget.covers(office, control)
        )

    def spend(self, office: str, control: ControlKind) -> None:
        """Pay for a control; a mandatory or random one is paid even where nothing is left."""
        self._spent[office, control] += 1
        for place, each in enumerate(self._standings):
            if each.budget.covers(office, control):
                self._left[place] -= 1

    @property
    def spent(self) -> Mapping[tuple[str, ControlKind], int]:
        """How many were paid for, by office and kind."""
        return dict(self._spent)
