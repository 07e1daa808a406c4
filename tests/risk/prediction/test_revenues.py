"""What a control comes to: amounts known late are known late, missing ones are not nothing, and the scale is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from comity.risk.prediction.artefacts import load_model, save_model
from comity.risk.prediction.cards import card_text
from comity.risk.prediction.features import Variant
from comity.risk.prediction.heads import Growth
from comity.risk.prediction.revenues import LEAST_AMOUNTS, MOST_SCALE, Lesson, learn_amounts, scale_of
from comity.risk.prediction.states import build_state, live_features
from comity.risk.prediction.training import TrainingPlan, table_of, train
from comity.risk.prediction.worlds import Outcomes, World
from tests.risk.prediction.test_states import rows_of

pytestmark = pytest.mark.once
SMALL = Growth(trees=40, leaves=4, rate=0.2, least_rows=10, features_part=1.0, seeds=1, regular_part=1.0)
FEW = replace(SMALL, trees=8, features_part=0.1)
WEEK = 11


def lesson(*, known: float = 1.0, count: int = 1200) -> Lesson:
    """Three columns, of which the first two make the amount; of `known` of the irregular ones it is known."""
    chance = np.random.default_rng(3)
    values = chance.random((count, 3))
    illicit = (values[:, 0] > 0.7).astype(np.float64)
    stated = (illicit == 0) | (chance.random(count) < known)
    revenue = np.where(stated, illicit * (1000 * values[:, 1] + 100), 0.0)
    nothing, kept = np.zeros(count), np.arange(count) >= 0.7 * count
    seen = np.ones(count, dtype=np.bool_)
    told = Outcomes(seen, illicit, revenue, nothing, np.full(count, -1), valued=stated)
    chances = np.where(values[kept, 0] > 0.7, 0.99, 0.01)
    return Lesson(values, told, ~kept, kept, np.ones(int((~kept).sum())), chances)


def test_amounts_are_learned_and_held_against_later_ones() -> None:
    learned = learn_amounts(lesson(), SMALL, "XAF")
    assert learned.head is not None
    low, high = learned.head.ask(np.array([[0.9, 0.1, 0.5], [0.9, 0.9, 0.5]]))
    assert 0 < 2 * low < high
    rows = learned.told["rows"]
    assert isinstance(rows, list)
    assert [row["count"] for row in rows] == [18, 54, 108, 180]
    assert rows[0]["told"] == pytest.approx(rows[0]["found"], rel=0.25)
    assert learned.told["currency"] == "XAF"
    assert 0.1 < float(str(learned.told["share_at_5_percent"])) < 0.4


def test_what_was_not_assessed_does_not_count_as_nothing() -> None:
    """With a third of the amounts the mean stays, since those with one stand for those without."""
    some = learn_amounts(lesson(known=1 / 3), SMALL, "XAF")
    whole = lesson()
    assert some.head is not None
    told = some.scale * whole.chances * some.head.ask(whole.values[whole.kept])
    assert float(told.mean()) == pytest.approx(float(whole.outcomes.revenue[whole.kept].mean()), rel=0.25)
    assert 0 < int(str(some.told["with_amount"])) < 0.5 * int(str(some.told["irregular"]))


def test_too_few_amounts_tell_no_revenue_and_say_so(made: World, tmp_path: Path) -> None:
    few = learn_amounts(lesson(known=0.05), SMALL, "XAF")
    assert few.head is None
    assert few.told["above_zero"][0] < LEAST_AMOUNTS  # type: ignore[index]  # a list of two
    unknown = replace(
        made, outcomes=replace(made.outcomes, revenue=0 * made.outcomes.revenue, valued=made.outcomes.illicit == 0)
    )
    plan = TrainingPlan("AA", Variant.LOCAL, FEW, kept_weeks=5, warm_up=2, whole_weeks=False, currency="XAF")
    model = train(unknown, plan, lambda _: None)
    assert (model.revenue, model.card["tells_revenue"]) == (None, False)
    assert "No revenue is told: 0 of " in card_text(model.card)
    save_model(model, tmp_path / "model")
    assert load_model(tmp_path / "model").revenue is None


def test_a_model_keeps_its_scale(made: World, tmp_path: Path) -> None:
    plan = TrainingPlan("AA", Variant.LOCAL, FEW, kept_weeks=3, warm_up=1, whole_weeks=False, currency="XAF")
    model = train(made, plan, lambda _: None)
    assert model.revenue is not None, model.card["revenue"]
    assert "mean found (XAF)" in card_text(model.card)
    _, table = table_of(made, "AA", Variant.LOCAL, whole_weeks=False)
    save_model(replace(model, revenue_scale=1.5), tmp_path / "model")
    back = load_model(tmp_path / "model")
    rows = table.values[:9]
    np.testing.assert_allclose(back.revenues(rows), 1.5 * model.chances(rows) * np.maximum(model.revenue.ask(rows), 0))
    # One of an earlier release tells what a control comes to.
    older = replace(back, is_amount_of_find=False, revenue_scale=1.0)
    np.testing.assert_allclose(older.revenues(rows), np.maximum(model.revenue.ask(rows), 0))


def test_the_scale_leans_on_one_where_little_was_found() -> None:
    ones = np.ones(8)
    twice = scale_of(ones, 2 * ones, ones)
    assert scale_of(ones, ones, ones) == 1.0
    assert 1.0 < scale_of(ones[:1], 2 * ones[:1], ones[:1]) < twice < 2.0
    assert scale_of(ones, 999 * ones, ones) == MOST_SCALE
    assert scale_of(ones, 0 * ones, ones) == scale_of(0 * ones, ones, ones) == 1.0


def test_an_amount_that_became_known_late_is_known_late(made: World) -> None:
    """Stated three weeks after the outcome, it is in no feature before; the outcome itself is."""
    late = replace(made, told=made.week + 1, priced=made.week + 4)
    panel, table = table_of(late, "AA", Variant.LOCAL, whole_weeks=False)
    now = panel.week == WEEK
    rows = rows_of(made, panel.rows[now].tolist())
    names, values = live_features(build_state(late, "AA", week=WEEK), rows, week=WEEK)
    np.testing.assert_allclose(values, table.values[now], rtol=1e-12, atol=1e-12)
    # Amounts of which nobody knew by then change nothing; those that were known do.
    for week, is_same in ((WEEK - 4, True), (WEEK - 5, False)):
        other = np.where(made.week >= week, 77.0, made.outcomes.revenue)
        changed = replace(late, outcomes=replace(made.outcomes, revenue=other))
        _, asked = live_features(build_state(changed, "AA", week=WEEK), rows, week=WEEK)
        assert np.array_equal(asked, values) is is_same
    at_once = live_features(build_state(replace(late, priced=None), "AA", week=WEEK), rows, week=WEEK)[1]
    is_same_column = np.isclose(at_once, values, rtol=1e-9, equal_nan=True).all(axis=0)
    differing = {name.partition(":")[0] for name, same in zip(names, is_same_column, strict=True) if not same}
    assert differing == {"own_revenue"}
