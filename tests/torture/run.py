"""A run: traffic from every node, chaos beside it, then heal and drain.

One thread for each node drives it and starts it again when it was killed; one plays the kills, one the partitions.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event, Lock, Thread

from comity.cli.lab.links import Wire
from tests.torture.federation import Federation, TortureChild
from tests.torture.plan import Kill, Partition, Plan

# The nodes' clock runs so much faster than ours all the time, so that leases and retries fall due.
_PACE = 10.0
_TICK_SECONDS = 0.25
_STEPS = 8
# So many messages of one node may wait for answers before it posts no more for a moment.
_OPEN_AT_MOST = 4000
# And so many may wait at one node to be acted on: a node that posts faster than others act builds a tail for the end.
_DUE_AT_MOST = 20_000


class TortureError(Exception):
    """The harness met what must not happen: a node that ended by itself, a drain that does not end."""


@dataclass
class Story:
    """What happened, counted while it does."""

    posted: int = 0
    kills: int = 0
    partitions: dict[str, int] = field(default_factory=dict)
    wires: dict[str, int] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)


@dataclass
class Torture:
    """One run over a federation."""

    federation: Federation
    plan: Plan
    rate: float = 0.0
    patience_seconds: float = 120.0
    # So many messages are posted in a transaction.
    batch: int = 100
    say: Callable[[str], None] = lambda _line: None
    story: Story = field(default_factory=Story)
    asked: int = 0
    trouble: list[str] = field(default_factory=list)
    is_over: Event = field(default_factory=Event)
    killed: dict[str, Event] = field(default_factory=dict)
    down_seconds: dict[str, float] = field(default_factory=dict)
    # Every process group that there was, so that the end can be asserted.
    groups: list[int] = field(default_factory=list)

    def play(self) -> Story:
        """Traffic and chaos, then heal and drain. Raises: TortureError."""
        self.killed = {code: Event() for code in self.federation.codes}
        self.groups = [node.process.pid for node in self.federation.nodes.values() if node.process is not None]
        clock = Thread(target=self._run_clock, name="clock", daemon=True)
        chaos = [
            Thread(target=self._guard, args=(self._play_kills,), name="kills", daemon=True),
            Thread(target=self._guard, args=(self._play_partitions,), name="partitions", daemon=True),
        ]
        drivers = [
            Thread(target=self._guard, args=(self._drive, node), name=f"driver {code}", daemon=True)
            for code, node in self.federation.nodes.items()
        ]
        for thread in (clock, *chaos, *drivers):
            thread.start()
        for thread in (*chaos, *drivers):
            thread.join()
        try:
            if not self.trouble:
                self._drain()
        finally:
            self.is_over.set()
            clock.join()
        if self.trouble:
            raise TortureError("; ".join(self.trouble))
        for node in self.federation.nodes.values():
            node.end()
        return self.story

    def _guard(self, work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except Exception as error:  # the edge of a thread: the run ends red and says why
            self.trouble.append(f"{type(error).__name__}: {error}")
            self.is_over.set()

    # Traffic

    def _drive(self, node: TortureChild) -> None:
        chance = random.Random(f"{self.plan.seed} {node.code}")
        others = [code for code in self.federation.codes if code != node.code]
        pause = self.batch * len(self.federation.codes) / self.rate if self.rate else 0.0
        heard = self.federation.root / f"heard-{node.code}.txt"
        while not self.is_over.is_set():
            # Nobody leaves before every kill is over, so that each killed node is started again.
            count = self._take()
            if not count and self.story.kills == len(self.plan.kills):
                break
            begun = time.monotonic()
            standing = self._exchange(node, chance, others, count, heard)
            if standing["open"] > _OPEN_AT_MOST or standing["due"] > _DUE_AT_MOST:
                self.is_over.wait(0.2)
            self.is_over.wait(max(pause - (time.monotonic() - begun), 0.0 if count else 0.1))
        self._revive(node)

    def _take(self) -> int:
        with self.story.lock:
            count = min(self.batch, self.plan.messages - self.asked)
            self.asked += count
        return count

    def _exchange(
        self, node: TortureChild, chance: random.Random, others: Sequence[str], count: int, heard: Path
    ) -> dict[str, int]:
        """One command to a node, which may die over it."""
        try:
            self._revive(node)
            if not count:
                return dict(node.ask("standing"))
            answer = node.ask("post", count=count, recipients=list(others), seed=chance.randrange(1 << 30))
        except (RuntimeError, OSError, ValueError):
            if not self.killed[node.code].is_set():
                raise
            self._take_back(count)
            return {"open": 0, "due": 0}
        with heard.open("a") as file:
            file.write("".join(f"{each}\n" for each in answer["ids"]))
        with self.story.lock:
            self.story.posted += count
        return dict(answer)

    def _take_back(self, count: int) -> None:
        """What a killed node may or may not have posted is posted again; the databases say what was."""
        with self.story.lock:
            self.asked -= count

    def _revive(self, node: TortureChild) -> None:
        if not self.killed[node.code].is_set():
            return
        node.kill()  # reaps it
        self.is_over.wait(self.down_seconds.get(node.code, 0.0))
        node.start()
        if node.process is not None:
            self.groups.append(node.process.pid)
        self.killed[node.code].clear()
        node.ask("run", port=node.port)

    # Chaos

    def _await(self, after: float) -> bool:
        """Until this share of the messages was posted. Returns whether the run still goes on."""
        while self.story.posted < after * self.plan.messages and not self.is_over.is_set():
            self.is_over.wait(0.02)
        return not self.is_over.is_set()

    def _play_kills(self) -> None:
        for kill in self.plan.kills:
            while self._await(kill.after) and self.killed[kill.node].is_set():
                self.is_over.wait(0.05)  # still down from the last time
            if self.is_over.is_set():
                return
            self._kill(kill)

    def _kill(self, kill: Kill) -> None:
        node = self.federation.nodes[kill.node]
        self.down_seconds[kill.node] = kill.down_seconds
        self.killed[kill.node].set()
        if node.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(node.process.pid, signal.SIGKILL)
        with self.story.lock:
            self.story.kills += 1
        self.say(f"kill -9 {kill.node} after {self.story.posted} messages")

    def _play_partitions(self) -> None:
        for partition in self.plan.partitions:
            if self._await(partition.after):
                self._part(partition)

    def _part(self, partition: Partition) -> None:
        """The wires are gone while the nodes' clock goes forward; nodes that nobody kills run on all the time."""
        links = self.federation.links
        links.set_wire(partition.links, partition.wire)
        there = "|".join("".join(side) for side in partition.sides)
        self.say(f"{partition.wire} {there} for {partition.length} after {self.story.posted} messages")
        for _ in range(_STEPS):
            self.is_over.wait(partition.seconds / _STEPS)
            self.federation.clock.advance(partition.length / _STEPS)
        links.set_wire(partition.links, Wire.OPEN)
        with self.story.lock:
            for counter, name in ((self.story.partitions, _days(partition.length)), (self.story.wires, partition.wire)):
                counter[name] = counter.get(name, 0) + 1

    def _run_clock(self) -> None:
        while not self.is_over.wait(_TICK_SECONDS):
            self.federation.clock.advance(timedelta(seconds=(_PACE - 1.0) * _TICK_SECONDS))

    # The end

    def _drain(self) -> None:
        """Every wire is open: until nothing is under way anywhere. Backoffs of minutes run out by the nodes' clock."""
        deadline = time.monotonic() + self.patience_seconds
        left: dict[str, dict[str, int]] = {}
        while time.monotonic() < deadline:
            left = {code: node.ask("standing") for code, node in self.federation.nodes.items()}
            if not any(any(each.values()) for each in left.values()):
                return
            self.federation.clock.advance(timedelta(seconds=20))
            self.is_over.wait(0.25)
        raise TortureError(f"still under way after {self.patience_seconds:.0f} s: {json.dumps(left)}")


def _days(length: timedelta) -> str:
    hours = int(length.total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 24 else f"{hours} hours"
