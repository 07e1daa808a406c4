"""Letting a correction on: who handed our old message on may hand the new one on to the same holders, without asking.

The step is C3 of docs/protocol.md §10.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from comity.common import Actor, new_id
from comity.custody import ConsentNotice, Status
from comity.custody import consents as asking
from comity.custody import selectors as custody
from comity.custody.notices import CONSENT_KIND, sign_consent
from comity.custody.selectors import HolderView
from comity.exchange.selectors import message as message_by_id
from comity.journeys.tell import tell

# As long as an officer who answers a question is offered first.
LET_ON_FOR = timedelta(days=30)


def onward_holders(message_id: str) -> tuple[HolderView, ...]:
    """Who has a message of ours from somebody else than us, and has not purged it."""
    us = str(settings.COMITY_ADMINISTRATION)
    found = (each for each in custody.holders_of(message_id) if each.origin == us)
    return tuple(each for each in found if us not in {each.via, each.holder} and each.status is not Status.PURGED)


def let_on(actor: Actor, *, old: str, new: str, at: datetime) -> None:
    """Step C3: consent that whoever handed the old message on hands the new one on to the same holders.

    Who cannot be told asks for the consent as for any other. From restricted up it takes who may approve sharing.
    Raises: PermissionRefusedError.
    """
    forwarders: dict[str, list[HolderView]] = {}
    for each in onward_holders(old):
        forwarders.setdefault(each.via, []).append(each)
    level = message_by_id(new).line.handling
    for asker, holders in forwarders.items():
        recipients = tuple(dict.fromkeys(each.holder for each in holders))
        notice = ConsentNotice(
            id=str(new_id(at)),
            message=new,
            owner=str(settings.COMITY_ADMINISTRATION),
            asker=asker,
            recipients=recipients,
            at=at,
            is_given=True,
            until=at + LET_ON_FOR,
        )
        signed, agreement = sign_consent(notice, settings.COMITY_KEYRING.signing), _agreement_with(old, asker)
        if tell(asker, signed.to_body(), kind=CONSENT_KIND, agreement=agreement, actor=actor, at=at):
            asking.give_unasked(actor, signed, agreement=agreement, handling=level, at=at)


def _agreement_with(message_id: str, forwarder: str) -> str:
    """The agreement under which the forwarder has the message itself, from us or from another."""
    held = next((each for each in custody.holders_of(message_id) if each.holder == forwarder), None)
    return held.agreement if held else ""
