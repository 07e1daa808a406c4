"""Envelopes and answers side by side: the list that is fetched over HTTPS and lies in a carried file.

The form is docs/protocol.md §8: for each part its kind (one byte), its length (four bytes, big-endian), its bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from comity.exchange.canonical import MAX_INTEGER
from comity.exchange.errors import CarriedFormError, MessageFormError
from comity.exchange.limits import LIMITS
from comity.exchange.message import check_id
from comity.exchange.position import Position
from comity.trust import canonical_json

_HEAD_BYTES = 5
_NAME_BYTES = 36
MOST_PARTS = 8192


class PartKind(StrEnum):
    """What a part holds: an envelope as sealed; a receipt or a signed refusal after the id of the envelope that it
    answers; how far the other's sequence has arrived, as JSON."""

    ENVELOPE = "E"
    RECEIPT = "A"
    REFUSAL = "R"
    POSITION = "P"


_ANSWERS = (PartKind.RECEIPT, PartKind.REFUSAL)


@dataclass(frozen=True, slots=True)
class Part:
    """One part. envelope: of an answer, the id of the envelope that it is to."""

    kind: PartKind
    data: bytes
    envelope: str = ""

    def to_bytes(self) -> bytes:
        """Kind, length, bytes."""
        data = self.envelope.encode() + self.data
        return self.kind.encode() + len(data).to_bytes(4, "big") + data


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to one of our envelopes, as it came: a receipt or a signed refusal."""

    envelope: str
    body: bytes
    is_receipt: bool

    def to_part(self) -> Part:
        """As it travels."""
        return Part(PartKind.RECEIPT if self.is_receipt else PartKind.REFUSAL, self.body, self.envelope)


@dataclass(frozen=True, slots=True)
class PartList:
    """What a list of parts holds, by kind."""

    envelopes: tuple[bytes, ...] = ()
    answers: tuple[Answered, ...] = ()
    position: Position | None = None

    def to_bytes(self) -> bytes:
        """Answers first, then the position, then the envelopes."""
        parts = [each.to_part() for each in self.answers]
        if self.position is not None:
            parts.append(Part(PartKind.POSITION, write_position(self.position)))
        parts += [Part(PartKind.ENVELOPE, each) for each in self.envelopes]
        return b"".join(part.to_bytes() for part in parts)


def read_parts(data: bytes) -> PartList:
    """The parts of a list, in their order.

    Raises: CarriedFormError naming the part.
    """
    envelopes: list[bytes] = []
    answers: list[Answered] = []
    position = None
    for part in _cut(data):
        if part.kind is PartKind.ENVELOPE:
            envelopes.append(part.data)
        elif part.kind is PartKind.POSITION:
            position = read_position(part.data)
        else:
            answers.append(Answered(part.envelope, part.data, is_receipt=part.kind is PartKind.RECEIPT))
    return PartList(tuple(envelopes), tuple(answers), position)


def write_position(position: Position) -> bytes:
    """A position as canonical JSON."""
    return canonical_json({"contiguous": position.contiguous, "islands": [list(each) for each in position.islands]})


def read_position(data: bytes) -> Position:
    """A position from its JSON.

    Raises: CarriedFormError.
    """
    try:
        values = json.loads(data)
        islands = values["islands"]
        if len(islands) > LIMITS.islands:
            raise ValueError("islands")
        return Position(_sequence(values["contiguous"]), tuple((_sequence(a), _sequence(b)) for a, b in islands))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CarriedFormError("The position cannot be read", where=str(error)[:60]) from error


def _sequence(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_INTEGER:
        raise ValueError("not a sequence")
    return value


def _cut(data: bytes) -> Iterable[Part]:
    offset, number = 0, 0
    while offset < len(data):
        number += 1
        start = offset + _HEAD_BYTES
        end = start + int.from_bytes(data[offset + 1 : start], "big")
        if start > len(data) or end > len(data) or number > MOST_PARTS:
            raise CarriedFormError("The list of parts is cut off or too long", where=f"part {number}")
        yield _part(data[offset : offset + 1], data[start:end], number)
        offset = end


def _part(letter: bytes, data: bytes, number: int) -> Part:
    try:
        kind = PartKind(letter.decode("ascii"))
    except ValueError as error:
        raise CarriedFormError("A part is of an unknown kind", where=f"part {number}") from error
    if kind not in _ANSWERS:
        return Part(kind, data)
    try:
        name = data[:_NAME_BYTES].decode("ascii")
        check_id(name, "envelope")
    except (UnicodeDecodeError, MessageFormError) as error:
        raise CarriedFormError("An answer does not name its envelope", where=f"part {number}") from error
    return Part(kind, data[_NAME_BYTES:], name)
