"""Writes of this room: posting, and the life of a partner.

Order of locks, so that no two transactions wait for each other: the receiver takes its Reception rows in the order of
their ids; whoever appends to the log does so before it takes a row of Partner.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from comity.agreements import Release
from comity.common import Actor, ActorKind, new_id
from comity.exchange.bell import posted
from comity.exchange.directory import load_peers
from comity.exchange.errors import (
    FingerprintMismatchError,
    MessageFormError,
    PartnerStateError,
    PartnerUnknownError,
)
from comity.exchange.invitation import Invitation, read_invitation
from comity.exchange.limits import LIMITS, Priority, natural_priority
from comity.exchange.message import Message
from comity.exchange.models import Delivery, OutboxEnvelope, OutboxMessage, Partner, PartnerKeys, Reception
from comity.exchange.onward import Onward
from comity.exchange.strength import check_posting
from comity.ledger import commit
from comity.ledger.services import append
from comity.staff import Permission, require
from comity.staff.services import record_deed
from comity.trust import LogSigner, read_key_document, sha256_hex

_TAKE_SEQUENCES = (
    f"UPDATE {Partner._meta.db_table} SET next_sequence = next_sequence + %s"  # noqa: S608  # our own table's name
    " WHERE administration = %s AND state <> 'suspended' RETURNING id, next_sequence"
)


@dataclass(frozen=True, slots=True)
class Posting:
    """A release that is to be posted. in_reply_to: the message that it answers, where the release does not say.

    priority: None lets the kind decide: duties and the most urgent alerts overtake everything else.
    onward: the proof of its origin, of a message that is handed on.
    """

    release: Release
    in_reply_to: str = ""
    priority: Priority | None = None
    onward: Onward | None = None


def post(actor: Actor, release: Release, *, signer: LogSigner, at: datetime, in_reply_to: str = "") -> str:
    """Steps S1 to S3: put a permitted message into the outbox and its commitment into the log. Returns the message id.

    Raises: PartnerUnknownError, PartnerStateError, MessageFormError where it is too large.
    """
    return post_all(actor, [Posting(release, in_reply_to)], signer=signer, at=at)[0]


@transaction.atomic
def post_all(actor: Actor, postings: Sequence[Posting], *, signer: LogSigner, at: datetime) -> tuple[str, ...]:
    """As `post`, for several messages in one transaction. Returns their ids in the same order.

    Raises: PartnerUnknownError, PartnerStateError, StrengthMissingError, MessageFormError; then nothing is posted.
    """
    messages = [_compose(posting, at) for posting in postings]  # S1
    _check_strength(messages, at)
    data = [message.to_bytes() for message in messages]
    for message, each in zip(messages, data, strict=True):
        _check_size(message, each)
    digests, salts = [sha256_hex(each) for each in data], [secrets.token_bytes(32) for _ in data]
    entries = [
        commit("message", bytes.fromhex(digest), agreement=message.agreement, message_id=message.id, salt=salt)
        for message, digest, salt in zip(messages, digests, salts, strict=True)
    ]
    first_index = append(entries, signer=signer, at=at).first_index  # S2, which locks the log first
    places = _take_sequences([message.recipient for message in messages])  # S3
    OutboxMessage.objects.bulk_create(
        OutboxMessage(
            message_id=message.id,
            partner_id=places[number][0],
            sequence=places[number][1],
            kind=message.kind,
            agreement=message.agreement,
            article=message.article,
            purpose=message.purpose,
            handling=message.handling,
            in_reply_to=message.in_reply_to,
            posted_at=at,
            posted_by=str(actor),
            data=data[number],
            sha256=digests[number],
            salt=salts[number],
            log_index=first_index + number,
            decision=postings[number].release.decision,
            withheld=list(postings[number].release.withheld),
            priority=_priority(postings[number], message),
        )
        for number, message in enumerate(messages)
    )
    _audit_posts(actor, messages, at)
    transaction.on_commit(posted.ring)
    return tuple(message.id for message in messages)


@transaction.atomic
def introduce_partner(
    actor: Actor, *, key_statement: bytes, at: datetime, fingerprint: str = "", endpoint: str = ""
) -> str:
    """Steps I2 to I4: take a partner by its invitation, or a newer key document of a partner that is known.

    fingerprint: as it was read out, compared where it is given. endpoint: overrides that of the document. Returns the
    administration. Raises: PermissionRefusedError, InvitationError, FingerprintMismatchError, KeyDocumentError.
    """
    require(actor, Permission.MANAGE_PARTNERS)
    invitation = read_invitation(key_statement, at=at)  # I2
    _check_fingerprint(invitation, fingerprint)  # I3
    keys = invitation.keys
    if keys.administration == actor.administration:
        raise PartnerStateError("This is our own invitation", where=keys.administration, remedy="Send it to a partner.")
    check_log_name(invitation)
    row = Partner.objects.select_for_update().filter(administration=keys.administration).first()
    if row is None:
        row = _new_partner(invitation, at)  # I4
    elif not _renew_keys(row, invitation, at, is_compared=bool(fingerprint)):
        return keys.administration
    if endpoint:
        Partner.objects.filter(pk=row.pk).update(endpoint=endpoint)
    facts = {"fingerprint": keys.fingerprint, "version": str(keys.version), "endpoint": endpoint or keys.endpoint_url}
    record_deed(actor, deed="introduce_partner", subject=f"partner:{keys.administration}", facts=facts, at=at)
    transaction.on_commit(posted.ring)
    return keys.administration


@transaction.atomic
def suspend_partner(actor: Actor, *, administration: str, reason: str, at: datetime) -> None:
    """Send nothing to a partner and take nothing from it until it is resumed. What waits stays.

    Raises: PermissionRefusedError, PartnerUnknownError.
    """
    _set_state(actor, administration, Partner.State.SUSPENDED, deed="suspend_partner", facts={"reason": reason}, at=at)


@transaction.atomic
def resume_partner(actor: Actor, *, administration: str, at: datetime) -> None:
    """Take up the exchange with a suspended partner again, at once.

    Raises: PermissionRefusedError, PartnerUnknownError.
    """
    # First the Delivery, as whoever records answers locks them.
    Delivery.objects.filter(partner__administration=administration).update(failures=0, next_attempt_at=None)
    _set_state(actor, administration, Partner.State.ACTIVE, deed="resume_partner", facts={}, at=at)
    transaction.on_commit(posted.ring)


@transaction.atomic
def set_partner_way(
    actor: Actor, *, administration: str, way: str, at: datetime, is_collected: bool | None = None
) -> None:
    """How our envelopes reach a partner, one of Partner.Way; is_collected: whether we fetch what it has for us.

    None leaves that as it is. What is open goes by the new way. Raises: PermissionRefusedError, PartnerUnknownError,
    PartnerStateError where there is no such way.
    """
    require(actor, Permission.MANAGE_PARTNERS)
    if way not in Partner.Way.values:
        raise PartnerStateError(
            "There is no such way to a partner",
            where=way[:40],
            remedy=f"Choose one of {', '.join(Partner.Way.values)}.",
        )
    changes = {"way": way} | ({} if is_collected is None else {"is_collected": is_collected})
    if not Partner.objects.filter(administration=administration).update(**changes):
        raise PartnerUnknownError("No such partner", where=administration, remedy="See `comity partner list`.")
    Delivery.objects.filter(partner__administration=administration).update(
        failures=0, next_attempt_at=None, last_error=""
    )
    facts = {name: str(value) for name, value in changes.items()}
    record_deed(actor, deed="set_partner_way", subject=f"partner:{administration}", facts=facts, at=at)
    transaction.on_commit(posted.ring)


def _priority(posting: Posting, message: Message) -> Priority:
    return natural_priority(message.kind, message.body) if posting.priority is None else posting.priority


def _compose(posting: Posting, at: datetime) -> Message:
    release, onward = posting.release, posting.onward
    ends = [each for each in (release.valid_until, onward.keep_until if onward else None) if each is not None]
    return Message(
        kind=release.kind,
        id=str(new_id(at)),
        origin=onward.origin if onward else release.sender,
        sender=release.sender,
        recipient=release.recipient,
        agreement=release.agreement_id,
        article=release.article_id,
        purpose=release.purpose,
        handling=release.handling.word,
        created=at,
        valid_until=min(ends, default=None),
        in_reply_to=posting.in_reply_to or release.in_reply_to,
        body=release.body,
        onward=onward.to_mapping() if onward else None,
    )


def _check_size(message: Message, data: bytes) -> None:
    if len(data) > LIMITS.message_bytes:
        raise MessageFormError(
            "The message is too large to be sent",
            where=f"{message.kind}, {len(data)} bytes",
            remedy=f"At most {LIMITS.message_bytes} bytes: name evidence by its hash and share the file by itself.",
        )


def _check_strength(messages: Sequence[Message], at: datetime) -> None:
    recipients = {message.recipient for message in messages}
    for peer in load_peers(recipients).values():
        check_posting(peer, [each.kind for each in messages if each.recipient == peer.administration], at)


def _take_sequences(recipients: Sequence[str]) -> list[tuple[int, int]]:
    """(partner id, sequence) for each recipient. A rollback gives the numbers back, so there are no holes."""
    counts: dict[str, int] = defaultdict(int)
    for recipient in recipients:
        counts[recipient] += 1
    following: dict[str, tuple[int, int]] = {}
    with connection.cursor() as cursor:
        for recipient in sorted(counts):
            cursor.execute(_TAKE_SEQUENCES, [counts[recipient], recipient])
            row = cursor.fetchone()
            if row is None:
                raise _no_partner(recipient)
            following[recipient] = (row[0], row[1] - counts[recipient])
    places = []
    for recipient in recipients:
        partner_id, sequence = following[recipient]
        following[recipient] = (partner_id, sequence + 1)
        places.append((partner_id, sequence))
    return places


def _no_partner(administration: str) -> PartnerUnknownError | PartnerStateError:
    if Partner.objects.filter(administration=administration).exists():
        return PartnerStateError(
            "The exchange with this partner is suspended",
            where=administration,
            remedy=f"Resume it with `comity partner resume {administration}`.",
        )
    return PartnerUnknownError(
        "The recipient has not been introduced",
        where=administration,
        remedy="Introduce it with `comity partner introduce FILE`.",
    )


def _audit_posts(actor: Actor, messages: Sequence[Message], at: datetime) -> None:
    """A standing rule of the node is no deed of a person; the outbox and the log show what it sent."""
    if actor.kind is ActorKind.NODE:
        return
    for message in messages:
        facts = {"recipient": message.recipient, "kind": message.kind, "article": message.article}
        record_deed(actor, deed="post_message", subject=f"message:{message.id}", facts=facts, at=at)


def _check_fingerprint(invitation: Invitation, fingerprint: str) -> None:
    wanted = "".join(fingerprint.split()).lower()
    if wanted and wanted != "".join(invitation.keys.fingerprint.split()):
        raise FingerprintMismatchError(
            "The fingerprint is not that of this invitation",
            where=invitation.keys.fingerprint,
            remedy="Do not introduce it. Ask the partner, by a number that you know, what it sent.",
        )


def check_log_name(invitation: Invitation) -> None:
    """Heads are kept by the log's name: who took another's could make it look as if that one showed two histories."""
    keys = invitation.keys
    for peer in load_peers().values():
        is_other = peer.administration != keys.administration
        if is_other and peer.keys.log_origin == keys.log_origin and peer.keys.log_vkey != keys.log_vkey:
            raise PartnerStateError(
                f"The log of {peer.administration} has this name already",
                where=keys.log_origin,
                remedy="Do not introduce it. Ask the partner for a key document with a log name of its own.",
            )


def _new_partner(invitation: Invitation, at: datetime) -> Partner:
    keys = invitation.keys
    row = Partner.objects.create(
        administration=keys.administration,
        name=keys.name,
        endpoint=keys.endpoint_url,
        note=invitation.note,
        introduced_at=at,
        fingerprint=keys.fingerprint,
    )
    Delivery.objects.create(partner=row)
    Reception.objects.create(partner=row)
    store_keys(row, invitation, at)
    return row


def _renew_keys(row: Partner, invitation: Invitation, at: datetime, *, is_compared: bool) -> bool:
    """Whether something changed. A fingerprint that was compared replaces the chain of signatures."""
    keys = invitation.keys
    present = load_peers([row.administration])[row.administration].keys
    if keys.fingerprint == present.fingerprint:
        return False
    if not is_compared:
        read_key_document(invitation.key_statement, trusted=present, at=at)
    row.name, row.endpoint, row.fingerprint = keys.name, keys.endpoint_url, keys.fingerprint
    row.save(update_fields=["name", "endpoint", "fingerprint"])
    store_keys(row, invitation, at)
    if keys.log_vkey != present.log_vkey:
        _meet_new_log(row)
    return True


def _meet_new_log(row: Partner) -> None:
    """A partner whose node was restored goes on under a new log: what it answered before stands before all in it.

    So what it has lost shows as a gap in its next receipt, and is sent again (step S12).
    """
    OutboxEnvelope.objects.filter(partner=row, state=OutboxEnvelope.State.ANSWERED).update(answer_index=-1)
    Delivery.objects.filter(partner=row).update(followed_size=0, followed_note="", next_attempt_at=None)


def store_keys(row: Partner, invitation: Invitation, at: datetime) -> None:
    """Keep this version of a partner's key document; all versions are kept."""
    keys = invitation.keys
    PartnerKeys.objects.update_or_create(
        partner=row,
        fingerprint=keys.fingerprint,
        defaults={"statement": invitation.key_statement, "version": keys.version, "stored_at": at},
    )


def _set_state(
    actor: Actor,
    administration: str,
    state: Partner.State,
    *,
    deed: str,
    facts: dict[str, str],
    at: datetime,
) -> None:
    require(actor, Permission.MANAGE_PARTNERS)
    if not Partner.objects.filter(administration=administration).update(state=state):
        raise PartnerUnknownError("No such partner", where=administration, remedy="See `comity partner list`.")
    record_deed(actor, deed=deed, subject=f"partner:{administration}", facts=facts, at=at)
