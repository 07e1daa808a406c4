"""Roads 5 to 7: what is shared from here and what arrives here is held by somebody, and remembered as that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings

from comity.agreements import DUTY_KINDS
from comity.agreements.selectors import adopted_agreement
from comity.common import Actor
from comity.custody import Limits
from comity.custody.selectors import HolderView
from comity.custody.services import Arrived, Shared, note_arrival, note_shared
from comity.exchange import Message, ReceivedMessage, read_message
from comity.exchange.onward import read_onward
from comity.exchange.purging import keep_at_most
from comity.exchange.selectors import message as message_by_id
from comity.exchange.services import Posting, post_all
from comity.risk.values import Source

Journey = Callable[[ReceivedMessage], None]


def source_of(message: Message) -> Source:
    """The origin's own name for a message, whether it came directly or was handed on."""
    if message.onward is None:
        return Source(message.origin, message.id, message.agreement, message.article)
    original = read_message(read_onward(message.onward).original)
    return Source(original.origin, original.id, message.agreement, message.article)


def post_held(actor: Actor, postings: Sequence[Posting], *, at: datetime) -> tuple[str, ...]:
    """Post, and remember who holds it; in the caller's transaction. Returns the message ids, in order.

    Raises: PartnerUnknownError, PartnerStateError, MessageFormError.
    """
    ids = post_all(actor, postings, signer=settings.COMITY_KEYRING.log, at=at)
    hold_posted(ids, at=at)
    return ids


def hold_posted(message_ids: Sequence[str], *, at: datetime) -> None:
    """Remember who holds the messages that were just posted from here; in the transaction of the posting.

    Duties are held by nobody. What was handed on is remembered by the journey that hands on.
    """
    shared = []
    for message_id in message_ids:
        message = message_by_id(message_id).message
        if message is None or message.kind in DUTY_KINDS or message.origin != settings.COMITY_ADMINISTRATION:
            continue
        limits = Limits(message.valid_until, message.handling)
        shared.append(Shared(message.id, message.recipient, message.kind, message.agreement, message.article, limits))
    note_shared(settings.COMITY_ADMINISTRATION, shared, at=at)


def hold_arrived(message: Message, *, at: datetime) -> HolderView:
    """Remember our copy of a message, and let it be purged when its sender or the article says, whichever is first."""
    source = source_of(message)
    limits = Limits(_keep_until(message, at), message.handling)
    arrived = Arrived(
        origin=source.issuer,
        message_id=source.message_id,
        sender=message.sender,
        copy_id=message.id,
        kind=message.kind,
        agreement=source.agreement,
        article=source.article,
        limits=limits,
    )
    held = note_arrival(settings.COMITY_ADMINISTRATION, arrived, at=at)
    if held.keep_until is not None:
        keep_at_most((message.sender, message.id), until=held.keep_until)
    return held


def guarded(journeys: Mapping[str, Journey], forget: Callable[[HolderView, datetime], bool]) -> dict[str, Journey]:
    """The journeys of information, each behind the question whether the message may be used at all.

    forget: purges and answers where the message was recalled before it came; then its journey never runs.
    """
    return {kind: run if kind in DUTY_KINDS else _behind(run, forget) for kind, run in journeys.items()}


def _behind(run: Journey, forget: Callable[[HolderView, datetime], bool]) -> Journey:
    def take(received: ReceivedMessage) -> None:
        held = hold_arrived(received.message, at=received.received_at)
        if not forget(held, received.received_at):
            run(received)

    return take


def _keep_until(message: Message, at: datetime) -> datetime | None:
    """The sender's word and the article's: a sender that names no end, or a later one, does not loosen the article."""
    agreement = adopted_agreement(message.agreement)
    article = agreement.article(message.article) if agreement else None
    ends = [message.valid_until] if message.valid_until is not None else []
    if article is not None and article.retention_days is not None:
        ends.append(at + timedelta(days=article.retention_days))
    return min(ends, default=None)
