"""Envelopes for partners that are not pushed to: handed out to whoever fetches or carries them, and their answers.

Every way forms and seals with the same Former and records with the same Recorder. The step numbers are those of
docs/protocol.md §4 and §8.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from comity.exchange.checking import Parcel
from comity.exchange.directory import Peer, load_peer
from comity.exchange.envelope import read_contents, read_header
from comity.exchange.errors import EnvelopeRefusedError, PartnerStateError
from comity.exchange.inbox import Reply
from comity.exchange.limits import LIMITS, RULES, SendingRules
from comity.exchange.models import Delivery, OutboxEnvelope, OutboxMessage, Partner
from comity.exchange.outbox import Former, seal_all
from comity.exchange.outcomes import Checked, Outcome, Recorder, check_outcome, send_again
from comity.exchange.parts import Answered
from comity.exchange.position import Position
from comity.exchange.receipt import REFUSAL_TYPE, SignedRefusal, read_refusal
from comity.exchange.underway import is_under_way, open_runs
from comity.trust import Keyring, SignedStatement, TrustError, sha256_hex, verify_statement

logger = logging.getLogger(__name__)

# About what is handed out in one answer; one envelope at least, however large.
HANDED_BYTES = 8 * 1024 * 1024
_DIGEST_BYTES = 32
_DIGESTS_KEPT = 16
_OPEN = OutboxEnvelope.State.OPEN


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of answers: recorded now; known before or to what was dissolved or never sent; not believed."""

    recorded: int = 0
    known: int = 0
    refused: tuple[str, ...] = ()


def hand_out(
    keyring: Keyring, administration: str, at: datetime, *, limit: int = 16, rules: SendingRules = RULES
) -> list[bytes]:
    """Step C3: what is open and unclaimed or waits for this partner, at most `limit` envelopes, each with a lease.

    Raises: PartnerUnknownError, PartnerStateError where it is suspended.
    """
    peer = willing(administration)
    with transaction.atomic():
        delivery = _locked(peer.id)
        if peer.way == Partner.Way.COLLECT and delivery.next_attempt_at and delivery.next_attempt_at > at:
            return []  # its last answer was not believed: after a while again
        return _form(keyring, peer, at, replace(rules, envelopes=min(limit, rules.envelopes)), HANDED_BYTES)


def hand_out_open(keyring: Keyring, peer: Peer, at: datetime, *, most_bytes: int) -> list[bytes]:
    """Step F2, in the caller's transaction: everything that is open, also what somebody has now, and what waits."""
    _locked(peer.id)
    OutboxEnvelope.objects.filter(partner_id=peer.id, state=_OPEN).update(leased_until=None)
    handed: list[bytes] = []
    while left := most_bytes - sum(map(len, handed)):
        more = _form(keyring, peer, at, RULES, left, is_bounded=bool(handed)) if left > 0 else []
        if not more:
            break
        handed += more
    return handed


def take_answers(
    keyring: Keyring,
    administration: str,
    replies: Sequence[tuple[str, bytes, bool]],
    at: datetime,
    *,
    rules: SendingRules = RULES,
) -> Taken:
    """Steps C2 and F8: check and record (envelope id, bytes, is a receipt) for each. What is known changes nothing.

    Raises: PartnerUnknownError.
    """
    peer = load_peer(administration)
    answers = [Answered(*reply) for reply in replies]
    checked = _check(peer, answers, at)
    with transaction.atomic():
        _locked(peer.id)  # before the rows of envelopes, as the delivery worker does
        still_open = set(
            OutboxEnvelope.objects.filter(pk__in=[each.parcel.id for each in checked], state=_OPEN).values_list(
                "pk", flat=True
            )
        )
        fresh = [each for each in checked if each.parcel.id in still_open]
        if fresh:
            Recorder(keyring, rules, at, random.Random()).record(fresh)  # S11, S12  # noqa: S311  # jitter
    refused = tuple(f"{each.parcel.contents.envelope}: {each.failure}" for each in fresh if each.failure)
    return Taken(len(fresh) - len(refused), len(answers) - len(fresh), refused)


def take_position(administration: str, position: Position, *, before: datetime | None = None) -> int:
    """Step S12, where the partner tells it unasked: send again what it answered once and does not have.

    before: only what was answered by then, where the word may be old. Returns how many messages.
    """
    peer = load_peer(administration)
    with transaction.atomic():
        _locked(peer.id)
        rows = OutboxEnvelope.objects.filter(
            Q(answered_at__lt=before) if before else Q(),
            partner_id=peer.id,
            state=OutboxEnvelope.State.ANSWERED,
            first_sequence__gt=position.contiguous - LIMITS.messages,
        ).only("envelope_id", "first_sequence", "count")  # a partner that has nothing makes this every envelope
        return send_again(peer.id, [row for row in rows if not position.has(row.first_sequence)])


def is_anything_due(administration: str, at: datetime) -> bool:
    """Whether `hand_out` may have something: one cheap look for who waits."""
    partner = Q(partner__administration=administration)
    free = Q(leased_until=None) | Q(leased_until__lte=at)
    waiting = OutboxMessage.objects.filter(partner, state=OutboxMessage.State.WAITING)
    return (
        waiting.exclude(is_under_way(open_runs())).exists()
        or OutboxEnvelope.objects.filter(partner, free, state=_OPEN).exists()
    )


def answered(envelopes: Sequence[bytes], replies: Sequence[Reply]) -> list[Answered]:
    """Each reply of ours with the id of its envelope; what has no header is nobody's and not answered."""
    named = []
    for data, reply in zip(envelopes, replies, strict=True):
        try:
            named.append(Answered(read_header(data).envelope, reply.body, reply.is_receipt))
        except EnvelopeRefusedError:
            logger.warning("An envelope without a header cannot be answered")
    return named


def willing(administration: str) -> Peer:
    """The partner, unless nothing may go to it.

    Raises: PartnerUnknownError, PartnerStateError where it is suspended.
    """
    peer = load_peer(administration)
    if peer.is_suspended:
        raise PartnerStateError(
            "The exchange with this partner is suspended",
            where=administration,
            remedy=f"Resume it with `comity partner resume {administration}`.",
        )
    return peer


def _locked(partner_id: int) -> Delivery:
    return Delivery.objects.select_for_update().get(partner_id=partner_id)


def _form(
    keyring: Keyring, peer: Peer, at: datetime, rules: SendingRules, most_bytes: int, *, is_bounded: bool = False
) -> list[bytes]:
    """Steps S4 and S5. What does not fit any more is given back; the first fits always, unless `is_bounded`."""
    formed = Former(keyring, rules, at, {}, only=peer.id).form()
    parcels, unsealed = seal_all(formed, at)
    for _, error in unsealed:
        raise error
    handed: list[Parcel] = []
    size = 0
    for parcel in parcels:
        size += len(parcel.data)
        if size > most_bytes and (handed or is_bounded):
            break
        handed.append(parcel)
    too_much = [parcel.id for parcel in parcels[len(handed) :]]
    OutboxEnvelope.objects.filter(pk__in=too_much).update(leased_until=None)
    _remember(handed)
    return [parcel.data for parcel in handed]


def _remember(handed: Iterable[Parcel]) -> None:
    """By the digest of these very bytes a refusal of them will be known."""
    rows = OutboxEnvelope.objects.in_bulk([parcel.id for parcel in handed])
    for parcel in handed:
        row = rows[parcel.id]
        digests = bytes(row.handed_digests or b"") + bytes.fromhex(sha256_hex(parcel.data))
        row.handed_digests = digests[-_DIGESTS_KEPT * _DIGEST_BYTES :]
    OutboxEnvelope.objects.bulk_update(rows.values(), ["handed_digests"])


def _check(peer: Peer, answers: Sequence[Answered], at: datetime) -> list[Checked]:
    """Steps S8 to S10 for each answer to an envelope that is open; the last one where there are several."""
    names = {each.envelope: each for each in answers}
    rows = OutboxEnvelope.objects.filter(partner_id=peer.id, state=_OPEN, envelope_id__in=names)
    return [_check_one(row, peer, names[row.envelope_id], at) for row in rows]


def _check_one(row: OutboxEnvelope, peer: Peer, answer: Answered, at: datetime) -> Checked:
    parcel = _parcel_of(row, peer)
    if answer.is_receipt:
        return check_outcome(parcel, Outcome(answer.body, is_receipt=True), at=at)
    refusal = _believed(row, peer, answer.body, at)
    if refusal is None:
        return Checked(parcel, failure="A refusal that the partner did not sign for these bytes is not believed")
    return Checked(parcel, refusal=refusal)


def _parcel_of(row: OutboxEnvelope, peer: Peer) -> Parcel:
    payload = SignedStatement.from_bytes(bytes(row.statement)).payload
    messages = OutboxMessage.objects.filter(
        partner_id=peer.id, sequence__gte=row.first_sequence, sequence__lt=row.first_sequence + row.count
    )
    return Parcel(
        id=row.pk,
        peer=peer,
        contents=read_contents(payload),
        statement_sha256=sha256_hex(payload),
        digests=tuple(messages.order_by("sequence").values_list("sha256", flat=True)),
        data=b"",
    )


def _believed(row: OutboxEnvelope, peer: Peer, body: bytes, at: datetime) -> SignedRefusal | None:
    """A refusal that the partner signed for bytes of this envelope that were handed out."""
    refusal = read_refusal(body)
    if refusal is None:
        return None
    try:
        verify_statement(refusal.statement, peer.signing_keys(at), payload_type=REFUSAL_TYPE)
    except TrustError:
        return None
    kept = bytes(row.handed_digests or b"")
    digests = {kept[start : start + _DIGEST_BYTES].hex() for start in range(0, len(kept), _DIGEST_BYTES)}
    return refusal if refusal.sha256 in digests else None
