"""The values of fields: what each type looks like on the wire, and how a person writes it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from comity.agreements.procedures import Field, FieldType
from comity.common import ComityError, parse_instant

MOST_TEXT, MOST_LONG_TEXT, MOST_LISTED = 500, 10_000, 100
_PARTY = re.compile(r"[A-Z]{2}", re.ASCII)
_HS = re.compile(r"[0-9]{2,10}", re.ASCII)
_REF = re.compile(r"\S(.{0,198}\S)?")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)

_LISTS: Mapping[FieldType, FieldType] = {
    FieldType.TEXTS: FieldType.TEXT,
    FieldType.WORDS: FieldType.WORD,
    FieldType.HS_CODES: FieldType.HS,
    FieldType.REFS: FieldType.REF,
    FieldType.PARTIES: FieldType.PARTY,
}
FORMS: Mapping[FieldType, str] = {
    FieldType.TEXT: f"a line of at most {MOST_TEXT} characters",
    FieldType.LONG_TEXT: f"a text of at most {MOST_LONG_TEXT} characters",
    FieldType.WORD: "one of its words",
    FieldType.DATE: "a day as 2026-12-31",
    FieldType.INSTANT: "an instant in UTC as 2026-12-31T09:30:00Z",
    FieldType.NUMBER: 'a number written as text, as "12.5"',
    FieldType.MONEY: 'an amount and a currency, as {"amount": "12.50", "currency": "EUR"}',
    FieldType.PARTY: "the code of an administration, such as XA",
    FieldType.COUNTRY: "an ISO 3166 code of two letters",
    FieldType.HS: "2 to 10 digits of an HS code",
    FieldType.REF: "a reference of at most 200 characters",
    FieldType.FLAG: "true or false",
    FieldType.FILE: "the SHA-256 of the file in hexadecimal digits",
}


def form_of(field: Field) -> str:
    """What a value of this field looks like, in words."""
    inner = _LISTS.get(field.type)
    words = f"one of {', '.join(word for word, _ in field.words)}" if field.words else ""
    text = words or FORMS[inner or field.type]
    return f"a list of 1 to {MOST_LISTED}, each {text}" if inner else text


def is_value(field: Field, value: object) -> bool:
    """Whether a value of the wire is one of this field."""
    inner = _LISTS.get(field.type)
    if inner is None:
        return _is_one(field, field.type, value)
    return (
        isinstance(value, list) and 0 < len(value) <= MOST_LISTED and all(_is_one(field, inner, each) for each in value)
    )


def value_of(field: Field, text: str) -> object:
    """The value that a person wrote: a list with commas or lines, an amount as `12.50 EUR`, a flag as true or false.

    The value is not yet checked: `is_value` does that.
    """
    inner = _LISTS.get(field.type)
    if inner is not None:
        parts = re.split(r"[\n;]" if inner is FieldType.TEXT else r"[\n,;]", text)
        return [part.strip() for part in parts if part.strip()]
    if field.type is FieldType.FLAG:
        return {"true": True, "false": False}.get(text.strip().lower(), text)
    if field.type is FieldType.MONEY:
        amount, _, currency = text.strip().partition(" ")
        return {"amount": amount, "currency": currency.strip()}
    return text.strip()


def _is_one(field: Field, kind: FieldType, value: object) -> bool:
    if kind is FieldType.FLAG:
        return isinstance(value, bool)
    if kind is FieldType.MONEY:
        return _is_money(value)
    if not isinstance(value, str) or not value.strip():
        return False
    if kind is FieldType.WORD:
        return value in {word for word, _ in field.words}
    return _TEXTS[kind](value)


def _is_money(value: object) -> bool:
    if not isinstance(value, Mapping) or set(value) != {"amount", "currency"}:
        return False
    amount, currency = value["amount"], value["currency"]
    return (
        isinstance(amount, str)
        and isinstance(currency, str)
        and bool(_NUMBER.fullmatch(amount) and _CURRENCY.fullmatch(currency))
    )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_instant(text: str) -> bool:
    try:
        parse_instant(text)
    except ComityError:
        return False
    return True


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: bool(pattern.fullmatch(text))


_TEXTS: Mapping[FieldType, Callable[[str], bool]] = {
    FieldType.TEXT: lambda text: len(text) <= MOST_TEXT and text.isprintable(),
    FieldType.LONG_TEXT: lambda text: len(text) <= MOST_LONG_TEXT,
    FieldType.DATE: _is_day,
    FieldType.INSTANT: _is_instant,
    FieldType.NUMBER: _matches(_NUMBER),
    FieldType.PARTY: _matches(_PARTY),
    FieldType.COUNTRY: _matches(_PARTY),
    FieldType.HS: _matches(_HS),
    FieldType.REF: lambda text: bool(_REF.fullmatch(text)) and text.isprintable(),
    FieldType.FILE: _matches(_SHA256),
}
