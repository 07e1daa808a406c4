"""The news of keys between partners: what was announced to whom, and what a partner's news changes here.

The step numbers are those of docs/protocol.md, section Keys.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from comity.common import Actor, ComityError
from comity.exchange.bell import posted
from comity.exchange.directory import load_peers
from comity.exchange.errors import InvitationError, PartnerUnknownError
from comity.exchange.invitation import MAX_INVITATION_BYTES, read_invitation
from comity.exchange.message import read_message
from comity.exchange.models import OutboxMessage, Partner, PartnerKeys, Refusal
from comity.exchange.services import check_log_name, store_keys
from comity.staff.services import record_deed
from comity.trust import read_key_document, sha256_hex

KEYS_KIND = "keys/1"


@dataclass(frozen=True, slots=True)
class Announcement:
    """The newest news of our keys that was posted to a partner. is_delivered: its receipt has come."""

    fingerprint: str
    is_delivered: bool


def keys_to_body(invitation: bytes, *, fingerprint: str) -> dict[str, object]:
    """Step K3: the body of the news. fingerprint: of the key document in it, for who looks through the messages."""
    return {"invitation": base64.b64encode(invitation).decode("ascii"), "fingerprint": fingerprint}


def keys_from_body(body: Mapping[str, object]) -> bytes:
    """The invitation in a body of the kind keys/1; what it says is still to be checked.

    Raises: InvitationError.
    """
    text = body.get("invitation")
    try:
        data = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError as error:
        raise InvitationError("The invitation is not base64", where="invitation") from error
    if not 0 < len(data) <= MAX_INVITATION_BYTES:
        raise InvitationError("The news holds no invitation", where="invitation", remedy="Send it whole, in base64.")
    return data


def announced_to(administration: str) -> Announcement | None:
    """What was announced to a partner last; None where nothing was."""
    rows = OutboxMessage.objects.filter(partner__administration=administration, kind=KEYS_KIND)
    row = rows.order_by("-sequence").first()
    if row is None:
        return None
    fingerprint = str(read_message(bytes(row.data)).body.get("fingerprint", ""))
    return Announcement(fingerprint, row.state == OutboxMessage.State.DELIVERED)


@transaction.atomic
def follow_keys(actor: Actor, *, sender: str, key_statement: bytes, message_id: str, at: datetime) -> bool:
    """Steps K5 and K6: take a partner's newer key document that it sent itself, by the chain of signatures alone.

    Returns whether something changed. One that does not follow from what is held changes nothing: it is shown among
    the refusals, and a person decides after comparing its fingerprint.
    """
    row = Partner.objects.select_for_update().filter(administration=sender).first()
    if row is None:
        raise PartnerUnknownError("No such partner", where=sender)
    present = load_peers([sender])[sender].keys
    try:
        invitation = read_invitation(key_statement, at=at)
        keys = invitation.keys
        if keys.administration == sender and PartnerKeys.objects.filter(partner=row, fingerprint=keys.fingerprint):
            return False  # it came before, or a later one has overtaken it
        # One that came late by another way changes nothing; two of one number are two truths.
        if keys.administration == sender and keys.version < present.version:
            return False
        read_key_document(invitation.key_statement, trusted=present, at=at)
        check_log_name(invitation)
    except ComityError as error:
        _show_refused_keys(sender, message_id, key_statement, error, at)
        return False
    # An address that a person set by hand stays until the partner itself moves.
    endpoint = row.endpoint if keys.endpoint_url == present.endpoint_url else keys.endpoint_url
    Partner.objects.filter(pk=row.pk).update(name=keys.name, endpoint=endpoint, fingerprint=keys.fingerprint)
    store_keys(row, invitation, at)
    facts = {"fingerprint": keys.fingerprint, "version": str(keys.version), "note": invitation.note}
    record_deed(actor, deed="follow_keys", subject=f"partner:{sender}", facts=facts, at=at)
    transaction.on_commit(posted.ring)
    return True


def _show_refused_keys(sender: str, message_id: str, data: bytes, error: ComityError, at: datetime) -> None:
    """Beside the envelopes that were refused, where officers look."""
    Refusal.objects.create(
        at=at,
        sender=sender,
        envelope_id=message_id,
        code="keys_not_followed",
        what=f"Its new key document was not taken: {error.what}"[:300],
        place=error.where[:300],
        remedy="Ask its contact point by a number that you know; if it is theirs, take its invitation with the"
        " fingerprint: `comity partner introduce FILE --fingerprint ...`.",
        sha256=sha256_hex(data),
        size_bytes=len(data),
    )
