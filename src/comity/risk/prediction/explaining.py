"""Why a declaration scores as it does, in words an officer uses: families of reasons, each with the figure it compares.

The shares are exact for trees (SHAP values, Lundberg et al., Nature Machine Intelligence 2020): with the base they add
up to the logarithm of the odds. What many features say about one matter is added up, and the strongest of them is told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from comity.risk.modelling.naming import MATTERS, label_of, shown, who
from comity.risk.prediction.arrays import Floats
from comity.risk.prediction.heads import Head

FAMILIES = (
    "record of the importer",
    "record of the supplier",
    "record of declarant, forwarder and office",
    "record of the goods",
    "record of the route",
    "price",
    "new or changed trade",
    "tariff",
    "partner's export record",
    "partners' findings",
    "what was declared",
)
_STARTS = {
    "price_": 5,
    "honest_": 5,
    "value_per": 5,
    "kg_per": 5,
    "new_": 6,
    "habit_": 6,
    "week_": 6,
    "mirror_": 8,
    "normal_": 8,
    "amiss_": 8,
    "source_": 8,
    "offer_": 8,
    "partner_": 9,
    "told_": 9,
}
_TARIFF = ("duty_rate", "mfn_rate", "rate_saved", "log_duty_saved", "preference", "tax_", "heading_", "chapter_")
_MEASURES = {"value_per_kg": "value per kg", "kg_per_unit": "mass per unit", "value_per_unit": "value per unit"}
_GAPS = ("price_", "honest_", "normal_", "source_price", "mirror_value_gap", "mirror_mass_gap", "mirror_price_gap")


@dataclass(frozen=True, slots=True)
class Told:
    """One family's part in a score. weight: in log-odds, above 0 raises; value beside what is usual."""

    family: str
    weight: float
    text: str
    feature: str
    value: float
    usual: float


def family_of(feature: str) -> str:
    """The family of reasons that a feature belongs to."""
    for start, place in _STARTS.items():
        if feature.startswith(start):
            return FAMILIES[place]
    if feature.startswith(_TARIFF) or feature == "log_misclassification_stake":
        return FAMILIES[7]
    if not feature.startswith("own_"):
        return FAMILIES[10]
    key = feature.partition(":")[2]
    for start, place in (("importer", 0), ("exporter", 1), ("declarant", 2), ("forwarder", 2), ("office", 2)):
        if key.startswith(start):
            return FAMILIES[place]
    return FAMILIES[3] if key.startswith("hs") and "route" not in key else FAMILIES[4]


@lru_cache(maxsize=16)
def _places_of(names: tuple[str, ...]) -> tuple[int, ...]:
    """The family of each feature; a model asks again with each declaration, and its features stay what they are."""
    return tuple(FAMILIES.index(family_of(name)) for name in names)


def explain(head: Head, names: Sequence[str], usual: Floats, values: Floats, *, most: int = 5) -> list[list[Told]]:
    """For each row the families that move its score most, strongest first."""
    parts = np.zeros((len(values), len(names) + 1))
    for booster in head.boosters:
        parts += booster.predict(values, pred_contrib=True, num_threads=1)
    parts = parts[:, :-1] / len(head.boosters)
    families = np.array(_places_of(tuple(names)))
    present = np.bincount(families, minlength=len(FAMILIES)) > 0
    told = []
    for row in range(len(values)):
        sums = np.bincount(families, weights=parts[row], minlength=len(FAMILIES))
        row_told = []
        strongest = [family for family in np.argsort(-np.abs(sums), kind="stable") if present[family]]
        for family in strongest[:most]:
            members = np.flatnonzero(families == family)
            place = members[np.argmax(parts[row, members] * np.sign(sums[family]))]
            value, base = float(values[row, place]), float(usual[place])
            text = words_for(names[place], value, base)
            row_told.append(Told(FAMILIES[family], float(sums[family]), text, names[place], value, base))
        told.append(row_told)
    return told


def words_for(feature: str, value: float, usual: float) -> str:
    """A feature's value in a sentence, beside what is usual."""
    what, _, key = feature.partition(":")
    if math.isnan(value):
        return f"{label_of(feature)}: not known here"
    if what.startswith(_GAPS) and "_z_" not in what and "known" not in what:
        return _gap(what, key, value)
    if what in ("own_share", "own_recent", "partner_share", "partner_recent"):
        when = "lately " if what.endswith("recent") else ""
        by = "partners' " if what.startswith("partner") else ""
        return f"{value:.0%} of {by}controls of {who(key)} {when}found something (usual: {usual:.0%})"
    if what == "told_irregular":
        said = f"partners found irregularities in {value:.0%} of their controls of {who(key)}"
        return said if math.isnan(usual) else f"{said} (usual: {usual:.0%})"
    if what in ("new_weeks", "own_since_hit", "partner_since_hit"):
        first = "seen" if what == "new_weeks" else "a find"
        return f"{who(key)}: never {first} before" if value < 0 else f"{who(key)}: {first} {value:.0f} weeks ago"
    if what.startswith("offer_") and what != "offer_compared":
        return _offer(what, key, value, usual)
    if what.startswith("mirror_") and what.endswith("_differs"):
        matter = what.removeprefix("mirror_").removesuffix("_differs")
        return f"{matter} {'differs from' if value else 'is the same in'} the partner's export record"
    return f"{label_of(feature)}: {shown(feature, value)} (usual: {shown(feature, usual)})"


def _offer(what: str, key: str, value: float, usual: float) -> str:
    if what == "offer_matched":
        return "a partner told of this export" if value else "no partner told of this export"
    if what == "offer_covered":
        return f"partners told of {value:.0%} of consignments of {who(key)} (usual: {usual:.0%})"
    matter = MATTERS[what.removeprefix("offer_differs_").removeprefix("offer_share_")]
    if what.startswith("offer_differs_"):
        side = "differs from" if value else "agrees with"
        return f"{matter} {side} what the partner committed to at export"
    return f"{matter} differed in {value:.0%} of what partners told of {who(key)} (usual: {usual:.0%})"


def _gap(what: str, key: str, value: float) -> str:
    percent = math.expm1(max(min(value, 5.0), -5.0))
    side = "above" if percent >= 0 else "below"
    if what.startswith("mirror_"):
        return (
            f"{_plain(what.removeprefix('mirror_').removesuffix('_gap'))} {abs(percent):.0%} {side} the export record"
        )
    start, _, measure = what.partition("_")
    beside = {
        "price": f"what was usual for {who(key)}",
        "honest": f"what controls found in order for {who(key)}",
        "normal": f"the usual difference to export records for {who(key)}",
        "source": f"the export price of {who(key)}",
    }[start]
    return f"{_MEASURES.get(measure, measure)} {abs(percent):.0%} {side} {beside}"


def _plain(name: str) -> str:
    return name.removeprefix("own_").removeprefix("log_").replace("_", " ")
