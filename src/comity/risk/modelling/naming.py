"""What features are called, in words an officer uses. Pure; the console says the same words in other languages."""

from __future__ import annotations

import math
from collections.abc import Mapping

WHO: Mapping[str, str] = {
    "importer": "this importer",
    "exporter": "this supplier",
    "declarant": "this declarant",
    "forwarder": "this carrier",
    "office": "this office",
    "hs2": "goods of this chapter",
    "hs4": "goods of this heading",
    "hs6": "these goods",
    "origin": "this origin",
    "departure": "this country of departure",
    "route": "this route",
    "preference": "this claim of preference",
}
# What partners' mirror offers are compared in.
MATTERS: Mapping[str, str] = {
    "value": "value",
    "mass": "mass",
    "packages": "number of packages",
    "hs_codes": "HS code",
    "origins": "origin",
}
LABELS: Mapping[str, str] = {
    "offer_matched": "a partner told of the export",
    "offer_covered": "share of consignments of which partners told",
    "offer_compared": "consignments of which partners told until now",
    "offer_differs_value": "value beside what the partner committed to",
    "offer_differs_mass": "mass beside what the partner committed to",
    "offer_differs_packages": "packages beside what the partner committed to",
    "offer_differs_hs_codes": "HS code beside what the partner committed to",
    "offer_differs_origins": "origin beside what the partner committed to",
    "offer_share_value": "share of partners' comparisons in which the value differed",
    "offer_share_mass": "share of partners' comparisons in which the mass differed",
    "offer_share_packages": "share of partners' comparisons in which the packages differed",
    "offer_share_hs_codes": "share of partners' comparisons in which the HS code differed",
    "offer_share_origins": "share of partners' comparisons in which the origin differed",
    "told_irregular": "share of partners' controls that found something",
    "told_found": "partners' controls told of until now",
    "told_alerts": "partners' alerts until now",
    "chance": "chance told",
    "own_share": "share of controls that found something",
    "own_recent": "share of recent controls that found something",
    "own_controls": "controls until now",
    "own_UV": "share of controls that found undervaluation",
    "own_MC": "share of controls that found a false code",
    "own_OR": "share of controls that found a false origin",
    "own_QT": "share of controls that found another quantity",
    "own_IPR": "share of controls that found counterfeit or prohibited goods",
    "own_ERR": "share of controls that found an error",
    "own_revenue": "amounts that controls recovered",
    "own_since_hit": "weeks since a control found something",
    "own_since_control": "weeks since a control",
    "price_value_per_kg": "value per kg beside the usual",
    "price_kg_per_unit": "mass per unit beside the usual",
    "price_value_per_unit": "value per unit beside the usual",
    "price_z_value_per_kg": "value per kg beside its usual spread",
    "price_z_kg_per_unit": "mass per unit beside its usual spread",
    "price_z_value_per_unit": "value per unit beside its usual spread",
    "price_known": "prices known until now",
    "honest_value_per_kg": "value per kg beside what controls found in order",
    "honest_kg_per_unit": "mass per unit beside what controls found in order",
    "honest_value_per_unit": "value per unit beside what controls found in order",
    "honest_z_value_per_kg": "value per kg beside the spread of what controls found in order",
    "honest_z_kg_per_unit": "mass per unit beside the spread of what controls found in order",
    "honest_z_value_per_unit": "value per unit beside the spread of what controls found in order",
    "honest_known": "prices known that controls found in order",
    "new_weeks": "weeks since first seen",
    "new_gap": "weeks since last seen",
    "new_count": "declarations until now",
    "new_surge": "recent trade beside the usual",
    "habit_mfn": "tariff rate beside the habit",
    "habit_preference": "preference beside the habit",
    "habit_indirect": "detour beside the habit",
    "habit_value": "value beside the habit",
    "log_value": "declared value",
    "log_mass": "net mass",
    "log_quantity": "quantity",
    "log_taxes": "taxes paid",
    "log_duty_saved": "duty saved by preference",
    "log_misclassification_stake": "duty that another code of the heading would cost",
    "value_per_kg": "value per kg",
    "kg_per_unit": "mass per unit",
    "value_per_unit": "value per unit",
    "duty_rate": "rate of duty paid",
    "mfn_rate": "rate of the tariff",
    "rate_saved": "rate saved by preference",
    "tax_share": "taxes as a share of the value",
    "tax_residue": "taxes that the rate does not explain",
    "preference": "claim of preference",
    "aeo": "authorised economic operator",
    "air": "transport by air",
    "indirect": "goods that come by another country than their origin",
    "round_value": "round value",
    "chapter": "HS chapter",
    "heading_top_rate": "highest rate of the heading",
    "heading_rate_room": "rate below the highest of the heading",
    "heading_low_rate": "lowest rate of the heading",
    "chapter_rate_room": "rate below the highest of the chapter",
}
# Kept as logarithms of amounts, or of one more than a count.
_AMOUNTS = ("log_", "value_per", "kg_per")
_COUNTS = ("offer_compared", "told_found", "told_alerts", "own_controls", "new_count", "price_known", "honest_known")


def who(key: str) -> str:
    """Whom or what a feature is about: this importer with this supplier."""
    return " with ".join(WHO.get(part, part) for part in key.split("_") if part)


def label_of(feature: str) -> str:
    """What a feature is called: controls until now: this importer."""
    what, _, key = feature.partition(":")
    label = LABELS.get(what, what.removeprefix("own_").replace("_", " "))
    return f"{label}: {who(key)}" if key else label


def shown(feature: str, value: float) -> str:
    """A figure as a person reads it: amounts and counts instead of their logarithms."""
    what = feature.partition(":")[0]
    if what.startswith(_AMOUNTS):
        return f"{math.exp(min(value, 50.0)):,.2f}"
    if what in _COUNTS:
        return f"{math.expm1(min(value, 50.0)):,.1f}"
    return f"{value:,.2f}"
