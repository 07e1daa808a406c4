"""What is signed in custody and how it travels: recall/1, holding/1 and consent/1 as values. Pure.

Each body says in clear what the signed statement in it says, and nothing else: a reader that knows no signatures reads
the same as one that does. The signature is checked where the signer's keys are known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar, cast
from uuid import UUID

from comity.common import ComityError, parse_instant, show_instant
from comity.custody.errors import DutyFormError
from comity.custody.rules import RECALL_GROUNDS, RETAIN_GROUNDS, Mode, Status
from comity.trade import Handling
from comity.trust import SignedStatement, Signer, canonical_json, sign_statement

RECALL_KIND, HOLDING_KIND, CONSENT_KIND = "recall/1", "holding/1", "consent/1"
RECALL_TYPE = "application/vnd.comity.recall.v1+json"
HOLDING_TYPE = "application/vnd.comity.holding.v1+json"
CONSENT_TYPE = "application/vnd.comity.consent.v1+json"
MOST_MESSAGES = 500
MOST_RECIPIENTS = 50
MOST_STATEMENT_BYTES = 96 * 1024
_ADMINISTRATION = re.compile(r"[A-Z]{2}", re.ASCII)
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# What others than the holder may say of a copy: that it was handed on, and that nobody has answered.
_SAID_OF_OTHERS = frozenset({Status.HELD, Status.OVERDUE})
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class RecallOrder:
    """What the origin of messages orders. id: UUIDv7. replacement: (old, new) message ids of the origin."""

    id: str
    origin: str
    messages: tuple[str, ...]
    mode: Mode
    ground: str
    made_at: datetime
    due_at: datetime
    replacement: tuple[tuple[str, str], ...] = ()
    keep_until: datetime | None = None
    handling: str = ""

    def to_payload(self) -> bytes:
        """The canonical JSON that is signed."""
        payload: dict[str, object] = {
            "recall": self.id,
            "origin": self.origin,
            "messages": list(self.messages),
            "mode": self.mode.value,
            "ground": self.ground,
            "made_at": show_instant(self.made_at),
            "due_at": show_instant(self.due_at),
        }
        if self.replacement:
            payload["replacement"] = dict(self.replacement)
        if self.keep_until is not None:
            payload["keep_until"] = show_instant(self.keep_until)
        if self.handling:
            payload["handling"] = self.handling
        return canonical_json(payload)


@dataclass(frozen=True, slots=True)
class HoldingNotice:
    """What is told of one copy. told_by: who signs; of somebody else's copy only that it was handed on or is overdue.

    recall: the recall that it answers; empty where it answers none. via: from whom the holder has it.
    until: of a retained copy, until when. sha256: of the message as the holder had it; empty where it is not its own.
    """

    message: str
    origin: str
    holder: str
    told_by: str
    status: Status
    ground: str
    at: datetime
    via: str = ""
    recall: str = ""
    keep_until: datetime | None = None
    handling: str = ""
    until: datetime | None = None
    sha256: str = ""

    def to_payload(self) -> bytes:
        """The canonical JSON that is signed."""
        payload: dict[str, object] = {
            "message": self.message,
            "origin": self.origin,
            "holder": self.holder,
            "told_by": self.told_by,
            "status": self.status.value,
            "ground": self.ground,
            "at": show_instant(self.at),
        }
        texts = {"via": self.via, "recall": self.recall, "handling": self.handling, "sha256": self.sha256}
        moments = {"keep_until": self.keep_until, "until": self.until}
        payload |= {name: text for name, text in texts.items() if text}
        payload |= {name: show_instant(moment) for name, moment in moments.items() if moment is not None}
        return canonical_json(payload)


@dataclass(frozen=True, slots=True)
class ConsentNotice:
    """The owner's answer to who wants to hand its message on. until: the last moment of handing on; given where set."""

    id: str
    message: str
    owner: str
    asker: str
    recipients: tuple[str, ...]
    at: datetime
    is_given: bool
    until: datetime | None = None

    def to_payload(self) -> bytes:
        """The canonical JSON that is signed."""
        payload: dict[str, object] = {
            "consent": self.id,
            "message": self.message,
            "owner": self.owner,
            "asker": self.asker,
            "recipients": list(self.recipients),
            "at": show_instant(self.at),
            "given": self.is_given,
        }
        if self.until is not None:
            payload["until"] = show_instant(self.until)
        return canonical_json(payload)

    def covers(self, message_id: str, recipient: str, at: datetime) -> bool:
        """Whether this message may be handed on to this recipient at this instant."""
        is_named = message_id == self.message and recipient in self.recipients
        return self.is_given and is_named and self.until is not None and at <= self.until


@dataclass(frozen=True, slots=True)
class ConsentAsked:
    """The wish to hand a message on. The envelope says who wishes it."""

    id: str
    message: str
    owner: str
    recipients: tuple[str, ...]
    reason: str

    def to_body(self) -> dict[str, object]:
        """The body of a consent/1 that asks."""
        return {
            "ask": True,
            "consent": self.id,
            "message": self.message,
            "owner": self.owner,
            "recipients": list(self.recipients),
            "reason": self.reason,
        }


Notice = RecallOrder | HoldingNotice | ConsentNotice


@dataclass(frozen=True, slots=True)
class Signed:
    """A notice with the statement that says it."""

    notice: Notice
    statement: SignedStatement
    member: str = field(default="statement")

    def to_body(self) -> dict[str, object]:
        """The body that carries it."""
        return body_of(self.statement, self.member)


def sign_recall(order: RecallOrder, key: Signer) -> Signed:
    """The order under the origin's signature."""
    return Signed(order, sign_statement(RECALL_TYPE, order.to_payload(), key), "origin_statement")


def sign_holding(notice: HoldingNotice, key: Signer) -> Signed:
    """What is told of a copy, under the signature of who tells it."""
    return Signed(notice, sign_statement(HOLDING_TYPE, notice.to_payload(), key))


def sign_consent(notice: ConsentNotice, key: Signer) -> Signed:
    """A consent or its refusal under the owner's signature."""
    return Signed(notice, sign_statement(CONSENT_TYPE, notice.to_payload(), key))


def body_of(statement: SignedStatement, member: str = "statement") -> dict[str, object]:
    """The body for a statement: what it says, and itself."""
    said = cast(dict[str, object], json.loads(statement.payload))
    return said | {member: json.loads(statement.to_bytes())}


def recall_from_body(body: Mapping[str, object]) -> Signed:
    """The order in a recall/1.

    Raises: DutyFormError naming the field.
    """
    statement, said = _statement(body, "origin_statement", RECALL_TYPE)
    mode = Mode(_one_of(said, "mode", [each.value for each in Mode]))
    order = RecallOrder(
        id=_id(said, "recall"),
        origin=_administration(said, "origin"),
        messages=tuple(_each(said, "messages", _is_id, MOST_MESSAGES)),
        mode=mode,
        ground=_one_of(said, "ground", RECALL_GROUNDS),
        made_at=_moment(said, "made_at"),
        due_at=_moment(said, "due_at"),
        replacement=_replacement(said.get("replacement", {})),
        keep_until=_optional(said, "keep_until", _moment),
        handling=_optional(said, "handling", _handling) or "",
    )
    limits = order.keep_until is not None or bool(order.handling)
    if mode is Mode.TIGHTEN and not limits:
        raise DutyFormError("A tightening says how", where="keep_until", remedy="Give keep_until, handling or both.")
    _check_same(statement, order.to_payload())
    return Signed(order, statement, "origin_statement")


def holding_from_body(body: Mapping[str, object]) -> Signed:
    """What a holding/1 tells.

    Raises: DutyFormError naming the field.
    """
    statement, said = _statement(body, "statement", HOLDING_TYPE)
    told = [each.value for each in Status if each is not Status.RECALLED]
    notice = HoldingNotice(
        message=_id(said, "message"),
        origin=_administration(said, "origin"),
        holder=_administration(said, "holder"),
        told_by=_administration(said, "told_by"),
        status=Status(_one_of(said, "status", told)),
        ground=_ground(said),
        at=_moment(said, "at"),
        via=_optional(said, "via", _administration) or "",
        recall=_optional(said, "recall", _id) or "",
        keep_until=_optional(said, "keep_until", _moment),
        handling=_optional(said, "handling", _handling) or "",
        until=_optional(said, "until", _moment),
        sha256=_optional(said, "sha256", _sha256) or "",
    )
    if notice.told_by != notice.holder and notice.status not in _SAID_OF_OTHERS:
        raise DutyFormError(
            f"Only {notice.holder} itself says that its copy is {notice.status.value}",
            where="told_by",
            remedy="Pass on what the holder signed, unchanged.",
        )
    if notice.status is Status.RETAINED and notice.ground not in RETAIN_GROUNDS:
        raise DutyFormError("This is no ground to retain", where="ground", remedy=_known(RETAIN_GROUNDS))
    _check_same(statement, notice.to_payload())
    return Signed(notice, statement)


def consent_from_body(body: Mapping[str, object]) -> Signed | ConsentAsked:
    """The question or the answer in a consent/1.

    Raises: DutyFormError naming the field.
    """
    if "ask" in body:
        return _asked(body)
    statement, said = _statement(body, "statement", CONSENT_TYPE)
    notice = consent_of(said)
    _check_same(statement, notice.to_payload())
    return Signed(notice, statement)


def consent_of(said: Mapping[str, object]) -> ConsentNotice:
    """The consent in the payload of a statement.

    Raises: DutyFormError naming the field.
    """
    given = said.get("given")
    if not isinstance(given, bool):
        raise DutyFormError("It is not said whether the consent is given", where="given")
    until = _optional(said, "until", _moment)
    if given != (until is not None):
        raise DutyFormError("A consent that is given has an end, another has none", where="until")
    return ConsentNotice(
        id=_id(said, "consent"),
        message=_id(said, "message"),
        owner=_administration(said, "owner"),
        asker=_administration(said, "asker"),
        recipients=tuple(_each(said, "recipients", _is_administration, MOST_RECIPIENTS)),
        at=_moment(said, "at"),
        is_given=given,
        until=until,
    )


def _asked(body: Mapping[str, object]) -> ConsentAsked:
    reason = body.get("reason", "")
    if body["ask"] is not True or not isinstance(reason, str) or len(reason) > 500 or not reason.isprintable():
        raise DutyFormError("The question is not in its form", where="ask, reason")
    return ConsentAsked(
        id=_id(body, "consent"),
        message=_id(body, "message"),
        owner=_administration(body, "owner"),
        recipients=tuple(_each(body, "recipients", _is_administration, MOST_RECIPIENTS)),
        reason=reason,
    )


def _statement(
    body: Mapping[str, object], member: str, payload_type: str
) -> tuple[SignedStatement, Mapping[str, object]]:
    """The statement in a body and what it says, which must be what the body says in clear."""
    try:
        statement = SignedStatement.from_bytes(canonical_json(body.get(member)), limit=MOST_STATEMENT_BYTES)
        said = json.loads(statement.payload)
    except (ValueError, RecursionError, ComityError) as error:
        raise DutyFormError("There is no signed statement", where=member, remedy="See docs/protocol.md.") from error
    if statement.payload_type != payload_type:
        raise DutyFormError("The statement is of another type", where=member, remedy=f"Sign {payload_type}.")
    in_clear = {name: value for name, value in body.items() if name != member}
    if not isinstance(said, dict) or said != in_clear:
        raise DutyFormError(
            "The body says something else than its statement", where=member, remedy="Say what was signed, all of it."
        )
    return statement, said


def _check_same(statement: SignedStatement, payload: bytes) -> None:
    if statement.payload != payload:
        raise DutyFormError(
            "The statement says more than is known of its kind, or not in canonical form",
            where="statement",
            remedy="Write canonical JSON with the members of docs/protocol.md alone.",
        )


def _ground(said: Mapping[str, object]) -> str:
    value = said.get("ground", "")
    if not isinstance(value, str) or (value and not _WORD.fullmatch(value)):
        raise DutyFormError("A ground is a word", where="ground")
    return value


def _one_of(said: Mapping[str, object], name: str, known: Mapping[str, str] | list[str]) -> str:
    value = said.get(name)
    if not isinstance(value, str) or value not in known:
        raise DutyFormError(f"Not a known {name}", where=name, remedy=_known(known))
    return value


def _known(known: Mapping[str, str] | list[str]) -> str:
    return f"Known are: {', '.join(known)}."


def _each(said: Mapping[str, object], name: str, is_right: Callable[[object], bool], most: int) -> list[str]:
    values = said.get(name)
    if not isinstance(values, list) or not 1 <= len(values) <= most or not all(is_right(each) for each in values):
        raise DutyFormError(f"The list {name} is empty, too long or holds something else", where=name)
    if len(set(values)) != len(values):
        raise DutyFormError(f"The list {name} names one twice", where=name)
    return values


def _replacement(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or len(value) > MOST_MESSAGES:
        raise DutyFormError("Replacements are an object of message ids", where="replacement")
    pairs = [(old, new) for old, new in value.items() if _is_id(old) and _is_id(new)]
    if len(pairs) != len(value):
        raise DutyFormError("A replacement is named by message ids", where="replacement")
    return tuple(sorted(pairs))


def _optional(
    said: Mapping[str, object], name: str, read: Callable[[Mapping[str, object], str], _Value]
) -> _Value | None:
    return read(said, name) if name in said else None


def _is_id(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _is_administration(value: object) -> bool:
    return isinstance(value, str) and _ADMINISTRATION.fullmatch(value) is not None


def _id(said: Mapping[str, object], name: str) -> str:
    value = said.get(name)
    if not _is_id(value):
        raise DutyFormError("Not an identifier", where=name, remedy="Write a UUID in lower case.")
    return cast(str, value)


def _administration(said: Mapping[str, object], name: str) -> str:
    value = said.get(name)
    if not _is_administration(value):
        raise DutyFormError("Not an administration", where=name, remedy="Write its code, such as XA.")
    return cast(str, value)


def _sha256(said: Mapping[str, object], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise DutyFormError("Not a SHA-256 in hex", where=name)
    return value


def _handling(said: Mapping[str, object], name: str) -> str:
    return _one_of(said, name, [level.word for level in Handling])


def _moment(said: Mapping[str, object], name: str) -> datetime:
    try:
        return parse_instant(cast(str, said.get(name)))
    except ComityError as error:
        raise DutyFormError(error.what, where=name, remedy=error.remedy) from error
