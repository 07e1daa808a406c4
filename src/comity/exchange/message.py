"""A message between two administrations: one typed body and the article under which it travels."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from comity.common import ComityError, parse_instant, show_instant
from comity.exchange.errors import MessageFormError
from comity.exchange.limits import LIMITS
from comity.trust import canonical_json

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_ADMINISTRATION = re.compile(r"[A-Z]{2}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}/[1-9][0-9]{0,3}")
# RFC 7493 §2.2, as in trust's canonical form: beyond this some readers would round.
MAX_INTEGER = 2**53 - 1
_TEXTS = ("kind", "id", "origin", "sender", "recipient", "agreement", "article", "purpose", "handling", "created")
# As wide as the columns they are stored in; where nothing is said, the widest.
_WIDEST = 200
_WIDTHS = {"purpose": 40, "handling": 16}
_KNOWN = frozenset({*_TEXTS, "body", "valid_until", "in_reply_to", "onward"})
# What a later version may add; no article judges it, so it is no place for a letter.
_MOST_UNKNOWN_BYTES = 1024
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def _refuse_number(text: str) -> float:
    raise ValueError(f"the number {text[:20]} has no canonical form: write it as text")


def _read_integer(text: str) -> int:
    value = int(text) if len(text) < 18 else MAX_INTEGER + 1
    return value if abs(value) <= MAX_INTEGER else int(_refuse_number(text))


_DECODER = json.JSONDecoder(parse_float=_refuse_number, parse_constant=_refuse_number, parse_int=_read_integer)
_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)


def write_canonical(values: Mapping[str, object]) -> bytes:
    """As trust's canonical_json, for what this room builds from texts, whole numbers, lists and mappings alone."""
    return _ENCODER.encode(values).encode()


@dataclass(frozen=True, slots=True)
class Message:
    """What one administration tells another. Its bytes are canonical JSON, made once and kept.

    id: UUIDv7 of the sender. origin: the administration whose information it is. agreement: the hash that is the
    agreement's id. handling: the word of the level. onward: of a message that is handed on, the proof of its origin.
    raw: the bytes as they arrived; empty for a new message.
    """

    kind: str
    id: str
    origin: str
    sender: str
    recipient: str
    agreement: str
    article: str
    purpose: str
    handling: str
    created: datetime
    body: Mapping[str, object]
    valid_until: datetime | None = None
    in_reply_to: str = ""
    onward: Mapping[str, object] | None = None
    raw: bytes = field(default=b"", repr=False, compare=False)

    def to_bytes(self) -> bytes:
        """The canonical JSON: what is hashed, sealed and stored."""
        return self.raw or canonical_json(self._to_mapping())

    def _to_mapping(self) -> dict[str, object]:
        mapping: dict[str, object] = {name: getattr(self, name) for name in _TEXTS}
        mapping["created"] = show_instant(self.created)
        mapping["body"] = dict(self.body)
        if self.valid_until is not None:
            mapping["valid_until"] = show_instant(self.valid_until)
        if self.in_reply_to:
            mapping["in_reply_to"] = self.in_reply_to
        if self.onward is not None:
            mapping["onward"] = dict(self.onward)
        return mapping


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """An accepted message on its way into its journey. attempt: from 1."""

    message: Message
    received_at: datetime
    sequence: int
    attempt: int


def read_message(data: bytes, *, limit: int = LIMITS.message_bytes) -> Message:
    """The message in these bytes; fields that no name here knows survive in its bytes, where they are few.

    Raises: MessageFormError naming the field.
    """
    if len(data) > limit:
        raise MessageFormError("The message is too large", where=f"{len(data)} bytes", remedy=f"At most {limit} bytes.")
    if b"\\u0000" in data and _ESCAPED_NUL.search(data):
        # No text of trade holds it, and PostgreSQL stores none that does.
        raise MessageFormError("The message holds the character U+0000", where="message", remedy="Leave it out.")
    mapping = read_canonical(data)
    values = _texts(mapping)
    created, until = _instant(values.pop("created"), "created"), mapping.get("valid_until")
    body = mapping.get("body")
    unknown = mapping.keys() - _KNOWN
    if unknown and len(write_canonical({name: mapping[name] for name in unknown})) > _MOST_UNKNOWN_BYTES:
        raise MessageFormError(
            "The message holds more than is left to fields that no reader knows",
            where=", ".join(sorted(unknown))[:100],
            remedy=f"At most {_MOST_UNKNOWN_BYTES} bytes; what an article must judge belongs into the body.",
        )
    if not isinstance(body, dict):
        raise MessageFormError("The message has no body", where="body", remedy="Give an object.")
    if not _KIND.fullmatch(values["kind"]):
        raise MessageFormError("Not a message kind", where="kind", remedy="Write it as alert/1.")
    for name in ("sender", "recipient", "origin"):
        check_administration(values[name], name)
    check_id(values["id"], "id")
    reply = mapping.get("in_reply_to", "")
    if reply != "":
        check_id(reply, "in_reply_to")
    onward = mapping.get("onward")
    if onward is not None and not isinstance(onward, dict):
        raise MessageFormError("The proof of the origin is no object", where="onward")
    return Message(
        **values,
        created=created,
        body=body,
        valid_until=None if until is None else _instant(until, "valid_until"),
        in_reply_to=cast(str, reply),
        onward=onward,
        raw=data,
    )


def read_canonical(data: bytes) -> dict[str, object]:
    """The JSON object in these bytes, which must be its canonical form: two readers cannot see two messages.

    Raises: MessageFormError.
    """
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


def check_administration(value: object, where: str) -> None:
    """Raises: MessageFormError where this is no administration code such as XA."""
    if not isinstance(value, str) or not _ADMINISTRATION.fullmatch(value):
        raise MessageFormError("Not an administration", where=where, remedy="Write its code, such as XA.")


def check_id(value: object, where: str) -> None:
    """Raises: MessageFormError where this is no UUID in lower case."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise MessageFormError("Not an identifier", where=where, remedy="Write a UUID in lower case.")


def _texts(mapping: Mapping[str, object]) -> dict[str, str]:
    """The text fields. All at once where they are as they should be; else one by one, to name the one that is not."""
    values = [value for name in _TEXTS if isinstance(value := mapping.get(name), str)]
    lengths = [len(value) for value in values]
    if len(values) == len(_TEXTS) and min(lengths) > 0 and max(lengths) <= _WIDEST and "".join(values).isprintable():
        found = dict(zip(_TEXTS, values, strict=True))
        if all(len(found[name]) <= width for name, width in _WIDTHS.items()):
            return found
    return {name: _text(mapping, name) for name in _TEXTS}


def _text(mapping: Mapping[str, object], name: str) -> str:
    value = mapping.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _WIDTHS.get(name, _WIDEST) or not value.isprintable():
        raise MessageFormError(f"The field {name} is missing or no short text", where=name)
    return value


def _instant(value: object, name: str) -> datetime:
    try:
        return parse_instant(cast(str, value))
    except ComityError as error:
        raise MessageFormError(error.what, where=name, remedy=error.remedy) from error
