"""An inspection policy spends its budget, learns only from what it inspected, and never looks ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from comity.risk.prediction.arrays import Bools
from comity.risk.prediction.features import Variant
from comity.risk.prediction.heads import Growth
from comity.risk.prediction.policy import PolicyPlan, inspect_world
from comity.risk.prediction.worlds import World
from tests.risk.prediction.conftest import with_changed_outcomes

BUSH = Growth(trees=6, leaves=5, rate=0.2, least_rows=4, seeds=1)


def taken(world: World, variant: Variant, seed: int = 1) -> Bools:
    """Which rows of the world were inspected."""
    plan = PolicyPlan(variant, budget=10.0, seed=seed, growth=BUSH, refit_weeks=3)
    inspected = np.zeros(len(world.ids), dtype=np.bool_)
    for one in inspect_world(world, plan, lambda _: None):
        assert len(set(one.rows.tolist())) == len(one.rows)
        inspected[one.panel.rows[one.rows]] = True
    return inspected


@pytest.fixture(scope="module")
def usual(made: World) -> dict[Variant, Bools]:
    """What is inspected in the world as it was made."""
    return {variant: taken(made, variant) for variant in Variant}


def test_spends_the_budget_of_each_week(made: World, usual: dict[Variant, Bools]) -> None:
    counts = {(dest, week): 0 for dest in range(2) for week in range(14)}
    for row in np.flatnonzero(usual[Variant.EXCHANGE]):
        counts[int(made.codes["dest"][row]), int(made.week[row])] += 1
    assert set(counts.values()) == {4}  # a tenth of forty, at first by chance, then by the budget


def test_what_was_inspected_leads_to_more_than_chance_finds(made: World) -> None:
    growth = Growth(trees=25, leaves=6, rate=0.15, least_rows=4, features_part=0.4, seeds=1, regular_part=1.0)
    plan = PolicyPlan(Variant.EXCHANGE, budget=15.0, first_weeks=3, refit_weeks=2, growth=growth, exploring=0.2)
    for one in inspect_world(made, plan, lambda _: None):
        illicit, late = one.panel.outcomes.illicit, one.panel.week >= 7
        chosen = one.rows[one.panel.week[one.rows] >= 7]
        assert illicit[chosen].mean() > 1.5 * illicit[late].mean()


@pytest.mark.parametrize(("variant", "week"), [(Variant.LOCAL, 9), (Variant.EXCHANGE, 10)])
def test_outcomes_of_a_week_change_no_choice_up_to_it(
    made: World, usual: dict[Variant, Bools], variant: Variant, week: int
) -> None:
    before, after = usual[variant], taken(with_changed_outcomes(made, week), variant)
    early = made.week <= week
    assert (before[early] == after[early]).all()
    assert (before[~early] != after[~early]).any()


def test_outcomes_of_what_was_not_inspected_are_never_seen(made: World, usual: dict[Variant, Bools]) -> None:
    chosen = usual[Variant.EXCHANGE]
    told = made.outcomes
    hidden = replace(told, illicit=np.where(chosen, told.illicit, 1.0 - told.illicit), finding=told.finding * chosen)
    assert (taken(replace(made, outcomes=hidden), Variant.EXCHANGE) == chosen).all()


def test_another_seed_is_another_chance(made: World, usual: dict[Variant, Bools]) -> None:
    assert (usual[Variant.LOCAL] != taken(made, Variant.LOCAL, seed=2)).any()


def test_without_a_single_find_it_goes_on_by_chance(made: World) -> None:
    clean = replace(made, outcomes=replace(made.outcomes, illicit=np.zeros(len(made.ids))))
    assert taken(clean, Variant.LOCAL).sum() == 4 * 2 * 14
