"""Delivery: envelopes to each partner, again and again, until a signed receipt comes back.

The step numbers are those of docs/protocol.md §4. What is written before a step survives kill -9 after it.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.db import close_old_connections, connections, transaction

from comity.common import Clock
from comity.exchange.bell import posted
from comity.exchange.checking import Parcel
from comity.exchange.directory import Peer, load_peers
from comity.exchange.limits import RULES, SendingRules
from comity.exchange.models import Partner
from comity.exchange.outbox import Formed, Former, seal_all
from comity.exchange.outcomes import (
    Asked,
    Checked,
    Outcome,
    Recorder,
    apply_position,
    ask_now,
    check_outcome,
    lock_deliveries,
)
from comity.exchange.position import Position
from comity.exchange.transports.base import Transport
from comity.exchange.transports.https.client import HTTPSTransport
from comity.trust import Keyring

logger = logging.getLogger(__name__)

_Told = tuple[Parcel, Outcome] | tuple[Peer, Position | None, Asked]
_Event = _Told | None
# How often an envelope carries the heads of both logs: to every partner, no more often than this.
HEADS_EVERY = timedelta(seconds=2)


@dataclass(slots=True)
class Postman:
    """One round after the other: record what came back, form what is due, hand it to the transport.

    Used by one thread. `tell` and `tell_position` may be called from any.
    """

    keyring: Keyring
    transport: Transport
    rules: SendingRules = RULES
    jitter: random.Random = field(default_factory=random.Random)
    events: queue.SimpleQueue[_Event] = field(default_factory=queue.SimpleQueue)
    in_flight: Counter[int] = field(default_factory=Counter)
    heads_at: dict[int, datetime] = field(default_factory=dict)
    messages_in_flight: Counter[int] = field(default_factory=Counter)
    asking: set[int] = field(default_factory=set)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        return not self.asking and not any(self.in_flight.values())

    def round(self, events: Sequence[_Event], at: datetime) -> int:
        """Steps S4 to S12 once, with one commit. Returns how many envelopes went out."""
        arrived = [event for event in events if event is not None]
        checked = [check_outcome(*event, at=at) for event in arrived if len(event) == 2]
        formed = self._commit(arrived, checked, at)
        parcels, unsealed = seal_all(formed, at)  # S5
        if unsealed:
            self._record([Checked(_unsealed(each), failure=str(error)) for each, error in unsealed], at)
        for parcel in parcels:
            self.in_flight[parcel.peer.id] += 1
            self.messages_in_flight[parcel.peer.id] += parcel.contents.count
            if parcel.head is not None:
                self.heads_at[parcel.peer.id] = at
        if parcels:
            self.transport.send(parcels, self.tell)  # S6
        return len(parcels)

    def settle(self, events: Sequence[_Event]) -> None:
        """What these events end is no longer under way, whatever becomes of recording them: leases run out."""
        for event in events:
            if event is not None and isinstance(event[0], Parcel):
                self.in_flight[event[0].peer.id] -= 1
                self.messages_in_flight[event[0].peer.id] -= event[0].contents.count
            elif event is not None:
                self.asking.discard(event[0].id)

    def ask_positions(self) -> None:
        """Step S12: ask every partner that we push to and that is not suspended how far our sequence has arrived."""
        for peer in load_peers().values():
            if not peer.is_suspended and peer.way == Partner.Way.PUSH:
                self._ask_position(peer)

    def tell(self, parcel: Parcel, outcome: Outcome) -> None:
        """An outcome has come."""
        self.events.put((parcel, outcome))

    def tell_position(self, asked: Asked, peer: Peer, position: Position | None) -> None:
        """A partner has said how far our sequence has arrived."""
        self.events.put((peer, position, asked))

    def _ask_position(self, peer: Peer) -> None:
        self.asking.add(peer.id)
        self.transport.ask_position(peer, partial(self.tell_position, ask_now(peer.id)))

    def _commit(self, arrived: Sequence[_Told], checked: Sequence[Checked], at: datetime) -> list[Formed]:
        with transaction.atomic():
            lock_deliveries({event[0].id if len(event) == 3 else event[0].peer.id for event in arrived})
            recovered = self._record(checked, at)
            for event in arrived:
                if len(event) == 3:
                    self._apply(*event)
            # Nothing goes to a partner whose position is awaited: so no answer can cross it on the way.
            held = frozenset(self.asking | {peer.id for peer in recovered})
            formed = Former(
                self.keyring,
                self.rules,
                at,
                self.in_flight,
                without_heads=self._recent_heads(at),
                held=held,
                messages_in_flight=self.messages_in_flight,
            ).form()
        for peer in recovered:
            self._ask_position(peer)
        return formed

    def _record(self, checked: Sequence[Checked], at: datetime) -> list[Peer]:
        if not checked:
            return []
        recorder = Recorder(self.keyring, self.rules, at, self.jitter)
        with transaction.atomic():
            recorder.record(checked)  # S11, S12
        peers = {each.parcel.peer.id: each.parcel.peer for each in checked}
        return [peers[partner_id] for partner_id in recorder.recovered]

    def _apply(self, peer: Peer, position: Position | None, asked: Asked) -> None:
        if position is not None:
            apply_position(peer.id, position, asked)

    def _recent_heads(self, at: datetime) -> frozenset[int]:
        return frozenset(key for key, moment in self.heads_at.items() if moment <= at < moment + HEADS_EVERY)


class DeliveryWorker:
    """Delivers in a thread of its own until it is stopped. Wakes at once when something is posted in this process;
    finds within `poll_seconds` what another process posted, and what is due again after a failure."""

    def __init__(
        self,
        keyring: Keyring,
        *,
        clock: Clock,
        transport: Transport | None = None,
        rules: SendingRules = RULES,
        poll_seconds: float = 0.5,
    ) -> None:
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._transport = transport or HTTPSTransport(keyring)
        self._postman = Postman(keyring, self._transport, rules)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="comity-delivery", daemon=True)

    def start(self) -> None:
        """Begin."""
        posted.subscribe(self._wake)
        self._thread.start()

    def stop(self) -> None:
        """End after the present round. What is under way keeps its lease and is sent again by the next worker."""
        posted.unsubscribe(self._wake)
        self._stopping.set()
        self._wake()
        self._thread.join()
        self._transport.close()

    def _wake(self) -> None:
        self._postman.events.put(None)

    def _run(self) -> None:
        try:
            sent = self._round([], is_first=True)
            while not self._stopping.is_set():
                # After a round that sent something there may be more to send.
                sent = self._round(drain(self._postman.events, 0.0 if sent else self._poll_seconds))
        finally:
            connections.close_all()

    def _round(self, events: Sequence[_Event], *, is_first: bool = False) -> int:
        try:
            if is_first:
                self._postman.ask_positions()
            self._postman.settle(events)
            return self._postman.round(events, self._clock())
        except Exception:  # the edge of a worker: the rows are as they were, and leases run out
            logger.exception("A round of delivery failed; it is tried again")
            close_old_connections()
            return 0


def deliver_due(
    keyring: Keyring,
    at: datetime,
    *,
    transport: Transport | None = None,
    rules: SendingRules = RULES,
) -> int:
    """Deliver what is due now and wait for the answers. Returns how many envelopes went out."""
    way = transport or HTTPSTransport(keyring)
    postman = Postman(keyring, way, rules)
    try:
        count = postman.round([], at)
        while not postman.is_idle:
            events = drain(postman.events, None)
            postman.settle(events)
            count += postman.round(events, at)
    finally:
        if transport is None:
            way.close()
    return count


def drain(events: queue.SimpleQueue[_Event], seconds: float | None) -> list[_Event]:
    """What has come in; waits for the first."""
    drained: list[_Event] = []
    try:
        drained.append(events.get(timeout=seconds))
        while True:
            drained.append(events.get_nowait())
    except queue.Empty:
        return drained


def _unsealed(formed: Formed) -> Parcel:
    return Parcel(formed.row.pk, formed.peer, formed.contents, "", formed.digests, b"")
