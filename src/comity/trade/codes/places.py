"""Countries and currencies: ISO 3166-1 and ISO 4217 from pycountry, and the few codes of practice beside them."""

from __future__ import annotations

import gettext
from functools import lru_cache

import pycountry

from comity.trade.values import Problem, Severity

# In use beside ISO 3166-1 officially assigned: Northern Ireland in EU matters, Kosovo, the Union itself.
_PRACTICE = {"XI": "Northern Ireland", "XK": "Kosovo", "EU": "European Union"}
_ISO = {entry.alpha_2: str(getattr(entry, "common_name", entry.name)) for entry in pycountry.countries}
_USER_ASSIGNED = frozenset(
    ["AA", "ZZ"]
    + [f"Q{chr(letter)}" for letter in range(ord("M"), ord("Z") + 1)]
    + [f"X{chr(letter)}" for letter in range(ord("A"), ord("Z") + 1)]
)
_COUNTRIES = frozenset(_ISO) | _USER_ASSIGNED | frozenset(_PRACTICE)
_CURRENCIES = frozenset(entry.alpha_3 for entry in pycountry.currencies)


def check_country(code: str) -> Problem | None:
    """What is wrong with a country code; user-assigned codes (ISO 3166-1 §8.1.3) pass."""
    if code in _COUNTRIES:
        return None
    return Problem(Severity.WARNING, "unknown_country", f"{code[:20]!r} is no ISO 3166-1 alpha-2 code")


def check_currency(code: str) -> Problem | None:
    """What is wrong with a currency code."""
    if code in _CURRENCIES:
        return None
    return Problem(Severity.WARNING, "unknown_currency", f"{code[:20]!r} is no ISO 4217 code")


@lru_cache(maxsize=2048)
def country_name(code: str, language: str = "en") -> str:
    """The name of a country in a language such as fr; the code itself where it has no name."""
    if code in _PRACTICE:
        return _PRACTICE[code]
    name = _ISO.get(code)
    if name is None:
        return code
    return _names_in(language).gettext(name)


@lru_cache(maxsize=32)
def _names_in(language: str) -> gettext.NullTranslations:
    return gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True)
