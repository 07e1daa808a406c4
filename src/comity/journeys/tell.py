"""Telling a partner what is owed to it, and putting what was signed about a copy into the log."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction

from comity.agreements import SharingRefusedError
from comity.agreements.services import permit_duty
from comity.common import Actor
from comity.custody import Signed, Status
from comity.custody.notices import HOLDING_KIND
from comity.custody.selectors import HolderView, copies_of
from comity.custody.services import note_statement
from comity.exchange.errors import PartnerStateError, PartnerUnknownError
from comity.exchange.services import post
from comity.journeys.actors import this_node
from comity.ledger import commit
from comity.ledger.services import append
from comity.trust import sha256_hex

log = logging.getLogger("comity.custody")
# Kinds of log entries: a copy went, or something else was said of it.
PURGE_ENTRY, HOLDING_ENTRY = "purge", "holding"


def tell(
    partner: str,
    body: dict[str, object],
    *,
    agreement: str,
    at: datetime,
    kind: str = HOLDING_KIND,
    in_reply_to: str = "",
    actor: Actor | None = None,
) -> str:
    """Post a duty. Empty where nothing can go to that partner now: then it is said in the log, and asked for again.

    What is owed must not undo what was done: a purge stays done although its partner is suspended.
    """
    try:
        with transaction.atomic():
            release = permit_duty(
                actor or this_node(), kind=kind, recipient=partner, body=body, agreement_id=agreement, at=at
            )
            return post(
                actor or this_node(), release, signer=settings.COMITY_KEYRING.log, at=at, in_reply_to=in_reply_to
            )
    except (PartnerStateError, PartnerUnknownError, SharingRefusedError) as error:
        log.warning("%s could not be told to %s: %s", kind, partner, error)
        return ""


def tell_senders(origin: str, message_id: str, body: dict[str, object], *, at: datetime, but: str = "") -> None:
    """Say something about a copy towards the origin of the message, along the ways by which it came to us."""
    for sender, agreement in {copy.sender: copy.agreement for copy in copies_of(origin, message_id)}.items():
        if sender != but:
            tell(sender, body, agreement=agreement, at=at)


def attest(held: HolderView, signed: Signed, at: datetime) -> Signed:
    """Commit to what we signed about our own copy in our log: that it went stays provable, what it was does not."""
    kind = PURGE_ENTRY if held.status is Status.PURGED else HOLDING_ENTRY
    salt = secrets.token_bytes(32)
    digest = bytes.fromhex(sha256_hex(signed.statement.payload))
    entry = commit(kind, digest, agreement=held.agreement, message_id=held.message_id, salt=salt)
    index = append([entry], signer=settings.COMITY_KEYRING.log, at=at).first_index
    note_statement(held, signed, salt=salt, log_index=index, at=at)
    return signed
