"""WCO XML: read whatever prefix and wrapper, refused with line and field, written back with what was not understood."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.trade import Consignment, Declaration, GoodsItem, HSCode, Manifest, Money, Place, Quantity, Severity
from comity.trade.codes import load_hs_list
from comity.trade.formats.reading import Reading
from comity.trade.formats.wco_xml import WriteError, read_wco_xml, write_wco_xml
from comity.trade.values import Problem, Unread
from tests.trade.documents import DEC, PARTS, declaration, item, manifest, wrapped
from tests.trade.nouns import declarations, manifests, patient


def read(document: str) -> Reading:
    return read_wco_xml(document.encode())


def declared(document: str) -> Declaration:
    record = read(document).record
    assert isinstance(record, Declaration)
    return record


def problem_of(document: str) -> Problem:
    (problem,) = read(document).problems
    return problem


def settled(record: Any) -> Any:
    """A record whose unread fields can be compared: lines move when a document is written anew."""
    unread = sorted((replace(entry, line=0) for entry in record.unread), key=lambda entry: (entry.path, entry.value))
    return replace(record, unread=tuple(unread))


def test_every_field_finds_its_place() -> None:
    record = declared(declaration())
    moved = record.consignment
    assert (record.lrn, record.function, record.declaration_type, record.ucr) == (
        "XC-2026-000001",
        "9",
        "IMA",
        "6XA900100-17",
    )
    assert record.accepted_at == datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    assert record.exporter is not None
    assert (record.exporter.id, record.exporter.address.city) == ("XA900100", "Alfaville")
    assert record.agent is not None
    assert (record.agent.id, record.agent_function) == ("XC445566", "2")
    assert (record.country_dispatch, record.country_destination, record.office) == ("XA", "XC", "XC000100")
    assert (moved.master_bill, moved.house_bill, moved.means_id) == ("BRAVO123", "HB-9", "IMO9074729")
    assert (moved.place_loading, moved.place_unloading) == (Place("XAPRT"), Place("XCPRT"))
    assert moved.goods_location == Place(name="XCPRT-7", country="XC")
    assert [seal.id for seal in moved.transport_equipment[0].seals] == ["SEAL-1", "SEAL-2"]
    assert moved.routing == ("XB",)
    (goods,) = record.items
    assert goods.hs_code == HSCode("851830", "0020")
    assert (goods.gross_mass_kg, goods.net_mass_kg) == (Decimal("120.5"), Decimal(100))
    assert goods.supplementary_quantity == Quantity(Decimal(400), "NAR")
    assert goods.item_price == Money(Decimal("2500.00"), "EUR")
    assert (goods.procedure, goods.description) == ("4000", "Wireless headphones & cases")
    assert (goods.documents[0].status, goods.previous_documents[0].line) == ("AC", "1")
    assert record.unread == ()
    assert read(declaration()).problems == ()


@pytest.mark.parametrize(
    "document",
    [
        declaration(),
        declaration().replace(f'xmlns="{DEC}"', ""),
        declaration().replace(DEC, "urn:wco:datamodel:WCO:DEC-DMS:3.11"),
        declaration().replace("<", "<d:").replace("<d:/", "</d:").replace("xmlns=", "xmlns:d="),
        wrapped(declaration()),
        f"<envelope><to>XC</to>{wrapped(declaration())}</envelope>",
        "<?xml version='1.0' encoding='ISO-8859-1'?>" + declaration(),
        "\ufeff" + declaration(),
    ],
)
def test_prefix_namespace_version_and_wrapper_do_not_matter(document: str) -> None:
    assert replace(declared(document), unread=()) == declared(declaration())


def test_elements_of_another_namespace_inside_are_read_by_their_names() -> None:
    document = declaration().replace("<Importer>", '<Importer xmlns="urn:other">')
    assert declared(document) == declared(declaration())


def test_utf16_is_read() -> None:
    document = "<?xml version='1.0' encoding='UTF-16'?>" + declaration()
    assert read_wco_xml(document.encode("utf-16")).record == declared(declaration())
    assert read_wco_xml(b"\xff\xfe\x00").problems[0].code == "not_well_formed"


def test_what_no_field_names_is_kept_with_path_and_line() -> None:
    extra = '\n<Warehouse kind="a"><ID>W1</ID></Warehouse><Warehouse/>'
    unread = declared(wrapped(declaration(shipment=extra))).unread
    assert unread[0] == Unread("MetaData/WCODataModelVersionCode", "3.6", 2)
    assert [(entry.path, entry.value) for entry in unread[2:]] == [
        ("Declaration/GoodsShipment/Warehouse/@kind", "a"),
        ("Declaration/GoodsShipment/Warehouse/ID", "W1"),
        ("Declaration/GoodsShipment/Warehouse[2]", ""),
    ]
    assert unread[2].line > 100


ODD = [
    declaration(),
    wrapped(declaration()),
    manifest(),
    declaration(shipment="<Warehouse><ID>W1</ID><TypeCode>R</TypeCode></Warehouse><Warehouse><ID>W2</ID></Warehouse>"),
    declaration(
        items=item(extra="<Origin><CountryCode>XB</CountryCode></Origin>") + item(2, extra="<New a='1'>x</New>")
    ),
    declaration(items=item(extra="<GovernmentProcedure><CurrentCode>F15</CurrentCode></GovernmentProcedure>")),
    declaration(items=item().replace("<Commodity>", "<Commodity note='x'>mixed text")),
    declaration(
        items=item().replace(
            "<Classification>",
            "<Classification><ID>V001</ID><IdentificationTypeCode>GN</IdentificationTypeCode></Classification>"
            "<Classification>",
            1,
        )
    ),
    declaration(items=item().replace("<ID>8518", "<Extra>1</Extra><ID>8518")),
    declaration(items=item().replace("<Classification>", "<Classification listID='7'>", 1)),
    declaration(items=item().replace("20</ID>", "2X</ID>")),
    declaration(items=item().replace("<SequenceNumeric>1<", "<SequenceNumeric>5<", 2)),
    declaration(head="<ExitOffice><ID>XC9</ID></ExitOffice><SupervisingOffice><ID>XC8</ID></SupervisingOffice>"),
    declaration().replace("<PresentationOffice><ID>XC000100</ID></PresentationOffice>", ""),
    declaration(head="<Declarant><ID>OTHER</ID></Declarant>"),
    declaration(shipment="<Exporter><Name>Second place</Name></Exporter>"),
    declaration(shipment="<Importer><Name>Again</Name></Importer>"),
    declaration().replace("<UCR>", "<UCR><ID>first</ID>"),
    declaration().replace("<FunctionCode>9", "<FunctionCode listID='a'>9"),
    declaration().replace("<TypeCode>IMA</TypeCode>", "<TypeCode>IMA</TypeCode><TypeCode>EXA</TypeCode>"),
    declaration().replace("<TypeCode>IMA</TypeCode>", "<TypeCode><Deep>IMA</Deep></TypeCode>"),
    declaration().replace("<GoodsItemQuantity>1<", "<GoodsItemQuantity><Deep>1</Deep><"),
    declaration().replace("<GoodsItemQuantity>", "<GoodsItemQuantity unitCode='C62'>"),
    declaration(accepted="<A>1</A><B>2</B>"),
    declaration(accepted="2026-03-01T09:00:00.5+01:00"),
    declaration(accepted="<p a='1'>20260301</p>").replace("<AcceptanceDateTime>", "<AcceptanceDateTime b='2'>"),
    declaration(accepted=""),
    declaration(items=""),
    manifest(parts=PARTS.replace("741", "999")),
    declaration().replace("<Itinerary>", "<Itinerary><Via>XQ</Via>"),
]


@pytest.mark.parametrize("document", ODD)
def test_what_was_read_is_written_and_reads_back_to_the_same(document: str) -> None:
    record = read(document).record
    assert record is not None
    again = read_wco_xml(write_wco_xml(record)).record
    assert again is not None
    assert settled(again) == settled(record)


def test_a_first_place_wins_over_a_second_that_came_earlier() -> None:
    second = "<GoodsShipment><Exporter><Name>Second place</Name></Exporter></GoodsShipment>"
    record = declared(f"<Declaration><FunctionalReferenceID>L</FunctionalReferenceID>{second}</Declaration>")
    assert record.exporter is not None
    assert record.exporter.name == "Second place"
    first = "<Exporter><Name>First</Name></Exporter>"
    document = f"<Declaration><FunctionalReferenceID>L</FunctionalReferenceID>{second}{first}</Declaration>"
    record = declared(document)
    assert record.exporter is not None
    assert record.exporter.name == "First"
    assert record.unread[0].path == "Declaration/GoodsShipment/Exporter/Name"


def test_a_cargo_report_becomes_a_manifest() -> None:
    record = read(manifest()).record
    assert isinstance(record, Manifest)
    assert (record.report_ref, record.means_id, record.conveyance_ref) == ("XB-MAN-77", "IMO9074729", "027E")
    assert record.expected_at == datetime(2026, 3, 5, 6, 0, tzinfo=UTC)
    first, second = record.consignments
    assert first.gross_mass_total_kg == Decimal(1200)
    assert first.hs_code == HSCode("851830")
    assert (first.master_bill, first.ucr, first.description) == ("BRAVO123", "6XA900100-17", "Headphones")
    assert second.consignor is not None
    assert second.consignor.name == "Alfa Toys"


@pytest.mark.parametrize(
    ("document", "code", "field"),
    [
        (declaration(items=item(mass="-1")), "negative_mass", "items[1].gross_mass_kg"),
        (declaration(items=item(mass="heavy")), "not_a_number", "items[1].gross_mass_kg"),
        (declaration(items=item(mass="NaN")), "not_a_number", "items[1].gross_mass_kg"),
        (declaration(items=item(mass="1E5")), "not_a_number", "items[1].gross_mass_kg"),
        (declaration(items=item(mass="9" * 21)), "not_a_number", "items[1].gross_mass_kg"),
        (declaration(items=item().replace('unitCode="KGM"', 'unitCode="LBR"')), "unknown_unit", "items[1].net_mass_kg"),
        (declaration(items=item().replace(">400<", ">-4<")), "negative_quantity", "items[1].supplementary_quantity"),
        (
            declaration(items=item().replace(">20</Quan", ">-20</Quan")),
            "negative_count",
            "items[1].packages[1].quantity",
        ),
        (declaration(items=item().replace(">20</Quan", ">2.5</Quan")), "not_a_number", "items[1].packages[1].quantity"),
        (
            declaration(items=item().replace(">20</Quan", f">{'9' * 19}</Quan")),
            "not_a_number",
            "items[1].packages[1].quantity",
        ),
        (
            declaration(items=item().replace(">20</Quan", f">{'9' * 29}</Quan")),
            "not_a_number",
            "items[1].packages[1].quantity",
        ),
        (declaration(items=item(number=0)), "item_no", "items[1].item_no"),
        (declaration(lrn=""), "missing_reference", "lrn"),
        (declaration(lrn="x" * 101), "too_long", "lrn"),
        (declaration(accepted="20260230"), "impossible_date", "accepted_at"),
        (declaration(accepted="20260301+99:99"), "impossible_date", "accepted_at"),
        (declaration(accepted="soon"), "impossible_date", "accepted_at"),
        (declaration(accepted="0001-01-01T00:00:00+10:00"), "impossible_date", "accepted_at"),
        (declaration(items=item().replace("Wireless", "x" * 20_001)), "too_long", "items[1].description"),
        (declaration(head=f"<New>{'x' * 20_001}</New>"), "too_long", "Declaration/New"),
        (manifest().replace(">XB-MAN-77<", "><"), "missing_reference", "report_ref"),
    ],
)
def test_an_error_refuses_with_line_and_field(document: str, code: str, field: str) -> None:
    reading = read(document)
    (problem,) = reading.problems
    assert reading.record is None
    assert reading.raw == document.encode()
    assert (problem.severity, problem.code, problem.field) == (Severity.ERROR, code, field)
    assert problem.line >= 1
    if field.startswith("items[1].gross"):
        assert document.splitlines()[problem.line - 1].strip().startswith("<GrossMassMeasure>")


@pytest.mark.parametrize(
    ("document", "code", "field"),
    [
        (declaration(items=item(hs="77010000")), "hs_unknown", "items[1].hs_code"),
        (declaration(items=item(hs="99")), "hs_unknown", "items[1].hs_code"),
        (declaration(items=item(hs="headphon")), "hs_form", "items[1].hs_code"),
        (declaration(container="CSQU3054384"), "container_check", "transport_equipment[1].id"),
        (declaration(items=item(origin="Alfa")), "unknown_country", "items[1].origin"),
        (declaration().replace(">IMO9074729<", ">IMO9074720<"), "vessel_check", "means_id"),
        (
            declaration().replace("<ID>XC112233</ID></Declarant>", "<ID>GB 1</ID></Declarant>"),
            "eori_form",
            "declarant.id",
        ),
        (declaration().replace('<InvoiceAmount currencyID="EUR">', "<InvoiceAmount>"), "no_currency", "invoice_amount"),
        (
            declaration().replace('<InvoiceAmount currencyID="EUR">', "<InvoiceAmount currencyID='EURO'>"),
            "unknown_currency",
            "invoice_amount",
        ),
        (declaration(items=item(mass="99.999")), "net_over_gross", "items[1].net_mass_kg"),
        (declaration().replace("<GoodsItemQuantity>1<", "<GoodsItemQuantity>3<"), "items_count", "items_count"),
    ],
)
def test_a_warning_is_told_and_keeps_the_record(document: str, code: str, field: str) -> None:
    problem = problem_of(document)
    assert (problem.severity, problem.code, problem.field) == (Severity.WARNING, code, field)
    assert problem.line > 1
    assert declared(document)


OVERLONG = "9" * 20_001


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (declaration(items=item(origin=OVERLONG)), "items[1].origin"),
        (declaration(container=OVERLONG), "transport_equipment[1].id"),
        (declaration(items=item(hs=OVERLONG)), "items[1].hs_code"),
        (declaration(items=item().replace(">40<", f">{OVERLONG}<")), "items[1].procedure_current"),
    ],
)
def test_an_overlong_code_refuses_and_never_crashes(document: str, field: str) -> None:
    assert OVERLONG in document
    reading = read(document)
    assert reading.record is None
    assert [(problem.code, problem.field) for problem in reading.errors] == [("too_long", field)]


def test_net_mass_may_be_the_gross_mass_and_nothing_may_weigh_nothing() -> None:
    assert read(declaration(items=item(mass="100"))).problems == ()
    assert declared(declaration(items=item(mass="0"))).items[0].gross_mass_kg == 0


def test_empty_elements_say_nothing_and_are_no_values() -> None:
    document = declaration(items="", shipment="<Consignor/>").replace(">2500.00<", "><").replace(">20<", "> <")
    record = declared(document)
    assert (record.invoice_amount, record.consignment.packages_total, record.consignment.consignor) == (None,) * 3


def test_item_numbers_that_come_twice_are_told() -> None:
    document = declaration(items=item(1) + item(1)).replace("<GoodsItemQuantity>1<", "<GoodsItemQuantity>2<")
    assert problem_of(document).field == "items[2].item_no"


def test_a_whole_number_may_be_written_with_zeros() -> None:
    record = declared(declaration(items=item().replace(">20</Quan", ">20.00</Quan")))
    assert record.items[0].packages[0].quantity == 20


def test_an_item_without_a_number_takes_its_position() -> None:
    record = declared(declaration(items=item().replace("<SequenceNumeric>1</SequenceNumeric>", "", 1)))
    assert record.items[0].item_no == 1


def test_the_administrations_own_list_decides_on_six_digits() -> None:
    known = load_hs_list(b"8518.10;Microphones\n")
    (problem,) = read_wco_xml(declaration().encode(), hs_list=known).problems
    assert (problem.code, problem.severity) == ("hs_unknown", Severity.WARNING)
    assert "851830" in problem.message


BOMB = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ((BOMB + declaration(lrn="&b;")).encode(), "document_type"),
        ((BOMB + declaration()).encode("utf-16"), "document_type"),
        (('<!DOCTYPE d SYSTEM "file:///etc/passwd">' + declaration()).encode(), "document_type"),
        (("<?xml version='1.0' encoding='UTF-7'?>" + declaration()).encode(), "unknown_encoding"),
        (declaration(lrn="&undefined;").encode(), "not_well_formed"),
        (declaration()[:-20].encode(), "not_well_formed"),
        (declaration().encode() + b"\xff", "not_well_formed"),
        (declaration(lrn="caf\xe9").encode("latin-1"), "not_well_formed"),
        (b"", "not_well_formed"),
        (b"<?xml version='1.0' encoding='iso-8859-99'?><a/>", "not_well_formed"),
        (b"lrn;hs_code", "not_well_formed"),
        (b"<a>" * 300 + b"</a>" * 300, "not_well_formed"),
        (declaration(head="<a>" * 60 + "</a>" * 60).encode(), "too_deep"),
        (declaration(head="<a/>" * 10_001).encode(), "too_much_unread"),
        (declaration(items="<GovernmentAgencyGoodsItem/>" * 10_001).encode(), "too_many"),
        (b"<html/>", "not_a_declaration"),
        (f"<MetaData><Response>{declaration()}</Response></MetaData>".encode(), "not_a_declaration"),
        (f"<all>{declaration()}{declaration()}</all>".encode(), "several_declarations"),
    ],
)
def test_a_document_that_does_harm_or_is_none_is_refused(data: bytes, code: str) -> None:
    reading = read_wco_xml(data)
    (problem,) = reading.problems
    assert reading.record is None
    assert (problem.code, problem.severity) == (code, Severity.ERROR)


def test_a_response_is_called_by_its_name() -> None:
    problem = problem_of(f"<MetaData><Response>{declaration()}</Response></MetaData>")
    assert problem.message == "This is a Response, not a declaration"


def test_the_limit_of_size_holds() -> None:
    data = declaration().encode()
    assert read_wco_xml(data, limit_bytes=len(data)).record is not None
    assert read_wco_xml(data, limit_bytes=len(data) - 1).problems[0].code == "too_large"


def test_a_line_is_named_where_the_document_breaks() -> None:
    document = declaration().replace("</Declarant>", "</Declared>")
    line = next(number for number, text in enumerate(document.splitlines(), 1) if "</Declared>" in text)
    reading = read(document)
    assert reading.problems[0].line == line
    assert reading.line == line


def test_fields_of_another_format_and_odd_paths_are_passed_over_in_writing() -> None:
    unread = (
        Unread("Tax Rate", "7"),
        Unread("Declaration/no place", "x"),
        Unread("Declaration/A/@b c", "x"),
        Unread("Declaration", "x"),
        Unread("Declaration/A[3]", "third"),
    )
    written = write_wco_xml(Declaration("L1", unread=unread))
    again = read_wco_xml(written).record
    assert again is not None
    assert {(entry.path, entry.value) for entry in again.unread} == {
        ("Declaration/A", ""),
        ("Declaration/A[2]", "third"),
    }


def test_characters_that_xml_cannot_carry_are_refused_in_writing() -> None:
    with pytest.raises(WriteError):
        write_wco_xml(Declaration("L\x01"))


def test_a_value_never_overwrites_another_in_writing() -> None:
    record = Declaration("L1", unread=(Unread("Declaration/FunctionalReferenceID", "other"),))
    again = declared(write_wco_xml(record).decode())
    assert again.lrn == "L1"
    assert again.unread[0].value == "other"


@patient
@given(declarations())
def test_every_declaration_survives_xml(record: Declaration) -> None:
    assert read_wco_xml(write_wco_xml(record)).record == record


@patient
@given(manifests())
def test_every_manifest_survives_xml(record: Manifest) -> None:
    again = read_wco_xml(write_wco_xml(record)).record
    if record.consignments:
        assert again == record
    else:
        # Without consignments nothing tells a cargo report from a declaration.
        assert isinstance(again, Declaration)
        assert again.lrn == record.report_ref


@patient
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_garbage_never_crashes(data: bytes) -> None:
    reading = read_wco_xml(data)
    assert reading.record is None
    assert reading.errors


@patient
@given(st.integers(0, 6000), st.binary(min_size=1, max_size=8), st.integers(0, 400))
def test_a_damaged_document_never_crashes(place: int, noise: bytes, cut: int) -> None:
    data = declaration().encode()
    reading = read_wco_xml(data[:place] + noise + data[place + cut :])
    assert (reading.record is None) == bool(reading.errors)


@pytest.mark.shared
def test_real_declarations_import_and_come_back(shared_data: Path) -> None:
    read_back, refused = 0, set()
    files = sorted((shared_data / "wco_dm_cds" / "samples").rglob("*.xml"))
    for path in files:
        reading = read_wco_xml(path.read_bytes())
        if reading.record is None:
            refused.add(reading.problems[0].code)
            continue
        again = read_wco_xml(write_wco_xml(reading.record)).record
        assert again is not None, path
        assert settled(again) == settled(reading.record), path
        read_back += 1
    assert read_back == 152
    assert len(files) == 413
    # Notifications, inventory messages, and two files whose comments break XML.
    assert refused == {"not_a_declaration", "not_well_formed"}


def test_items_and_consignments_are_split_and_built_alike() -> None:
    goods = GoodsItem(1, HSCode("851830", "12AB"), procedure="4")
    record = Declaration("L1", consignment=Consignment(means_id="T1"), items=(goods,))
    assert read_wco_xml(write_wco_xml(record)).record == record
