"""What lists write in words, as codes: countries by their names, dates as they come."""

from __future__ import annotations

import re
from functools import lru_cache

import pycountry

_OTHER_NAMES = {
    "iran": "IR",
    "iran (islamic republic of)": "IR",
    "syria": "SY",
    "russia": "RU",
    "korea, north": "KP",
    "north korea": "KP",
    "dprk": "KP",
    "democratic people's republic of korea": "KP",
    "korea, south": "KR",
    "south korea": "KR",
    "republic of korea": "KR",
    "democratic republic of the congo": "CD",
    "congo, democratic republic of the": "CD",
    "congo (democratic republic)": "CD",
    "dem. rep. of congo": "CD",
    "congo, republic of the": "CG",
    "burma": "MM",
    "cote d'ivoire": "CI",
    "cote d ivoire": "CI",
    "côte d'ivoire": "CI",
    "ivory coast": "CI",
    "libya": "LY",
    "libyan arab jamahiriya": "LY",
    "state of libya": "LY",
    "venezuela": "VE",
    "bolivia": "BO",
    "tanzania": "TZ",
    "united republic of tanzania": "TZ",
    "vietnam": "VN",
    "laos": "LA",
    "moldova": "MD",
    "republic of moldova": "MD",
    "macedonia": "MK",
    "the former yugoslav republic of macedonia": "MK",
    "czech republic": "CZ",
    "turkey": "TR",
    "türkiye": "TR",
    "swaziland": "SZ",
    "cape verde": "CV",
    "east timor": "TL",
    "palestine": "PS",
    "palestinian": "PS",
    "west bank": "PS",
    "gaza": "PS",
    "kosovo": "XK",
    "taiwan": "TW",
    "hong kong": "HK",
    "macau": "MO",
    "brunei": "BN",
    "bahamas, the": "BS",
    "the bahamas": "BS",
    "the gambia": "GM",
    "gambia, the": "GM",
    "united kingdom": "GB",
    "united kingdom of great britain and northern ireland": "GB",
    "england": "GB",
    "scotland": "GB",
    "united states": "US",
    "united states of america": "US",
    "usa": "US",
    "uae": "AE",
    "the netherlands": "NL",
    "virgin islands, british": "VG",
    "british virgin islands": "VG",
    "virgin islands, u.s.": "VI",
    "holy see": "VA",
    "vatican city": "VA",
    "reunion": "RE",
    "saint kitts and nevis": "KN",
    "st. kitts and nevis": "KN",
    "saint vincent and the grenadines": "VC",
    "st. vincent and the grenadines": "VC",
    "federated states of micronesia": "FM",
    "sao tome and principe": "ST",
    "curacao": "CW",
    "china": "CN",
    "people's republic of china": "CN",
    "region: gaza": "PS",
    "federal republic of germany": "DE",
    "kyrgyzstan": "KG",
    "ussr": "SU",
    "yugoslavia": "YU",
    "serbia and montenegro": "CS",
}
_MONTHS = {
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
}
_ISO_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?(?:T.*|Z)?")
_WORDED = re.compile(r"(?:circa\s+)?(?:(\d{1,2})\s+)?(?:([A-Za-z]{3})[a-z]*\.?\s+)?(\d{4})", re.IGNORECASE)
_CODE = re.compile(r"[A-Za-z]{2}")


@lru_cache(maxsize=4096)
def country_code(text: str) -> str:
    """The ISO 3166-1 alpha-2 code of a country given by a code or an English name; empty where it is unknown."""
    plain = " ".join(text.replace("’", "'").split())
    if _CODE.fullmatch(plain):
        return plain.upper()
    return _country_names().get(plain.casefold(), "")


@lru_cache(maxsize=1)
def _country_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for country in pycountry.countries:
        for attribute in ("official_name", "common_name", "name"):
            if hasattr(country, attribute):
                names[str(getattr(country, attribute)).casefold()] = country.alpha_2
        names[country.alpha_3.casefold()] = country.alpha_2
    return names | _OTHER_NAMES


def date_text(text: str) -> str:
    """A date as 1971, 1971-05 or 1971-05-28; empty where it is none or cannot be."""
    plain = text.strip()
    if found := _ISO_DATE.fullmatch(plain):
        year, month, day = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    elif (found := _WORDED.fullmatch(plain)) and (found[2] is None or found[2].lower() in _MONTHS):
        year, month, day = int(found[3]), _MONTHS[found[2].lower()] if found[2] else 0, int(found[1] or 0)
    else:
        return ""
    if not (1000 <= year <= 2999 and month <= 12 and day <= 31):
        return ""
    if not month:
        return f"{year:04d}"
    return f"{year:04d}-{month:02d}-{day:02d}" if day else f"{year:04d}-{month:02d}"


def unique(texts: list[str]) -> tuple[str, ...]:
    """The texts that say something, each once, in their order."""
    return tuple(dict.fromkeys(text for text in texts if text))
