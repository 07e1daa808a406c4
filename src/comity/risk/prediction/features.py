"""Every feature of one administration's declarations, week by week: what was declared, and what controls found before.

What needs no outcome is made once for all weeks (`declared_features`); what needs outcomes is asked and told in turn
(`Experience`), so that a policy that sees only what it inspected uses the same code as full labels do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from comity.risk.prediction.arrays import Bools, Floats, Ints, joined, weeks_of
from comity.risk.prediction.facts import NAMES, facts_of
from comity.risk.prediction.histories import OWN, Histories, HistoryPlan
from comity.risk.prediction.mirror import Mirror
from comity.risk.prediction.novelty import Novelty
from comity.risk.prediction.panels import Panel
from comity.risk.prediction.prices import LEVELS, MEASURES, RunningLevels, measures_of
from comity.risk.prediction.running import Memory
from comity.risk.prediction.worlds import World

# What partners' outcomes are shared by: no importer, no declarant, no goods.
SHARED = {
    "exporter": ("exporter",),
    "forwarder": ("forwarder",),
    "route": ("origin", "departure"),
    "exporter_route": ("exporter", "origin", "departure"),
    "forwarder_route": ("forwarder", "origin", "departure"),
}
PARTNERS = HistoryPlan(tuple(SHARED), ("exporter", "exporter_route"), ("exporter", "route"), prefix="partner")


class Variant(Enum):
    """What a model may see: own declarations and controls alone, or partners' records and outcomes too."""

    LOCAL = "local"
    EXCHANGE = "exchange"


@dataclass(frozen=True, slots=True)
class Table:
    """Features by name, a row for each declaration of a panel."""

    names: tuple[str, ...]
    values: Floats

    def beside(self, other: Table) -> Table:
        """Both side by side."""
        return Table((*self.names, *other.names), np.concatenate([self.values, other.values], axis=1))


def declared_features(world: World, panel: Panel, variant: Variant, *, whole_weeks: bool = True) -> Table:
    """Everything that needs no outcome: facts, prices, novelty and, in exchange, the mirror.

    whole_weeks: whether a declaration is seen with all others of its week, as in a table, or as it arrives.
    """
    prices, novelty = levels_of(panel, "price"), Novelty(panel, whole_weeks=whole_weeks)
    unit_values = measures_of(panel)
    mirror = None
    if variant is Variant.EXCHANGE and world.exports is not None:
        mirror = Mirror(world, panel, world.exports)
    names = (*NAMES, *prices.names, *novelty.names, *(mirror.names if mirror else ()))
    values = np.empty((len(panel), len(names)))
    values[:, : len(NAMES)] = facts_of(world, panel)
    for week, rows in weeks_of(panel.week):
        parts = [prices.look(rows, week, unit_values[rows]), novelty.look(rows, week)]
        if mirror:
            parts.append(mirror.look(rows, week))
            mirror.pass_by(rows, week)
        values[rows, len(NAMES) :] = np.concatenate(parts, axis=1)
        prices.pass_by(rows, week, unit_values[rows])
        novelty.pass_by(rows, week)
    return Table(names, values)


def levels_of(panel: Panel, prefix: str) -> RunningLevels:
    """The usual unit values of a panel's goods."""
    keys, sizes = panel.picked(LEVELS)
    return RunningLevels(keys, LEVELS, MEASURES, prefix, sizes=sizes)


class Experience:
    """What one administration knows of controls: its own, and in exchange those of partners on shared actors."""

    def __init__(self, world: World, panel: Panel, variant: Variant) -> None:
        self._world, self._panel = world, panel
        keys, sizes = panel.picked(OWN.keys)
        self._own = Histories(keys, OWN, sizes)
        self._partners: Histories | None = None
        if variant is Variant.EXCHANGE:
            shared = [joined([world.codes[column] for column in columns]) for columns in SHARED.values()]
            self._partners = Histories(shared, PARTNERS)
        self._found = panel.outcomes
        if world.priced is not None:
            late = _priced_late(world)[panel.rows]
            self._found = replace(self._found, revenue=np.where(late, 0.0, self._found.revenue))
        self._unit_values = measures_of(panel)
        self._honest = levels_of(panel, "honest")
        self.memories: dict[str, Memory] = {f"own.{name}": each for name, each in self._own.memories.items()}
        self.memories |= {f"honest.{name}": each for name, each in self._honest.memories.items()}
        self.names = (*self._own.names, *self._honest.names, *(self._partners.names if self._partners else ()))

    def look(self, rows: Ints, week: int) -> Floats:
        """The features of these rows of the panel by the outcomes told of weeks before."""
        parts = [self._own.look(rows, week), self._honest.look(rows, week, self._unit_values[rows])]
        if self._partners is not None:
            parts.append(self._partners.look(self._panel.rows[rows], week))
        return np.concatenate(parts, axis=1)

    def learn(self, rows: Ints, week: int, seen: Bools) -> None:
        """Own outcomes of the week, of the rows of the panel that were inspected."""
        self._own.learn(rows, week, self._found, seen)
        # What a control found in order shows what goods cost where nobody cheats.
        regular = rows[seen & (self._panel.outcomes.illicit[rows] == 0)]
        self._honest.pass_by(regular, week, self._unit_values[regular])

    def learn_amounts(self, rows: Ints, week: int) -> None:
        """What these rows of the panel came to, where that became known in a later week than their outcome."""
        self._own.learn_amounts(rows, week, self._panel.outcomes)

    def hear(self, rows: Ints, week: int, seen: Bools) -> None:
        """Partners' outcomes of the week, of rows of the world that they inspected. Without exchange: nothing."""
        if self._partners is not None:
            self._partners.learn(rows, week, self._world.outcomes, seen)


def told_by_week(world: World, panel: Panel) -> dict[int, Ints]:
    """The rows of the panel whose outcome became known in each week; where no declaration was made in it, later."""
    if world.told is None:
        return dict(weeks_of(panel.week))
    return _placed(world, world.told[panel.rows], np.arange(len(panel), dtype=np.int64))


def priced_by_week(world: World, panel: Panel) -> dict[int, Ints]:
    """The rows of the panel of which it became known later than the rest what they came to, by that week."""
    if world.priced is None:
        return {}
    late = np.flatnonzero(_priced_late(world)[panel.rows]).astype(np.int64)
    return _placed(world, world.priced[panel.rows][late], late)


def _priced_late(world: World) -> Bools:
    told, priced = world.week if world.told is None else world.told, world.priced
    none = np.zeros(len(world.week), dtype=np.bool_)
    return none if priced is None else np.asarray((priced > told) & world.outcomes.has_amount, dtype=np.bool_)


def _placed(world: World, known: Ints, rows: Ints) -> dict[int, Ints]:
    """Rows by the week in which something of them became known, or the first after it in which any was declared."""
    weeks = np.unique(world.week)
    place = np.searchsorted(weeks, known)
    within = np.flatnonzero(place < len(weeks)).astype(np.int64)
    return {week: rows[within[some]] for week, some in weeks_of(weeks[place[within]])}


def experienced_features(world: World, panel: Panel, variant: Variant) -> Table:
    """What controls found before, where every outcome of an earlier week is known."""
    experience = Experience(world, panel, variant)
    values = np.empty((len(panel), len(experience.names)))
    own = np.zeros(len(world.week), dtype=np.bool_)
    own[panel.rows] = True
    others = np.flatnonzero(~own).astype(np.int64)
    partners = {week: others[rows] for week, rows in weeks_of(world.week[others])} if len(others) else {}
    none = np.zeros(0, dtype=np.int64)
    told, priced = told_by_week(world, panel), priced_by_week(world, panel)
    for week in np.unique(world.week).tolist():
        rows = np.flatnonzero(panel.week == week).astype(np.int64)
        values[rows] = experience.look(rows, week)
        learned = told.get(week, none)
        experience.learn(learned, week, panel.outcomes.seen[learned])
        experience.learn_amounts(priced.get(week, none), week)
        heard = partners.get(week, none)
        experience.hear(heard, week, world.outcomes.seen[heard])
    return Table(experience.names, values)
