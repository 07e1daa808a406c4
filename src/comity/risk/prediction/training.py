"""From a table of declarations to a model that may be used: two heads, calibrated on later weeks, and a card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import numpy as np

from comity.risk.prediction.arrays import Bools, Floats, Ints
from comity.risk.prediction.calibration import Calibration, ReliabilityBin, calibrate, reliability
from comity.risk.prediction.errors import TrainingError
from comity.risk.prediction.features import Table, Variant, declared_features, experienced_features
from comity.risk.prediction.heads import Growth, Head, fading_weights, grow
from comity.risk.prediction.panels import Panel, panel_of
from comity.risk.prediction.partners_findings import finding_features
from comity.risk.prediction.partners_word import word_features
from comity.risk.prediction.ranking import HALF_LIFE_WEEKS, WARM_UP_WEEKS
from comity.risk.prediction.references import reference_of
from comity.risk.prediction.revenues import Lesson, learn_amounts
from comity.risk.prediction.scoring import measure
from comity.risk.prediction.told_findings import ToldFindings
from comity.risk.prediction.worlds import Outcomes, World

# Below these nothing worth using is learned: the trees would tell chance apart, and no chance could be calibrated.
LEAST_FITTED, LEAST_IRREGULAR, LEAST_KEPT, LEAST_KEPT_IRREGULAR = 150, 15, 50, 5

LIMITS = (
    "The chance is of what controls of this administration would find; what they never find it cannot know.",
    "Where controls were chosen by suspicion, shares of traders rarely controlled lean on their surroundings.",
    "A score targets; it decides nothing, and no declaration may be refused for it.",
    "Outside the weeks and goods it learned from, calibration must be checked again.",
)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned: the chance of a find, the revenue to expect, how to calibrate, and the card.

    revenue: None where too few outcomes had an amount; revenue_scale: by what its trees' answers are told;
    is_amount_of_find: they answer what a find comes to, not what a control does. reference: how scores and main
    features lay in training, by which drift is seen later.
    """

    names: tuple[str, ...]
    usual: Floats
    chance: Head
    revenue: Head | None
    calibration: Calibration
    card: dict[str, object]
    reference: dict[str, object] = field(default_factory=dict)
    revenue_scale: float = 1.0
    is_amount_of_find: bool = True

    def chances(self, values: Floats) -> Floats:
        """The calibrated chance of each row."""
        return self.calibration.apply(self.chance.ask(values))

    def revenues(self, values: Floats, chances: Floats | None = None) -> Floats:
        """The revenue to expect from a control of each row, in the table's money; 0 where none was learned.

        chances: of these rows, where they are known already.
        """
        if self.revenue is None:
            return np.zeros(len(values))
        told = self.revenue_scale * np.maximum(self.revenue.ask(values), 0.0)
        if not self.is_amount_of_find:
            return told
        return told * (self.chances(values) if chances is None else chances)


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Whose declarations, what may be seen, how trees grow, and how many last weeks are kept for calibration.

    whole_weeks: whether declarations are seen with all others of their week, or as they arrive, as a node needs it.
    currency: of the amounts; empty: the table does not say.
    """

    administration: str
    variant: Variant
    growth: Growth = field(default_factory=Growth)
    kept_weeks: int = 10
    warm_up: int = WARM_UP_WEEKS
    whole_weeks: bool = True
    currency: str = ""


def table_of(world: World, administration: str, variant: Variant, *, whole_weeks: bool = True) -> tuple[Panel, Table]:
    """One administration's declarations and all their features.

    Raises: TrainingError: the administration decides on none of them.
    """
    if administration not in world.administrations():
        known = ", ".join(world.administrations())
        raise TrainingError("No declaration is decided there", where=administration, remedy=f"The table has {known}.")
    panel = panel_of(world, world.rows_of(administration))
    # In a node's own history partners' data is what they told this node, not their whole tables.
    told = world.words_told if variant is Variant.EXCHANGE else None
    seen = variant if told is None else Variant.LOCAL
    declared = declared_features(world, panel, seen, whole_weeks=whole_weeks)
    table = declared.beside(experienced_features(world, panel, seen))
    if told is not None:
        table = table.beside(Table(*word_features(told, panel)))
        if world.findings_told is not None:
            table = table.beside(Table(*finding_features(world.findings_told, world, panel)))
    return panel, table


def train(world: World, plan: TrainingPlan, tell: Tell) -> Model:
    """Fit both heads on all weeks but the last few, calibrate and measure on those.

    Raises: TrainingError: too few weeks, or outcomes that are all the same.
    """
    panel, table = table_of(world, plan.administration, plan.variant, whole_weeks=plan.whole_weeks)
    last = int(panel.week.max()) - plan.kept_weeks
    seen = panel.outcomes.seen
    fitted, kept = seen & (panel.week >= plan.warm_up) & (panel.week <= last), seen & (panel.week > last)
    tell(f"{int(fitted.sum())} declarations to learn from, {int(kept.sum())} kept to calibrate and measure")
    _check_counts(panel.outcomes.illicit, fitted, kept)
    weight = fading_weights(panel.week[fitted].astype(np.float64), last, HALF_LIFE_WEEKS)
    values, outcomes = table.values, panel.outcomes
    chance = grow(values[fitted], outcomes.illicit[fitted], weight, plan.growth)
    scores = chance.ask(values[kept])
    calibration = calibrate(scores, outcomes.illicit[kept])
    lesson = Lesson(values, outcomes, fitted, kept, weight, calibration.apply(scores))
    revenue = learn_amounts(lesson, plan.growth, plan.currency)
    usual = _usual(values[fitted])
    model = Model(table.names, usual, chance, revenue.head, calibration, {}, revenue_scale=revenue.scale)
    model.card.update(_card(world, panel, plan, (fitted, kept), scores))
    model.card.update(tells_revenue=revenue.head is not None, revenue=revenue.told)
    model.card["reliability"] = [asdict(row) for row in _checked(scores, outcomes.illicit[kept])]
    model.reference.update(reference_of(model, values[fitted], values[kept]))
    return model


def _check_counts(illicit: Floats, fitted: Bools, kept: Bools) -> None:
    """Raises: TrainingError where there is too little to learn from, saying how much is there and is needed."""
    have = {
        "inspected declarations to learn from": (int(fitted.sum()), LEAST_FITTED),
        "of them irregular": (int(illicit[fitted].sum()), LEAST_IRREGULAR),
        "inspected declarations of the last weeks, to calibrate": (int(kept.sum()), LEAST_KEPT),
        "of those irregular": (int(illicit[kept].sum()), LEAST_KEPT_IRREGULAR),
    }
    if any(count < least for count, least in have.values()):
        said = "; ".join(f"{count} {what}, {least} are needed" for what, (count, least) in have.items())
        raise TrainingError(
            "There are too few outcomes of controls to learn from",
            where=said,
            remedy="Record what controls find, those by chance too, and train later; or train on a table of the past.",
        )


def _checked(scores: Floats, hits: Floats) -> list[ReliabilityBin]:
    """Reliability where every second row is judged by a line drawn through the others: never by itself."""
    odd = np.arange(len(scores)) % 2 == 1
    chances = np.empty(len(scores))
    chances[odd] = calibrate(scores[~odd], hits[~odd]).apply(scores[odd])
    chances[~odd] = calibrate(scores[odd], hits[odd]).apply(scores[~odd])
    return reliability(chances, hits)


def _usual(values: Floats) -> Floats:
    known = np.isfinite(values).any(axis=0)
    usual = np.full(values.shape[1], np.nan)
    usual[known] = np.nanmedian(values[:, known], axis=0)
    return usual


def _card(
    world: World, panel: Panel, plan: TrainingPlan, parts: tuple[Bools, Bools], scores: Floats
) -> dict[str, object]:
    fitted, kept = parts
    told = panel.outcomes
    held = Outcomes(told.seen[kept], told.illicit[kept], told.revenue[kept], told.critical[kept], told.finding[kept])
    quality = asdict(measure(scores, held))
    days = world.day[panel.rows]
    return {
        "administration": plan.administration,
        "variant": plan.variant.value,
        "learned_from": _window(days[fitted], panel.week[fitted], int(told.illicit[fitted].sum())),
        "measured_on": _window(days[kept], panel.week[kept], int(told.illicit[kept].sum())),
        "whole_weeks": plan.whole_weeks,
        "as_told": _as_told(world, panel, plan, fitted | kept),
        "quality_at_5_percent": {
            name: round(value, 4) if np.isfinite(value) else None for name, value in quality.items()
        },
        "growth": asdict(plan.growth),
        "limits": list(LIMITS),
    }


def _as_told(world: World, panel: Panel, plan: TrainingPlan, rows: Bools) -> dict[str, object] | None:
    """What partners told this node, where the model sees that; None where it sees none, or their whole tables."""
    told = world.words_told if plan.variant is Variant.EXCHANGE else None
    if told is None:
        return None
    own = panel.rows[rows]
    at_once = told.had_arrived[own]
    found = _found_until(world.findings_told, int(panel.week[rows].max()))
    return {
        "sources": ["mirror", "findings", "alerts"] if found else ["mirror"],
        "declarations": len(own),
        "told_of": int((told.week[own] >= 0).sum()),
        "had_arrived": int(at_once.sum()),
        "differing": int((np.nan_to_num(told.values[own][at_once]).max(axis=1, initial=0.0) > 0).sum()),
        **found,
    }


def _found_until(told: ToldFindings | None, week: int) -> dict[str, int]:
    """How many findings and alerts of partners the features of a week and those before saw, of how many issuers."""
    if told is None:
        return {}
    seen = told.week < week
    return {
        "findings": len(np.unique(told.item[seen & ~told.is_alert])),
        "irregular": len(np.unique(told.item[seen & told.is_irregular])),
        "alerts": len(np.unique(told.item[seen & told.is_alert])),
        "issuers": len(np.unique(told.issuer[seen])),
    }


def _window(days: Ints, weeks: Ints, illicit: int) -> dict[str, object]:
    return {
        "first_day": str(np.datetime64(int(days.min()), "D")),
        "last_day": str(np.datetime64(int(days.max()), "D")),
        "weeks": [int(weeks.min()), int(weeks.max())],
        "declarations": len(days),
        "illicit": illicit,
    }
