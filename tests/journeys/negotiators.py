"""Three nodes in one process: each with rooms of its own for agreements and exchange, and lines that may be cut.

A process has one database. So the rows of the rooms that differ from node to node are put aside, in tables of their
own, when another node has its turn, and put back when its own turn comes; keys, officers and the log are shared, as in
tests/exchange/cast.py. What most tests begin with is brought about once and remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

import pytest
from django.apps import apps
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model
from pytest_django import Settings

from comity.agreements.life import MoveKind
from comity.agreements.moves import Wish
from comity.common import Actor, ActorKind
from comity.exchange.checking import Parcel
from comity.exchange.delivery import deliver_due
from comity.exchange.directory import Peer
from comity.exchange.inbox import Receiver, process_due
from comity.exchange.outcomes import Outcome
from comity.exchange.position import Position
from comity.exchange.transports.base import Done, Told
from comity.journeys import negotiate
from tests.exchange.cast import AT, CODES, DEMO, EVERY_ROLE, introduce, keyring

ROOMS = ("agreements", "exchange")
SHARED_ROOMS = ("ledger", "staff")
NOBODY = "XX"

Rows = list[list[Model]]


def officer(code: str) -> Actor:
    """Whoever manages the agreements of this node."""
    return Actor(ActorKind.OFFICER, f"officer-{code}", code, EVERY_ROLE)


def second_officer(code: str) -> Actor:
    """Whoever approves what the first one proposed."""
    return Actor(ActorKind.OFFICER, f"second-{code}", code, EVERY_ROLE)


@dataclass
class World:
    """The nodes, which of them has its turn, the lines that are cut, the time, and how much was carried."""

    settings: Settings
    at: datetime = AT
    turn: str = NOBODY
    aside: dict[str, list[str]] = field(default_factory=dict)
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

    def bring_into_force(self, data: bytes, *, amends: str = "") -> str:
        """XA proposes this version, XB and XC sign it; returns its id."""
        with self.node("XA"):
            found = negotiate.propose(officer("XA"), data=data, at=self.at, amends=amends).agreement
        self.run(2)
        for code in ("XB", "XC"):
            with self.node(code):
                negotiate.make(officer(code), wish=Wish(MoveKind.SIGN, found.id), at=self.at)
        self.run()
        return found.id

    def _switch(self, code: str) -> None:
        if code == self.turn:
            return
        with connection.cursor() as cursor:
            if self.turn not in self.aside:
                _make_room(cursor, self.turn)
            self.aside[self.turn] = [
                table for table in reversed(_tables()) if _move(cursor, table, f"{self.turn}_{table}")
            ]
            for table in reversed(self.aside.get(code, [])):
                _move(cursor, f"{code}_{table}", table)
        self.turn = code
        self.settings.COMITY_ADMINISTRATION = code if code != NOBODY else "XA"
        self.settings.COMITY_KEYRING = keyring(self.settings.COMITY_ADMINISTRATION)


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


@dataclass(frozen=True)
class Remembered:
    """A world at some time: the rows of each node, the rows that the nodes share, and what was in force."""

    at: datetime
    nodes: dict[str, Rows]
    shared: Rows
    agreement_id: str


@cache
def _tables() -> tuple[str, ...]:
    return tuple(model._meta.db_table for model in _models(ROOMS))


def _models(rooms: Sequence[str]) -> list[type[Model]]:
    return [model for room in rooms for model in apps.get_app_config(room).get_models()]


def _make_room(cursor: CursorWrapper, code: str) -> None:
    """Tables for the rows of this node, for this transaction alone."""
    for table in _tables():
        goal, origin = _quoted(f"{code}_{table}"), _quoted(table)
        cursor.execute(f"CREATE TEMPORARY TABLE {goal} AS SELECT * FROM {origin} WHERE 1 = 0")


def _move(cursor: CursorWrapper, origin: str, goal: str) -> bool:
    """Move all rows, within the database. Returns whether there were any."""
    cursor.execute(f"INSERT INTO {_quoted(goal)} SELECT * FROM {_quoted(origin)}")
    if not cursor.rowcount:
        return False
    cursor.execute(f"DELETE FROM {_quoted(origin)}")
    return True


def _quoted(table: str) -> str:
    return connection.ops.quote_name(table)


def _read(rooms: Sequence[str]) -> Rows:
    return [list(model._base_manager.order_by("pk")) for model in _models(rooms)]


def _write(rooms: Sequence[str], rows: Rows) -> None:
    for model, each in zip(_models(rooms), rows, strict=True):
        model._base_manager.bulk_create(each)


def _remember(world: World, agreement_id: str) -> Remembered:
    nodes = {}
    for code in CODES:
        with world.node(code):
            nodes[code] = _read(ROOMS)
    return Remembered(world.at, nodes, _read(SHARED_ROOMS), agreement_id)


def _recall(world: World, remembered: Remembered) -> None:
    world.at = remembered.at
    _write(SHARED_ROOMS, remembered.shared)
    for code, rows in remembered.nodes.items():
        with world.node(code):
            _write(ROOMS, rows)


@pytest.fixture
def world(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> World:
    """The world at the time of the cast, before its nodes have met: for `introduced` or `in_force` to begin."""
    made = World(settings)
    monkeypatch.setattr("comity.journeys.negotiate.utc_now", lambda: made.at)
    return made


@pytest.fixture
def introduced(world: World) -> None:
    """XA, XB and XC are introduced to each other."""
    world.found(*CODES)


@pytest.fixture(scope="module")
def memory() -> list[Remembered]:
    """What was brought about once for all tests of a module."""
    return []


@pytest.fixture
def in_force(world: World, memory: list[Remembered]) -> str:
    """The demo's agreement, negotiated by XA, XB and XC and in force at all three; its id."""
    if memory:
        _recall(world, memory[0])
    else:
        world.found(*CODES)
        memory.append(_remember(world, world.bring_into_force(DEMO.read_bytes())))
    return memory[0].agreement_id
