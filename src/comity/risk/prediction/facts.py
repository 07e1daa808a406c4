"""What a declaration says of itself, and what the tariff makes tempting: rates, savings, neighbours, arithmetic."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from comity.risk.prediction.arrays import LEAST_MASS_KG, LEAST_VALUE, Bools, Floats, Ints, log_of
from comity.risk.prediction.panels import Panel, heading_of
from comity.risk.prediction.prices import measures_of
from comity.risk.prediction.worlds import World

# UNECE recommendation 19: 4 is air.
AIR = "4"
NAMES = (
    "log_value",
    "log_mass",
    "log_quantity",
    "value_per_kg",
    "kg_per_unit",
    "value_per_unit",
    "duty_rate",
    "mfn_rate",
    "rate_saved",
    "log_duty_saved",
    "log_taxes",
    "tax_share",
    "tax_residue",
    "preference",
    "aeo",
    "air",
    "indirect",
    "round_value",
    "chapter",
    "heading_top_rate",
    "heading_rate_room",
    "heading_low_rate",
    "chapter_rate_room",
    "log_misclassification_stake",
)


def facts_of(world: World, panel: Panel) -> Floats:
    """The facts of each declaration, a column for each of NAMES."""
    numbers, mfn = panel.numbers, panel.mfn
    value, duty = numbers["cif_value"], numbers["duty_rate"]
    saved = np.where(np.isfinite(mfn), mfn - duty, 0.0)
    heading, chapter = _rates_around(world, 4), _rates_around(world, 2)
    hs6 = panel.codes["hs6"]
    room = np.where(np.isfinite(mfn), heading[1][hs6] - duty, 0.0)
    paid = numbers["taxes_paid"]
    due = value * duty / 100.0
    columns = [
        log_of(value, LEAST_VALUE),
        log_of(numbers["net_mass"], LEAST_MASS_KG),
        log_of(numbers["quantity"], 1.0),
        *measures_of(panel).T,
        duty,
        mfn,
        saved,
        np.log1p(np.maximum(saved, 0.0) * value / 100.0),
        np.log1p(np.maximum(paid, 0.0)),
        paid / np.maximum(value, LEAST_VALUE),
        (paid - due) / np.maximum(value + due, LEAST_VALUE),
        numbers["preference"],
        numbers["aeo"],
        _by_air(world, panel),
        panel.codes["origin"] != panel.codes["departure"],
        _is_round(value),
        _chapters(world)[panel.codes["hs6"]],
        heading[1][hs6],
        room,
        heading[0][hs6],
        chapter[1][hs6] - duty,
        np.log1p(np.maximum(room, 0.0) * value / 100.0),
    ]
    return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)


def _chapters(world: World) -> Floats:
    """For each code of hs6 its chapter as a number; 0 where it has none."""
    return _numbered(world.words["hs6"])


@lru_cache(maxsize=8)
def _numbered(words: tuple[str, ...]) -> Floats:
    found = np.array([float(word[:2]) if word[:2].isdigit() else 0.0 for word in words], dtype=np.float64)
    found.flags.writeable = False
    return found


def _rates_around(world: World, digits: int) -> tuple[Floats, Floats]:
    """For each code of hs6 the lowest and the highest rate among its neighbours of the same first digits."""
    group: Ints = heading_of(world, digits)
    known = np.isfinite(world.mfn)
    low, high = np.full(group.max() + 1, np.inf), np.full(group.max() + 1, -np.inf)
    np.minimum.at(low, group[known], world.mfn[known])
    np.maximum.at(high, group[known], world.mfn[known])
    return np.where(np.isfinite(low), low, np.nan)[group], np.where(np.isfinite(high), high, np.nan)[group]


def _by_air(world: World, panel: Panel) -> Bools:
    by_air = np.array([word.startswith(AIR) for word in world.words["transport"]], dtype=np.bool_)
    return np.asarray(by_air[panel.codes["transport"]], dtype=np.bool_)


def _is_round(value: Floats) -> Bools:
    return np.asarray(np.mod(value, 100.0) < 1.0, dtype=np.bool_)
