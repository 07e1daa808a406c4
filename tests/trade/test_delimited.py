"""CSV by a declared mapping: rows become records, a bad row refuses itself alone, unknown columns survive."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from comity.trade import Declaration, HSCode, Manifest, Money, Place, Seal, Severity, TransportEquipment
from comity.trade.codes import load_hs_list
from comity.trade.formats.delimited import ColumnMapping, MappingError, read_csv, read_mapping
from comity.trade.formats.delimited.fields import DECLARATION_FIELDS
from comity.trade.formats.delimited.reader import MAX_ROWS_OF_RECORD
from comity.trade.formats.reading import Reading
from comity.trade.values import AdditionalInformation, DocumentReference, Packaging, Party, Quantity, Unread
from tests.trade.nouns import patient, words

FIXTURES = Path(__file__).parents[1] / "fixtures" / "trade"
NATIONAL = read_mapping((FIXTURES / "national.yaml").read_bytes())
SMALL = read_mapping(b"columns: {ref: lrn, hs: items.hs_code, mass: items.net_mass_kg}")


def small(text: str | bytes) -> list[Reading]:
    return list(read_csv(text if isinstance(text, bytes) else text.encode(), SMALL))


def mapped(columns: str, more: str = "") -> ColumnMapping:
    return read_mapping(f"columns: {{{columns}}}\n{more}".encode())


def only(data: str, mapping: ColumnMapping) -> Declaration:
    (reading,) = read_csv(data.encode(), mapping)
    assert isinstance(reading.record, Declaration), reading.problems
    return reading.record


def test_the_national_file_becomes_declarations() -> None:
    data = (FIXTURES / "national.csv").read_bytes()
    first, second = read_csv(data, NATIONAL)
    assert isinstance(first.record, Declaration)
    record = first.record
    assert (record.lrn, record.declaration_type, record.office) == ("N-1", "IMA", "XC000100")
    assert record.accepted_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert record.exporter is not None
    assert (record.exporter.name, record.exporter.address.country) == ("Alfa Söund; Ltd", "XA")
    assert record.agent == Party("XC445566")
    one, two = record.items
    assert (one.item_no, one.hs_code, one.net_mass_kg) == (1, HSCode("851830", "00"), Decimal("1100.50"))
    assert one.item_price == Money(Decimal(2500), "EUR")
    assert one.packages == (Packaging(20, "CT"),)
    assert one.documents == (DocumentReference("INV-1", type="935"),)
    assert one.supplementary_quantity == Quantity(Decimal(400), "NAR")
    assert two.description == "Cases\nblack"
    assert record.consignment.transport_equipment == (TransportEquipment("CSQU3054383", (Seal("S1"), Seal("S2"))),)
    assert record.consignment.place_loading == Place("XAPRT")
    assert record.consignment.routing == ("XB", "XC")
    assert record.unread == (Unread("Remark", "urgent", 2), Unread("Remark", "fragile", 3))
    assert first.problems == ()
    assert (first.line, second.line) == (2, 5)
    assert first.raw + second.raw == data.partition(b"\n")[2]
    assert second.record is not None


def test_a_manifest_has_a_consignment_in_each_row() -> None:
    mapping = read_mapping(
        b"""
record: manifest
columns:
  report: report_ref
  ship: means_id
  eta: expected_at
  bill: consignments.master_bill
  goods: consignments.description
  hs: consignments.hs_code
  kg: consignments.gross_mass_total_kg
  box: consignments.transport_equipment.id
  from: consignments.consignor.name
"""
    )
    text = "report,ship,eta,bill,goods,hs,kg,box,from\n"
    text += "M1,IMO9074729,2026-03-05T06:00:00Z,B1,Toys,9503,7,CSQU3054383,Alfa\n"
    (reading,) = read_csv((text + "M1,IMO9074729,2026-03-05T06:00:00Z,B2,,,,,\n").encode(), mapping)
    assert isinstance(reading.record, Manifest)
    first, second = reading.record.consignments
    assert (first.master_bill, first.hs_code, first.gross_mass_total_kg) == ("B1", HSCode("9503"), Decimal(7))
    assert first.transport_equipment == (TransportEquipment("CSQU3054383"),)
    assert second.master_bill == "B2"
    assert reading.record.expected_at == datetime(2026, 3, 5, 6, tzinfo=UTC)


def test_rows_of_one_reference_need_not_stand_together() -> None:
    first, second = small("ref,hs,mass\nA,8518,1\nB,8518,2\nA,8519,3\n")
    assert isinstance(first.record, Declaration)
    assert [item.item_no for item in first.record.items] == [1, 2]
    assert second.line == 3


def test_what_later_rows_say_otherwise_is_told_and_kept() -> None:
    mapping = mapped("ref: lrn, who: importer.id, hs: items.hs_code")
    (reading,) = read_csv(b"ref,who,hs\nA,X,8518\nA,Y,8519\n", mapping)
    assert isinstance(reading.record, Declaration)
    assert reading.record.importer == Party("X")
    assert reading.record.unread == (Unread("who", "Y", 3),)
    assert [(problem.code, problem.field, problem.line) for problem in reading.problems] == [
        ("rows_differ", "importer.id", 3)
    ]


def test_one_column_may_fill_two_fields() -> None:
    record = only("ref\nA\n", mapped("ref: [lrn, ucr]"))
    assert (record.lrn, record.ucr) == ("A", "A")


def test_constants_stand_where_no_column_does() -> None:
    mapping = mapped("ref: lrn, price: items.item_price", "constants: {items.item_price.currency: KRW, office: X1}")
    assert only("ref,price\nA,7\n", mapping).items[0].item_price == Money(Decimal(7), "KRW")
    record = only("ref,price\nA,\n", mapping)
    assert (record.items, record.office) == ((), "X1")


def test_lists_of_the_record_collect_over_rows() -> None:
    mapping = mapped("ref: lrn, auth: authorisations.id, say: additional_information.code, hs: items.hs_code")
    record = only("ref,auth,say,hs\nA,P1,C1,85\nA,P1,,85\nA,P2,C2,85\n", mapping)
    assert [entry.id for entry in record.authorisations] == ["P1", "P2"]
    assert record.additional_information == (AdditionalInformation("C1"), AdditionalInformation("C2"))


def test_decimal_marks_and_digit_groups_are_declared() -> None:
    mapping = mapped("ref: lrn, mass: items.net_mass_kg", 'decimal_mark: ","\ndigit_group: "."\ndelimiter: ";"')
    assert only("ref;mass\nA;1.234,5\n", mapping).items[0].net_mass_kg == Decimal("1234.5")
    strict = mapped("ref: lrn, mass: items.net_mass_kg", 'decimal_mark: ","\ndelimiter: tab')
    (reading,) = read_csv(b"ref\tmass\nA\t1.234\n", strict)
    assert (reading.problems[0].code, "'1.234'" in reading.problems[0].message) == ("not_a_number", True)


def test_a_negative_quantity_refuses_as_in_xml() -> None:
    (reading,) = read_csv(b"ref,n\nA,-5\n", mapped("ref: lrn, n: items.supplementary_quantity"))
    assert [(problem.code, problem.field) for problem in reading.errors] == [
        ("negative_quantity", "items[1].supplementary_quantity")
    ]


def test_dates_are_tried_in_order() -> None:
    mapping = mapped("ref: lrn, day: accepted_at", 'dates: ["%d.%m.%Y", "%Y%m%d%z"]')
    assert only("ref,day\nA,02.03.2026\n", mapping).accepted_at == datetime(2026, 3, 2, tzinfo=UTC)
    assert only("ref,day\nA,20260302+0200\n", mapping).accepted_at == datetime(2026, 3, 1, 22, tzinfo=UTC)
    assert only("ref,day\nA,2026-03-02\n", mapping).accepted_at == datetime(2026, 3, 2, tzinfo=UTC)
    (reading,) = read_csv(b"ref,day\nA,30.02.2026\n", mapping)
    assert (reading.problems[0].code, reading.problems[0].line) == ("impossible_date", 2)


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        ("A,8518,-1", "negative_mass", "items[1].net_mass_kg"),
        ("A,8518,x", "not_a_number", "items[1].net_mass_kg"),
        (",8518,1", "missing_reference", "lrn"),
        (f"{'A' * 101},8518,1", "too_long", "lrn"),
        ("A,8518", "malformed_row", ""),
        ("A,8518,1,2", "malformed_row", ""),
        ('A,"85"18,1', "malformed_row", ""),
        ("A,85\x0018,1", "bad_character", "items[1].hs_code"),
    ],
)
def test_a_bad_row_refuses_itself_alone(row: str, code: str, field: str) -> None:
    readings = small(f"ref,hs,mass\nG1,8518,1\n{row}\nG2,8518,1\n")
    (bad,) = [reading for reading in readings if reading.record is None]
    assert [(problem.code, problem.field, problem.line) for problem in bad.errors] == [(code, field, 3)]
    assert bad.raw == f"{row}\n".encode()
    assert bad.line == 3
    good = [reading.record.lrn for reading in readings if isinstance(reading.record, Declaration)]
    assert good == ["G1", "G2"]


def test_bytes_that_are_not_text_refuse_their_row() -> None:
    readings = small(b"ref,hs,mass\nG1,8518,1\nB\xff,8518,1\nG\xc3\xa9,8518,1\n")
    assert [reading.record is None for reading in readings] == [True, False, False]
    problem = readings[0].problems[0]
    assert (problem.code, problem.line) == ("bad_encoding", 3)
    assert "0xff" in problem.message
    assert readings[0].raw == b"B\xff,8518,1\n"


def test_an_open_quote_does_not_swallow_the_file() -> None:
    readings = small('ref,hs,mass\nA,"8518,1\nB,8518,2\nC,8518,3\n')
    assert [reading.record is None for reading in readings] == [True, False, False]
    assert readings[0].line == 2


def test_a_file_of_malformed_rows_is_given_up_and_kept() -> None:
    bad = 'A,"8518"x,1\n'
    readings = small("ref,hs,mass\n" + bad * 1_200)
    assert len(readings) == 1_001
    assert readings[-1].raw.count(b"\n") == 200
    assert "was not read" in readings[-1].problems[0].message


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"r\xe9f,hs,mass\n", "bad_header"),
        (b"ref,hs\n", "mapping_does_not_fit"),
        (b"ref,hs,mass,hs\n", "column_twice"),
    ],
)
def test_a_header_that_does_not_fit_refuses_the_file(data: bytes, code: str) -> None:
    (reading,) = small(data)
    assert (reading.record, reading.problems[0].code) == (None, code)


def test_limits_hold() -> None:
    (reading,) = read_csv(b"ref,hs,mass\n", SMALL, limit_bytes=5)
    assert reading.problems[0].code == "too_large"
    (reading,) = small("ref,hs,mass\n" + "A,85,1\n" * (MAX_ROWS_OF_RECORD + 1))
    assert reading.problems[0].code == "too_many"
    (reading,) = small("ref,hs,mass\n" + "A,85,1\n" * MAX_ROWS_OF_RECORD)
    assert reading.problems == ()
    (reading,) = small(f"ref,hs,mass,note\nA,85,1,{'x' * 20_001}\n")
    assert (reading.problems[0].code, reading.problems[0].field) == ("too_long", "note")


def test_warnings_keep_the_record() -> None:
    mapping = mapped("ref: lrn, no: items.item_no, hs: items.hs_code, from: items.origin, price: items.item_price")
    (reading,) = read_csv(b"ref,no,hs,from,price\nA,1,7701,Alfa,5\nA,1,8518,XA,\n", mapping)
    assert reading.record is not None
    assert {(problem.code, problem.field, problem.line, problem.severity) for problem in reading.problems} == {
        ("hs_unknown", "items[1].hs_code", 2, Severity.WARNING),
        ("unknown_country", "items[1].origin", 2, Severity.WARNING),
        ("no_currency", "items[1].item_price", 2, Severity.WARNING),
        ("item_no_twice", "items[2].item_no", 3, Severity.WARNING),
    }


def test_item_numbers_begin_at_one() -> None:
    (reading,) = read_csv(b"ref,no\nA,0\n", mapped("ref: lrn, no: items.item_no"))
    assert reading.problems[0].field == "items[1].item_no"


def test_the_administrations_own_list_decides() -> None:
    (reading,) = read_csv(b"ref,hs,mass\nA,8518.30,1\n", SMALL, hs_list=load_hs_list(b"010121\n"))
    assert [problem.code for problem in reading.problems] == ["hs_unknown"]


def test_a_unit_without_its_number_is_nothing() -> None:
    record = only(
        "ref,u,c\nA,NAR,EUR\n", mapped("ref: lrn, u: items.supplementary_quantity.unit, c: invoice_amount.currency")
    )
    assert record.invoice_amount is None
    assert record.items[0].supplementary_quantity is None


def test_a_mapping_knows_whether_it_fits() -> None:
    assert SMALL.fits('\ufeff"mass",ref , hs,more')
    assert not SMALL.fits("ref;hs;mass")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[", ""),
        ("just words", ""),
        ("1: x", "1"),
        ("[a]: x", ""),
        ("x" * 70_000, ""),
        ("colums: {a: lrn}", "colums"),
        ("record: cargo\ncolumns: {a: lrn}", "record"),
        ("name: [5]\ncolumns: {a: lrn}", "name"),
        ("columns: []", "columns"),
        ("columns: {a: price}", "columns: a"),
        ("columns: {a: 5}", "columns: a"),
        ("columns: {a: office}", "columns: lrn"),
        ("columns: {a: lrn, b: lrn}", "columns: lrn"),
        ("columns: {a: report_ref}", "columns: a"),
        ("columns: {a: lrn}\ndelimiter: x", "delimiter"),
        ("columns: {a: lrn}\nencoding: klingon", "encoding"),
        ("columns: {a: lrn}\nencoding: utf-16", "encoding"),
        ("columns: {a: lrn}\nencoding: base64", "encoding"),
        ("columns: {a: lrn}\ndates: [5]", "dates"),
        ("columns: {a: lrn}\ndecimal_mark: x", "decimal_mark"),
        ('columns: {a: lrn}\ndecimal_mark: ","\ndigit_group: ","', "digit_group"),
        ("columns: {a: lrn}\nconstants: [a]", "constants"),
        ("columns: {a: lrn}\nconstants: {office: []}", "constants: office"),
        ("columns: {a: lrn}\nconstants: {offfice: x}", "constants: offfice"),
    ],
)
def test_a_wrong_mapping_is_refused_by_its_key(text: str, where: str) -> None:
    with pytest.raises(MappingError) as caught:
        read_mapping(text.encode())
    assert where in caught.value.where


@patient
@given(st.binary(max_size=200))
def test_any_bytes_are_a_mapping_or_refused(data: bytes) -> None:
    with pytest.raises(MappingError):
        read_mapping(data)


ALL = read_mapping(
    yaml.safe_dump({"columns": {name: name for name in DECLARATION_FIELDS}, "dates": ["%Y-%m-%d"]}).encode()
)


CELLS = st.dictionaries(
    st.sampled_from(list(DECLARATION_FIELDS)), words | st.sampled_from(["1", "-1", "XA"]), max_size=20
)


@patient
@given(st.lists(st.tuples(st.sampled_from(["", "A", "B"]), CELLS), max_size=4))
def test_any_cells_are_read_or_refused(rows: list[tuple[str, dict[str, str]]]) -> None:
    target = io.StringIO()
    writer = csv.DictWriter(target, list(DECLARATION_FIELDS))
    writer.writeheader()
    writer.writerows(cells | {"lrn": reference} for reference, cells in rows)
    for reading in read_csv(target.getvalue().encode(), ALL):
        assert (reading.record is None) == bool(reading.errors)


@patient
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_garbage_never_crashes(data: bytes) -> None:
    for reading in small(b"ref,hs,mass\n" + data):
        assert (reading.record is None) == bool(reading.errors)


@patient
@given(st.lists(st.tuples(st.from_regex(r"[A-Z]{1,3}", fullmatch=True), words), max_size=6))
def test_nothing_of_a_file_is_lost(rows: list[tuple[str, str]]) -> None:
    target = io.StringIO()
    csv.writer(target).writerows([("ref", "hs", "mass", "note"), *((ref, "8518", "1", note) for ref, note in rows)])
    readings = small(target.getvalue())
    kept = sorted(entry.value for reading in readings if reading.record for entry in reading.record.unread)
    assert kept == sorted(note for _, note in rows if note)
    assert sum(len(reading.raw) for reading in readings) == len(target.getvalue().encode().partition(b"\n")[2])


@pytest.mark.shared
def test_a_published_file_of_declarations_is_read(shared_data: Path) -> None:
    mapping = read_mapping((FIXTURES / "korea.yaml").read_bytes())
    data = (shared_data / "declarations_csv" / "df_syn_valid_eng.csv").read_bytes()
    readings = list(read_csv(data, mapping))
    assert len(readings) == 8_134
    assert all(reading.record is not None for reading in readings)
    assert {problem.code for reading in readings for problem in reading.problems} <= {"hs_unknown", "unknown_country"}
    first = readings[0].record
    assert isinstance(first, Declaration)
    assert first.items[0].hs_code == HSCode("760711")
    assert first.items[0].item_price == Money(Decimal("415092.72"), "KRW")
