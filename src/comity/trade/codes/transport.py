"""Containers, vessels and traders: numbers that carry their own check."""

from __future__ import annotations

import re
from functools import lru_cache

from stdnum import imo, iso6346
from stdnum.exceptions import ValidationError

from comity.trade.values import Problem, Severity

_CONTAINER = re.compile(r"[A-Z]{3}[UJZ]\d{6,7}", re.ASCII)
_EORI = re.compile(r"[A-Z]{2}[A-Z0-9]{1,15}", re.ASCII)
# Members of the Union, and the other administrations that issue EORI numbers.
_EORI_COUNTRIES = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK GB XI".split()  # noqa: SIM905
)


@lru_cache(maxsize=65_536)
def check_container(number: str) -> Problem | None:
    """What is wrong with a number in the form of ISO 6346; other equipment has its own forms and passes."""
    plain = number.replace(" ", "").replace("-", "").upper()
    if _CONTAINER.fullmatch(plain) is None:
        return None
    try:
        iso6346.validate(plain)
    except ValidationError:
        return Problem(Severity.WARNING, "container_check", f"{number} fails the check digit of ISO 6346")
    return None


@lru_cache(maxsize=65_536)
def check_vessel(number: str) -> Problem | None:
    """What is wrong with an IMO ship number written with its prefix, such as IMO9074729; other ids pass."""
    plain = number.replace(" ", "").upper()
    if not plain.startswith("IMO") or not plain[3:].isdigit():
        return None
    try:
        imo.validate(plain)
    except ValidationError:
        return Problem(Severity.WARNING, "vessel_check", f"{number} fails the check digit of the IMO ship number")
    return None


@lru_cache(maxsize=65_536)
def check_trader(number: str) -> Problem | None:
    """What is wrong with a number that begins like an EORI; national numbers of other countries pass."""
    if number[:2] not in _EORI_COUNTRIES or _EORI.fullmatch(number) is not None:
        return None
    return Problem(
        Severity.WARNING, "eori_form", f"{number[:40]!r} is no EORI: a country and up to 15 letters or digits"
    )
