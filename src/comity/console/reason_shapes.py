"""Sentences of the mirror check, the screening, anomalies and registers, taken apart and said again. Pure.

Risk words these reasons in a few fixed shapes. A shape is written once, as the message that is translated: its
placeholders find the parts in the English sentence and put them into the other language's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from gettext import translation

import pycountry
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from comity.console.reason_words import FIELDS, PARTS, RESULTS, ROLES, VALUES, VERDICTS, Words
from comity.console.words import is_english
from comity.risk.mirror_differences import LABELS

# The first shape that fits a sentence wholly says it; so what is particular stands before what is general.
_SHAPES: tuple[str, ...] = (
    # what is unusual
    _("First trade of this pair"),
    _("New route for these goods"),
    _("Price far from the usual"),
    _("Volume far above the usual"),
    _("Consignments that look split"),
    _("Goods out and back between the same parties"),
    _("%(one)s has not traded with %(other)s before, in %(count)s declarations here"),
    _("None of %(count)s consignments of HS chapter %(code)s came from %(one)s by %(other)s to %(where)s before"),
    _(
        "Unit price %(figure)s %(code)s/kg is far below the usual %(usual)s for HS %(hs)s from %(one)s "
        "(median of %(count)s goods items; %(times)s times the usual spread away)"
    ),
    _(
        "Unit price %(figure)s %(code)s/kg is far above the usual %(usual)s for HS %(hs)s from %(one)s "
        "(median of %(count)s goods items; %(times)s times the usual spread away)"
    ),
    _("%(one)s brought in %(figure)s kg this week, usually %(usual)s kg (median of %(count)s weeks)"),
    _(
        "%(count)s consignments of this pair and HS heading within %(days)s days, each just under %(figure)s %(code)s, "
        "together %(whole)s %(unit)s"
    ),
    _("Goods of the same HS heading went from %(one)s to %(other)s on %(day)s; now they come back"),
    # mirror check
    _("%(field)s differs from %(code)s's export declaration; its figures are being asked for"),
    _("%(field)s differs from %(code)s's export declaration; its figures have been asked for"),
    _("%(field)s differs from %(code)s's export declaration; the article does not release its figures"),
    _("%(field)s differs from %(code)s's export declaration; no article lets them be asked for"),
    _("%(fields)s differ from %(code)s's export declaration; its figures are being asked for"),
    _("%(fields)s differ from %(code)s's export declaration; its figures have been asked for"),
    _("%(fields)s differ from %(code)s's export declaration; the article does not release its figures"),
    _("%(fields)s differ from %(code)s's export declaration; no article lets them be asked for"),
    _("%(field)s differs from %(code)s's export declaration"),
    _("%(code)s's export declaration differs"),
    _("%(field)s %(figure)s here, %(there)s in the export declaration: %(ratio)s; %(low)s to %(high)s is usual"),
    _("%(field)s %(figure)s here, %(there)s in the export declaration: %(ratio)s"),
    _("%(field)s %(figure)s here, %(there)s in the export declaration"),
    _("%(code)s committed to another figure before it was asked"),
    # registers
    _("Authorised economic operator: %(name)s"),
    _("AEO status %(value)s: %(name)s"),
    _("AEO status declared, not in the register"),
    _("Controlled goods: %(name)s"),
    _("Recorded right: %(name)s"),
    _("CITES: %(name)s"),
    _("Embargo: %(name)s"),
    _("Watched route: %(name)s"),
    _("%(role)s %(one)s is %(status)s of %(code)s (own): %(figure)s %% off the score"),
    _("%(role)s %(one)s is %(status)s of %(code)s (recognised under %(value)s): %(figure)s %% off the score"),
    _("%(role)s %(one)s was %(status)s of %(code)s; the status is %(value)s"),
    _("The declaration names an AEO authorisation, and no party of it is in the register of traders"),
    _("Item %(count)s, HS %(hs)s: %(name)s is prohibited"),
    _("Item %(count)s, HS %(hs)s: %(name)s needs %(choice)s, which is not declared"),
    _("Item %(count)s is described with the mark %(name)s of %(other)s; neither the holder nor a licensee is a party"),
    _("Item %(count)s names %(one)s: %(name)s stands in CITES appendix %(code)s, and no permit is declared"),
    _("Item %(count)s, HS %(value)s, goes from %(countries)s to %(country)s: %(name)s"),
    _("unless a reason selects by itself"),
    _("%(name)s of %(day)s"),
    # screening
    _("Cleared: %(one)s on the list %(name)s"),
    _("Confirmed: %(one)s on the list %(name)s"),
    _("%(one)s on the list %(name)s"),
    _(
        "%(roles)s ‘%(one)s’ is like ‘%(other)s’ of %(name)s of %(day)s, score %(figure)s: %(parts)s. "
        "Decided on %(when)s by %(who)s: %(verdict)s, %(free)s"
    ),
    _("%(roles)s ‘%(one)s’ is like ‘%(other)s’ of %(name)s of %(day)s, score %(figure)s: %(parts)s"),
    _("%(part)s: %(one)s / %(other)s"),
    _("%(part)s"),
)
_ROLE, _FIELD = "|".join(map(re.escape, ROLES)), "|".join(LABELS.values())
_RESULTS = {"agrees": "agrees", "is near": "near", "differs": "differs"}
_PART = rf"(?:{'|'.join(map(re.escape, PARTS))}) (?:{'|'.join(_RESULTS)})"
_NUMBER, _DAY = r"-?[\d,]+(?:\.\d+)?", r"\d{4}-\d\d-\d\d"
# What a part of a sentence looks like; any other is any text.
_LOOKS: Mapping[str, str] = {
    **dict.fromkeys(("count", "days"), r"\d+"),
    **dict.fromkeys(("usual", "times", "whole"), _NUMBER),
    **dict.fromkeys(("ratio", "low", "high"), r"\d+%"),
    **dict.fromkeys(("day", "when"), _DAY),
    **dict.fromkeys(("code", "unit", "status"), r"[A-Z0-9]+"),
    "hs": r"\d+",
    "role": rf"(?i:{_ROLE})",
    "roles": rf"(?i:{_ROLE})(?: and (?:{_ROLE}))*",
    "field": rf"(?i:{_FIELD})",
    "fields": rf"(?i:{_FIELD})(?:, (?i:{_FIELD}))+",
    "part": rf"(?i:{_PART})",
    "parts": rf"{_PART}(?:, {_PART})*",
    "verdict": "not the same|the same",
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_AMOUNT = re.compile(rf"(?<![\w.-]){_NUMBER}(?![\w.-])")


def say_again(english: str) -> str:
    """The sentence in the officer's language; empty where it has none of the known shapes."""
    for shape, pattern in _patterns():
        found = pattern.fullmatch(english)
        if found:
            return gettext(shape) % {name: _part(name, text) for name, text in found.groupdict().items()}
    return ""


def say_word(text: str, words: Words) -> str:
    """A word of a table in the officer's language, with a capital where it had one; any other as it is."""
    known = str(words.get(text) or words.get(text[:1].lower() + text[1:]) or text)
    return known[:1].upper() + known[1:] if text[:1].isupper() else known


def say_roles(text: str) -> str:
    """The parts that somebody plays in a consignment, such as `exporter and consignor`."""
    first, *others = text.split(" and ")
    said = say_word(first, ROLES)
    for other in others:
        said = gettext("%(one)s and %(other)s") % {"one": said, "other": say_word(other, ROLES)}
    return said


def say_day(iso: str) -> str:
    """A day as its language writes it; what is no day as it is."""
    try:
        return date_format(date.fromisoformat(iso), "j M Y" if is_english() else "j N Y")
    except ValueError:
        return iso


def say_figures(text: str) -> str:
    """The numbers of a text as the language writes them: 24,000.00 USD, 980 kg, 38%."""
    return _AMOUNT.sub(_number, text).replace("%", "\u00a0%")


def say_country(name: str) -> str:
    """A country, named in English, in the officer's language."""
    names = translation("iso3166-1", pycountry.LOCALES_DIR, languages=[get_language() or "en"], fallback=True)
    return names.gettext(name) if name else name


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((shape, re.compile(_pattern(shape), re.DOTALL)) for shape in _SHAPES)


def _pattern(shape: str) -> str:
    pieces = _PLACEHOLDER.split(shape)
    return "".join(
        f"(?P<{piece}>{_LOOKS.get(piece, '.+?')})" if place % 2 else re.escape(piece.replace("%%", "%"))
        for place, piece in enumerate(pieces)
    )


def _number(found: re.Match[str]) -> str:
    digits = found[0].replace(",", "")
    return number_format(
        Decimal(digits), decimal_pos=len(digits.partition(".")[2]), use_l10n=True, force_grouping="," in found[0]
    )


def _compared(text: str) -> str:
    """What was compared and how it came out, such as `birth date is near`."""
    for english, result in _RESULTS.items():
        if text.endswith(f" {english}"):
            return f"{say_word(text.removesuffix(f' {english}'), PARTS)} {RESULTS[result]}"
    return text


def _countries(text: str) -> str:
    whole = say_country(text)
    names = [text] if whole != text else text.split(" and ")
    return ", ".join(say_word(say_country(name), VALUES) for name in names)


def _choice(text: str) -> str:
    return gettext(" or ").join(say_word(each, VALUES) for each in text.split(" or "))


def _fields(text: str) -> str:
    names = {label.lower(): str(FIELDS[name]) for name, label in LABELS.items()}
    first, *others = (names.get(each.lower(), each) for each in text.split(", "))
    return ", ".join([first, *(each[:1].lower() + each[1:] for each in others)])


_SAID: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys(("figure", "there", "usual", "times", "whole", "ratio", "low", "high"), say_figures),
    **dict.fromkeys(("day", "when"), say_day),
    **dict.fromkeys(("countries", "country"), _countries),
    "value": lambda text: say_word(text, VALUES),
    "choice": _choice,
    "role": lambda text: say_word(text, ROLES),
    "roles": say_roles,
    **dict.fromkeys(("field", "fields"), _fields),
    "part": _compared,
    "parts": lambda text: ", ".join(_compared(each) for each in text.split(", ")),
    "verdict": lambda text: str(VERDICTS["same" if text == "the same" else "not_same"]).lower(),
    "who": lambda text: text.removeprefix("officer:"),
}


def _part(name: str, text: str) -> str:
    return _SAID.get(name, str)(text)
