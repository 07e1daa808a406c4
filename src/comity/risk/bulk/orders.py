"""What is asked of a bulk assessment, and what it answers. Nothing here needs the libraries that do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from comity.registers import WatchEntry
from comity.risk.expression_tree import Rule
from comity.risk.rules import Lane

# Rows that are evaluated together: large enough for numpy, small enough for a cache.
BATCH_ROWS = 262_144
# Rows of one part of the result, at least: what a run that was stopped has to do again.
PART_ROWS = 1_048_576
RULE = "rule"


class Engine(StrEnum):
    """Where a bulk assessment runs: in this process, or on Spark (or Sail) by Spark Connect."""

    LOCAL = "local"
    SPARK = "spark"


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A profile of a rules file. weight: 1 to 100."""

    ref: str
    rule: Rule
    weight: int
    lane: Lane


@dataclass(frozen=True, slots=True)
class UsedList:
    """A watch list to screen against. sha256: of its file; left_out: its rows that could not be read."""

    code: str
    sha256: str
    entries: tuple[WatchEntry, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UsedModel:
    """A trained model to score with, and what was known before: a node's file of histories, or a folder of the past."""

    folder: Path
    history: Path


@dataclass(frozen=True, slots=True)
class Order:
    """A bulk assessment: facts in Parquet (a file, or a folder of them), rules, and the folder for the result.

    keys: columns that name a row in the result. remote: the address of a Spark Connect server, for engine spark.
    lists: where there is none, nothing is screened; model: where there is none, nothing is scored.
    """

    declarations: Path
    rules: tuple[RuleLine, ...]
    out: Path
    keys: tuple[str, ...]
    engine: Engine = Engine.LOCAL
    is_resumed: bool = False
    batch_rows: int = BATCH_ROWS
    part_rows: int = PART_ROWS
    remote: str = ""
    lists: tuple[UsedList, ...] = ()
    model: UsedModel | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. rows: where a row is asked several things, by how much of the work on them is done.

    names: names screened, of as many as there are; that comes first.
    """

    rows: int
    of: int
    hits: int
    part: int
    parts: int
    names: int = 0
    of_names: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """What a bulk assessment found. hits_by_rule: every rule, in the order of the rules file.

    names: distinct names and numbers screened; hits_by_list: rows like an entry; scored: rows that have a chance.
    """

    rows: int
    hits: int
    parts: int
    hits_by_rule: Mapping[str, int]
    names: int = 0
    hits_by_list: Mapping[str, int] = field(default_factory=dict)
    scored: int = 0

    @property
    def never_fired(self) -> tuple[str, ...]:
        """The rules that fired on no row."""
        return tuple(ref for ref, count in self.hits_by_rule.items() if not count)


Tell = Callable[[Progress], None]
