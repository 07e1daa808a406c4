"""Which HS codes exist: the chapters and headings of HS 2022, and an administration's own list where it has one.

The table holds no text of the nomenclature: only how far the headings of each chapter go, and which of them the
present edition keeps reserved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from comity.trade.errors import TradeError
from comity.trade.values import Problem, Severity

EDITION = 2022
RESERVED_CHAPTER = 77
MAX_LIST_BYTES = 16 * 1024 * 1024

# The number of the last heading of chapters 1 to 97.
# fmt: off
_LAST_HEADING = (
    6, 10, 9, 10, 11, 4, 14, 14, 10, 8,
    9, 14, 2, 4, 22, 5, 4, 6, 5, 9,
    6, 9, 9, 4, 30, 21, 16, 53, 42, 6,
    5, 15, 7, 7, 7, 6, 7, 27, 26, 17,
    15, 6, 4, 21, 4, 2, 7, 23, 11, 7,
    13, 12, 11, 8, 16, 9, 5, 11, 11, 6,
    17, 17, 10, 6, 7, 3, 4, 15, 14, 20,
    18, 29, 26, 19, 8, 16, 0, 6, 7, 7,
    13, 15, 11, 87, 49, 9, 16, 7, 8, 33,
    14, 9, 7, 6, 8, 20, 6,
)
_RESERVED_HEADINGS = frozenset({
    503, 509, 1402, 1403, 1519, 2527, 2838, 2848, 2851, 4108, 4109, 4110, 4111, 4204, 4815, 5304, 6503, 6908, 7012,
    7414, 7416, 7417, 7803, 7805, 7906, 8004, 8005, 8006, 8107, 8469, 8520, 8803, 9009, 9203, 9204, 9501, 9502,
})
# fmt: on
_DIGITS = re.compile(rb"^\D{0,20}?(\d{2}(?:[. ]?\d{2}){0,2})\D", re.MULTILINE)


class HSListError(TradeError):
    """A list of HS codes cannot be read."""

    code = "bad_hs_list"


@dataclass(frozen=True, slots=True)
class HSList:
    """The six-digit codes that an administration's own list names."""

    subheadings: frozenset[str]
    edition: int = EDITION

    def __len__(self) -> int:
        return len(self.subheadings)


def load_hs_list(data: bytes, *, edition: int = EDITION) -> HSList:
    """A list of HS codes: text, one code in each line, first or in quotes; dots are ignored; more columns may follow.

    Raises: HSListError where it is too large or no line has a six-digit code.
    """
    if len(data) > MAX_LIST_BYTES:
        raise HSListError("The list of HS codes is too large", where=f"{len(data)} bytes")
    found = {_plain(line) for line in data.splitlines()}
    subheadings = frozenset(code for code in found if len(code) == 6)
    if not subheadings:
        raise HSListError("No line begins with a six-digit code", remedy="Write lines such as 8518.30;Headphones.")
    return HSList(subheadings, edition)


def heading_exists(heading: str) -> bool:
    """Whether four digits name a heading of HS 2022."""
    chapter, number = int(heading[:2]), int(heading[2:4])
    if not 1 <= chapter <= len(_LAST_HEADING):
        return False
    return 1 <= number <= _LAST_HEADING[chapter - 1] and int(heading) not in _RESERVED_HEADINGS


def check_hs(code: str, known: HSList | None = None) -> Problem | None:
    """What is wrong with an HS code of two or more digits; nothing where it exists.

    Without a list, chapter and heading are checked; with one, the first six digits.
    """
    if not (code.isascii() and code.isdigit()) or len(code) % 2 or not 2 <= len(code) <= 22:
        return _problem("hs_form", f"{code[:30]!r} is not an HS code: it has an even number of digits")
    chapter = int(code[:2])
    if not 1 <= chapter <= len(_LAST_HEADING) or chapter == RESERVED_CHAPTER:
        return _problem("hs_unknown", f"There is no chapter {code[:2]} in HS {EDITION}")
    if len(code) >= 4 and not heading_exists(code[:4]):
        return _problem("hs_unknown", f"There is no heading {code[:4]} in HS {EDITION}")
    if known is not None and len(code) >= 6 and code[:6] not in known.subheadings:
        return _problem("hs_unknown", f"{code[:6]} is not in this administration's list of HS codes")
    return None


def _plain(line: bytes) -> str:
    match = _DIGITS.match(line.strip() + b" ")
    return match[1].replace(b".", b"").replace(b" ", b"").decode() if match else ""


def _problem(code: str, message: str) -> Problem:
    return Problem(Severity.WARNING, code, message)
