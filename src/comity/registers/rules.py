"""What makes a load of a list acceptable. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from comity.registers.errors import RegisterError
from comity.registers.values import BrokenRow

# A publisher's list has a slip now and then; a file of which more cannot be read is another file or a damaged one.
MAX_BROKEN_SHARE = 0.02
# A list may lose half of its entries in a day hardly ever; a file that was cut off often has.
LEAST_SHARE_LEFT = 0.5
KEPT_BROKEN = 500
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def check_code(code: str) -> None:
    """Raises: RegisterError where this can be no code of a list."""
    if _CODE.fullmatch(code) is None:
        raise RegisterError(
            "This is no code of a list",
            where=code[:60],
            remedy="Use up to 40 small letters, digits and hyphens, such as un or eu-fsf.",
        )


def is_too_broken(entries: int, broken: int) -> bool:
    """Whether more than 2 in 100 of the rows cannot be read."""
    return broken > MAX_BROKEN_SHARE * (entries + broken)


def is_shrunk(before: int, now: int) -> bool:
    """Whether fewer than half of the entries are left."""
    return now < before * LEAST_SHARE_LEFT


def told_broken(broken: Sequence[BrokenRow]) -> tuple[str, ...]:
    """The broken rows as they are told and kept, at most 500."""
    return tuple(str(row)[:400] for row in broken[:KEPT_BROKEN])
