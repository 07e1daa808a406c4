"""Identifiers that sort by time: UUID version 7 (RFC 9562 §5.7)."""

from __future__ import annotations

import os
import uuid
from datetime import datetime


def new_id(at: datetime) -> uuid.UUID:
    """A UUIDv7 whose first 48 bits are the milliseconds of `at`; the rest is random."""
    milliseconds = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    random_a = int.from_bytes(os.urandom(2), "big") & 0x0FFF
    random_b = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | random_a << 64 | 0b10 << 62 | random_b)
