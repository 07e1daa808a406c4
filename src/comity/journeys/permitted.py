"""What an article in force lets this node tell a partner by itself: whom, for which purpose, and the telling."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from comity.agreements import Release, SharingRefusedError
from comity.agreements.selectors import engine, is_in_force
from comity.agreements.services import permit
from comity.exchange.directory import load_peers
from comity.exchange.limits import Priority
from comity.exchange.services import Posting
from comity.journeys.actors import standing_rule
from comity.journeys.hold import post_held
from comity.trade import Handling

log = logging.getLogger("comity.permitted")
# For which purpose partners' knowledge is shared, the first that an article permits.
_PURPOSES = ("risk_assessment", "control")


@dataclass(frozen=True, slots=True)
class Telling:
    """A message that the node wants to send by itself. rule: on whose behalf, as the audit names it.

    agreement: under which what it answers came; empty where any agreement may permit it.
    """

    rule: str
    kind: str
    recipient: str
    purpose: str
    body: Mapping[str, object]
    handling: Handling = Handling.OFFICIAL
    agreement: str = ""
    in_reply_to: str = ""


def permitted_partners(kind: str, at: datetime) -> dict[str, str]:
    """The partners to whom an article in force permits messages of this kind, and for which purpose."""
    us = settings.COMITY_ADMINISTRATION
    found: dict[str, str] = {}
    for agreement in engine(at).agreements:
        for article in agreement.binding_articles if is_in_force(agreement, at) else ():
            purpose = next((each for each in _PURPOSES if each in article.purposes), "")
            if article.is_permit and kind in article.kinds and us in article.senders and purpose:
                found |= {each: purpose for each in article.receivers if each != us and each not in found}
    return found


def reachable_partners() -> frozenset[str]:
    """The partners to whom something may be posted now; what is for others waits."""
    return frozenset(code for code, peer in load_peers().items() if not peer.is_suspended)


def leave_for(telling: Telling, at: datetime) -> Release | None:
    """The leave to post; None where the agreement refuses, which is kept."""
    try:
        return permit(
            standing_rule(telling.rule),
            agreement_id=telling.agreement or None,
            kind=telling.kind,
            recipient=telling.recipient,
            purpose=telling.purpose,
            handling=telling.handling,
            body=telling.body,
            at=at,
            in_reply_to=telling.in_reply_to,
        )
    except SharingRefusedError as error:
        log.info("%s to %s is not shared: %s", telling.kind, telling.recipient, error)
        return None


def tell(telling: Telling, mark: Callable[[str], object], *, at: datetime, priority: Priority | None = None) -> bool:
    """Post it where an article permits it, and mark that with the message's id in the same transaction.

    What is refused is marked with no id, so that it is not asked for again. Returns whether it was posted.
    """
    release = leave_for(telling, at)
    if release is None:
        mark("")
        return False
    with transaction.atomic():
        posting = Posting(release, telling.in_reply_to, priority=priority)
        (message_id,) = post_held(standing_rule(telling.rule), [posting], at=at)
        mark(message_id)
    return True
