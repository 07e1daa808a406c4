"""Numbers with a valid check digit: containers (ISO 6346), ships (IMO), movement references (MRN)."""

from __future__ import annotations

# ISO 6346 gives letters the values 10 to 38 without the multiples of 11.
_LETTER_VALUES = dict(
    zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (n for n in range(10, 39) if n % 11), strict=True),
)


def _weighted_sum(text: str) -> int:
    values = (int(sign) if sign.isdigit() else _LETTER_VALUES[sign] for sign in text)
    return sum(value << place for place, value in enumerate(values))


def container_number(owner: str, serial: int) -> str:
    """A container number: three letters of the owner, U, six digits, check digit (ISO 6346)."""
    body = f"{owner}U{serial % 1_000_000:06d}"
    return f"{body}{_weighted_sum(body) % 11 % 10}"


def ship_number(serial: int) -> str:
    """A ship number with the IMO check digit, in the range from 2000000, which no ship bears."""
    body = f"2{serial % 100_000:05d}"
    return f"{body}{sum(int(digit) * weight for digit, weight in zip(body, range(7, 1, -1), strict=True)) % 10}"


def movement_number(year: int, country: str, serial: int) -> str:
    """An MRN of 18 signs: year, country, thirteen digits, check digit by the way of ISO 6346."""
    body = f"{year % 100:02d}{country}{serial:013d}"
    return f"{body}{_weighted_sum(body) % 11 % 10}"
