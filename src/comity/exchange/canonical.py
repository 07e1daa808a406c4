"""The canonical JSON of what travels, written and read: trust's form, at the pace of an exchange.

orjson does the work. What it does not take for canonical is read again, slowly and by the book, and only that reading
refuses: it knows what to say. So no word of the form depends on a library (docs/decisions/0032).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

import orjson

from comity.exchange.errors import MessageFormError

# RFC 7493 §2.2, as in trust's canonical form: beyond this some readers would round.
MAX_INTEGER = 2**53 - 1
_SORTED = orjson.OPT_SORT_KEYS
_CHECKED = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


def write_canonical(values: Mapping[str, object]) -> bytes:
    """As trust's canonical_json, for what this room builds from texts, whole numbers, lists and mappings alone."""
    try:
        return orjson.dumps(values, option=_SORTED)
    except TypeError:  # numbers of more than 64 bits, or deeper than it goes
        return _ENCODER.encode(values).encode()


def read_canonical(data: bytes) -> dict[str, object]:
    """The JSON object in these bytes, which must be its canonical form.

    Raises: MessageFormError.
    """
    mapping = _read_quickly(data)
    return _read_by_the_book(data) if mapping is None else mapping


def _read_quickly(data: bytes) -> dict[str, object] | None:
    """The object, where it is certain that these bytes are its canonical form."""
    try:
        value = orjson.loads(data)
        if type(value) is dict and not _has_fraction(value) and orjson.dumps(value, option=_CHECKED) == data:
            return value
    except (ValueError, TypeError, RecursionError):
        pass
    return None


def _has_fraction(value: object) -> bool:
    """Whether there is a number anywhere that is not whole; orjson would write it back as it was."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        kind = type(item)
        if kind is not str and (kind is float or ((kind is dict or kind is list) and _has_fraction(item))):
            return True
    return False


def _refuse_number(text: str) -> float:
    raise ValueError(f"the number {text[:20]} has no canonical form: write it as text")


def _read_integer(text: str) -> int:
    value = int(text) if len(text) < 18 else MAX_INTEGER + 1
    return value if abs(value) <= MAX_INTEGER else int(_refuse_number(text))


_DECODER = json.JSONDecoder(parse_float=_refuse_number, parse_constant=_refuse_number, parse_int=_read_integer)
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)


def _read_by_the_book(data: bytes) -> dict[str, object]:
    try:
        mapping = _DECODER.decode(data.decode())
        # As canonical_json writes it, without its walk: the decoder has refused what has no canonical form.
        is_canonical = isinstance(mapping, dict) and _ENCODER.encode(mapping).encode() == data
    except (ValueError, RecursionError) as error:
        raise MessageFormError("The message is not JSON in UTF-8", where=str(error)[:120]) from error
    if not is_canonical:
        raise MessageFormError(
            "The message is not a JSON object in canonical form",
            where="message",
            remedy="Sort the keys, leave out spaces, write numbers as text; see docs/protocol.md.",
        )
    return cast(dict[str, object], mapping)
