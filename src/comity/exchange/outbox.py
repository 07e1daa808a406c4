"""The sending end's transactions: form envelopes, and record what became of them.

The step numbers are those of docs/protocol.md §4.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q

from comity.common import ComityError, new_id
from comity.exchange.checking import Parcel
from comity.exchange.directory import Peer, load_peers
from comity.exchange.envelope import Contents, messages_root, read_contents, seal_envelope, sign_contents
from comity.exchange.heads import present_head
from comity.exchange.limits import LIMITS
from comity.exchange.models import Delivery, OutboxEnvelope, OutboxMessage, Partner
from comity.trust import Keyring, SignedStatement, sha256_hex

logger = logging.getLogger(__name__)

# Room for the statement, the lengths and the seal below the receiver's limit.
_ENVELOPE_BYTES = LIMITS.envelope_bytes // 2
_Line = tuple[int, bytes | memoryview, str]
_WAITING, _SENT = OutboxMessage.State.WAITING, OutboxMessage.State.SENT


@dataclass(frozen=True, slots=True)
class SendingRules:
    """How much is sent at once.

    messages: in one envelope at most. envelopes: in flight to one partner at most. round_messages: formed for one
    partner at once, so that it has work while the next are sealed. lease_seconds: how long an
    envelope is left to whoever took it; longer than any request lasts. The retry figures are seconds.
    """

    messages: int = 128
    envelopes: int = 64
    round_messages: int = 1024
    lease_seconds: int = 60
    first_retry_seconds: float = 1.0
    longest_retry_seconds: float = 300.0


RULES = SendingRules()


@dataclass(frozen=True, slots=True)
class Formed:
    """An envelope row with what it takes to seal it."""

    row: OutboxEnvelope
    peer: Peer
    contents: Contents
    payload: bytes
    messages: tuple[bytes, ...]
    digests: tuple[str, ...]

    def seal(self, at: datetime) -> Parcel:
        """Step S5, outside the transaction.

        Raises: PartnerStateError where the partner has no key.
        """
        return Parcel(
            id=self.row.pk,
            peer=self.peer,
            contents=self.contents,
            statement_sha256=sha256_hex(self.payload),
            digests=self.digests,
            data=seal_envelope(self.contents, bytes(self.row.statement), self.messages, self.peer.sealing_key(at)),
        )


@dataclass(slots=True)
class Former:
    """Forms envelopes in the caller's transaction.

    in_flight: envelopes now under way, by partner id. without_heads: ids of partners that got the heads lately.
    held: ids of partners to which nothing goes now. only: one partner that fetches or is carried to, whatever its way
    and though attempts to reach it may wait; without it, those that are pushed to.
    """

    keyring: Keyring
    rules: SendingRules
    at: datetime
    in_flight: Mapping[int, int]
    without_heads: frozenset[int] = frozenset()
    held: frozenset[int] = frozenset()
    only: int | None = None

    def form(self) -> list[Formed]:
        """Step S4 for every partner that is due: first what is open and unclaimed, then what waits."""
        formed: list[Formed] = []
        deliveries = self._due()
        peers = load_peers([each.partner.administration for each in deliveries]) if deliveries else {}
        for delivery in deliveries:
            # After a failure one envelope goes out to see whether the partner is back.
            slots = (1 if delivery.failures and self.only is None else self.rules.envelopes) - self.in_flight.get(delivery.partner_id, 0)
            if slots > 0:
                peer = peers[delivery.partner.administration]
                again = self._take_open(peer, slots)
                formed += again + self._form_waiting(peer, delivery, slots - len(again))
        return formed

    def _due(self) -> list[Delivery]:
        waiting = OutboxMessage.objects.filter(partner=OuterRef("partner"), state=_WAITING)
        unclaimed = OutboxEnvelope.objects.filter(
            Q(leased_until=None) | Q(leased_until__lte=self.at), partner=OuterRef("partner"), state="open"
        )
        is_time = Q(next_attempt_at=None) | Q(next_attempt_at__lte=self.at)
        whom = Q(partner_id=self.only) if self.only is not None else is_time & Q(partner__way=Partner.Way.PUSH)
        rows = Delivery.objects.select_related("partner").filter(whom, Exists(waiting) | Exists(unclaimed))
        rows = rows.exclude(partner__state=Partner.State.SUSPENDED).exclude(partner_id__in=self.held)
        return list(rows.order_by("partner_id"))

    def _take_open(self, peer: Peer, slots: int) -> list[Formed]:
        """Envelopes that nobody is sending: after a failed attempt, or after whoever took them died."""
        rows = list(
            OutboxEnvelope.objects.select_for_update(skip_locked=True)
            .filter(Q(leased_until=None) | Q(leased_until__lte=self.at), partner_id=peer.id, state="open")
            .order_by("first_sequence")[:slots]
        )
        if rows:
            OutboxEnvelope.objects.filter(pk__in=[row.pk for row in rows]).update(
                leased_until=self._lease(), attempts=F("attempts") + 1
            )
        return [_again(row, peer) for row in rows]

    def _form_waiting(self, peer: Peer, delivery: Delivery, slots: int) -> list[Formed]:
        if slots < 1:
            return []
        size = min(self.rules.messages, delivery.messages_at_most or self.rules.messages)
        slots = min(slots, max(self.rules.round_messages // size, 1))
        waiting = (
            OutboxMessage.objects.select_for_update(skip_locked=True)
            .filter(partner_id=peer.id, state=_WAITING)
            .order_by("sequence")
            .values_list("sequence", "data", "sha256")[: slots * size]
        )
        groups = list(_consecutive(waiting, size))[:slots]
        formed = [self._sign(peer, delivery, group, is_first=number == 0) for number, group in enumerate(groups)]
        OutboxEnvelope.objects.bulk_create(each.row for each in formed)
        taken = [sequence for group in groups for sequence, _, _ in group]
        OutboxMessage.objects.filter(partner_id=peer.id, sequence__in=taken).update(state=_SENT)
        return formed

    def _sign(self, peer: Peer, delivery: Delivery, group: Sequence[_Line], *, is_first: bool) -> Formed:
        wants_heads = is_first and peer.id not in self.without_heads
        log_head, partner_head = present_head(delivery) if wants_heads else (None, None)
        contents = Contents(
            sender=self.keyring.administration,
            recipient=peer.administration,
            envelope=str(new_id(self.at)),
            first_sequence=group[0][0],
            count=len(group),
            root=messages_root([bytes(data) for _, data, _ in group]),
            created=self.at,
            log_head=log_head,
            partner_head=partner_head,
        )
        statement = sign_contents(contents, self.keyring.signing)
        row = OutboxEnvelope(
            envelope_id=contents.envelope,
            partner_id=peer.id,
            first_sequence=contents.first_sequence,
            count=contents.count,
            statement=statement.to_bytes(),
            created_at=self.at,
            attempts=1,
            leased_until=self._lease(),
        )
        return _with_messages(row, peer, contents, statement.payload, group)

    def _lease(self) -> datetime:
        return self.at + timedelta(seconds=self.rules.lease_seconds)


def seal_all(formed: Iterable[Formed], at: datetime) -> tuple[list[Parcel], list[tuple[Formed, ComityError]]]:
    """Seal each envelope; what cannot be sealed comes back with its reason."""
    parcels, failed = [], []
    for each in formed:
        try:
            parcels.append(each.seal(at))
        except ComityError as error:
            failed.append((each, error))
    return parcels, failed


def _again(row: OutboxEnvelope, peer: Peer) -> Formed:
    payload = SignedStatement.from_bytes(bytes(row.statement)).payload
    return _with_messages(row, peer, read_contents(payload), payload, _messages_of(row))


def _with_messages(
    row: OutboxEnvelope, peer: Peer, contents: Contents, payload: bytes, group: Sequence[_Line]
) -> Formed:
    return Formed(
        row=row,
        peer=peer,
        contents=contents,
        payload=payload,
        messages=tuple(bytes(data) for _, data, _ in group),
        digests=tuple(sha256 for _, _, sha256 in group),
    )


def _messages_of(row: OutboxEnvelope) -> list[_Line]:
    return list(
        OutboxMessage.objects.filter(
            partner_id=row.partner_id,
            sequence__gte=row.first_sequence,
            sequence__lt=row.first_sequence + row.count,
        )
        .order_by("sequence")
        .values_list("sequence", "data", "sha256")
    )


def _consecutive(lines: Iterable[_Line], size: int) -> Iterable[list[_Line]]:
    """Runs without a hole, of at most `size` messages and half of what a receiver takes."""
    group: list[_Line] = []
    weight = 0
    for line in lines:
        length = len(line[1]) + 4
        if group and (len(group) == size or line[0] != group[-1][0] + 1 or weight + length > _ENVELOPE_BYTES):
            yield group
            group, weight = [], 0
        group.append(line)
        weight += length
    if group:
        yield group
