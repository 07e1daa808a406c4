"""How much is done: a part by `make test`, all of it by `make test-long` (COMITY_TESTS=long) before a release."""

from __future__ import annotations

import os

IS_LONG = os.environ.get("COMITY_TESTS") == "long"


def scaled(short: int, long: int) -> int:
    """A number of inputs, bytes or messages."""
    return long if IS_LONG else short
