"""How far a partner's clock is ahead of ours, as far as one exchange can tell. Pure."""

from __future__ import annotations

from datetime import datetime


def certain_skew(before: datetime, theirs: datetime, after: datetime) -> float:
    """Seconds that a clock is ahead of ours for certain, below zero where it is behind.

    theirs: what it showed at some moment between `before` and `after` of our own clock. All that lies between could
    be the way of the letter, so of the possible figures the one nearest to zero is given.
    """
    most, least = (theirs - before).total_seconds(), (theirs - after).total_seconds()
    return max(least, 0.0) if most >= 0.0 else most
