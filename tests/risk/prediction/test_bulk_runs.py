"""A model over a table: each row's score is that of the declaration by itself, whatever the run goes through."""

from __future__ import annotations

import importlib.util
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from comity.cli.assess import assess
from comity.risk.bulk import Engine, Order, RuleLine, UsedModel
from comity.risk.bulk.running import run
from comity.risk.errors import FactError, RunError
from comity.risk.expressions import parse_rule
from comity.risk.prediction.artefacts import load_model, save_model
from comity.risk.prediction.errors import ModelFileError
from comity.risk.prediction.features import Variant
from comity.risk.prediction.heads import Growth
from comity.risk.prediction.states import build_state, live_features, load_state, save_state
from comity.risk.prediction.training import TrainingPlan, train
from comity.risk.prediction.worlds import World, read_world
from comity.risk.rules import Lane
from comity.trade.facts import FACT_TYPES
from tests.risk.prediction.maker import make_columns, write_world

pytestmark = pytest.mark.once
GROWTH = Growth(trees=15, leaves=6, rate=0.2, least_rows=5, seeds=1)
PLAN = TrainingPlan("AA", Variant.LOCAL, GROWTH, kept_weeks=5, warm_up=2, whole_weeks=False)
RULE = RuleLine("R", parse_rule("origin = 'HK'", FACT_TYPES), 30, Lane.YELLOW)
FACTS = {"importer": "importer_id", "declarant": "declarant_id", "exporter": "exporter_id", "forwarder": "carrier_id"}
FACTS |= {"hs6": "hs_code", "departure": "country_dispatch", "transport": "mode_border", "net_mass": "net_mass_kg"}
FACTS |= {"cif_value": "item_price", "quantity": "packages", "declaration_id": "lrn"}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_world(tmp_path_factory.mktemp("history"), *make_columns())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, history: Path) -> Path:
    out = tmp_path_factory.mktemp("model") / "m"
    save_model(train(read_world(history, with_exports=False), PLAN, lambda _text: None), out)
    return out


@pytest.fixture(scope="module")
def columns() -> dict[str, list[object]]:
    """Declarations of the weeks after, seed and traders others; every ninth mass and every eleventh code is missing."""
    found, _ = make_columns(seed=2, weeks=2)
    for place in range(0, len(found["dest"]), 9):
        found["net_mass"][place] = None
    for place in range(0, len(found["dest"]), 11):
        found["hs6"][place] = None
    return found


@pytest.fixture
def table(tmp_path: Path, columns: dict[str, list[object]]) -> Path:
    return _write(tmp_path / "facts.parquet", columns)


def _write(path: Path, columns: dict[str, list[object]]) -> Path:
    told = {FACTS.get(name, name): values for name, values in columns.items()}
    pq.write_table(pa.table(told), path, row_group_size=25)
    return path


def _order(table: Path, out: Path, model: Path, history: Path, **changes: object) -> Order:
    order = Order(table, (RULE,), out, ("lrn",), part_rows=50, model=UsedModel(model, history))
    return replace(order, **changes)  # type: ignore[arg-type]


def _scored(out: Path) -> list[tuple[object, ...]]:
    tables = [pq.read_table(path) for path in sorted(out.glob("scored-*.parquet"))]
    return [tuple(row.values()) for table in tables for row in table.to_pylist()]


def _expected(columns: dict[str, list[object]], model: Path, history: Path) -> list[tuple[object, ...]]:
    """Each declaration by itself."""
    world: World = read_world(history, with_exports=False)
    state, asked = build_state(world, "AA", week=int(world.week.max()) + 1), load_model(model)
    found: list[tuple[object, ...]] = []
    for place, ident in enumerate(columns["declaration_id"]):
        row = {name: values[place] for name, values in columns.items()}
        if row["dest"] != "AA" or row["net_mass"] is None:
            found.append((ident, None, None))
            continue
        _, values = live_features(state, [row | {"hs6": row["hs6"] or ""}], week=state.week)
        found.append((ident, float(asked.chances(values)[0]), float(asked.revenues(values)[0])))
    return found


def test_rows_have_the_scores_of_single_declarations(
    table: Path, tmp_path: Path, model: Path, history: Path, columns: dict[str, list[object]]
):
    summary = run(_order(table, tmp_path / "out", model, history))
    expected = _expected(columns, model, history)
    found = _scored(tmp_path / "out")
    assert [row[0] for row in found] == [row[0] for row in expected]
    for place in (1, 2):
        ours, theirs = ([np.nan if row[place] is None else row[place] for row in rows] for rows in (found, expected))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert len({row[1] for row in expected}) > 5
    assert 50 < summary.scored == sum(row[1] is not None for row in expected)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["scored"] == summary.scored


def test_stops_and_kept_histories_change_nothing(table: Path, tmp_path: Path, model: Path, history: Path):
    whole, kept = tmp_path / "whole", tmp_path / "kept.npz"
    run(_order(table, whole, model, history))
    world = read_world(history, with_exports=False)
    save_state(build_state(world, "AA", week=int(world.week.max()) + 1), kept)
    run(_order(table, tmp_path / "other", model, kept))
    assert _scored(tmp_path / "other") == _scored(whole)
    before = _scored(whole)
    for name in ("scored-00001.parquet", "part-00000.parquet"):
        (whole / name).unlink()
    run(_order(table, whole, model, history, is_resumed=True))
    assert _scored(whole) == before
    with pytest.raises(RunError, match="other model"):
        run(_order(table, whole, model, kept, is_resumed=True))


@pytest.mark.skipif(importlib.util.find_spec("pysail") is None, reason="pysail and pyspark-client are not installed")
@pytest.mark.filterwarnings("default")  # PySpark warns of its own libraries
def test_the_distributed_engine_scores_the_same(
    table: Path, tmp_path: Path, model: Path, history: Path, monkeypatch: pytest.MonkeyPatch
):
    # A worker of pytest-xdist has no main module of a file, which PySpark takes for its own doctests.
    monkeypatch.setattr("__main__.__file__", __file__, raising=False)
    near, far = tmp_path / "near", tmp_path / "far"
    assert run(_order(table, near, model, history)) == run(_order(table, far, model, history, engine=Engine.SPARK))
    assert _scored(near) == _scored(far)


def test_what_the_table_does_not_tell_the_tariff_does(
    tmp_path: Path, model: Path, history: Path, columns: dict[str, list[object]]
):
    lean = {name: values for name, values in columns.items() if name not in {"duty_rate", "taxes_paid", "preference"}}
    run(_order(_write(tmp_path / "lean.parquet", lean), tmp_path / "out", model, history))
    rates = load_state(tmp_path / "out" / "histories.npz").rates
    told = [rates.get(str(code), 0.0) for code in columns["hs6"]]
    paid = [round(float(str(v)) * rate / 100, 2) for v, rate in zip(columns["cif_value"], told, strict=True)]
    full = lean | {"preference": [0] * len(told), "duty_rate": told, "taxes_paid": paid}
    run(_order(_write(tmp_path / "full.parquet", full), tmp_path / "same", model, history))
    assert _scored(tmp_path / "out") == _scored(tmp_path / "same")


def test_what_cannot_be_scored_is_refused_before_anything_is_written(
    table: Path, tmp_path: Path, model: Path, history: Path, columns: dict[str, list[object]]
):
    out = tmp_path / "out"
    few = _write(tmp_path / "few.parquet", {n: v for n, v in columns.items() if n not in {"importer", "quantity"}})
    with pytest.raises(FactError, match="importer or importer_id, quantity or packages"):
        run(_order(few, out, model, history))
    wrong = _write(tmp_path / "wrong.parquet", columns | {"net_mass": ["1"] * len(columns["dest"])})
    with pytest.raises(FactError, match="net_mass_kg is string, not a number"):
        run(_order(wrong, out, model, history))
    with pytest.raises(RunError, match="no histories"):
        run(_order(table, out, model, tmp_path / "nothing"))
    changed = shutil.copytree(model, tmp_path / "changed")
    trees = changed / "chance-0.txt"
    trees.write_text(trees.read_text().replace("leaf_value=", "leaf_value=1", 1))
    with pytest.raises(ModelFileError, match=r"changed after it was written.*chance-0\.txt"):
        run(_order(table, out, changed, history))
    known = load_model(model)
    save_model(replace(known, card=known.card | {"whole_weeks": True}), tmp_path / "weekly")
    with pytest.raises(RunError, match=r"more than a table tells.*--live"):
        run(_order(table, out, tmp_path / "weekly", history))
    with pytest.raises(ModelFileError, match="no model"):
        run(_order(table, out, tmp_path / "nothing", history))
    assert not out.exists()


def test_at_the_terminal(table: Path, tmp_path: Path, model: Path, history: Path):
    (tmp_path / "rules.yaml").write_text("profiles:\n- {ref: A, expression: \"origin = 'HK'\"}\n")
    words = ["--declarations", str(table), "--rules", str(tmp_path / "rules.yaml"), "--out", str(tmp_path / "out")]
    alone = CliRunner().invoke(assess, [*words, "--model", str(model)])
    assert alone.exit_code == 2
    assert "--model and --history go together" in alone.output
    result = CliRunner().invoke(
        assess, [*words, "--model", str(model), "--history", str(history)], catch_exceptions=False
    )
    assert result.stdout.splitlines()[-1].endswith("rows scored by the model")
