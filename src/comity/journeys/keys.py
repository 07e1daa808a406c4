"""Road of keys: our news goes to every partner by itself, and a partner's news is followed by its chain of signatures.

The step numbers are those of docs/protocol.md, section Keys.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction

from comity.agreements import Duty
from comity.agreements.services import permit_duty
from comity.exchange import ReceivedMessage
from comity.exchange.directory import load_peers
from comity.exchange.following import announced_to, follow_keys, keys_from_body, keys_to_body
from comity.exchange.invitation import write_invitation
from comity.exchange.services import post
from comity.journeys.actors import this_node
from comity.trust import Keyring

log = logging.getLogger("comity.journeys")

KEYS_KIND = Duty.KEYS.value


def announce_keys(at: datetime) -> int:
    """Step K3: post our present key document to every partner that was not told of it. Returns to how many.

    A partner was introduced with our first document, so that one is no news. What is posted waits in the outbox for
    partners that are away; a suspended partner is told when it is resumed.
    """
    keyring: Keyring = settings.COMITY_KEYRING
    fingerprint = keyring.key_document.fingerprint
    if keyring.key_document.version == 1:
        return 0
    told = 0
    for peer in load_peers().values():
        if peer.is_suspended or peer.administration == keyring.administration:
            continue
        latest = announced_to(peer.administration)
        if latest is None or latest.fingerprint != fingerprint:
            _announce(keyring, peer.administration, at)
            told += 1
    return told


def is_known_everywhere() -> bool:
    """Step K8: whether every partner that is not suspended has answered for our present key document."""
    keyring: Keyring = settings.COMITY_KEYRING
    fingerprint = keyring.key_document.fingerprint
    latest = [announced_to(code) for code, peer in load_peers().items() if not peer.is_suspended]
    return all(each is not None and each.is_delivered and each.fingerprint == fingerprint for each in latest)


def take_keys(received: ReceivedMessage) -> None:
    """Steps K5 and K6: follow a partner's newer key document, or show why it was not followed."""
    message = received.message
    is_changed = follow_keys(
        this_node(),
        sender=message.sender,
        key_statement=keys_from_body(message.body),
        message_id=message.id,
        at=received.received_at,
    )
    log.info("%s sent its key document: %s", message.sender, "followed" if is_changed else "nothing changed")


@transaction.atomic
def _announce(keyring: Keyring, recipient: str, at: datetime) -> None:
    body = keys_to_body(
        write_invitation(keyring, note=_note(keyring, at)), fingerprint=keyring.key_document.fingerprint
    )
    release = permit_duty(this_node(), kind=KEYS_KIND, recipient=recipient, body=body, at=at)
    post(this_node(), release, signer=keyring.log, at=at)


def _note(keyring: Keyring, at: datetime) -> str:
    """What a person at the partner should know of it."""
    withdrawn = keyring.key_document.revoked_keys(at)
    return f"Withdrawn: {', '.join(each.keyid for each in withdrawn)}" if withdrawn else ""


JOURNEYS: Mapping[str, Callable[[ReceivedMessage], None]] = {KEYS_KIND: take_keys}
VALIDATORS: Mapping[str, Callable[[Mapping[str, object]], object]] = {KEYS_KIND: keys_from_body}
