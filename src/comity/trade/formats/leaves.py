"""Values from the text of one field, the same for every format: numbers, masses, money, quantities, moments."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from comity.trade.errors import TradeError
from comity.trade.numbers import decimal_of, integer_of
from comity.trade.values import Money, Quantity

MAX_TEXT = 20_000
MAX_NUMBER = 20
# How many kilograms a unit is; None: the number stays as it was written.
_KILOGRAMS = {"": None, "KGM": None, "KG": None, "TNE": Decimal(1000), "GRM": Decimal("0.001")}
_DIGITAL_MOMENT = re.compile(r"(\d{8})(\d{4}|\d{6})?(Z|[+-]\d{2}:?\d{0,2})?", re.ASCII)


class LeafError(TradeError):
    """The text of a field is not what the field holds; `code` says how it fails."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code


def text_of(text: str) -> str:
    """A text of bounded length.

    Raises: LeafError where it is longer than 20,000 characters or holds a NUL, which no store keeps.
    """
    if len(text) > MAX_TEXT:
        raise LeafError("too_long", f"Longer than {MAX_TEXT} characters")
    if "\x00" in text:
        raise LeafError("bad_character", "Holds a NUL character")
    return text


def number_of(text: str) -> Decimal:
    """A number in plain notation.

    Raises: LeafError.
    """
    try:
        return decimal_of(_bounded(text))
    except ValueError as error:
        raise LeafError("not_a_number", f"{text[:40]!r} is not a number") from error


def count_of(text: str) -> int:
    """A whole number, not negative.

    Raises: LeafError.
    """
    try:
        count = integer_of(_bounded(text))
    except ValueError as error:
        raise LeafError("not_a_number", f"{text[:40]!r} is not a whole number") from error
    if count < 0:
        raise LeafError("negative_count", f"{text} is negative")
    if count > 2**53:
        raise LeafError("not_a_number", f"{text} is larger than any count")
    return count


def mass_kg_of(text: str, unit: str) -> Decimal:
    """A mass in kilograms; unit is a UN/ECE Recommendation 20 code, kilograms where it is empty.

    Raises: LeafError, also where the mass is negative.
    """
    mass = number_of(text)
    if mass < 0:
        raise LeafError("negative_mass", f"The mass {text} is negative")
    if unit.upper() not in _KILOGRAMS:
        raise LeafError("unknown_unit", f"A mass in {unit[:10]!r} cannot be read; use KGM, GRM or TNE")
    factor = _KILOGRAMS[unit.upper()]
    return mass if factor is None else mass * factor


def money_of(text: str, currency: str) -> Money:
    """An amount of money.

    Raises: LeafError.
    """
    return Money(number_of(text), currency)


def quantity_of(text: str, unit: str) -> Quantity:
    """A quantity and its unit.

    Raises: LeafError, also where it is negative.
    """
    value = number_of(text)
    if value < 0:
        raise LeafError("negative_quantity", f"The quantity {text} is negative")
    return Quantity(value, unit)


def moment_of(text: str) -> datetime:
    """A moment in UTC: RFC 3339, or the digits of UN/EDIFACT 2379 formats 102, 203, 204, 205, 208 and 304.

    Where no zone is given it is read as UTC. Raises: LeafError for an impossible date.
    """
    match = _DIGITAL_MOMENT.fullmatch(text)
    try:
        moment = datetime.fromisoformat(text) if match is None else _digital(*match.groups())
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise LeafError("impossible_date", f"{text[:40]!r} is not a date and time") from error


def show_moment(moment: datetime) -> tuple[str, str]:
    """The text and UN/EDIFACT 2379 format of a moment; RFC 3339 without a format where it has fractions."""
    if moment.microsecond or moment.year < 1000:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z"), ""
    return moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ"), "304"


def _digital(date: str, time: str | None, zone: str | None) -> datetime:
    digits = (time or "").ljust(6, "0")
    moment = datetime(  # noqa: DTZ001  # the zone follows
        int(date[:4]), int(date[4:6]), int(date[6:]), int(digits[:2]), int(digits[2:4]), int(digits[4:])
    )
    return moment.replace(tzinfo=_zone_of(zone or "Z"))


def _zone_of(zone: str) -> timezone:
    if zone == "Z":
        return UTC
    digits = zone[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
    return timezone(-offset if zone[0] == "-" else offset)


def _bounded(text: str) -> str:
    if len(text) > MAX_NUMBER:
        raise ValueError(text[:40])
    return text
