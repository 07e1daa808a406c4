"""A node that owes somebody the new message: it handed an alert of a partner on, which that partner then corrected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from comity.common import Actor, new_id
from comity.custody import Limits, Mode, RecallOrder
from comity.custody import services as keeping
from comity.custody import successors as succeeding
from comity.custody.notices import sign_recall
from comity.custody.services import Arrived, HandedOn
from comity.trust import SigningKey

_KEY = SigningKey.from_seed(b"o" * 32)


@dataclass(frozen=True)
class Owed:
    """old, new: ids of the origin; copy: under which the old one was handed on."""

    old: str
    new: str
    copy: str


def owe(actor: Actor, origin: str, recipient: str, *, agreement: str, at: datetime) -> Owed:
    """Both messages came, the old one was handed on, and the order is here. No envelope travels."""
    us, limits = actor.administration, Limits(None, "official")
    made = Owed(*(str(new_id(at)) for _ in range(3)))
    old, _ = (
        keeping.note_arrival(us, Arrived(origin, name, origin, name, "alert/1", agreement, "1", limits), at=at)
        for name in (made.old, made.new)
    )
    keeping.note_hand_on(actor, old, HandedOn(recipient, made.copy, agreement, "1", "", limits), at=at)
    end, pair = at + timedelta(days=1), ((made.old, made.new),)
    order = RecallOrder(str(new_id(at)), origin, (made.old,), Mode.CORRECT, "information_wrong", at, end, pair)
    keeping.take_order(sign_recall(order, _KEY), agreement=agreement, holder=us, at=at)
    succeeding.follow_order(order, refused=(), at=at)
    return made
