"""`comity risk benchmark`, as it is called: an answer file, or a sentence and no file."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from comity.cli.risk_learning import risk
from comity.risk.prediction import benchmark as running
from comity.risk.prediction.errors import TableError
from comity.risk.prediction.heads import Growth
from tests.risk.prediction.maker import make_columns, write_world


@pytest.fixture(scope="module")
def long_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world that reaches into the second period."""
    return write_world(tmp_path_factory.mktemp("long"), *make_columns(seed=2, weeks=54))


def run(*words: str) -> Result:
    return CliRunner().invoke(risk, ["benchmark", *words])


def test_ranking_writes_scores_of_the_second_period(long_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    lines = running.run_ranking(long_folder, _local(), out=out, growth=Growth(trees=5, seeds=1), tell=lambda _: None)
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert set(rows[0]) == {"declaration_id", "score"}
    assert len(rows) == 2 * 2 * 40
    assert all(0.0 < float(row["score"]) < 1.0 for row in rows)
    assert [line[0] for line in lines] == ["ADMINISTRATION", "AA", "BB", "mean"]


def _local() -> running.Variant:
    return running.Variant.LOCAL


def test_policy_writes_all_inspections(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "inspected.csv"
    done = run("--world", str(folder), "--task", "T3", "--variant", "local", "--out", str(out), "--budget", "2")
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert set(rows[0]) == {"declaration_id", "week"}
    assert len(rows) == 2 * (8 * 4 + 6 * 1)
    assert "HIT RATE" in done.stdout
    assert "inspections written" in done.stderr
    assert list(tmp_path.iterdir()) == [out]


def test_a_missing_column_leaves_no_file(tmp_path: Path) -> None:
    imports, exports = make_columns(weeks=2)
    del imports["declarant"]
    out = tmp_path / "scores.csv"
    world = write_world(tmp_path / "broken", imports, exports)
    done = run("--world", str(world), "--task", "T2", "--variant", "exchange", "--out", str(out))
    assert isinstance(done.exception, TableError)
    assert "The column declarant is missing" in str(done.exception)
    assert not out.exists()


def test_an_answer_that_cannot_be_written_is_said_before_the_work(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "scores.csv"
    done = run("--world", str(folder), "--task", "T2", "--variant", "local", "--out", str(out))
    assert isinstance(done.exception, TableError)
    assert "no such folder for the answer" in str(done.exception)
    assert not out.parent.exists()
