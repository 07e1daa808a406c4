"""Knowledge that partners share, step by step: a risk profile is given, received, and ends where it ends at its issuer.

The step numbers are those of docs/protocol.md, section Knowledge. Nothing leaves without a Release. What a partner's
profile does here, two officers of ours decide.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from comity.common import Actor
from comity.custody import Mode
from comity.exchange import ReceivedMessage
from comity.exchange import selectors as exchange
from comity.journeys import forget
from comity.journeys.actors import standing_rule
from comity.journeys.hold import source_of
from comity.journeys.share import PROFILE_DEED, Letter, Preview, ShareResult, Wish, preview_letter, share_letter
from comity.risk.errors import ProfileError
from comity.risk.profile_sharing import (
    ended_shares,
    mark_ended,
    profile_to_share,
    readable_profile,
    shares_of,
)
from comity.risk.profile_sharing import take_profile as keep_profile
from comity.trade import Handling
from comity.trade.knowledge import PROFILE_KIND, knowledge_to_body

log = logging.getLogger("comity.knowledge")

# Why what ended at home is taken back from the partners.
ENDED = "purpose_ended"


def preview_profile(actor: Actor, *, ref: str, wish: Wish, handling: Handling, at: datetime) -> list[Preview]:
    """Who would get what of a profile; nothing is sent and nothing is stored.

    Raises: PermissionRefusedError, NoRecipientError, ProfileError.
    """
    return preview_letter(actor, _letter_of(actor, ref, wish, handling, at), wish, at)


def share_profile(actor: Actor, *, ref: str, wish: Wish, handling: Handling, at: datetime) -> ShareResult:
    """Step K1: give a profile that is in force here to partners; from the level restricted a second officer agrees.

    Raises: PermissionRefusedError, NoRecipientError, ProfileError, SharingRefusedError, PartnerUnknownError.
    """
    letter = _letter_of(actor, ref, wish, handling, at)
    return share_letter(
        actor, letter=letter, wish=wish, deed=PROFILE_DEED, payload={"profile": dict(letter.body)}, at=at
    )


def _letter_of(actor: Actor, ref: str, wish: Wish, handling: Handling, at: datetime) -> Letter:
    refused = [each.message_id for each in shares_of(ref) if each.ended_at is None and _is_refused(each.message_id)]
    mark_ended(refused, at=at)
    shared = profile_to_share(ref, issuer=actor.administration, recipients=wish.recipients, handling=handling, at=at)
    return Letter(PROFILE_KIND, knowledge_to_body(shared), handling)


def _is_refused(message_id: str) -> bool:
    """Whether the partner refused to take it, for instance since its node does not know a fact of the rule."""
    return exchange.message(message_id).line.state == "refused"


def take_profile(received: ReceivedMessage) -> None:
    """Step K3: keep a partner's profile; it does nothing until two officers of ours let it run.

    Who handed it on does not matter: its issuer is its origin.
    """
    message = received.message
    source = source_of(message)
    shared = readable_profile(message.body)
    try:
        keep_profile(shared, source=source, until=message.valid_until, at=received.received_at)
    except ProfileError as error:
        # What makes no sense stays in the messages: to run again would not make it better.
        log.warning("%s %s of %s: %s", message.kind, message.id, message.sender, error)


def teach_turn(at: datetime) -> int:
    """Step K5: take back what was given of profiles that ended here. Returns how many messages were taken back."""
    return take_back(ended_shares(), mark=mark_ended, at=at)


def take_back(message_ids: Sequence[str], *, mark: Callable[..., None], at: datetime) -> int:
    """Recall messages, each for itself, since what was said in them no longer holds here. mark: remembers it."""
    for message_id in message_ids:
        wish = forget.Wish(Mode.RECALL, ENDED)
        forget.recall(standing_rule("shared-knowledge"), message_ids=[message_id], wish=wish, at=at)
        mark([message_id], at=at)
    return len(message_ids)


JOURNEYS: Mapping[str, Callable[[ReceivedMessage], None]] = {PROFILE_KIND: take_profile}
VALIDATORS: Mapping[str, Callable[[Mapping[str, object]], object]] = {PROFILE_KIND: readable_profile}
