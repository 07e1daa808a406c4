"""What custody does by the clock: who does not answer is overdue and asked again; outbox copies go when they may."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from comity.agreements.selectors import adopted_agreement
from comity.custody import HoldingNotice, RecallOrder, Signed, Status
from comity.custody import selectors as custody
from comity.custody import services as keeping
from comity.custody.notices import RECALL_KIND, sign_holding
from comity.custody.selectors import HolderView
from comity.exchange.selectors import message as message_by_id
from comity.exchange.selectors import partners
from comity.journeys.shred import wipe
from comity.journeys.tell import tell, tell_senders

REMIND_EVERY = timedelta(hours=24)
_UNDERWAY = frozenset({"waiting", "sent"})


def custody_due(at: datetime) -> int:
    """Step H10: mark who is overdue, tell the origin of it, ask again. Returns how many became overdue."""
    wipe([each.copy_id for each in custody.unwiped_hand_ons()], at)
    late = keeping.mark_overdue(_us(), at=at)
    for held in late:
        _tell_overdue(held, at)
    for held in custody.overdue():
        if held.asked_at is None or held.asked_at + REMIND_EVERY <= at:
            _ask_again(held, at)
    return len(late)


@transaction.atomic
def _tell_overdue(held: HolderView, at: datetime) -> None:
    """The origin learns from its forwarder who has not answered."""
    if held.origin == _us():
        return
    notice = HoldingNotice(
        message=held.message_id,
        origin=held.origin,
        holder=held.holder,
        told_by=_us(),
        status=Status.OVERDUE,
        ground="",
        at=at,
        via=_us(),
        recall=held.recall_id,
    )
    body = sign_holding(notice, settings.COMITY_KEYRING.signing).to_body()
    tell_senders(held.origin, held.message_id, body, at=at)


@transaction.atomic
def _ask_again(held: HolderView, at: datetime) -> None:
    """Ask the holder itself where it is a partner under the agreement, whoever was to pass the recall on to it."""
    order = _order(held)
    agreement = adopted_agreement(held.agreement)
    is_partner = any(each.administration == held.holder for each in partners())
    if order is None or agreement is None or held.holder not in agreement.parties or not is_partner:
        return
    signed, said = order
    earlier = {partner: message_id for partner, message_id, _ in keeping.hops_of(said, is_outward=True)}
    if _is_underway(earlier.get(held.holder, "")):
        return
    sent = tell(held.holder, signed.to_body(), kind=RECALL_KIND, agreement=held.agreement, at=at)
    if sent:
        keeping.note_hop(said, held.holder, sent, held.agreement, is_outward=True, at=at)
        keeping.note_reminder(held, at=at)


def _is_underway(message_id: str) -> bool:
    """A partner that is away gets one question, not one a day."""
    return bool(message_id) and message_by_id(message_id).line.state in _UNDERWAY


def _order(held: HolderView) -> tuple[Signed, RecallOrder] | None:
    for signed in custody.orders_naming(held.origin, held.message_id):
        if isinstance(signed.notice, RecallOrder) and signed.notice.id == held.recall_id:
            return signed, signed.notice
    return None


def _us() -> str:
    return str(settings.COMITY_ADMINISTRATION)
