"""The files of a day say what the day says, and the defective ones fail where they are meant to."""

from __future__ import annotations

import io
import zipfile

from comity.trade import Declaration, Manifest, Severity
from comity.trade.formats.delimited import read_csv, read_mapping
from comity.trade.formats.reading import Reading
from comity.trade.formats.wco_xml import read_wco_xml
from comity.training import Part, TradeFile, day_of_trade, defective_files, files_of, mapping_yaml

DAY = day_of_trade(5, 30)
FILES = files_of(DAY)
MAPPING = read_mapping(mapping_yaml())


def read(file: TradeFile) -> list[Reading]:
    if file.media_type == "application/zip":
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
            return [read_wco_xml(archive.read(name), limit_bytes=10**6) for name in archive.namelist()]
    if file.media_type == "text/csv":
        return list(read_csv(file.data, MAPPING, limit_bytes=10**7))
    return [read_wco_xml(file.data, limit_bytes=10**6)]


def records(administration: str, part: Part) -> list[Declaration | Manifest]:
    defective = {file.name for file in defective_files(DAY)}
    chosen = [file for file in FILES if file.administration == administration and file.part is part]
    return [
        reading.record
        for file in chosen
        if file.name not in defective
        for reading in read(file)
        if reading.record is not None
    ]


def key(record: Declaration | Manifest) -> str:
    return record.lrn if isinstance(record, Declaration) else record.report_ref


def test_every_record_of_the_day_is_in_the_files_and_reads_back_the_same() -> None:
    assert records("XA", Part.MORNING) == list(DAY.exports)
    assert records("XB", Part.MORNING) == list(DAY.transit)
    assert records("XA", Part.AFTERNOON) == list(DAY.afternoon_exports)
    at_xc = sorted(records("XC", Part.MORNING), key=key)
    assert at_xc == sorted([*DAY.arrivals, *DAY.imports], key=key)


def test_part_of_the_imports_comes_as_a_table() -> None:
    table = next(file for file in FILES if file.name == "imports.csv")
    assert table.mapping == "trade"
    assert table.expected.imported == 10


def test_each_file_comes_to_what_it_is_expected_to() -> None:
    for file in FILES:
        readings = read(file)
        imported = [reading for reading in readings if reading.record is not None]
        warned = [reading for reading in imported if reading.problems]
        found = (len(imported), len(warned), len(readings) - len(imported))
        assert found == (file.expected.imported, file.expected.warned, file.expected.refused), file.name


def test_the_defects_are_told_with_their_field_or_line() -> None:
    negative, no_hs, cut_off, column = defective_files(DAY)
    (problem,) = [each for each in read(negative)[0].problems if each.severity is Severity.ERROR]
    assert problem.field.endswith("net_mass_kg")
    (problem,) = read(no_hs)[0].problems
    assert problem.field.endswith("hs_code")
    (problem,) = read(cut_off)[0].problems
    assert problem.line > 1
    (reading,) = read(column)
    assert reading.record is not None
    assert {(entry.path, entry.value) for entry in reading.record.unread} == {("Colour", "blue")}


def test_the_bytes_are_the_same_each_time() -> None:
    assert files_of(day_of_trade(5, 30)) == FILES


def test_a_day_of_one_consignment_has_its_files_too() -> None:
    assert sum(file.expected.imported for file in files_of(day_of_trade(1, 1))) == 2 + 1 + 1 + 2 + 2 + 6
