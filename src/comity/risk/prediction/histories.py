"""What controls found before, by trader, goods and route: shares that lean on their surroundings, and how long ago.

Only outcomes told with `learn` are known, and they count from the week after. The setting (importers, goods and
their crossings, revenue beside illicitness) is that of DATE (Kim et al., KDD 2020); shares of small counts lean on a
parent as in empirical Bayes target encoding (Micci-Barreca, SIGKDD Explorations 2001).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from comity.risk.prediction.arrays import Bools, Floats, Ints, stacked
from comity.risk.prediction.panels import KEYS, PARENTS
from comity.risk.prediction.running import FadingSums, LastWeeks, Memory
from comity.risk.prediction.worlds import FINDINGS, Outcomes

LONG_WEEKS, SHORT_WEEKS = 26.0, 3.0
PRIOR_SHARE, PRIOR_WEIGHT = 0.05, 50.0
LEANING = 4.0  # how many controls the parent's share counts for
BY_FINDING = ("importer", "exporter", "declarant", "importer_hs4", "hs6_origin", "exporter_hs6", "hs4_route")
DATED = ("importer", "exporter", "declarant", "importer_exporter", "importer_hs6", "exporter_hs6", "hs6_origin")
FINDING_GROUPS = {"UV": ("UV",), "MC": ("MC",), "OR": ("OR",), "QT": ("QT",), "IPR": ("IP", "PR"), "ERR": ("ERR",)}
# what is summed of each outcome
INSPECTED, ILLICIT, REVENUE, CRITICAL, FIRST_FINDING = 0, 1, 2, 3, 4
COLUMNS = FIRST_FINDING + len(FINDINGS)


def told(outcomes: Outcomes, rows: Ints) -> Floats:
    """The columns that histories sum: inspected, illicit, thousands recovered (as a root), critical, each finding."""
    table = np.zeros((len(rows), COLUMNS))
    table[:, INSPECTED] = 1.0
    table[:, ILLICIT] = outcomes.illicit[rows]
    table[:, REVENUE] = np.sqrt(np.maximum(outcomes.revenue[rows], 0.0) / 1_000.0)
    table[:, CRITICAL] = outcomes.critical[rows] > 0
    for place in range(len(FINDINGS)):
        table[:, FIRST_FINDING + place] = outcomes.finding[rows] == place
    return table


@dataclass(frozen=True, slots=True)
class HistoryPlan:
    """Which keys a history has, which of them are told by finding and by date, and how its features begin."""

    keys: tuple[str, ...]
    by_finding: tuple[str, ...]
    dated: tuple[str, ...]
    prefix: str = "own"


OWN = HistoryPlan(tuple(KEYS), BY_FINDING, DATED)


class Histories:
    """The histories of one set of keys over one column of codes per key."""

    def __init__(self, keys: Sequence[Ints], plan: HistoryPlan, sizes: Sequence[int] = ()) -> None:
        self.plan = plan
        self._codes, total = stacked(keys, sizes)
        self._long = FadingSums(total, COLUMNS, half_life=LONG_WEEKS)
        self._short = FadingSums(total, 2, half_life=SHORT_WEEKS)
        self._whole = FadingSums(1, 2, half_life=LONG_WEEKS)
        self._hits, self._looks = LastWeeks(total), LastWeeks(total)
        self.memories: Mapping[str, Memory] = {
            "long": self._long,
            "short": self._short,
            "whole": self._whole,
            "hits": self._hits,
            "looks": self._looks,
        }
        self._parents = [plan.keys.index(PARENTS[k]) if PARENTS.get(k) in plan.keys else -1 for k in plan.keys]
        self._order = _parents_first(self._parents)
        self.names = self._names()

    def _names(self) -> tuple[str, ...]:
        plan, start = self.plan, self.plan.prefix
        names = [f"{start}_{what}:{key}" for what in ("share", "recent", "controls") for key in plan.keys]
        names += [f"{start}_{group}:{key}" for group in FINDING_GROUPS for key in plan.by_finding]
        names += [f"{start}_revenue:{key}" for key in plan.by_finding]
        names += [f"{start}_{what}:{key}" for what in ("since_hit", "since_control") for key in plan.dated]
        return tuple(names)

    def look(self, rows: Ints, week: int) -> Floats:
        """The features of these rows by what was told before `week`, a column for each of `names`."""
        codes = self._codes[rows]
        long, short = self._long.read(codes, week), self._short.read(codes, week)
        whole = self._whole.read(np.zeros(1, dtype=np.int64), week)[0]
        prior = (whole[1] + PRIOR_SHARE * PRIOR_WEIGHT) / (whole[0] + PRIOR_WEIGHT)
        share = self._leaning(long, np.full(len(rows), prior))
        recent = (short[..., 1] + LEANING * share) / (short[..., 0] + LEANING)
        parts = [share, recent, np.log1p(long[..., INSPECTED])]
        parts += self._by_finding(long)
        dated = [self.plan.keys.index(key) for key in self.plan.dated]
        parts += [self._hits.since_last(codes[:, dated], week), self._looks.since_last(codes[:, dated], week)]
        return np.concatenate(parts, axis=1)

    def _leaning(self, sums: Floats, prior: Floats) -> Floats:
        share = np.empty(sums.shape[:2])
        for place in self._order:
            parent = self._parents[place]
            base = prior if parent < 0 else share[:, parent]
            share[:, place] = (sums[:, place, ILLICIT] + LEANING * base) / (sums[:, place, INSPECTED] + LEANING)
        return share

    def _by_finding(self, sums: Floats) -> list[Floats]:
        chosen = sums[:, [self.plan.keys.index(key) for key in self.plan.by_finding]]
        weight = chosen[..., INSPECTED] + LEANING
        parts = []
        for findings in FINDING_GROUPS.values():
            places = [FIRST_FINDING + FINDINGS.index(finding) for finding in findings]
            parts.append(chosen[..., places].sum(axis=-1) / weight)
        return [*parts, chosen[..., REVENUE] / weight]

    def learn(self, rows: Ints, week: int, outcomes: Outcomes, seen: Bools) -> None:
        """From `week + 1` on the outcomes of those of the rows that were inspected are known."""
        rows = rows[seen]
        if not len(rows):
            return
        codes, table = self._codes[rows], told(outcomes, rows)
        flat = codes.T.reshape(-1)
        repeated = np.tile(table, (codes.shape[1], 1))
        self._long.add(flat, repeated, week)
        self._short.add(flat, repeated[:, :2], week)
        self._whole.add(np.zeros(len(rows), dtype=np.int64), table[:, :2], week)
        self._looks.add(flat, week)
        self._hits.add(flat[repeated[:, ILLICIT] > 0], week)

    def learn_amounts(self, rows: Ints, week: int, outcomes: Outcomes) -> None:
        """From `week + 1` on it is known what these rows came to, of which the rest was known before."""
        if not len(rows):
            return
        codes, table = self._codes[rows], np.zeros((len(rows), COLUMNS))
        table[:, REVENUE] = told(outcomes, rows)[:, REVENUE]
        self._long.add(codes.T.reshape(-1), np.tile(table, (codes.shape[1], 1)), week)


def _parents_first(parents: Sequence[int]) -> list[int]:
    order: list[int] = []
    while len(order) < len(parents):
        order += [p for p in range(len(parents)) if p not in order and (parents[p] < 0 or parents[p] in order)]
    return order
