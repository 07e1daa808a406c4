"""Three nodes in one process: each with rooms of its own for agreements and exchange, and lines that may be cut.

A process has one database. So the rows of the rooms that differ from node to node are taken out when another node has
its turn, and put back when its own turn comes; keys, officers and the log are shared, as in tests/exchange/cast.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model
from pytest_django import Settings

from comity.common import Actor, ActorKind
from comity.exchange.checking import Parcel
from comity.exchange.delivery import deliver_due
from comity.exchange.directory import Peer
from comity.exchange.inbox import Receiver, process_due
from comity.exchange.outcomes import Outcome
from comity.exchange.position import Position
from comity.exchange.transports.base import Done, Told
from comity.journeys import negotiate
from tests.exchange.cast import AT, CODES, EVERY_ROLE, introduce, keyring

ROOMS = ("agreements", "exchange")


def officer(code: str) -> Actor:
    """Whoever manages the agreements of this node."""
    return Actor(ActorKind.OFFICER, f"officer-{code}", code, EVERY_ROLE)


@dataclass
class World:
    """The nodes, which of them has its turn, the lines that are cut, the time, and how much was carried."""

    settings: Settings
    at: datetime = AT
    turn: str = ""
    kept: dict[str, list[list[Model]]] = field(default_factory=dict)
    cut: set[frozenset[str]] = field(default_factory=set)
    was_cut: bool = False
    carried: int = 0

    @contextmanager
    def node(self, code: str) -> Iterator[None]:
        """The turn of this node."""
        before = self.turn
        self._switch(code)
        try:
            yield
        finally:
            self._switch(before)

    def found(self, *codes: str) -> None:
        """Begin these nodes, each with the others as partners."""
        for code in codes:
            with self.node(code):
                introduce(*(each for each in codes if each != code))

    def cut_off(self, *codes: str) -> None:
        """Nothing passes between any two of these."""
        self.was_cut = True
        self.cut |= {frozenset({one, other}) for one in codes for other in codes if one != other}

    def run(self, rounds: int = 6) -> None:
        """Let the nodes work and deliver in turn until all is said; each round is some minutes later.

        Where a line was cut, what waits is tried again later, so that a quiet round is not the last.
        """
        for _ in range(rounds):
            before = self.carried
            self.at += timedelta(minutes=7)
            for code in CODES:
                with self.node(code):
                    process_due(negotiate.JOURNEYS, self.at)
                    deliver_due(keyring(code), self.at, transport=Bridge(self, code))
            if self.carried == before and not self.was_cut:
                return

    def _switch(self, code: str) -> None:
        if code == self.turn:
            return
        models = [model for room in ROOMS for model in apps.get_app_config(room).get_models()]
        self.kept[self.turn] = [list(model._base_manager.order_by("pk")) for model in models]
        with connection.cursor() as cursor:
            for model in reversed(models):
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(model._meta.db_table)}")
        for model, rows in zip(models, self.kept.pop(code, [[] for _ in models]), strict=True):
            model._base_manager.bulk_create(rows)
        self.turn = code
        self.settings.COMITY_ADMINISTRATION = code or "XA"
        self.settings.COMITY_KEYRING = keyring(code or "XA")


@dataclass
class Bridge:
    """The transport of one node: each partner answers at its own node, unless the line is cut."""

    world: World
    sender: str

    def send(self, parcels: Sequence[Parcel], done: Done) -> None:
        """Let each partner answer."""
        for parcel in parcels:
            recipient = parcel.peer.administration
            if frozenset({self.sender, recipient}) in self.world.cut:
                done(parcel, Outcome(failure="The line is cut"))
                continue
            with self.world.node(recipient):
                receiver = Receiver(keyring(recipient), negotiate.VALIDATORS)
                reply = receiver.answer([parcel.data], self.world.at)[0]
            self.world.carried += 1
            done(parcel, Outcome(reply.body, is_receipt=reply.is_receipt))

    def ask_position(self, peer: Peer, told: Told) -> None:
        """Nobody asks here."""
        told(peer, _nothing())

    def close(self) -> None:
        """Nothing to give up."""


def _nothing() -> Position | None:
    return None


@pytest.fixture
def world(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> World:
    """XA, XB and XC, introduced to each other, at the time of the cast."""
    made = World(settings)
    monkeypatch.setattr("comity.journeys.negotiate.utc_now", lambda: made.at)
    made.found(*CODES)
    return made
