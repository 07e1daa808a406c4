"""A message between two administrations: one typed body and the article under which it travels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import cast

from comity.common import ComityError, parse_instant, show_instant
from comity.exchange.canonical import read_canonical, write_canonical
from comity.exchange.errors import MessageFormError
from comity.exchange.limits import LIMITS
from comity.trust import canonical_json

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_ADMINISTRATION = re.compile(r"[A-Z]{2}")
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}/[1-9][0-9]{0,3}")
_WORDS = ("kind", "origin", "sender", "recipient", "agreement", "article", "purpose", "handling")
_ADMINISTRATIONS = ("origin", "sender", "recipient")
# As wide as the columns they are stored in; where nothing is said, the widest.
_WIDEST = 200
_WIDTHS = {"purpose": 40, "handling": 16}
_KNOWN = frozenset({*_WORDS, "id", "created", "body", "valid_until", "in_reply_to", "onward"})
# What a later version may add; no article judges it, so it is no place for a letter.
_MOST_UNKNOWN_BYTES = 1024
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


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
        mapping: dict[str, object] = {name: getattr(self, name) for name in (*_WORDS, "id")}
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
    words = [mapping.get(name) for name in _WORDS]
    try:
        _check_words(*words)
    except TypeError:  # what cannot be remembered is no text either
        _check_words.__wrapped__(*words)
    kind, origin, sender, recipient, agreement, article, purpose, handling = cast(list[str], words)
    created, until = _instant(mapping.get("created"), "created"), mapping.get("valid_until")
    body = mapping.get("body")
    if not _KNOWN.issuperset(mapping):
        _check_unknown(mapping)
    if not isinstance(body, dict):
        raise MessageFormError("The message has no body", where="body", remedy="Give an object.")
    check_id(mapping.get("id"), "id")
    reply = mapping.get("in_reply_to", "")
    if reply != "":
        check_id(reply, "in_reply_to")
    onward = mapping.get("onward")
    if onward is not None and not isinstance(onward, dict):
        raise MessageFormError("The proof of the origin is no object", where="onward")
    return Message(
        kind=kind,
        id=cast(str, mapping["id"]),
        origin=origin,
        sender=sender,
        recipient=recipient,
        agreement=agreement,
        article=article,
        purpose=purpose,
        handling=handling,
        created=created,
        body=body,
        valid_until=None if until is None else _instant(until, "valid_until"),
        in_reply_to=cast(str, reply),
        onward=onward,
        raw=data,
    )


def _check_unknown(mapping: Mapping[str, object]) -> None:
    unknown = mapping.keys() - _KNOWN
    if len(write_canonical({name: mapping[name] for name in unknown})) > _MOST_UNKNOWN_BYTES:
        raise MessageFormError(
            "The message holds more than is left to fields that no reader knows",
            where=", ".join(sorted(unknown))[:100],
            remedy=f"At most {_MOST_UNKNOWN_BYTES} bytes; what an article must judge belongs into the body.",
        )


def check_administration(value: object, where: str) -> None:
    """Raises: MessageFormError where this is no administration code such as XA."""
    if not isinstance(value, str) or not _ADMINISTRATION.fullmatch(value):
        raise MessageFormError("Not an administration", where=where, remedy="Write its code, such as XA.")


def check_id(value: object, where: str) -> None:
    """Raises: MessageFormError where this is no UUID in lower case."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise MessageFormError("Not an identifier", where=where, remedy="Write a UUID in lower case.")


@lru_cache(maxsize=1024)
def _check_words(*words: object) -> None:
    """The words that the messages of a partner share. What holds is remembered; what is refused never is."""
    for name, word in zip(_WORDS, words, strict=True):
        if not isinstance(word, str) or not 0 < len(word) <= _WIDTHS.get(name, _WIDEST) or not word.isprintable():
            raise MessageFormError(f"The field {name} is missing or no short text", where=name)
        if name in _ADMINISTRATIONS:
            check_administration(word, name)
        if name == "kind" and not _KIND.fullmatch(word):
            raise MessageFormError("Not a message kind", where=name, remedy="Write it as alert/1.")


def _instant(value: object, name: str) -> datetime:
    try:
        return parse_instant(cast(str, value))
    except ComityError as error:
        raise MessageFormError(error.what, where=name, remedy=error.remedy) from error
