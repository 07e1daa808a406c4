"""What is known of a declaration as it arrives is what training would have known of it, and nothing later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from comity.risk.prediction.errors import ModelFileError, TableError
from comity.risk.prediction.features import Variant
from comity.risk.prediction.states import build_state, live_features, load_state, save_state
from comity.risk.prediction.training import table_of
from comity.risk.prediction.worlds import IMPORT_NUMBERS, IMPORT_WORDS, World
from tests.risk.prediction.conftest import with_changed_outcomes

WEEK = 11


def rows_of(world: World, places: list[int]) -> list[dict[str, object]]:
    """The declared columns of some rows."""
    return [
        {name: world.words[name][world.codes[name][place]] for name in IMPORT_WORDS}
        | {name: world.numbers[name][place] for name in IMPORT_NUMBERS if name != "week"}
        for place in places
    ]


def test_what_arrives_has_the_features_of_the_table(made: World) -> None:
    panel, table = table_of(made, "AA", Variant.LOCAL, whole_weeks=False)
    now = np.flatnonzero(panel.week == WEEK)
    state = build_state(made, "AA", week=WEEK)
    names, values = live_features(state, rows_of(made, panel.rows[now].tolist()), week=WEEK)
    assert names == table.names
    np.testing.assert_allclose(values, table.values[now], rtol=1e-12, atol=1e-12)
    assert state.declarations == int((panel.week < WEEK).sum())


def test_one_alone_is_seen_as_among_others(made: World) -> None:
    panel, table = table_of(made, "AA", Variant.LOCAL, whole_weeks=False)
    place = int(np.flatnonzero(panel.week == WEEK)[7])
    _, values = live_features(build_state(made, "AA", week=WEEK), rows_of(made, [int(panel.rows[place])]), week=WEEK)
    np.testing.assert_allclose(values[0], table.values[place], rtol=1e-12, atol=1e-12)


def test_outcomes_of_the_week_and_later_are_not_in_a_state(made: World) -> None:
    panel, _ = table_of(made, "AA", Variant.LOCAL, whole_weeks=False)
    rows = rows_of(made, panel.rows[panel.week == WEEK][:5].tolist())
    asked = [
        live_features(build_state(world, "AA", week=WEEK), rows, week=WEEK)[1]
        for world in (made, with_changed_outcomes(made, WEEK))
    ]
    np.testing.assert_array_equal(asked[0], asked[1])


def test_an_outcome_that_became_known_late_is_known_late(made: World) -> None:
    late = replace(made, told=made.week + 2)
    panel, table = table_of(late, "AA", Variant.LOCAL, whole_weeks=False)
    rows = rows_of(made, panel.rows[panel.week == WEEK].tolist())
    _, values = live_features(build_state(late, "AA", week=WEEK), rows, week=WEEK)
    np.testing.assert_allclose(values, table.values[panel.week == WEEK], rtol=1e-12, atol=1e-12)
    changed = with_changed_outcomes(late, WEEK - 2)
    _, same = live_features(build_state(changed, "AA", week=WEEK), rows, week=WEEK)
    np.testing.assert_array_equal(values, same)


def test_what_never_occurred_has_no_history(made: World) -> None:
    panel, _ = table_of(made, "AA", Variant.LOCAL, whole_weeks=False)
    row = rows_of(made, [int(panel.rows[0])])[0]
    stranger = row | {"importer": "Never seen", "exporter": "Nor this", "hs6": "010121", "origin": "ZZ"}
    names, values = live_features(build_state(made, "AA", week=WEEK), [row, stranger], week=WEEK)
    told = dict(zip(names, values[1], strict=True))
    assert told["new_weeks:importer"] == told["own_since_hit:importer"] == -1.0
    assert told["own_controls:importer"] == told["price_known:hs6"] == 0.0
    assert dict(zip(names, values[0], strict=True))["new_weeks:importer"] >= 0


def test_a_state_is_read_back_as_it_was(made: World, tmp_path: Path) -> None:
    state = build_state(made, "AA", week=WEEK, made_at="2026-03-02T00:00:00Z")
    save_state(state, tmp_path / "kept" / "state.npz")
    again = load_state(tmp_path / "kept" / "state.npz")
    assert (again.until, again.declarations, again.made_at) == (state.until, state.declarations, state.made_at)
    assert (tmp_path / "kept" / "state.npz").stat().st_mode & 0o077 == 0
    rows = rows_of(made, [0, 1])
    np.testing.assert_array_equal(live_features(state, rows, week=WEEK)[1], live_features(again, rows, week=WEEK)[1])


def test_what_is_no_state_is_refused(made: World, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no declaration before"):
        build_state(made, "AA", week=0)
    with pytest.raises(ModelFileError, match="no histories yet"):
        load_state(tmp_path / "state.npz")
    (tmp_path / "state.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ModelFileError, match="cannot be read"):
        load_state(tmp_path / "state.npz")
    state = build_state(made, "AA", week=WEEK)
    with pytest.raises(ModelFileError, match="another release"):
        live_features(replace(state, memories={}), rows_of(made, [0]), week=WEEK)
