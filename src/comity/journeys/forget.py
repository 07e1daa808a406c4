"""Recall, correction, tightening, the end of retention: what was shared goes where its origin or the agreement says.

The step numbers are those of docs/protocol.md §10.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from comity.common import Actor, new_id
from comity.custody import (
    ANSWER_WITHIN,
    RECALL_GROUNDS,
    HoldingNotice,
    Mode,
    NotOursError,
    RecallError,
    RecallOrder,
    Signed,
    Status,
    holding_from_body,
    recall_from_body,
)
from comity.custody import selectors as custody
from comity.custody import services as keeping
from comity.custody import successors as succeeding
from comity.custody.notices import HOLDING_KIND, RECALL_KIND, sign_holding, sign_recall
from comity.custody.rules import RETENTION_ENDED
from comity.custody.selectors import HolderView, RecallView
from comity.exchange import Message, ReceivedMessage, purging
from comity.exchange.duties import is_told_by
from comity.exchange.errors import MessageUnknownError
from comity.exchange.evidence import withdraw_recalled
from comity.exchange.selectors import Direction
from comity.exchange.selectors import message as message_by_id
from comity.journeys.consents import let_on
from comity.journeys.hold import hold_arrived, hold_posted, source_of
from comity.journeys.share import share_alert
from comity.journeys.shred import rests_seizure, shred, tighten
from comity.journeys.tell import attest, tell, tell_senders
from comity.operations.services import note_recall
from comity.staff.services import record_deed
from comity.trade import Alert, Handling

log = logging.getLogger("comity.custody")


@dataclass(frozen=True, slots=True)
class Wish:
    """How messages are taken back. replacement: (old, new) ids; keep_until, handling: of a tightening.

    is_let_on: of a correction, whoever handed the old one on may hand the new one on to the same, without asking.
    """

    mode: Mode
    ground: str
    replacement: tuple[tuple[str, str], ...] = ()
    keep_until: datetime | None = None
    handling: str = ""
    is_let_on: bool = False


def recall(actor: Actor, *, message_ids: Sequence[str], wish: Wish, at: datetime) -> tuple[RecallView, ...]:
    """Steps H1 and H3: take back, correct or tighten what was shared from here; one order for a partner and agreement.

    It goes out at once, before everything else that waits, whether or not the agreement is still in force.
    Raises: PermissionRefusedError, NotOursError, RecallError, MessageUnknownError.
    """
    keeping.require_custodian(actor)
    _check_wish(wish, at)
    groups: dict[tuple[str, str], list[str]] = {}
    for message in [_ours(message_id) for message_id in dict.fromkeys(message_ids)]:
        groups.setdefault((message.recipient, message.agreement), []).append(message.id)
    if not groups:
        raise RecallError("No message is named", where="message_ids", remedy="Name at least one that was sent.")
    with transaction.atomic():
        orders = [_order(actor, addressee, ids, wish, at) for addressee, ids in groups.items()]
        for old, new in wish.replacement if wish.is_let_on else ():
            let_on(actor, old=old, new=new, at=at)
    views = (custody.recall(order.id) for order in orders)
    return tuple(view for view in views if view is not None)


def correct_alert(
    actor: Actor, *, message_ids: Sequence[str], alert: Alert, ground: str, at: datetime
) -> tuple[RecallView, ...]:
    """Share a corrected alert with whoever got the old one, for the same purpose, and recall the old one for it.

    The new one is shared first: nobody is left without. From the level restricted up a second officer must agree to
    sharing, so there share the new one, and recall with mode correct once it is posted.
    Raises: PermissionRefusedError, NotOursError, RecallError, SharingRefusedError.
    """
    keeping.require_custodian(actor)
    messages = [_ours(message_id) for message_id in dict.fromkeys(message_ids)]
    if alert.handling >= Handling.RESTRICTED:
        raise RecallError(
            "A second officer must agree to the corrected alert first",
            where="handling",
            remedy="Share it, have it approved, then recall the old one with mode correct, naming the new message.",
        )
    _check_ground(ground)
    pairs = []
    for old in messages:
        shared = share_alert(
            actor,
            alert=alert,
            recipients=[old.recipient],
            purpose=old.purpose,
            agreement_id=old.agreement,
            at=at,
        )
        pairs.append((old.id, shared.posted[0][1]))
    wish = Wish(Mode.CORRECT, ground, replacement=tuple(pairs))
    return recall(actor, message_ids=[old.id for old in messages], wish=wish, at=at)


def retain(actor: Actor, *, message_id: str, ground: str, until: datetime | None, at: datetime) -> HolderView:
    """Keep our copy of a partner's message on a legal ground, whatever is recalled or runs out.

    Raises: PermissionRefusedError, RetainError.
    """
    held = custody.held_as(message_id, holder=actor.administration)
    origin, name = (held.origin, held.message_id) if held else ("", message_id)
    return keeping.retain(actor, origin=origin, message_id=name, ground=ground, until=until, at=at)


@transaction.atomic
def let_go(actor: Actor, *, message_id: str, at: datetime) -> HolderView:
    """Take the objection back: what should have gone goes with the next turn of the retention job.

    Raises: PermissionRefusedError, RetainError.
    """
    held = custody.held_as(message_id, holder=actor.administration)
    origin, name = (held.origin, held.message_id) if held else ("", message_id)
    free = keeping.let_go(actor, origin=origin, message_id=name, at=at)
    if free.status is Status.RETAINED:
        for copy in custody.copies_of(origin, name):
            purging.look_again((copy.sender, copy.copy_id), until=at)
    return free


def take_recall(received: ReceivedMessage) -> None:
    """Steps H4 to H6: obey, answer, pass on. That the origin ordered it was checked when the message was taken."""
    message, at = received.message, received.received_at
    signed = recall_from_body(message.body)
    order, is_new = keeping.take_order(signed, agreement=message.agreement, holder=_us(), at=at)
    if is_new:
        succeeding.follow_order(order, refused=_refused(order), at=at)
    is_due = keeping.note_hop(order, message.sender, message.id, message.agreement, is_outward=False, at=at)
    for name in order.messages if is_due else ():
        answer = _obey(order, name, at)
        if answer is not None:
            tell(message.sender, answer.to_body(), agreement=message.agreement, in_reply_to=message.id, at=at)
    pass_on(signed, at)


def take_holding(received: ReceivedMessage) -> None:
    """Step H7: what a partner tells of a copy, its own or, signed by its holder, another's; passed on to the origin."""
    message, at = received.message, received.received_at
    signed = holding_from_body(message.body)
    notice = signed.notice
    if not isinstance(notice, HoldingNotice):
        raise TypeError("a notice on a holding is wanted")
    if not _concerns_us(notice, message):
        log.warning("%s tells of a copy of %s, which was not shared from here", message.sender, notice.message)
        return
    is_proved = is_told_by(message, at)
    if not keeping.take_notice(signed, sender=message.sender, agreement=message.agreement, is_proved=is_proved, at=at):
        return
    # A copy of which we only hear now may have been recalled meanwhile: then its holder is to answer, too.
    for order in _orders(notice.origin, notice.message):
        if notice.status is Status.HELD and notice.recall != order.id:
            keeping.mark_asked(order, notice.message, holder=_us(), at=at)
    if notice.origin != _us():
        tell_senders(notice.origin, notice.message, dict(message.body), but=message.sender, at=at)


def forget_on_arrival(held: HolderView, at: datetime) -> bool:
    """Step H8: what was recalled before it came is purged as it comes, answered, and never used. Else False."""
    is_gone = False
    for order in _orders(held.origin, held.message_id):
        answer = _obey(order, held.message_id, at)
        for partner, message_id, agreement in keeping.hops_of(order, is_outward=False) if answer else ():
            tell(partner, _body(answer), agreement=agreement, in_reply_to=message_id, at=at)
        # A tightening whose day has passed leaves nothing to use, either.
        is_gone = is_gone or order.mode.is_purging or (answer is not None and _is_purged(answer))
    return is_gone


def _is_purged(answer: Signed) -> bool:
    return isinstance(answer.notice, HoldingNotice) and answer.notice.status is Status.PURGED


def pass_on(signed: Signed, at: datetime) -> None:
    """Step H5: send a recall on to whom its messages were handed on from here, with the origin's own statement."""
    order = _order_of(signed)
    known = {partner for partner, _, _ in keeping.hops_of(order, is_outward=True)}
    came_from = {partner for partner, _, _ in keeping.hops_of(order, is_outward=False)}
    waiting: dict[str, str] = {}
    for name in order.messages:
        for each in custody.hand_ons(order.origin, name):
            keeping.mark_asked(order, name, holder=_us(), at=at)
            waiting.setdefault(each.recipient, each.agreement)
            if order.mode.is_purging:
                withdraw_recalled([each.copy_id], recipient=each.recipient, at=at)
    for partner, agreement in waiting.items():
        if partner not in known | came_from:
            _send(signed, partner, agreement, at)


def purge_due(at: datetime) -> int:
    """Step H9: purge what may be kept no longer, and tell from whom it came. Returns how many were purged."""
    return sum(_purge_one(copy, at) for copy in purging.due_copies(at))


@transaction.atomic
def _purge_one(copy: purging.ReceivedCopy, at: datetime) -> bool:
    source = source_of(copy.message) if copy.message is not None else None
    held = custody.holding_of(source.issuer, source.message_id, _us()) if source else None
    if held is None or source is None:
        return bool(purging.purge([copy.key], ground=RETENTION_ENDED, at=at))
    is_evidence = rests_seizure(held)
    settled = keeping.settle_retention(_us(), held.origin, held.message_id, is_evidence=is_evidence, at=at)
    if settled is None:
        purging.look_again(copy.key, until=held.keep_until)
        return False
    answer = _carry_out(settled, settled.holding.recall_id, at)
    tell_senders(held.origin, held.message_id, answer.to_body(), at=at)
    return settled.must_purge


def _order(actor: Actor, addressee: tuple[str, str], ids: list[str], wish: Wish, at: datetime) -> RecallOrder:
    """addressee: the partner, and the agreement under which it got these messages."""
    recipient, agreement = addressee
    hold_posted(ids, at=at)
    order = RecallOrder(
        id=str(new_id(at)),
        origin=_us(),
        messages=tuple(ids),
        mode=wish.mode,
        ground=wish.ground,
        made_at=at,
        due_at=at + ANSWER_WITHIN,
        replacement=tuple((old, new) for old, new in wish.replacement if old in ids),
        keep_until=wish.keep_until,
        handling=wish.handling,
    )
    signed = sign_recall(order, settings.COMITY_KEYRING.signing)
    keeping.take_order(signed, agreement=agreement, holder=_us(), at=at, by=str(actor))
    facts = {"mode": wish.mode.value, "ground": wish.ground, "recipient": recipient, "messages": str(len(ids))}
    record_deed(actor, deed="recall_messages", subject=f"recall:{order.id}", facts=facts, at=at)
    note_recall(order.messages, mode=wish.mode.value, ground=wish.ground)
    if order.mode.is_purging:
        withdraw_recalled(order.messages, recipient=recipient, at=at)
    _send(signed, recipient, agreement, at)
    return order


def _send(signed: Signed, partner: str, agreement: str, at: datetime) -> None:
    message_id = tell(partner, signed.to_body(), agreement=agreement, kind=RECALL_KIND, at=at)
    if message_id:
        keeping.note_hop(_order_of(signed), partner, message_id, agreement, is_outward=True, at=at)


def _obey(order: RecallOrder, name: str, at: datetime) -> Signed | None:
    """What the order makes of our own copy; None where it has not come. The answer is signed and in our log."""
    held = custody.holding_of(order.origin, name, _us()) or _hold_unprocessed(order.origin, name, at)
    if held is None:
        return None
    settled = keeping.settle_order(_us(), order, name, is_evidence=rests_seizure(held), at=at)
    return None if settled is None else _carry_out(settled, order.id, at)


def _carry_out(settled: keeping.Settled, recall_id: str, at: datetime) -> Signed:
    held = settled.holding
    hashes = {copy.sha256 for copy in _copies(held)}
    if settled.must_purge:
        shred(held, at)
    elif held.status is Status.RETAINED:
        for copy in _copies(held):
            purging.look_again(copy.key, until=held.retain_until)
    else:
        tighten(held)
    notice = HoldingNotice(
        message=held.message_id,
        origin=held.origin,
        holder=held.holder,
        told_by=held.holder,
        status=held.status,
        ground=held.ground,
        at=at,
        via=held.via,
        recall=recall_id,
        keep_until=held.keep_until,
        handling=held.handling,
        until=held.retain_until if held.status is Status.RETAINED else None,
        sha256=hashes.pop() if len(hashes) == 1 else "",
    )
    return attest(held, sign_holding(notice, settings.COMITY_KEYRING.signing), at)


def _hold_unprocessed(origin: str, name: str, at: datetime) -> HolderView | None:
    """A copy that came directly and was refused, or whose journey has not run: its content is here all the same."""
    copy = purging.received_copy(origin, name)
    return hold_arrived(copy.message, at=at) if copy is not None and copy.message is not None else None


def _copies(held: HolderView) -> list[purging.ReceivedCopy]:
    copies = (
        purging.received_copy(each.sender, each.copy_id) for each in custody.copies_of(held.origin, held.message_id)
    )
    return [copy for copy in copies if copy is not None]


def _concerns_us(notice: HoldingNotice, message: Message) -> bool:
    """Of our own messages, one that we sent; of others', one that we handed on, or whose copy passed through us."""
    if notice.holder == _us() or notice.origin == notice.holder:
        return False
    if notice.origin == _us():
        return any(view.holder != _us() for view in custody.holders_of(notice.message)) or _was_sent(notice.message)
    return bool(custody.hand_ons(notice.origin, notice.message)) and message.sender != notice.origin


def _refused(order: RecallOrder) -> list[str]:
    """The copies that were handed on from here and that their recipients refused when they came."""
    copies = [each.copy_id for name in order.messages for each in custody.hand_ons(order.origin, name)]
    return [each for each in copies if _state_of(each) == "refused"]


def _state_of(message_id: str) -> str:
    try:
        return message_by_id(message_id).line.state
    except MessageUnknownError:
        return ""


def _was_sent(message_id: str) -> bool:
    try:
        return _sent(message_id) is not None
    except MessageUnknownError:
        return False


def _sent(message_id: str) -> Message | None:
    view = message_by_id(message_id)
    return view.message if view.line.direction is Direction.SENT else None


def _ours(message_id: str) -> Message:
    message = _sent(message_id)
    if message is None or message.origin != _us():
        raise NotOursError(
            "Only its origin takes a message back",
            where=message_id,
            remedy="Ask its origin to recall it; your own copy you may purge when its retention ends.",
        )
    if message.kind in JOURNEYS or message.agreement.startswith("comity/"):
        raise RecallError("What partners owe each other is not taken back", where=message.kind)
    return message


def _check_wish(wish: Wish, at: datetime) -> None:
    _check_ground(wish.ground)
    if bool(wish.replacement) != (wish.mode is Mode.CORRECT):
        raise RecallError(
            "A correction names the message that takes the old one's place, and nothing else does",
            where="replacement",
            remedy="Share the corrected one first, then name it.",
        )
    limits = wish.keep_until is not None or bool(wish.handling)
    if limits != (wish.mode is Mode.TIGHTEN):
        raise RecallError(
            "Limits go with a tightening, and a tightening needs one",
            where="keep_until, handling",
            remedy="Use mode tighten with keep_until, handling or both; else leave them out.",
        )
    if wish.is_let_on and wish.mode is not Mode.CORRECT:
        raise RecallError("Only a corrected message is let on", where="lets_on", remedy="Leave it out, or correct.")
    if wish.keep_until is not None and wish.keep_until < at:
        raise RecallError("This day has passed", where="keep_until", remedy="Use mode recall: that purges at once.")
    if wish.handling and wish.handling not in {level.word for level in Handling}:
        raise RecallError("There is no such handling level", where=wish.handling)
    for old, new in wish.replacement:
        if old == new or _ours(old).recipient != _ours(new).recipient:
            raise RecallError("The new message is the old one, or went to somebody else", where=new)


def _check_ground(ground: str) -> None:
    if ground not in RECALL_GROUNDS:
        raise RecallError(
            "This is no ground to recall", where=ground, remedy=f"Known are: {', '.join(RECALL_GROUNDS)}."
        )


def _orders(origin: str, name: str) -> list[RecallOrder]:
    return [_order_of(signed) for signed in custody.orders_naming(origin, name)]


def _order_of(signed: Signed) -> RecallOrder:
    if not isinstance(signed.notice, RecallOrder):
        raise TypeError("an order is wanted")
    return signed.notice


def _body(signed: Signed | None) -> dict[str, object]:
    return signed.to_body() if signed else {}


def _us() -> str:
    return str(settings.COMITY_ADMINISTRATION)


JOURNEYS: Mapping[str, Callable[[ReceivedMessage], None]] = {RECALL_KIND: take_recall, HOLDING_KIND: take_holding}
VALIDATORS: Mapping[str, Callable[[Mapping[str, object]], object]] = {
    RECALL_KIND: recall_from_body,
    HOLDING_KIND: holding_from_body,
}
