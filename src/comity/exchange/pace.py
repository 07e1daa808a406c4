"""The token bucket by which a sender keeps a partner's pace, and a receiver notices who does not. Pure.

A clock that is set back neither gives nor takes; one that is set forward gives one burst at most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime

# What may go at once after a pause: so many seconds' worth of messages.
BURST_SECONDS = 10.0
# A receiver turns away who is this many minutes ahead of the pace; it remembers twice that at most.
LENIENCY_MINUTES = 2.0


def burst_of(per_minute: int) -> float:
    """Messages that may go at once; at least one."""
    return max(per_minute * BURST_SECONDS / 60.0, 1.0)


@dataclass(frozen=True, slots=True)
class Allowance:
    """The sender's bucket: messages that may go now. at: as of when; None where nothing was counted yet.

    It goes below zero where something urgent borrowed a burst, or an envelope was larger than the bucket.
    """

    messages: float = 0.0
    at: datetime | None = None

    def refilled(self, per_minute: int, at: datetime) -> Allowance:
        """The bucket at this time."""
        full = burst_of(per_minute)
        if self.at is None or not math.isfinite(self.messages):
            return Allowance(full, at)
        passed = max((at - self.at).total_seconds(), 0.0)
        # A lower limit than before must not leave a debt of hours.
        owed = max(self.messages, -LENIENCY_MINUTES * per_minute - full)
        return Allowance(min(owed + passed * per_minute / 60.0, full), at)

    def may_go(self, count: int, per_minute: int, *, is_urgent: bool) -> bool:
        """Whether so many messages may go together now. What is urgent may borrow a burst; a full bucket lets
        through what is larger than it, so that nothing waits for ever."""
        full = burst_of(per_minute)
        room = self.messages + (full if is_urgent else 0.0)
        return count <= room or self.messages >= full

    def room(self, per_minute: int, *, is_urgent: bool) -> int:
        """How many messages may go together now."""
        return max(int(self.messages + (burst_of(per_minute) if is_urgent else 0.0)), 0)

    def spent(self, count: int) -> Allowance:
        """The bucket after so many messages went."""
        return replace(self, messages=self.messages - count)


@dataclass(frozen=True, slots=True)
class Intake:
    """The receiver's bucket: messages that it took and that the pace has not worn away yet."""

    messages: float = 0.0
    at: datetime | None = None

    def faded(self, per_minute: int, at: datetime) -> Intake:
        """The bucket at this time."""
        passed = max((at - self.at).total_seconds(), 0.0) if self.at else 0.0
        return Intake(max(self.messages - passed * per_minute / 60.0, 0.0), at)

    def taken(self, count: int, per_minute: int) -> Intake:
        """The bucket after so many messages were taken."""
        return replace(self, messages=min(self.messages + count, 2 * LENIENCY_MINUTES * per_minute))

    def wait_seconds(self, per_minute: int) -> int:
        """0 where more may come now; else after how many seconds the sender may come back."""
        ahead = self.messages - LENIENCY_MINUTES * per_minute
        return math.ceil(ahead * 60.0 / per_minute) if ahead > 0 else 0
