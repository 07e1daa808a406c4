"""Screening in a run: every distinct name once, and each row's hits as single records have them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from comity.cli.assess import assess
from comity.registers import ListFormError, TooManyBrokenError
from comity.risk.bulk import Progress
from comity.risk.bulk.lists import list_from, named_apart
from comity.risk.bulk.running import run
from comity.risk.errors import FactError, RunError
from tests.registers.lists import UN
from tests.risk.bulk.hits import expected_hits, subjects
from tests.risk.bulk.runs import COLUMNS, facts, order, screened, used_lists, with_names, write

pytestmark = pytest.mark.once
ROWS = with_names(facts(95))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path / "facts.parquet", ROWS)


@pytest.mark.parametrize("batch_rows", [1, 1000])
def test_rows_have_the_hits_of_single_records(table: Path, tmp_path: Path, batch_rows: int):
    seen: list[Progress] = []
    out = tmp_path / "out"
    summary = run(order(table, out, batch_rows=batch_rows, lists=used_lists()), tell=seen.append)
    found = screened(out)
    assert found == expected_hits(ROWS)
    assert {str(hit["role"]) for hit in found} == {"exporter", "importer", "means of transport", "container"}
    counts = Counter(str(hit["list"]) for hit in found)
    assert summary.hits_by_list == {"one": counts["one"], "two": counts["two"]}
    distinct = {(role[:1] in "mc", told) for row in ROWS for role, told, _ in subjects(row)}
    assert summary.names == pq.read_metadata(out / "names.parquet").num_rows == len(distinct)
    assert [progress.names for progress in seen] == sorted(progress.names for progress in seen)
    assert [progress.rows for progress in seen] == sorted(progress.rows for progress in seen)
    assert (seen[-1].rows, seen[-1].part, seen[-1].names) == (95, 5, len(distinct))
    told = json.loads((out / "summary.json").read_text())
    assert [(each["code"], each["hits"]) for each in told["lists"]] == list(summary.hits_by_list.items())


def test_a_run_is_not_taken_up_with_other_lists(table: Path, tmp_path: Path):
    run(order(table, tmp_path / "out", lists=used_lists()))
    with pytest.raises(RunError, match="other lists"):
        run(order(table, tmp_path / "out", lists=used_lists()[:1], is_resumed=True))


def test_texts_by_their_distinct_values_and_columns_left_out_change_nothing(table: Path, tmp_path: Path):
    columns = pq.read_table(table).drop_columns(["importer_name", "exporter_country"])
    places = [place for place, name in enumerate(columns.column_names) if name in {"exporter_name", "container"}]
    for place in places:
        name = columns.column_names[place]
        columns = columns.set_column(place, name, columns[name].cast(pa.large_string()).dictionary_encode())
    pq.write_table(columns, tmp_path / "other.parquet", row_group_size=10)
    run(order(tmp_path / "other.parquet", tmp_path / "out", lists=used_lists()))
    rows = [row | {"importer_name": None, "exporter_country": None} for row in ROWS]
    assert screened(tmp_path / "out") == expected_hits(rows)


def test_a_table_that_names_nobody_is_refused_before_anything_is_written(tmp_path: Path):
    write(tmp_path / "facts.parquet", facts(5))
    with pytest.raises(FactError, match=r"nobody to screen.*exporter_name"):
        run(order(tmp_path / "facts.parquet", tmp_path / "out", lists=used_lists()))
    pq.write_table(pa.table({"lrn": ["a"], "item_no": [1], "container": [7]} | _facts()), tmp_path / "wrong.parquet")
    with pytest.raises(FactError, match="container is int64, not text"):
        run(order(tmp_path / "wrong.parquet", tmp_path / "out", lists=used_lists()))
    assert not (tmp_path / "out").exists()


def _facts() -> dict[str, pa.Array]:
    return {name: pa.nulls(1) for name in COLUMNS if name not in {"lrn", "item_no"}}


def test_at_the_terminal(table: Path, tmp_path: Path):
    (tmp_path / "rules.yaml").write_text("profiles:\n- {ref: A, expression: \"origin = 'XA'\"}\n")
    (tmp_path / "un.xml").write_bytes(UN)
    words = ["--declarations", str(table), "--rules", str(tmp_path / "rules.yaml"), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(assess, [*words, "--lists", f"un={tmp_path / 'un.xml'}"], catch_exceptions=False)
    names = pq.read_metadata(tmp_path / "out" / "names.parquet").num_rows
    assert (
        result.stdout.splitlines()[-1]
        == f"{names} distinct names screened: {len(screened(tmp_path / 'out'))} hits of un"
    )
    assert f"0 of {names} distinct names screened" in result.stderr


def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path):
    with pytest.raises(RunError, match=r"FORM=FILE.*Forms are un, ofac, eu, ftm"):
        list_from("xy=a.xml")
    with pytest.raises(RunError, match="cannot be read"):
        list_from(f"un={tmp_path / 'nothing.xml'}")
    (tmp_path / "bad.xml").write_bytes(b"<noise/>")
    with pytest.raises(ListFormError, match="noise"):
        list_from(f"un={tmp_path / 'bad.xml'}")
    good = '{"id": "%d", "schema": "Person", "properties": {"name": ["Orban Tavrosh"]}}'
    lines = [good % number for number in range(99)]
    (tmp_path / "one.json").write_text("\n".join([*lines, "{"]))
    used = list_from(f"ftm={tmp_path / 'one.json'}")
    assert len(used.entries) == 99
    assert "line 100" in used.left_out[0]
    (tmp_path / "more.json").write_text("\n".join([*lines[:90], *["{"] * 10]))
    with pytest.raises(TooManyBrokenError, match=r"10 of 100 rows.*nothing was screened"):
        list_from(f"ftm={tmp_path / 'more.json'}")
    assert [each.code for each in named_apart([used, used])] == ["ftm", "ftm-2"]
