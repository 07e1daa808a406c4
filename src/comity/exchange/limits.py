"""The bounds of the protocol. Sizes in bytes, times in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a receiver takes at most; a sender stays below the same figures.

    missing_ranges: gaps named in a receipt. islands: runs of a partner's sequence beyond a gap that are remembered.
    clock_skew_seconds: how far in the future a message may say that it was created. A refused message is final, so
    this is generous: a partner whose clock is wrong by hours is told so on the console, not cut off.
    """

    header_bytes: int = 1024
    envelope_bytes: int = 8 * 1024 * 1024
    message_bytes: int = 256 * 1024
    messages: int = 1024
    missing_ranges: int = 64
    islands: int = 1024
    clock_skew_seconds: int = 24 * 60 * 60


LIMITS = Limits()
