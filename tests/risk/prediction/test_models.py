"""A trained model: calibrated, explained in words, kept with checksums, refused where a byte was changed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from comity.cli.risk_learning import risk
from comity.risk.prediction.artefacts import load_model, save_model
from comity.risk.prediction.calibration import calibrate, reliability
from comity.risk.prediction.errors import ModelFileError, TrainingError
from comity.risk.prediction.explaining import FAMILIES, explain, family_of, words_for
from comity.risk.prediction.features import Variant
from comity.risk.prediction.heads import Growth
from comity.risk.prediction.scored import score_week
from comity.risk.prediction.training import Model, TrainingPlan, table_of, train
from comity.risk.prediction.worlds import World

PLAN = TrainingPlan(
    "AA", Variant.EXCHANGE, Growth(trees=15, leaves=6, rate=0.2, least_rows=5, seeds=1), kept_weeks=5, warm_up=2
)


@pytest.fixture(scope="module")
def model(made: World) -> Model:
    """A model of the made world."""
    return train(made, PLAN, lambda _: None)


@pytest.fixture
def kept(model: Model, tmp_path: Path) -> Path:
    """The same on disk."""
    save_model(model, tmp_path / "model")
    return tmp_path / "model"


def test_chances_hold_on_weeks_the_trees_never_saw(model: Model) -> None:
    rows = model.card["reliability"]
    assert isinstance(rows, list)
    assert sum(row["count"] for row in rows) == 5 * 40
    assert abs(sum(row["count"] * (row["told"] - row["found"]) for row in rows)) / 200 < 0.05


def test_calibration_rises_and_meets_the_shares_found() -> None:
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    line = calibrate(scores, np.array([0.0, 1.0, 0.0, 1.0, 1.0, 1.0]))
    assert line.apply(np.array([0.05, 0.25, 0.9])).tolist() == pytest.approx([0.001, 0.5, 0.995])
    assert (np.diff(line.apply(np.linspace(0, 1, 50))) >= 0).all()
    assert [row.count for row in reliability(np.array([0.005, 0.5, 1.0]), np.array([0.0, 1.0, 1.0]))] == [1, 1, 1]


def test_reasons_name_the_planted_scheme(made: World, model: Model) -> None:
    panel, table = table_of(made, "AA", Variant.EXCHANGE)
    cheap = np.flatnonzero((panel.outcomes.finding == 0) & (panel.week > 10))
    told = explain(model.chance, model.names, model.usual, table.values[cheap], most=3)
    families = {reason.family for row in told for reason in row if reason.weight > 0}
    assert families & {"record of the importer", "price", "partner's export record"}
    assert all(reason.text and np.isfinite(reason.weight) for row in told for reason in row)


def test_reasons_add_up_to_the_score(made: World, model: Model) -> None:
    _, table = table_of(made, "AA", Variant.EXCHANGE)
    told = explain(model.chance, model.names, model.usual, table.values[:20], most=len(FAMILIES))
    sums = np.array([sum(reason.weight for reason in row) for row in told])
    odds = np.log(model.chance.ask(table.values[:20])) - np.log1p(-model.chance.ask(table.values[:20]))
    assert np.ptp(odds - sums) < 1e-6


def test_every_feature_has_a_family_and_words(model: Model) -> None:
    assert {family_of(name) for name in model.names} == set(FAMILIES)
    for name in model.names:
        assert words_for(name, 0.5, 0.25)
        assert words_for(name, -1.0, 0.25)
        assert "not known" in words_for(name, float("nan"), 0.25)


@pytest.mark.parametrize(
    ("feature", "value", "words"),
    [
        ("price_value_per_kg:hs6", -0.6931, "value per kg 50% below what was usual for these goods"),
        ("own_share:importer", 0.4, "40% of controls of this importer found something (usual: 5%)"),
        ("new_weeks:importer_exporter", -1.0, "this importer with this supplier: never seen before"),
        ("own_since_hit:importer", 3.0, "this importer: a find 3 weeks ago"),
        ("mirror_hs6_differs", 1.0, "hs6 differs from the partner's export record"),
        ("mirror_value_gap", -0.6931, "value 50% below the export record"),
        ("partner_share:exporter", 0.2, "20% of partners' controls of this supplier found something (usual: 5%)"),
    ],
)
def test_the_words(feature: str, value: float, words: str) -> None:
    assert words_for(feature, value, 0.05) == words


def test_what_is_read_back_scores_alike(made: World, model: Model, kept: Path) -> None:
    _, table = table_of(made, "AA", Variant.EXCHANGE)
    again = load_model(kept)
    np.testing.assert_array_equal(again.chances(table.values[:50]), model.chances(table.values[:50]))
    np.testing.assert_array_equal(again.revenues(table.values[:50]), model.revenues(table.values[:50]))
    assert again.card["administration"] == "AA"
    assert "Limits:" in (kept / "card.md").read_text()


@pytest.mark.parametrize("name", ["chance-0.txt", "revenue-0.txt", "calibration.json", "card.json", "features.json"])
def test_a_changed_byte_is_refused(kept: Path, name: str) -> None:
    data = bytearray((kept / name).read_bytes())
    data[len(data) // 2] ^= 1
    (kept / name).write_bytes(data)
    with pytest.raises(ModelFileError, match="was changed after it was written"):
        load_model(kept)


def test_a_missing_part_a_foreign_form_and_no_model_are_refused(kept: Path, tmp_path: Path) -> None:
    (kept / "card.md").unlink()
    with pytest.raises(ModelFileError, match="part of the model is missing"):
        load_model(kept)
    with pytest.raises(ModelFileError, match="There is no model"):
        load_model(tmp_path / "nowhere")
    for text in ("{", '{"format": "other/1", "parts": {}}', "[]", '{"format": "comity-risk-model/1", "parts": {}}'):
        (kept / "manifest.json").write_text(text)
        with pytest.raises(ModelFileError, match=r"manifest cannot be read|not of the form"):
            load_model(kept)


def test_a_part_outside_the_folder_is_refused(kept: Path) -> None:
    manifest = json.loads((kept / "manifest.json").read_text())
    manifest["parts"] = {"../secret.txt": "0" * 64}
    (kept / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelFileError, match="part of the model is missing"):
        load_model(kept)


def test_a_model_is_never_written_over_another(model: Model, kept: Path) -> None:
    before = sorted(path.name for path in kept.iterdir())
    with pytest.raises(ModelFileError, match="Something stands there already"):
        save_model(model, kept)
    assert sorted(path.name for path in kept.iterdir()) == before


def test_an_administration_that_decides_nothing(made: World) -> None:
    with pytest.raises(TrainingError, match="The table has AA, BB"):
        table_of(made, "ZZ", Variant.LOCAL)


def test_a_week_is_scored_with_reasons(folder: Path, kept: Path, tmp_path: Path) -> None:
    out = tmp_path / "week.csv"
    assert score_week(folder, kept, week=12, out=out, tell=lambda _: None) == 40
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert all(0 < float(row["chance"]) < 1 and row["reason_1"] for row in rows)
    asked = ["model", "score", "--table", str(folder), "--model", str(tmp_path), "--week", "3", "--out", str(out)]
    assert isinstance(CliRunner().invoke(risk, asked).exception, ModelFileError)
