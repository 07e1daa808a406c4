"""Partners' export records beside one's own imports: differences, habits of difference, and prices at the source.

A record is matched by its UCR (WCO Data Model 016) and only if it was made before the import. Rows without one still
gain: by what was found amiss in earlier consignments of the same actors, and by what the goods cost where they left.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from comity.risk.prediction.arrays import (
    LEAST_MASS_KG,
    LEAST_VALUE,
    Bools,
    Floats,
    Ints,
    joined,
    log_of,
    stacked,
    weeks_of,
)
from comity.risk.prediction.panels import Panel, heading_of
from comity.risk.prediction.prices import RunningLevels
from comity.risk.prediction.running import FadingSums
from comity.risk.prediction.worlds import Exports, World

COMPARED = (
    "matched",
    "value_gap",
    "mass_gap",
    "price_gap",
    "hs6_differs",
    "hs4_differs",
    "hs2_differs",
    "origin_differs",
    "exporter_differs",
    "destination_differs",
    "left_elsewhere",
    "days_between",
    "rate_gap",
    "log_rate_stake",
    "log_value_stake",
)
AMISS = ("covered", "undervalued", "value_gap", "underweight", "other_heading", "other_code", "other_origin")
AMISS_KEYS = (
    "importer",
    "exporter",
    "declarant",
    "importer_hs4",
    "importer_exporter",
    "exporter_hs6",
    "forwarder",
    "hs6_origin",
    "hs4_route",
)
NORMAL_LEVELS = ("departure", "route", "forwarder", "exporter")
SOURCE_LEVELS = ("hs6", "hs6_origin", "exporter_hs6")
LESS = -0.12  # a value or mass this much lower (logarithm) is more than freight, rounding and moisture explain
PRIOR_AMISS, LEANING, MEMORY_WEEKS = 0.03, 3.0, 30.0


def match_exports(world: World, panel: Panel, exports: Exports) -> Ints:
    """For each row the place of the partner's record with its UCR, made not later than the import; -1 for none."""
    ucr = exports.codes["ucr"]
    size = int(max(ucr.max(initial=-1), world.codes["ucr"].max(initial=-1))) + 1
    place = np.full(size, -1, dtype=np.int64)
    place[ucr[::-1]] = np.arange(len(ucr))[::-1]  # of several records the first
    found = place[panel.codes["ucr"]]
    no_reference = np.array([word == "" for word in world.words["ucr"]], dtype=np.bool_)[panel.codes["ucr"]]
    late = exports.day[found] > world.day[panel.rows]
    return np.where((found < 0) | late | no_reference, -1, found)


class Mirror:
    """The comparison of one administration's imports with partners' exports, week by week. Needs no outcome."""

    def __init__(self, world: World, panel: Panel, exports: Exports) -> None:
        self._found = match_exports(world, panel, exports)
        self._compared = _compare(world, panel, exports, self._found)
        self._gaps = self._compared[:, [1, 2]]
        self._normal = RunningLevels(
            [panel.keys[name] for name in NORMAL_LEVELS], NORMAL_LEVELS, ("value", "mass"), "normal"
        )
        self._keys, total = stacked([panel.keys[name] for name in AMISS_KEYS])
        self._amiss = FadingSums(total, 1 + len(AMISS), half_life=MEMORY_WEEKS)
        self._source = _Source(world, panel, exports)
        self.names = (
            *(f"mirror_{name}" for name in COMPARED),
            *self._normal.names,
            *(f"amiss_{what}:{key}" for what in AMISS for key in AMISS_KEYS),
            *(f"amiss_compared:{key}" for key in AMISS_KEYS),
            *self._source.names,
        )

    def look(self, rows: Ints, week: int) -> Floats:
        """The features of these rows by their own match and by what was compared before this week."""
        has = self._found[rows] >= 0
        normal = np.full((len(rows), len(self._normal.names)), np.nan)
        if has.any():
            normal[has] = self._normal.look(rows[has], week, self._gaps[rows[has]])
        sums = self._amiss.read(self._keys[rows], week)
        covered = (sums[..., 1:2] + LEANING * 0.5) / (sums[..., :1] + LEANING)
        compared = sums[..., 1:2]
        prior = np.where(np.array(AMISS[1:]) == "value_gap", 0.0, PRIOR_AMISS)
        shares = (sums[..., 2:] + LEANING * prior) / (compared + LEANING)
        table = np.concatenate([covered, shares, np.log1p(compared)], axis=2)
        habits = table.transpose(0, 2, 1).reshape(len(rows), -1)
        return np.concatenate([self._compared[rows], normal, habits, self._source.look(rows, week)], axis=1)

    def pass_by(self, rows: Ints, week: int) -> None:
        """From `week + 1` on what these rows showed is known of their actors."""
        has = self._found[rows] >= 0
        seen = rows[has]
        away = np.zeros((len(rows), 2))
        if len(seen):
            usual = self._normal.expected(seen, week) if week else np.zeros((len(seen), 2))
            away[has] = self._gaps[seen] - np.clip(usual, -0.3, 0.3)
            self._normal.pass_by(seen, week, np.clip(self._gaps[seen], -1.5, 1.5))
        differs = np.nan_to_num(self._compared[rows][:, [5, 4, 7]])
        columns = [np.ones(len(rows)), has, away[:, 0] < LESS, np.clip(away[:, 0], -1.5, 0.5), away[:, 1] < LESS]
        table = np.concatenate([np.stack(columns, axis=1).astype(np.float64), differs], axis=1)
        table[:, 2:] *= has[:, None]
        codes = self._keys[rows]
        self._amiss.add(codes.T.reshape(-1), np.tile(table, (codes.shape[1], 1)), week)


def _compare(world: World, panel: Panel, exports: Exports, found: Ints) -> Floats:
    has, at = found >= 0, np.maximum(found, 0)
    own, theirs = panel.codes, {name: column[at] for name, column in exports.codes.items()}
    value, fob = panel.numbers["cif_value"], exports.numbers["fob_value"][at]
    mass, their_mass = panel.numbers["net_mass"], exports.numbers["net_mass"][at]
    value_gap = log_of(value, LEAST_VALUE) - log_of(fob, LEAST_VALUE)
    mass_gap = log_of(mass, LEAST_MASS_KG) - log_of(their_mass, LEAST_MASS_KG)
    rate_gap = np.nan_to_num(world.mfn[theirs["hs6"]] - panel.mfn)
    headings, chapters = heading_of(world, 4), heading_of(world, 2)
    columns: list[Floats | Bools] = [
        has,
        value_gap,
        mass_gap,
        value_gap - mass_gap,
        own["hs6"] != theirs["hs6"],
        own["hs4"] != headings[theirs["hs6"]],
        own["hs2"] != chapters[theirs["hs6"]],
        own["origin"] != theirs["origin"],
        own["exporter"] != theirs["exporter"],
        own["dest"] != theirs["destination"],
        own["departure"] != theirs["export_admin"],
        (world.day[panel.rows] - exports.day[at]).astype(np.float64),
        rate_gap,
        np.log1p(np.maximum(rate_gap, 0.0) * value / 100.0),
        np.log1p(np.maximum(fob - value, 0.0)),
    ]
    table = np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)
    table[~has, 1:] = np.nan
    return table


class _Source:
    """What goods of a kind, an origin and an exporter cost a kilogram where they left, and what an exporter exports."""

    def __init__(self, world: World, panel: Panel, exports: Exports) -> None:
        own, theirs = panel.codes, exports.codes
        headings = heading_of(world, 4)
        self._size = len(panel)
        pairs: Sequence[tuple[str, ...]] = (("hs6",), ("hs6", "origin"), ("exporter", "hs6"))
        both = {name: np.concatenate([own[name], theirs[name]]) for name in ("hs6", "origin", "exporter")}
        both["hs4"] = headings[both["hs6"]]
        price = log_of(exports.numbers["fob_value"], LEAST_VALUE) - log_of(exports.numbers["net_mass"], LEAST_MASS_KG)
        self._price = np.concatenate([np.zeros(self._size), price])[:, None]
        self._own_price = log_of(panel.numbers["cif_value"], LEAST_VALUE) - log_of(
            panel.numbers["net_mass"], LEAST_MASS_KG
        )
        self._levels = RunningLevels(
            [joined([both[name] for name in names]) for names in pairs], SOURCE_LEVELS, ("price",), "source"
        )
        kinds = (("exporter",), ("exporter", "hs4"), ("exporter", "origin"))
        self._kinds, total = stacked([joined([both[name] for name in names]) for names in kinds])
        self._counts = FadingSums(total, 1, half_life=MEMORY_WEEKS)
        self._waiting = [(week, rows + self._size) for week, rows in weeks_of(exports.week)]
        self.names = (
            *self._levels.names,
            "source_exports",
            "source_share:exporter_hs4",
            "source_share:exporter_origin",
        )

    def look(self, rows: Ints, week: int) -> Floats:
        """The own price beside those at the source, by all exports of earlier weeks. Weeks are asked in order."""
        self._catch_up(week)
        prices = self._levels.look(rows, week, self._own_price[rows][:, None])
        count = self._counts.read(self._kinds[rows], week)[..., 0]
        share = (count[:, 1:] + 0.1) / (count[:, :1] + 1.0)
        return np.concatenate([prices, np.log1p(count[:, :1]), share], axis=1)

    def _catch_up(self, week: int) -> None:
        while self._waiting and self._waiting[0][0] < week:
            then, rows = self._waiting.pop(0)
            self._levels.pass_by(rows, then, self._price[rows])
            flat = self._kinds[rows].T.reshape(-1)
            self._counts.add(flat, np.ones((len(flat), 1)), then)
