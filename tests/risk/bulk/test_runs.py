"""Runs over Parquet: cut into parts, stopped and taken up again, on any engine; and what they refuse."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from comity.cli.assess import assess
from comity.risk.bulk import Engine, Progress
from comity.risk.bulk.libraries import load
from comity.risk.bulk.rules_file import read_rules
from comity.risk.bulk.running import run
from comity.risk.errors import FactError, MissingLibraryError, RulesFileError, RunError
from comity.trade.facts import FACT_TYPES
from tests.risk.bulk.hits import expected_hits
from tests.risk.bulk.runs import expected, facts, lines, order, screened, used_lists, with_names, write, written

pytestmark = pytest.mark.once
ROWS = facts(95)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path / "facts.parquet", ROWS)


@pytest.mark.parametrize("batch_rows", [1, 9, 1000])
def test_a_run_finds_what_single_rows_fire(table: Path, tmp_path: Path, batch_rows: int):
    seen: list[Progress] = []
    summary = run(order(table, tmp_path / "out", batch_rows=batch_rows), tell=seen.append)
    found = written(tmp_path / "out")
    assert found == expected(ROWS)
    assert (summary.rows, summary.hits, summary.parts) == (95, len(found), 5)
    assert summary.never_fired == ("R2",)
    assert summary.hits_by_rule["R1"] == sum(row["rule"] == "R1" for row in found)
    assert seen[-1] == Progress(95, 95, len(found), 5, 5)
    assert [progress.rows for progress in seen] == sorted(progress.rows for progress in seen)
    told = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert told["never_fired"] == ["R2"]
    assert told["rules"][0] == {"ref": "R0", "weight": 30, "lane": "yellow", "hits": summary.hits_by_rule["R0"]}


def test_a_folder_of_files_is_one_table(tmp_path: Path):
    (tmp_path / "in").mkdir()
    for number, name in enumerate(("a", "b", "c")):
        write(tmp_path / "in" / f"{name}.parquet", ROWS[number * 30 : number * 30 + 30])
    write(tmp_path / "in" / "d.parquet", [])
    run(order(tmp_path / "in", tmp_path / "out"))
    assert written(tmp_path / "out") == expected(ROWS[:90])


def test_a_run_that_was_killed_goes_on_where_it_stood(tmp_path: Path):
    rows = with_names(ROWS)
    table = write(tmp_path / "facts.parquet", rows)
    out = tmp_path / "out"
    words = [sys.executable, "-m", "tests.risk.bulk.runs", str(table), str(out)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        while "rows=33" not in child.stdout.readline():  # in the midst of the screening of the second part
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.communicate()
    assert child.returncode == -signal.SIGKILL
    kept = {path: path.stat().st_mtime_ns for path in out.glob("*-0000?.parquet")}
    names = ["names-00000.parquet", "part-00000.parquet", "part-00001.parquet", "screened-00000.parquet"]
    assert sorted(path.name for path in kept) == names
    assert list(out.glob("*.partial"))
    lists = used_lists()
    with pytest.raises(RunError, match="Add --resume"):
        run(order(table, out, lists=lists))
    seen: list[Progress] = []
    summary = run(order(table, out, lists=lists, is_resumed=True, batch_rows=50), tell=seen.append)
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
    assert next(progress.rows for progress in seen if progress.rows) == 30
    assert not list(out.glob("*.partial"))
    whole = run(order(table, tmp_path / "whole", lists=lists))
    assert summary == whole == run(order(table, out, lists=lists, is_resumed=True))
    assert written(out) == written(tmp_path / "whole") == expected(rows)
    assert screened(out) == screened(tmp_path / "whole") == expected_hits(rows)


def test_a_damaged_part_is_done_again(table: Path, tmp_path: Path):
    out = tmp_path / "out"
    run(order(table, out))
    (out / "part-00001.parquet").write_bytes(b"PAR1 nothing")
    pq.write_table(pa.table({"rule": ["R0"]}), out / "part-00003.parquet")
    run(order(table, out, is_resumed=True))
    assert written(out) == expected(ROWS)


def test_a_run_is_not_taken_up_with_other_rules_or_other_rows(table: Path, tmp_path: Path):
    out = tmp_path / "out"
    run(order(table, out))
    with pytest.raises(RunError, match="other rules"):
        run(order(table, out, is_resumed=True, rules=lines()[:3]))
    with pytest.raises(RunError, match="other rules"):
        run(order(table, out, is_resumed=True, rules=(replace(lines()[0], weight=31), *lines()[1:])))
    write(table, facts(95, seed=2))
    with pytest.raises(RunError, match="other keys and declarations"):
        run(order(table, out, is_resumed=True, keys=("lrn",)))
    (out / "manifest.json").write_text("{")
    with pytest.raises(RunError, match="damaged"):
        run(order(table, out, is_resumed=True))


def test_what_cannot_be_assessed_is_refused_before_anything_is_written(table: Path, tmp_path: Path):
    out = tmp_path / "out"
    wrong = pq.read_table(table).drop_columns(["hs_code"])
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "a.parquet", ROWS)
    pq.write_table(wrong, tmp_path / "in" / "b.parquet")
    with pytest.raises(FactError, match=r"lacks a column.*hs_code"):
        run(order(tmp_path / "in", out))
    with pytest.raises(FactError, match=r"names its rows.*--key"):
        run(order(table, out, keys=("mrn",)))
    with pytest.raises(RunError, match="no Parquet file"):
        run(order(tmp_path / "nothing", out))
    (tmp_path / "noise.parquet").write_bytes(b"noise")
    with pytest.raises(RunError, match="no Parquet, or is damaged"):
        run(order(tmp_path / "noise.parquet", out))
    assert not out.exists()
    with pytest.raises(RunError, match="something else"):
        run(order(table, tmp_path))


def test_a_bad_row_leaves_no_part(tmp_path: Path):
    rows = [*ROWS[:30], ROWS[30] | {"item_price": float("nan")}, *ROWS[31:]]
    table = write(tmp_path / "facts.parquet", rows)
    with pytest.raises(FactError, match=r"row 31, item_price = nan"):
        run(order(table, tmp_path / "out"))
    assert [path.name for path in (tmp_path / "out").iterdir() if path.name != "manifest.json"] == [
        "part-00000.parquet"
    ]
    table = write(tmp_path / "facts.parquet", [ROWS[0], ROWS[1] | {"lrn": None}])
    with pytest.raises(FactError, match=r"no key.*row 2, lrn"):
        run(order(table, tmp_path / "other"))


def test_a_table_that_is_damaged_within_is_refused_and_what_is_done_is_kept(table: Path, tmp_path: Path):
    place = pq.read_metadata(table).row_group(4).column(0).data_page_offset
    data = bytearray(table.read_bytes())
    data[place : place + 40] = b"\xff" * 40
    table.write_bytes(data)
    with pytest.raises(RunError, match=r"cannot be read to its end.*finished parts are kept"):
        run(order(table, tmp_path / "out"))
    assert [path.name for path in sorted((tmp_path / "out").glob("part-*"))] == [
        "part-00000.parquet",
        "part-00001.parquet",
    ]


def _rules_file(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_at_the_terminal(table: Path, tmp_path: Path):
    rules = _rules_file(
        tmp_path / "rules.yaml",
        "profiles:\n- ref: A\n  expression: origin = 'XA'\n- {ref: B, expression: packages < 0, lane: red}\n",
    )
    words = ["--declarations", str(table), "--rules", str(rules), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(assess, words, catch_exceptions=False)
    hits = sum(row["origin"] == "XA" for row in ROWS)
    assert result.stdout == f"95 rows, {hits} hits of 1 of 2 rules\nnever fired: B\n"
    assert "95 of 95 rows (100%)" in result.stderr
    assert len(written(tmp_path / "out")) == hits
    with pytest.raises(RunError, match="--resume"):
        CliRunner().invoke(assess, words, catch_exceptions=False)
    again = CliRunner().invoke(assess, [*words, "--resume"], catch_exceptions=False)
    assert again.stdout == result.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("profiles:\n- {ref: A, expression: \"orign = 'XA'\"}", r"(?s)A: There is no column.*\^\^\^\^\^.*origin"),
        ("profiles:\n- {ref: A, expression: TRUE}", "expression that is text"),
        ("profiles:\n- {ref: A, expression: 'TRUE', weight: 0}", "A: weight = 0"),
        ("profiles:\n- {ref: A, expression: 'TRUE', lane: pink}", "Lanes are red, .*, green"),
        ("profiles:\n- {ref: A, expression: 'TRUE', wieght: 3}", "no field 'wieght'"),
        ("profiles:\n- {ref: A, expression: 'TRUE'}\n- {ref: A, expression: 'FALSE'}", "1 of 2.*(?s:.*)one reference"),
        ("profiles:\n- {ref: 'a b', expression: 'TRUE'}", "number 1: 'a b'"),
        ("profiles:\n- hello", "number 1"),
        ("profiles: []", "no profiles"),
        ('profiles:\n- {ref: A, expression: "' + "TRUE AND " * 900 + 'TRUE"}', r"A: The rule has 8,104.{1,95}$"),
        ("- [", "no YAML"),
        ("[" * 1200, "no YAML"),
        ("profiles:\n" + "- {expression: 'TRUE'}\n" * 30, "and 10 more"),
    ],
)
def test_a_bad_rules_file_names_the_profile(tmp_path: Path, text: str, message: str):
    with pytest.raises(RulesFileError, match=message):
        read_rules(_rules_file(tmp_path / "rules.yaml", text), FACT_TYPES)


def test_a_rules_file_that_cannot_be_read(tmp_path: Path):
    (tmp_path / "rules.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RulesFileError, match="cannot be read"):
        read_rules(tmp_path / "rules.yaml", FACT_TYPES)
    with (tmp_path / "large.yaml").open("wb") as file:
        file.truncate(17 * 2**20)
    with pytest.raises(RulesFileError, match="bytes"):
        read_rules(tmp_path / "large.yaml", FACT_TYPES)


def test_a_library_that_is_missing_is_named():
    with pytest.raises(MissingLibraryError, match=r"no_such_library.*pip install 'comity\[spark\]'"):
        load("no_such_library.part", extra="spark")
    with pytest.raises(ImportError, match="no_such_module"):
        load("comity.no_such_module")


@pytest.mark.skipif(importlib.util.find_spec("pysail") is None, reason="pysail and pyspark-client are not installed")
@pytest.mark.filterwarnings("default")  # PySpark warns of its own libraries
def test_the_distributed_engine_writes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # A worker of pytest-xdist has no main module of a file, which PySpark takes for its own doctests.
    monkeypatch.setattr("__main__.__file__", __file__, raising=False)
    rows, lists = with_names(ROWS), used_lists()
    table = write(tmp_path / "facts.parquet", rows)
    far, near = tmp_path / "far", tmp_path / "near"
    seen: list[Progress] = []
    summary = run(order(table, far, engine=Engine.SPARK, lists=lists), tell=seen.append)
    assert summary == run(order(table, near, lists=lists))
    assert written(far) == written(near) == expected(rows)
    assert screened(far) == screened(near) == expected_hits(rows)
    assert seen[-1].part == 5
    (far / "part-00002.parquet").unlink()
    (far / "screened-00003.parquet").unlink()
    run(order(table, far, engine=Engine.SPARK, is_resumed=True, lists=lists))
    assert written(far) == expected(rows)
    assert screened(far) == expected_hits(rows)


@pytest.mark.skipif(importlib.util.find_spec("pysail") is not None, reason="the distributed engine is installed")
def test_without_the_distributed_engine_its_extra_is_named(table: Path, tmp_path: Path):
    with pytest.raises(MissingLibraryError, match=r"comity\[spark\]"):
        run(order(table, tmp_path / "out", engine=Engine.SPARK))
