"""JSON forms made from the nouns themselves: one codec for each type, built once from its annotations.

Decimal -> text, datetime -> RFC 3339 in UTC, enums -> their word, tuples -> lists; what is empty and may be empty is
left out. Keys that no noun names are tolerated and ignored: a newer partner may send more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from comity.common import ComityError, parse_instant, show_instant
from comity.trade.errors import FieldError
from comity.trade.notices import Handling
from comity.trade.numbers import decimal_of, show_decimal

MAX_TEXT = 100_000
MAX_LIST = 10_000


@dataclass(frozen=True, slots=True)
class Codec:
    """How one type becomes JSON and back, and what JSON Schema says of it.

    read: raises FieldError, whose `where` is the path of the field within the value; empty: the value itself.
    """

    show: Callable[[Any], object]
    read: Callable[[object], Any]
    schema: Mapping[str, object]


@cache
def codec_of(kind: Any) -> Codec:
    """The codec of a noun or of one of its field types.

    Raises: TypeError for a type that has no JSON form here.
    """
    if kind in _SCALARS:
        return _SCALARS[kind]
    if get_origin(kind) is tuple:
        return _list_codec(codec_of(get_args(kind)[0]))
    if get_origin(kind) in (Union, UnionType):
        return codec_of(next(choice for choice in get_args(kind) if choice is not type(None)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum_codec(kind)
    if dataclasses.is_dataclass(kind):
        return _noun_codec(kind)
    raise TypeError(f"{kind!r} has no JSON form")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise FieldError("Must be a text")
    if len(value) > MAX_TEXT:
        raise FieldError(f"Longer than {MAX_TEXT} characters")
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise FieldError("Must be a whole number")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise FieldError("Must be true or false")
    return value


def _decimal(value: object) -> Decimal:
    text = _text(value)
    try:
        return decimal_of(text)
    except ValueError as error:
        raise FieldError(f"Not a number: {text[:40]!r}", remedy='Write it as "12.50".') from error


def _instant(value: object) -> datetime:
    text = _text(value)
    try:
        return parse_instant(text)
    except ComityError as error:
        raise FieldError(f"Not a date and time: {error}") from error


def _handling(value: object) -> Handling:
    try:
        return Handling.from_word(_text(value))
    except KeyError as error:
        words = ", ".join(level.word for level in Handling)
        raise FieldError(f"No handling level {value!r}", remedy=f"Use one of: {words}.") from error


_SCALARS: dict[object, Codec] = {
    str: Codec(str, _text, {"type": "string"}),
    int: Codec(int, _integer, {"type": "integer"}),
    bool: Codec(bool, _truth, {"type": "boolean"}),
    Decimal: Codec(show_decimal, _decimal, {"type": "string", "pattern": r"^[+-]?(\d+(\.\d*)?|\.\d+)$"}),
    datetime: Codec(show_instant, _instant, {"type": "string", "format": "date-time"}),
    Handling: Codec(
        lambda level: level.word, _handling, {"type": "string", "enum": [level.word for level in Handling]}
    ),
}


def _enum_codec(kind: type[Enum]) -> Codec:
    words = [str(member.value) for member in kind]
    members = {member.value: member for member in kind}

    def read(value: object) -> Enum:
        member = members.get(_text(value))
        if member is None:
            raise FieldError(f"No such word: {value!r}", remedy=f"Use one of: {', '.join(words)}.")
        return member

    return Codec(lambda member: member.value, read, {"type": "string", "enum": words})


def _list_codec(inner: Codec) -> Codec:
    show_one, read_one = inner.show, inner.read

    def show(values: tuple[object, ...]) -> object:
        return [show_one(value) for value in values]

    def read(value: object) -> tuple[object, ...]:
        if not isinstance(value, list | tuple):
            raise FieldError("Must be a list")
        if len(value) > MAX_LIST:
            raise FieldError(f"More than {MAX_LIST} entries")
        entries: list[object] = []
        try:
            for entry in value:
                entries.append(read_one(entry))
        except FieldError as error:
            raise _beneath(f"[{len(entries)}]", error) from error.__cause__
        return tuple(entries)

    return Codec(show, read, {"type": "array", "items": inner.schema})


def _beneath(step: str, error: FieldError) -> FieldError:
    """The error, told from one level higher."""
    rest = error.where if not error.where or error.where.startswith("[") else f".{error.where}"
    return FieldError(error.what, where=step + rest, remedy=error.remedy)


@dataclass(frozen=True, slots=True)
class _Slot:
    name: str
    codec: Codec
    default: object
    is_required: bool

    def may_omit(self, value: object) -> bool:
        """Whether nothing is lost when the value is left out: it is empty, and reading gives the same again."""
        return not self.is_required and value == self.default and value in (None, "", ())


def _noun_codec(kind: Any) -> Codec:
    slots = _slots_of(kind)
    readers = tuple((slot.name, slot.codec.read, slot.codec.read is _text, slot.is_required) for slot in slots)

    def show(noun: object) -> dict[str, object]:
        shown: dict[str, object] = {}
        for slot in slots:
            value = getattr(noun, slot.name)
            if value is None or slot.may_omit(value):
                continue
            form = slot.codec.show(value)
            if form != {} or value != slot.default:
                shown[slot.name] = form
        return shown

    def read(value: object) -> object:
        if not isinstance(value, dict | Mapping):  # a plain dict first: the abstract type takes five times as long
            raise FieldError("Must be an object")
        given: dict[str, object] = {}
        name = ""
        try:
            for name, read_one, is_text, is_required in readers:
                entry = value.get(name)
                if entry is not None:
                    # Most fields are texts: what _text asks of them, without a call.
                    given[name] = (
                        entry if is_text and type(entry) is str and len(entry) <= MAX_TEXT else read_one(entry)
                    )
                elif is_required:
                    raise FieldError("This field is missing")
        except FieldError as error:
            raise _beneath(name, error) from error.__cause__
        return kind(**given)

    return Codec(show, read, _noun_schema(kind, slots))


def _slots_of(kind: Any) -> tuple[_Slot, ...]:
    hints = get_type_hints(kind)
    return tuple(
        _Slot(
            entry.name,
            codec_of(hints[entry.name]),
            None if entry.default is dataclasses.MISSING else entry.default,
            entry.default is dataclasses.MISSING,
        )
        for entry in dataclasses.fields(kind)
    )


def _noun_schema(kind: Any, slots: tuple[_Slot, ...]) -> dict[str, object]:
    schema: dict[str, object] = {
        "type": "object",
        "description": (kind.__doc__ or "").strip().split("\n")[0],
        "properties": {slot.name: slot.codec.schema for slot in slots},
    }
    required = [slot.name for slot in slots if slot.is_required]
    if required:
        schema["required"] = required
    return schema
