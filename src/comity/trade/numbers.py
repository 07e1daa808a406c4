"""Numbers from text: plain decimal notation, finite, of bounded length."""

from __future__ import annotations

import re
from decimal import Decimal

MAX_DIGITS = 30
_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


def decimal_of(text: str) -> Decimal:
    """The number that a text writes in plain notation, such as 12.50.

    Raises: ValueError for exponents, NaN, infinities, words, or more than 30 digits.
    """
    if len(text) > MAX_DIGITS or _DECIMAL.fullmatch(text) is None:
        raise ValueError(text[:60])
    return Decimal(text)


def integer_of(text: str) -> int:
    """The whole number that a text writes; 12.0 and 12.00 are whole.

    Raises: ValueError where it is none or has more than 30 digits.
    """
    if len(text) <= MAX_DIGITS and _INTEGER.fullmatch(text) is not None:
        return int(text)
    number = decimal_of(text)
    if number != number.to_integral_value():
        raise ValueError(text[:60])
    return int(number)


def show_decimal(number: Decimal) -> str:
    """Plain notation without exponent, as it was declared: 12.50 stays 12.50."""
    return format(number, "f")
