"""A folder is read whole and checked, or refused with a sentence that names file, column and place."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from comity.risk.prediction.errors import TableError
from comity.risk.prediction.worlds import read_world
from tests.risk.prediction.maker import Columns, make_columns, write_world


def columns() -> tuple[Columns, Columns]:
    return make_columns(seed=3, weeks=2)


def refused(folder: Path, *, with_exports: bool = True) -> str:
    with pytest.raises(TableError) as caught:
        read_world(folder, with_exports=with_exports)
    return str(caught.value)


def test_reads_what_is_there(tmp_path: Path) -> None:
    imports, exports = columns()
    world = read_world(write_world(tmp_path, imports, exports), with_exports=True)
    assert list(world.ids) == imports["declaration_id"]
    assert [world.words["hs6"][code] for code in world.codes["hs6"]] == imports["hs6"]
    assert [world.words["origin"][code] for code in world.codes["departure"]] == imports["departure"]
    assert world.exports is not None
    assert [world.words["ucr"][code] for code in world.exports.codes["ucr"]] == exports["ucr"]
    assert world.administrations() == ("AA", "BB")
    assert world.outcomes.illicit.tolist() == imports["illicit"]
    assert world.day[0] == (date.fromisoformat(str(imports["date"][0])) - date(1970, 1, 1)).days
    assert (world.exports.week <= 1).all()


def test_exports_are_not_needed_for_one_alone(tmp_path: Path) -> None:
    folder = write_world(tmp_path, *columns())
    (folder / "exports.parquet").unlink()
    assert read_world(folder, with_exports=False).exports is None
    assert "exports.parquet" in refused(folder)


@pytest.mark.parametrize("name", ["imports.parquet", "tariff.csv"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = write_world(tmp_path, *columns())
    (folder / name).unlink()
    assert refused(folder).startswith("A file is missing (")
    assert name in refused(folder)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert "There is no such folder" in refused(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["declaration_id", "date", "importer", "cif_value", "illicit", "finding"])
def test_a_missing_column_is_named(tmp_path: Path, name: str) -> None:
    imports, exports = columns()
    del imports[name]
    assert f"The column {name} is missing (imports.parquet)" in refused(write_world(tmp_path, imports, exports))


def test_a_missing_column_of_partners_is_named(tmp_path: Path) -> None:
    imports, exports = columns()
    del exports["fob_value"]
    assert "The column fob_value is missing (exports.parquet)" in refused(write_world(tmp_path, imports, exports))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("hs6", 610910, "The column hs6 must be text, not int64"),
        ("cif_value", "12", "The column cif_value must be a number, not string"),
        ("date", "yesterday", "The column date must hold dates"),
        ("cif_value", float("nan"), "The column cif_value has no number (imports.parquet, row 0)"),
        ("week", None, "The column week must be a number, not null"),
    ],
)
def test_a_wrong_type_is_told(tmp_path: Path, name: str, value: object, told: str) -> None:
    imports, exports = columns()
    imports[name] = [value] * len(imports[name])
    assert told in refused(write_world(tmp_path, imports, exports))


def test_no_rows(tmp_path: Path) -> None:
    folder = write_world(tmp_path, *columns())
    table = pq.read_table(folder / "imports.parquet")
    pq.write_table(table.slice(0, 0), folder / "imports.parquet")
    assert "The table has no rows" in refused(folder, with_exports=False)


def test_bytes_that_are_no_parquet(tmp_path: Path) -> None:
    folder = write_world(tmp_path, *columns())
    shutil.copy(folder / "tariff.csv", folder / "imports.parquet")
    assert "cannot be read as Parquet" in refused(folder)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"hs6\n610910\n", "The column mfn_rate is missing"),
        (b"hs6,mfn_rate\n610910,free\n", "mfn_rate is no number: 'free'"),
        (b"hs6,mfn_rate\n610910,inf\n", "line 2"),
        (b"hs6,mfn_rate\n\xff\xfe,1\n", "no UTF-8"),
    ],
)
def test_a_broken_tariff_is_told(tmp_path: Path, text: bytes, told: str) -> None:
    folder = write_world(tmp_path, *columns())
    (folder / "tariff.csv").write_bytes(text)
    assert told in refused(folder)


def test_goods_nobody_looked_at_have_no_outcome(tmp_path: Path) -> None:
    imports, exports = columns()
    for name in ("illicit", "revenue", "critical", "finding"):
        imports[name] = [None, *imports[name][1:]]
    told = read_world(write_world(tmp_path, imports, exports), with_exports=False).outcomes
    assert not told.seen[0]
    assert told.seen[1:].all()
    assert (told.illicit[0], told.revenue[0], told.critical[0], told.finding[0]) == (0.0, 0.0, 0.0, -1)
    assert np.isfinite(told.revenue).all()
