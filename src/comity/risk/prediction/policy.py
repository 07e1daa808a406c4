"""Task T3 of the benchmark: inspect a few percent a week, and learn from nothing but what was inspected.

Week by week, administration by administration: rank the week, take the best, keep a part for exploring (half of it by
chance alone, for an unbiased rate; half where little is known), see the outcomes of what was taken, and only those.
In exchange each hears what its partners found in what *they* inspected in this same run. All features of a week are
read before its outcomes are told. A declaration keeps the features it had in its own week.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from comity.risk.prediction.arrays import Bools, Floats, Ints
from comity.risk.prediction.errors import TrainingError
from comity.risk.prediction.features import Experience, Table, Variant, declared_features
from comity.risk.prediction.heads import Growth, Head, fading_weights, grow
from comity.risk.prediction.panels import Panel, panel_of
from comity.risk.prediction.worlds import World

FIRST_WEEKS, FIRST_SHARE = 8, 0.10
# Some hundred to some thousand rows, a tenth to a half of them illicit.
LITTLE = Growth(trees=120, leaves=8, rate=0.06, least_rows=10, features_part=0.15, bins=31, seeds=1, regular_part=1.0)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PolicyPlan:
    """How much to inspect (percent a week), what of it explores, and how often the trees are fitted anew (weeks).

    stake_power: 0 ranks by the chance of a hit alone, 1 by chance times stake; the stake is taxes at risk.
    """

    variant: Variant
    budget: float = 5.0
    seed: int = 1
    exploring: float = 0.10
    stake_power: float = 0.3
    refit_weeks: int = 2
    half_life: float = 20.0
    first_weeks: int = FIRST_WEEKS
    growth: Growth = field(default_factory=lambda: LITTLE)


@dataclass(frozen=True, slots=True)
class Inspected:
    """What one administration inspected: places in the world, with the week."""

    administration: str
    panel: Panel
    rows: Ints


class _Desk:
    """One administration's inspections: what it saw so far, its features and its trees."""

    def __init__(self, world: World, administration: str, plan: PolicyPlan) -> None:
        self.administration = administration
        self._plan = plan
        self.panel = panel_of(world, world.rows_of(administration))
        self._declared: Table = declared_features(world, self.panel, plan.variant)
        self.experience = Experience(world, self.panel, plan.variant)
        self._controls = [n for n, name in enumerate(self.experience.names) if name.startswith("own_controls:")]
        self._values = np.empty((len(self.panel), len(self._declared.names) + len(self.experience.names)))
        self._stake = _stakes(self.panel)
        self.inspected: Bools = np.zeros(len(self.panel), dtype=np.bool_)
        self._head: Head | None = None
        entropy = [plan.seed, *administration.encode()]
        self._chance = np.random.default_rng(entropy)

    def choose(self, week: int) -> Ints:
        """The rows of the panel to inspect in this week."""
        rows = np.flatnonzero(self.panel.week == week).astype(np.int64)
        known = self.experience.look(rows, week)
        self._values[rows] = np.concatenate([self._declared.values[rows], known], axis=1)
        shuffled = self._chance.permutation(rows)
        if week < self._plan.first_weeks:
            return shuffled[: round(FIRST_SHARE * len(rows))]
        count = round(self._plan.budget / 100.0 * len(rows))
        if week % self._plan.refit_weeks == 0 or self._head is None:
            self._fit(week)
        return self._spend(shuffled, count)

    def _spend(self, rows: Ints, count: int) -> Ints:
        exploring = round(self._plan.exploring * count)
        by_chance = exploring - exploring // 2
        random, rest = rows[:by_chance], rows[by_chance:]
        if self._head is None:
            return rows[:count]
        chance = self._head.ask(self._values[rest])
        score = chance * self._stake[rest] ** self._plan.stake_power
        order = rest[np.argsort(-score, kind="stable")]
        best = order[: count - exploring]
        unsure = order[count - exploring : 4 * count]
        known = self._values[unsure][:, [len(self._declared.names) + place for place in self._controls]]
        little_known = unsure[np.argsort(known.mean(axis=1), kind="stable")]
        return np.concatenate([random, best, little_known[: exploring - by_chance]])

    def _fit(self, week: int) -> None:
        seen = np.flatnonzero(self.inspected)
        weight = fading_weights(self.panel.week[seen].astype(np.float64), week, self._plan.half_life)
        try:
            self._head = grow(self._values[seen], self.panel.outcomes.illicit[seen], weight, self._plan.growth)
        except TrainingError:
            self._head = None  # nothing illicit was found so far: go on by chance

    def see(self, rows: Ints, week: int) -> None:
        """The outcomes of what was inspected in this week become known."""
        self.inspected[rows] = self.panel.outcomes.seen[rows]
        self.experience.learn(rows, week, self.panel.outcomes.seen[rows])


def _stakes(panel: Panel) -> Floats:
    """The root of what would be lost, as far as the declaration tells: value by its highest plausible rate."""
    rate = np.nan_to_num(panel.mfn) + 10.0
    return np.asarray(np.sqrt(np.maximum(panel.numbers["cif_value"], 1.0) * rate / 100.0), dtype=np.float64)


def inspect_world(world: World, plan: PolicyPlan, tell: Tell) -> list[Inspected]:
    """Play all weeks of the world; returns what each administration inspected."""
    desks = []
    for administration in world.administrations():
        tell(f"{administration}: features")
        desks.append(_Desk(world, administration, plan))
    taken: dict[str, list[Ints]] = {desk.administration: [] for desk in desks}
    for week in np.unique(world.week).tolist():
        chosen = {desk.administration: desk.choose(week) for desk in desks}
        _tell_outcomes(world, desks, chosen, week)
        for name, rows in chosen.items():
            taken[name].append(rows)
        if week % 10 == 9:
            tell(f"week {week}: {sum(int(desk.inspected.sum()) for desk in desks)} inspected so far")
    return [Inspected(desk.administration, desk.panel, np.concatenate(taken[desk.administration])) for desk in desks]


def _tell_outcomes(world: World, desks: list[_Desk], chosen: Mapping[str, Ints], week: int) -> None:
    places = {desk.administration: desk.panel.rows[chosen[desk.administration]] for desk in desks}
    for desk in desks:
        desk.see(chosen[desk.administration], week)
        for partner, rows in places.items():
            if partner != desk.administration:
                desk.experience.hear(rows, week, world.outcomes.seen[rows])
