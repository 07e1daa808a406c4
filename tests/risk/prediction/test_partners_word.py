"""What partners told: seen where it had arrived, known of actors from the week after it came, never before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from comity.risk.modelling.life import is_live
from comity.risk.prediction.arrays import Floats
from comity.risk.prediction.cards import card_text
from comity.risk.prediction.errors import ModelFileError
from comity.risk.prediction.explaining import FAMILIES, family_of, words_for
from comity.risk.prediction.features import Variant
from comity.risk.prediction.heads import Growth
from comity.risk.prediction.panels import panel_of
from comity.risk.prediction.partners_word import word_features
from comity.risk.prediction.states import build_state, live_features
from comity.risk.prediction.telling import _picked, tell
from comity.risk.prediction.training import TrainingPlan, table_of, train
from comity.risk.prediction.worlds import COMPARED, OFFERS, Words, World
from tests.risk.prediction.test_states import rows_of

pytestmark = pytest.mark.once
WEEK = 11


def told(world: World, seed: int = 5) -> Words:
    """Of half the declarations something was told: of two in three at once, else up to three weeks later."""
    chance = np.random.default_rng(seed)
    count = len(world.week)
    values = chance.integers(0, 2, (count, len(COMPARED))).astype(np.float64)
    values[chance.random(values.shape) < 0.2] = np.nan
    heard, at_once = chance.random(count) < 0.5, chance.random(count) < 0.66
    week = world.week + np.where(at_once, 0, chance.integers(0, 4, count))
    values[~heard] = np.nan
    return Words(values, np.where(heard, week, -1), heard & at_once)


@pytest.fixture(scope="module")
def heard(made: World) -> World:
    """The made world as a node's own history, in which partners told something."""
    return replace(made, words_told=told(made))


def arriving(world: World, places: list[int]) -> list[dict[str, object]]:
    """The rows as they arrive: what had been told of them is beside them."""
    words = world.words_told
    assert words is not None
    rows = rows_of(world, places)
    for row, place in zip(rows, places, strict=True):
        known = words.values[place] if words.had_arrived[place] else [np.nan] * len(COMPARED)
        row |= {f"offer_{what}": None if np.isnan(each) else each for what, each in zip(COMPARED, known, strict=True)}
        row["offer_first"] = float(words.had_arrived[place])
    return rows


def asked(world: World, places: list[int]) -> tuple[tuple[str, ...], Floats]:
    return live_features(build_state(world, "AA", week=WEEK), arriving(world, places), week=WEEK)


def test_what_arrives_has_the_features_of_the_table(heard: World) -> None:
    panel, table = table_of(heard, "AA", Variant.EXCHANGE, whole_weeks=False)
    now = np.flatnonzero(panel.week == WEEK)
    names, values = asked(heard, panel.rows[now].tolist())
    assert names == table.names
    np.testing.assert_allclose(values, table.values[now], rtol=1e-12, atol=1e-12)
    _, local = table_of(heard, "AA", Variant.LOCAL, whole_weeks=False)
    assert names[: len(local.names)] == local.names
    assert all(name.startswith("offer_") for name in names[len(local.names) :])
    # A model without partners' data picks its own columns; one that asks for what is not known is refused.
    np.testing.assert_array_equal(_picked(names, values, local.names), values[:, : len(local.names)])
    with pytest.raises(ModelFileError, match="other features"):
        _picked(local.names, local.values, names)


def test_what_partners_told_later_is_in_nothing_before(heard: World) -> None:
    """Changing all that came in the week or later, or after the assessment, leaves every feature as it was."""
    words = heard.words_told
    assert words is not None
    places = [int(place) for place in heard.rows_of("AA") if heard.week[place] == WEEK]
    own = np.isin(np.arange(len(heard.week)), places)
    late = (words.week >= WEEK) & ~(own & words.had_arrived)
    changed = replace(words, values=np.where(late[:, None], 1 - words.values, words.values))
    assert late.sum() > 100
    _, values = asked(heard, places)
    np.testing.assert_array_equal(asked(replace(heard, words_told=changed), places)[1], values)
    # And what came a week before is in them.
    early = words.week == WEEK - 1
    known = replace(words, values=np.where(early[:, None], 1 - words.values, words.values))
    assert not np.array_equal(asked(replace(heard, words_told=known), places)[1], values)


@pytest.mark.long
def test_champion_and_challenger_are_asked_from_one_state(made: World) -> None:
    """One without and one with partners' data: what the second sees is on its card, and it alone is moved by it."""
    words = told(made)
    truth = np.where(words.week[:, None] >= 0, made.outcomes.illicit[:, None], np.nan) + np.zeros(len(COMPARED))
    heard = replace(made, words_told=replace(words, values=truth))
    growth = Growth(trees=20, leaves=4, rate=0.2, least_rows=10, features_part=0.3, seeds=1)
    plan = TrainingPlan("AA", Variant.LOCAL, growth, kept_weeks=4, warm_up=1, whole_weeks=False)
    local, exchange = (train(heard, replace(plan, variant=variant), lambda _: None) for variant in Variant)
    assert local.card["as_told"] is None
    seen = exchange.card["as_told"]
    assert isinstance(seen, dict)
    assert 0 < seen["differing"] < seen["had_arrived"] < seen["told_of"] < seen["declarations"]
    assert "Partners' data: what they committed to at export" in card_text(exchange.card)
    assert [is_live(model.card) for model in (local, exchange)] == [True, True]
    assert not is_live(exchange.card | {"as_told": None})
    rows = arriving(heard, heard.rows_of("AA")[-80:].tolist())
    blank = [row | dict.fromkeys(OFFERS) for row in rows]
    state = build_state(heard, "AA", week=WEEK)
    known, unknown = (tell(state, [local, exchange], some, week=WEEK, least=2.0) for some in (rows, blank))
    assert known[0] == unknown[0]
    # What agrees with the export speaks for a declaration of which else nothing was told.
    agreeing = [place for place, row in enumerate(rows) if row["offer_value"] == 0.0]
    assert sum(known[1][place].chance - unknown[1][place].chance for place in agreeing) < 0


def test_shares_count_what_was_told_and_lean_where_little_was(made: World) -> None:
    words = told(made)
    always = np.where(words.week[:, None] >= 0, np.array([1.0, 0, np.nan, np.nan, np.nan]), np.nan)
    world = replace(made, words_told=replace(words, values=always))
    assert world.words_told is not None
    names, values = word_features(world.words_told, panel_of(world, world.rows_of("AA")))
    last = dict(zip(names, values[-1], strict=True))
    assert last["offer_share_value:importer"] > 0.4 > 0.05 > last["offer_share_mass:importer"]
    assert last["offer_share_packages:importer"] == pytest.approx(0.05)
    first = dict(zip(names, values[0], strict=True))
    assert first["offer_covered:importer"] == pytest.approx(0.3)
    assert first["offer_compared:importer"] == 0.0


@pytest.mark.parametrize(
    ("feature", "value", "said"),
    [
        ("offer_matched", 0.0, "no partner told of this export"),
        ("offer_differs_hs_codes", 1.0, "HS code differs from what the partner committed to at export"),
        ("offer_differs_value", 0.0, "value agrees with what the partner committed to at export"),
        ("offer_share_mass:exporter", 0.4, "mass differed in 40% of what partners told of this supplier (usual: 25%)"),
        ("offer_covered:hs6_origin", 0.4, "partners told of 40% of consignments of these goods with this origin"),
        ("offer_compared:importer", 1.1, "consignments of which partners told until now: this importer: 2.0"),
    ],
)
def test_words(feature: str, value: float, said: str) -> None:
    assert words_for(feature, value, 0.25).startswith(said)
    assert family_of(feature) == FAMILIES[8]
