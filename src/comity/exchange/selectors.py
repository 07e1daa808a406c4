"""Reads of this room."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import cast

from django.db.models import Count, F, Min, Q

from comity.exchange.directory import read_stored_keys
from comity.exchange.errors import MessageFormError, MessageUnknownError, PartnerUnknownError
from comity.exchange.message import Message, read_message
from comity.exchange.models import (
    InboxEnvelope,
    InboxMessage,
    OutboxEnvelope,
    OutboxMessage,
    Partner,
    Reception,
    Refusal,
)
from comity.exchange.partner_refusals import PartnerRefusal as PartnerRefusal  # noqa: PLC0414  # offered here
from comity.exchange.partner_refusals import refusals_of_partner as refusals_of_partner  # noqa: PLC0414  # offered here
from comity.exchange.position import Position
from comity.exchange.receipt import Answer, read_answer, read_answer_text
from comity.exchange.underway import SENT, is_under_way, open_runs, word_of
from comity.trust import KeyDocument

_WAITING = OutboxMessage.State.WAITING


class Direction(StrEnum):
    """Which way a message went."""

    SENT = "sent"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class PartnerView:
    """A partner and how the exchange with it goes. next_sequence: of the next message to it. way: push, collect or
    file: how our envelopes reach it; is_collected: we fetch what it has for us. to_carry: answers for the next file.
    collected_at: when fetching went well last; collect_error: why it does not now.
    """

    administration: str
    name: str
    endpoint: str
    state: str
    note: str
    introduced_at: datetime
    keys: KeyDocument
    fingerprint: str
    key_versions: int
    next_sequence: int
    received: Position
    last_envelope_at: datetime | None
    last_answer_at: datetime | None
    failures: int
    next_attempt_at: datetime | None
    last_error: str
    cosigned_size: int
    followed_size: int
    waiting: int
    way: str
    is_collected: bool
    to_carry: int
    collected_at: datetime | None
    collect_error: str


@dataclass(frozen=True, slots=True)
class MessageLine:
    """A message as a list shows it. state: of a sent one its delivery; of a received one accepted, refused or done."""

    direction: Direction
    id: str
    partner: str
    kind: str
    agreement: str
    article: str
    purpose: str
    handling: str
    at: datetime
    state: str
    in_reply_to: str
    log_index: int | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message with everything that proves it. message: None where what arrived cannot be read; data: its bytes.

    envelope: the sender's signed statement; position: the place of the message in it. receipt: the receiver's answer
    on the wire. purged_at: since when a received
    one is empty; purge_ground: why. decision: of a sent message, the receipt of the decision that permitted it.
    salt: of its leaf.
    """

    line: MessageLine
    message: Message | None
    data: bytes
    sha256: str
    sequence: int
    answer: Answer | None
    envelope: bytes = b""
    position: int = 0
    receipt: bytes = b""
    salt: bytes = b""
    decision: bytes = b""
    withheld: tuple[str, ...] = ()
    answered_at: datetime | None = None
    processed_at: datetime | None = None
    keep_until: datetime | None = None
    purged_at: datetime | None = None
    purge_ground: str = ""


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """How much is on its way. oldest_at: when the oldest message that is not answered was posted; oldest_waiting_at:
    of those that are in no envelope yet. By priority: `queues`."""

    waiting: int
    sent: int
    delivered: int
    refused: int
    oldest_at: datetime | None
    oldest_waiting_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InboxStatus:
    """What arrived. due: accepted, and its journey has not ended; failing: it was tried and failed."""

    accepted: int
    refused: int
    due: int
    failing: int


@dataclass(frozen=True, slots=True)
class RefusalView:
    """An envelope that was refused whole."""

    at: datetime
    sender: str
    envelope: str
    code: str
    what: str
    where: str
    remedy: str
    size_bytes: int


def partners() -> tuple[PartnerView, ...]:
    """Every partner, in the order of their codes."""
    rows = Partner.objects.select_related("delivery", "reception").order_by("administration")
    return tuple(_view(row) for row in rows)


def partner(administration: str) -> PartnerView:
    """One partner.

    Raises: PartnerUnknownError.
    """
    row = Partner.objects.select_related("delivery", "reception").filter(administration=administration).first()
    if row is None:
        raise PartnerUnknownError("No such partner", where=administration, remedy="See `comity partner list`.")
    return _view(row)


def reception_of(administration: str) -> Position:
    """How far a partner's sequence has arrived here."""
    row = Reception.objects.filter(partner__administration=administration).first()
    return _position(row) if row else Position()


def messages(
    *,
    direction: Direction | str | None = None,
    partner: str = "",
    kind: str = "",
    agreement: str = "",
    state: str = "",
    in_reply_to: str = "",
    without: Collection[str] = (),
    before: datetime | None = None,
    limit: int = 50,
) -> tuple[MessageLine, ...]:
    """Messages sent and received, the newest first. before: of an earlier time only, for the next page.

    without: kinds that are left out.
    """
    words = {"kind": kind, "agreement": agreement, "in_reply_to": in_reply_to}
    wanted = Q(**{name: word for name, word in words.items() if word})
    wanted &= ~Q(kind__in=tuple(without)) if without else Q()
    lines: list[MessageLine] = []
    if direction != Direction.RECEIVED:
        lines += _sent(wanted, partner, state, before, limit)
    if direction != Direction.SENT:
        lines += _received(wanted, partner, state, before, limit)
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True)[:limit])


def message(message_id: str) -> MessageView:
    """One message by its id, with its receipt and what proves it.

    Raises: MessageUnknownError.
    """
    sent = OutboxMessage.objects.select_related("partner").filter(message_id=message_id).first()
    if sent is not None:
        return _sent_view(sent)
    received = InboxMessage.objects.filter(message_id=message_id).order_by("id").first()
    if received is not None:
        return _received_view(received)
    raise MessageUnknownError(
        "No message of this id was sent or received here", where=message_id[:60], remedy="See `comity exchange status`."
    )


def sent_to(recipient: str, message_id: str) -> Message | None:
    """The message of this id that was sent from here to this partner, or None."""
    row = OutboxMessage.objects.filter(message_id=message_id, partner__administration=recipient).first()
    return _readable(bytes(row.data)) if row else None


def outbox_status(partner: str = "") -> OutboxStatus:
    """How much is on its way, to one partner or to all."""
    rows = OutboxMessage.objects.filter(Q(partner__administration=partner) if partner else Q()).order_by()
    counts = dict(rows.values_list("state").annotate(Count("id")))
    under_way = is_under_way(open_runs())
    sent = rows.filter(under_way).aggregate(count=Count("id"), oldest=Min("posted_at"))
    waiting = rows.filter(~under_way, state=_WAITING).aggregate(count=Count("id"), oldest=Min("posted_at"))
    return OutboxStatus(
        waiting=waiting["count"],
        sent=sent["count"],
        delivered=counts.get("delivered", 0),
        refused=counts.get("refused", 0),
        oldest_at=min((each["oldest"] for each in (sent, waiting) if each["oldest"]), default=None),
        oldest_waiting_at=waiting["oldest"],
    )


def inbox_status(partner: str = "") -> InboxStatus:
    """What arrived, from one partner or from all."""
    rows = InboxMessage.objects.filter(Q(sender=partner) if partner else Q())
    due = Q(is_accepted=True, processed_at=None)
    counts = rows.aggregate(
        accepted=Count("id", filter=Q(is_accepted=True)),
        refused=Count("id", filter=Q(is_accepted=False)),
        due=Count("id", filter=due),
        failing=Count("id", filter=due & Q(failures__gt=0)),
    )
    return InboxStatus(**counts)


def refusals(*, limit: int = 50) -> tuple[RefusalView, ...]:
    """Envelopes that were refused whole, the newest first."""
    rows = Refusal.objects.order_by("-at", "-id")[:limit]
    return tuple(
        RefusalView(row.at, row.sender, row.envelope_id, row.code, row.what, row.place, row.remedy, row.size_bytes)
        for row in rows
    )


def _view(row: Partner) -> PartnerView:
    versions = {each.fingerprint: bytes(each.statement) for each in row.keys.all()}
    return PartnerView(
        administration=row.administration,
        name=row.name,
        endpoint=row.endpoint,
        state=row.state,
        note=row.note,
        introduced_at=row.introduced_at,
        keys=read_stored_keys(versions[row.fingerprint]),
        fingerprint=row.fingerprint,
        key_versions=len(versions),
        next_sequence=row.next_sequence,
        received=_position(row.reception),
        last_envelope_at=row.reception.last_envelope_at,
        last_answer_at=row.delivery.last_answer_at,
        failures=row.delivery.failures,
        next_attempt_at=row.delivery.next_attempt_at,
        last_error=row.delivery.last_error,
        cosigned_size=row.delivery.cosigned_size,
        followed_size=row.delivery.followed_size,
        waiting=OutboxMessage.objects.filter(partner=row, state=_WAITING).count(),
        way=row.way,
        is_collected=row.is_collected,
        to_carry=row.carried_answers.count(),
        collected_at=row.reception.collected_at,
        collect_error=row.reception.collect_error,
    )


def _position(row: Reception) -> Position:
    return Position(row.contiguous, tuple((first, last) for first, last in row.islands))


def _sent(wanted: Q, partner: str, state: str, before: datetime | None, limit: int) -> list[MessageLine]:
    rows = OutboxMessage.objects.select_related("partner").filter(wanted).defer("data", "decision")
    rows = rows.filter(partner__administration=partner) if partner else rows
    runs = open_runs()
    rows = rows.filter(_in_state(state, is_under_way(runs))) if state else rows
    rows = rows.filter(posted_at__lt=before) if before else rows
    return [_sent_line(row, word_of(row, runs)) for row in rows.order_by("-posted_at", "-id")[:limit]]


def _in_state(state: str, under_way: Q) -> Q:
    if state == SENT:
        return under_way
    return Q(state=state) & ~under_way if state == _WAITING else Q(state=state)


def _received(wanted: Q, partner: str, state: str, before: datetime | None, limit: int) -> list[MessageLine]:
    rows = InboxMessage.objects.filter(wanted).defer("data")
    rows = rows.filter(sender=partner) if partner else rows
    rows = rows.filter(_RECEIVED_STATES.get(state, Q(pk=None))) if state else rows
    rows = rows.filter(received_at__lt=before) if before else rows
    return [_received_line(row) for row in rows.order_by("-received_at", "-id")[:limit]]


_RECEIVED_STATES = {
    "refused": Q(is_accepted=False),
    "accepted": Q(is_accepted=True, processed_at=None, failures=0),
    "failing": Q(is_accepted=True, processed_at=None, failures__gt=0),
    "done": Q(is_accepted=True, processed_at__isnull=False),
}


def _sent_line(row: OutboxMessage, state: str) -> MessageLine:
    return MessageLine(
        direction=Direction.SENT,
        id=row.message_id,
        partner=row.partner.administration,
        kind=row.kind,
        agreement=row.agreement,
        article=row.article,
        purpose=row.purpose,
        handling=row.handling,
        at=row.posted_at,
        state=state,
        in_reply_to=row.in_reply_to,
        log_index=row.log_index,
        error=str(row.answer.get("text", "")) if row.answer else "",
    )


def _received_line(row: InboxMessage) -> MessageLine:
    if not row.is_accepted:
        state = "refused"
    elif row.processed_at is not None:
        state = "done"
    else:
        state = "failing" if row.failures else "accepted"
    return MessageLine(
        direction=Direction.RECEIVED,
        id=row.message_id,
        partner=row.sender,
        kind=row.kind,
        agreement=row.agreement,
        article=row.article,
        purpose=row.purpose,
        handling=row.handling,
        at=row.received_at,
        state=state,
        in_reply_to=row.in_reply_to,
        log_index=None,
        error=row.last_error or read_answer_text(row.answer).text,
    )


def _sent_view(row: OutboxMessage) -> MessageView:
    envelope = envelope_of(row)
    return MessageView(
        line=_sent_line(row, word_of(row, open_runs(row.partner_id))),
        message=_readable(bytes(row.data)),
        data=bytes(row.data),
        sha256=row.sha256,
        sequence=row.sequence,
        answer=_sent_answer(row),
        envelope=bytes(envelope.statement) if envelope else b"",
        position=row.sequence - envelope.first_sequence if envelope else 0,
        receipt=bytes(envelope.answer) if envelope and envelope.answer else b"",
        salt=bytes(row.salt),
        decision=bytes(row.decision),
        withheld=tuple(cast(list[str], row.withheld)),
        answered_at=row.answered_at,
    )


def envelope_of(row: OutboxMessage) -> OutboxEnvelope | None:
    """The envelope that a message is in: of all that name it, the one that was not dissolved."""
    return (
        OutboxEnvelope.objects.filter(partner_id=row.partner_id, first_sequence__lte=row.sequence)
        .exclude(state=OutboxEnvelope.State.DISSOLVED)
        .order_by("-first_sequence")
        .filter(first_sequence__gt=row.sequence - F("count"))
        .first()
    )


def _sent_answer(row: OutboxMessage) -> Answer | None:
    if row.answer is not None:
        return read_answer(row.answer)
    if row.state == OutboxMessage.State.DELIVERED:
        return Answer(row.message_id, row.sha256, accepted=True, article=row.article)
    return None


def _received_view(row: InboxMessage) -> MessageView:
    envelope = InboxEnvelope.objects.filter(sender=row.sender, envelope_id=row.envelope_id).first()
    line = _received_line(row)
    return MessageView(
        line=line,
        message=_readable(bytes(row.data)),
        data=bytes(row.data),
        sha256=row.sha256,
        sequence=row.sequence,
        answer=read_answer_text(row.answer),
        envelope=bytes(envelope.statement) if envelope else b"",
        position=row.position,
        receipt=bytes(envelope.receipt) if envelope else b"",
        answered_at=row.received_at,
        processed_at=row.processed_at,
        keep_until=row.keep_until,
        purged_at=row.purged_at,
        purge_ground=row.purge_ground,
    )


def _readable(data: bytes) -> Message | None:
    try:
        return read_message(data)
    except MessageFormError:
        return None
