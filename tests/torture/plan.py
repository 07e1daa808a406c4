"""What befalls the nodes, and when: made from a seed before anything runs, so that a bad day can be played again."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from comity.cli.lab.links import Wire

LENGTHS = (timedelta(hours=3), timedelta(days=3), timedelta(days=30))


@dataclass(frozen=True)
class Kill:
    """kill -9 of a whole node once this share of the messages was posted; it stays away for `down_seconds`."""

    after: float
    node: str
    down_seconds: float


@dataclass(frozen=True)
class Partition:
    """No link between the two sides for `length` of the nodes' clock, which takes `seconds` of ours."""

    after: float
    length: timedelta
    sides: tuple[tuple[str, ...], tuple[str, ...]]
    wire: Wire
    is_one_way: bool
    seconds: float

    @property
    def links(self) -> list[tuple[str, str]]:
        """The directed links that are gone."""
        there = [(a, b) for a in self.sides[0] for b in self.sides[1]]
        return there if self.is_one_way else there + [(b, a) for a, b in there]


@dataclass(frozen=True)
class Plan:
    """Everything that happens in a run."""

    seed: int
    messages: int
    kills: tuple[Kill, ...]
    partitions: tuple[Partition, ...]


def make_plan(seed: int, codes: Sequence[str], messages: int, kills: int, partitions: int) -> Plan:
    """Kills and partitions spread over the run; the lengths take turns, so that three partitions have one of each."""
    chance = random.Random(seed)
    return Plan(
        seed,
        messages,
        tuple(
            Kill(_when(chance, number, kills), chance.choice(codes), chance.uniform(0.0, 1.5))
            for number in range(kills)
        ),
        tuple(
            _partition(chance, _when(chance, number, partitions), LENGTHS[number % len(LENGTHS)], codes)
            for number in range(partitions)
        ),
    )


def _when(chance: random.Random, number: int, count: int) -> float:
    return (number + chance.uniform(0.1, 0.7)) / count


def _partition(chance: random.Random, after: float, length: timedelta, codes: Sequence[str]) -> Partition:
    shuffled = chance.sample(codes, len(codes))
    one_side = chance.randint(1, len(codes) // 2)
    other = shuffled[one_side : one_side + 1] if chance.random() < 0.4 else shuffled[one_side:]
    return Partition(
        after=after,
        length=length,
        sides=(tuple(shuffled[:one_side]), tuple(other)),
        wire=chance.choice((Wire.CUT, Wire.CUT, Wire.SILENT)),
        is_one_way=chance.random() < 0.2,
        seconds=chance.uniform(1.0, 2.5),
    )
