"""The sending end's transactions: form envelopes, and record what became of them.

The step numbers are those of docs/protocol.md §4.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db.models import F, Q

from comity.common import ComityError, new_id
from comity.exchange.checking import Parcel
from comity.exchange.directory import Peer, load_peers
from comity.exchange.envelope import Contents, messages_root, read_contents, seal_envelope, sign_contents
from comity.exchange.heads import present_head
from comity.exchange.limits import (
    LoadLimits,
    Priority,
    SendingRules,
    read_load_limits,
)
from comity.exchange.models import Delivery, OutboxEnvelope, OutboxMessage, Partner
from comity.exchange.pace import Allowance
from comity.exchange.position import Range
from comity.exchange.rounds import due_partners, open_envelopes, store_formed, who_waits
from comity.exchange.strength import sealing_key_for, second_signature_for
from comity.exchange.window import Classes, Flight, Waiting, Window, choose, classes_of, open_window
from comity.trust import Keyring, SignedStatement, sha256_hex

logger = logging.getLogger(__name__)

# Databases bound how much one statement may say.
_RUNS_AT_ONCE = 64
_WAITING, _OPEN = OutboxMessage.State.WAITING, OutboxEnvelope.State.OPEN


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

        Raises: PartnerStateError where the partner has no key, StrengthMissingError where it has no hybrid one.
        """
        key = sealing_key_for(self.peer, self.messages, at)
        return Parcel(
            id=self.row.pk,
            peer=self.peer,
            contents=self.contents,
            statement_sha256=sha256_hex(self.payload),
            digests=self.digests,
            data=seal_envelope(self.contents, bytes(self.row.statement), self.messages, key),
        )


@dataclass(slots=True)
class Former:
    """Forms envelopes in the caller's transaction.

    in_flight, messages_in_flight: now under way from this process, by partner id. without_heads: ids of partners that
    got the heads lately. held: ids of partners to which nothing goes now. only: one partner that fetches or is carried
    to, whatever its way and though attempts to reach it may wait; without it, those that are pushed to.
    """

    keyring: Keyring
    rules: SendingRules
    at: datetime
    in_flight: Mapping[int, int]
    without_heads: frozenset[int] = frozenset()
    held: frozenset[int] = frozenset()
    only: int | None = None
    messages_in_flight: Mapping[int, int] = field(default_factory=dict)

    def form(self) -> list[Formed]:
        """Step S4 for every partner that is due: first what is open and unclaimed, then what waits."""
        due = [each for each in due_partners(self.at, only=self.only) if each not in self.held]
        if not due:
            return []
        # What all workers send together counts, and what is in an open envelope is seen only after the lock: one of
        # them at a time. The next round is another's.
        rows = Delivery.objects.select_for_update(skip_locked=True, of=("self",)).select_related("partner")
        deliveries = list(rows.filter(partner_id__in=due).order_by("partner_id"))
        peers = load_peers([each.partner.administration for each in deliveries]) if deliveries else {}
        return [
            formed
            for delivery in deliveries
            for formed in self._form_for(peers[delivery.partner.administration], delivery)
        ]

    def _form_for(self, peer: Peer, delivery: Delivery) -> list[Formed]:
        still_open = open_envelopes(peer.id, self.at)
        window = self._window(delivery, read_load_limits(delivery.load_limits), still_open.claimed)
        if window.is_shut:
            return []
        before = window.allowance
        again: list[Formed] = []
        if still_open.free:
            again, window = self._take_open(peer, window)
        formed, window = self._form_waiting(peer, delivery, window, still_open.runs)
        if window.per_minute is not None and window.allowance != before:
            Delivery.objects.filter(pk=delivery.pk).update(
                allowance=window.allowance.messages, allowance_at=window.allowance.at
            )
        return again + formed

    def _window(self, delivery: Delivery, limits: LoadLimits, claimed: int) -> Window:
        flight = Flight(self.in_flight.get(delivery.partner_id, 0), self.messages_in_flight.get(delivery.partner_id, 0))
        if delivery.partner.way == Partner.Way.FILE:  # a file holds what is open, whatever is in others
            limits = replace(limits, envelopes_in_flight=None)
        if limits.envelopes_in_flight is not None:
            flight = Flight(max(flight.envelopes, claimed), flight.messages)
        window = open_window(self.rules, limits, flight, delivery.messages_at_most)
        if self.only is not None:
            window = window.narrowed(self.rules.envelopes)
        elif delivery.failures:
            # After a failure one envelope goes out to see whether the partner is back.
            window = window.narrowed(1 - flight.envelopes)
        # What a person carries in a file comes at a person's pace.
        if limits.messages_per_minute is None or delivery.partner.way == Partner.Way.FILE:
            return window
        allowance = Allowance(delivery.allowance, delivery.allowance_at)
        return window.paced(limits.messages_per_minute, allowance, self.at)

    def _take_open(self, peer: Peer, window: Window) -> tuple[list[Formed], Window]:
        """Envelopes that nobody is sending: after a failed attempt, or after whoever took them died."""
        taken = []
        for row in (
            OutboxEnvelope.objects.select_for_update(skip_locked=True)
            .filter(Q(leased_until=None) | Q(leased_until__lte=self.at), partner_id=peer.id, state=_OPEN)
            .order_by("first_sequence")[: window.slots[Priority.URGENT]]
        ):
            if window.may_go(row.count, Priority.ORDINARY):
                taken.append(row)
                window = window.after(row.count)
        if taken:
            OutboxEnvelope.objects.filter(pk__in=[row.pk for row in taken]).update(
                leased_until=self._lease(), attempts=F("attempts") + 1
            )
        return [_again(row, peer) for row in taken], window

    def _form_waiting(
        self, peer: Peer, delivery: Delivery, window: Window, runs: Sequence[Range]
    ) -> tuple[list[Formed], Window]:
        classes = classes_of(delivery.gaps)
        groups, window = choose(self._waiting(peer, classes, window, runs), window, classes)
        if not groups:
            return [], window
        formed = [self._sign(peer, delivery, group, is_first=number == 0) for number, group in enumerate(groups)]
        store_formed([each.row for each in formed])
        return formed, window

    def _waiting(self, peer: Peer, classes: Classes, window: Window, runs: Sequence[Range]) -> list[Waiting]:
        """Messages in no envelope that may go in this round, those first that overtake. runs: those in open ones."""
        waiting: list[Waiting] = []
        standing = who_waits(peer.id, runs)
        before, *after = _outside(runs)
        for priorities in classes:
            most = window.messages(max(priorities), self.rules.round_messages) - len(waiting)
            parts = [before] if any(standing[each][0] for each in priorities) else []
            parts += after if any(standing[each][1] for each in priorities) else []
            for part in parts:
                if most > 0:
                    found = self._lines(peer.id, part & Q(priority__in=priorities), most)
                    waiting += found
                    most -= len(found)
        return waiting

    def _lines(self, partner_id: int, wanted: Q, most: int) -> list[Waiting]:
        rows = OutboxMessage.objects.filter(wanted, partner_id=partner_id, state=_WAITING).order_by("sequence")
        lines = rows.values_list("sequence", "data", "sha256", "priority")[:most]
        return [Waiting(line[0], bytes(line[1]), line[2], line[3]) for line in lines]

    def _sign(self, peer: Peer, delivery: Delivery, group: Sequence[Waiting], *, is_first: bool) -> Formed:
        wants_heads = is_first and peer.id not in self.without_heads
        log_head, partner_head = present_head(delivery) if wants_heads else (None, None)
        contents = Contents(
            sender=self.keyring.administration,
            recipient=peer.administration,
            envelope=str(new_id(self.at)),
            first_sequence=group[0].sequence,
            count=len(group),
            root=messages_root([each.data for each in group]),
            created=self.at,
            log_head=log_head,
            partner_head=partner_head,
            second_signature=second_signature_for(self.keyring, peer, self.at),
        )
        statement = sign_contents(contents, *self.keyring.signers_for(is_doubled=bool(contents.second_signature)))
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


def _outside(runs: Sequence[Range]) -> list[Q]:
    """What is in none of these runs: before the first, then after it. An index finds each part in its order."""
    parts = [Q(sequence__lt=runs[0][0])] if runs else [Q()]
    for start in range(0, len(runs), _RUNS_AT_ONCE):
        (_, last), *others = runs[start : start + _RUNS_AT_ONCE]
        part = Q(sequence__gt=last)
        for run in others:
            part &= ~Q(sequence__range=run)
        for beyond, _ in runs[start + _RUNS_AT_ONCE :][:1]:
            part &= Q(sequence__lt=beyond)
        parts.append(part)
    return parts


def _again(row: OutboxEnvelope, peer: Peer) -> Formed:
    payload = SignedStatement.from_bytes(bytes(row.statement)).payload
    return _with_messages(row, peer, read_contents(payload), payload, _messages_of(row))


def _with_messages(
    row: OutboxEnvelope, peer: Peer, contents: Contents, payload: bytes, group: Sequence[Waiting]
) -> Formed:
    return Formed(
        row=row,
        peer=peer,
        contents=contents,
        payload=payload,
        messages=tuple(each.data for each in group),
        digests=tuple(each.sha256 for each in group),
    )


def _messages_of(row: OutboxEnvelope) -> list[Waiting]:
    lines = (
        OutboxMessage.objects.filter(
            partner_id=row.partner_id,
            sequence__gte=row.first_sequence,
            sequence__lt=row.first_sequence + row.count,
        )
        .order_by("sequence")
        .values_list("sequence", "data", "sha256", "priority")
    )
    return [Waiting(line[0], bytes(line[1]), line[2], line[3]) for line in lines]
