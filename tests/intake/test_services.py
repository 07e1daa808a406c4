"""Arrivals: bytes kept once, records versioned, what is malformed refuses only itself."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import IntegrityError
from pytest_django import DjangoAssertNumQueries, Settings

from comity.common import Actor, ActorKind
from comity.intake import (
    ArrivalNotFoundError,
    KeyKind,
    Receipt,
    RecordKind,
    RecordNotFoundError,
    TooLargeError,
    selectors,
    services,
)
from comity.intake.models import Arrival, Record, RecordKey, Refusal
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from comity.trade import Declaration, Severity
from tests.intake.files import MAPPING, SYSTEM, zipped
from tests.trade.documents import declaration, item, manifest

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """A home without mappings and lists."""
    settings.COMITY_HOME = tmp_path
    (tmp_path / "mappings").mkdir()
    (tmp_path / "codes").mkdir()
    return tmp_path


def receive(data: bytes | str, at: datetime, *, name: str = "file", mapping: str | None = None) -> Receipt:
    raw = data if isinstance(data, bytes) else data.encode()
    return services.receive(SYSTEM, source="test", name=name, data=raw, mapping=mapping, at=at)


def test_a_declaration_arrives_and_is_found_again(at: datetime) -> None:
    data = declaration().encode()
    receipt = receive(data, at, name="one.xml")
    (ref,) = receipt.imported
    assert (ref.version, ref.kind, ref.reference) == (1, RecordKind.DECLARATION, "XC-2026-000001")
    stored = selectors.record(ref.record_id)
    assert stored.declaration is not None
    assert stored.manifest is None
    assert stored.declaration.items[0].description == "Wireless headphones & cases"
    assert (stored.ucr, stored.lodged_by, stored.received_at) == ("6XA900100-17", "XC112233", at)
    assert (stored.arrival.name, stored.arrival.source, stored.arrival.line) == ("one.xml", "test", 1)
    assert selectors.raw_bytes(receipt.arrival_id) == data
    assert selectors.arrival(str(receipt.arrival_id)) == selectors.arrivals()[0]
    assert (receipt.warned, receipt.refused, receipt.duplicates) == (0, (), 0)


def test_a_manifest_arrives(at: datetime) -> None:
    (ref,) = receive(manifest(), at).imported
    stored = selectors.record(str(ref.record_id))
    assert stored.kind is RecordKind.MANIFEST
    assert stored.manifest is not None
    assert stored.ucr == ""
    assert selectors.records_matching(KeyKind.UCR, "6XA900100-17")[0].record_id == ref.record_id


def test_an_import_is_one_deed(at: datetime) -> None:
    receipt = receive(declaration(), at)
    entry = AuditEntry.objects.get()
    assert (entry.deed, entry.subject) == ("import", f"arrival:{receipt.arrival_id}")
    assert (entry.facts["imported"], entry.facts["refused"]) == ("1", "0")


def test_without_the_permission_nothing_arrives(at: datetime) -> None:
    stranger = Actor(ActorKind.OFFICER, "ana", "XA", frozenset({"liaison"}))
    with pytest.raises(PermissionRefusedError):
        services.receive(stranger, source="", name="", data=b"", at=at)
    assert selectors.counts().arrivals == 0


def test_the_same_bytes_are_recognised(at: datetime) -> None:
    first = receive(declaration(), at)
    again = receive(declaration(), at + timedelta(hours=1), name="other.xml")
    assert (again.imported, again.duplicates, again.arrival_id) == ((), 1, first.arrival_id)
    inside = receive(zipped({"x.xml": declaration()}), at)
    assert (inside.imported, inside.duplicates) == ((), 1)
    counts = selectors.counts()
    assert (counts.arrivals, counts.records, counts.versions) == (2, 1, 1)


def test_other_content_under_the_same_reference_is_a_new_version(at: datetime) -> None:
    first = receive(declaration(), at).imported[0]
    later = at + timedelta(hours=1)
    second = receive(declaration(container="CSQU3054399"), later).imported[0]
    assert (second.record_id, second.version) == (first.record_id, 2)
    current = selectors.record(first.record_id)
    assert (current.version, current.is_current) == (2, True)
    old = selectors.record(first.record_id, version=1)
    assert (old.version, old.is_current) == (1, False)
    assert [entry.version for entry in selectors.versions("XC-2026-000001")] == [2, 1]
    assert [entry.version for entry in selectors.versions("XC-2026-000001", lodged_by="XC112233")] == [2, 1]
    assert [entry.version for entry in selectors.versions_of(first.record_id)] == [2, 1]
    assert selectors.records_matching(KeyKind.CONTAINER, "CSQU3054383") == []
    assert len(selectors.records_matching("container", "CSQU 3054399")) == 1


def test_a_stranger_with_the_same_reference_replaces_nothing(at: datetime) -> None:
    mine = receive(declaration(), at).imported[0]
    document = declaration().replace("<ID>XC112233</ID></Declarant>", "<ID>XC999</ID></Declarant>")
    other = receive(document, at).imported[0]
    assert other.record_id != mine.record_id
    assert selectors.record(mine.record_id).version == 1


def test_versions_within_one_file(at: datetime) -> None:
    files = {"a.xml": declaration(), "b.xml": declaration(container="CSQU3054399"), "c.xml": declaration()}
    receipt = receive(zipped(files), at)
    assert [ref.version for ref in receipt.imported] == [1, 2]
    assert receipt.duplicates == 1
    assert Record.objects.filter(is_current=True).count() == 1


def test_warnings_are_kept_with_the_record(at: datetime) -> None:
    receipt = receive(declaration(items=item(hs="77010000")), at)
    assert receipt.warned == 1
    (problem,) = selectors.record(receipt.imported[0].record_id).problems
    assert (problem.severity, problem.code, problem.field) == (Severity.WARNING, "hs_unknown", "items[1].hs_code")


def test_the_administrations_own_list_is_used_and_read_anew(at: datetime, home: Path) -> None:
    path = home / "codes" / "hs.csv"
    path.write_text("851830;Headphones\n")
    assert receive(declaration(), at).warned == 0
    path.write_text("010121;Horses and nothing else\n")
    assert receive(declaration(lrn="L2"), at).warned == 1


def test_a_refused_record_keeps_its_bytes_and_refuses_only_itself(at: datetime) -> None:
    text = "ref,who,hs,mass\nA,X,8518,1\nB,X,8518,-1\nC,X,8518,x\nD,X,8518,1\n"
    receipt = receive(text, at, name="day.csv", mapping=MAPPING)
    assert [ref.reference for ref in receipt.imported] == ["A", "D"]
    assert [str(note) for note in receipt.refused] == [
        "day.csv:3: [items[1].net_mass_kg] The mass -1 is negative",
        "day.csv:4: [items[1].net_mass_kg] 'x' is not a number",
    ]
    assert selectors.refusals(arrival_id=receipt.arrival_id) == list(receipt.refused)
    assert selectors.refused_bytes(receipt.arrival_id) == [b"B,X,8518,-1\n", b"C,X,8518,x\n"]
    assert selectors.record(receipt.imported[1].record_id).arrival.line == 5


def test_a_record_with_two_errors_is_one_refusal_with_two_reasons(at: datetime) -> None:
    receipt = receive("ref,hs,mass\nA,8518,-1\nA,8518,x\n", at, mapping=MAPPING.replace("  who: declarant.id\n", ""))
    assert len(receipt.refused) == 1
    assert [note.line for note in selectors.refusals()] == [2, 3]
    assert selectors.refused_bytes(receipt.arrival_id) == [b"A,8518,-1\nA,8518,x\n"]


def test_what_was_refused_is_read_again_when_it_is_sent_again(at: datetime, home: Path) -> None:
    text = "ref,who,hs,mass\nA,X,8518,1\n"
    receipt = receive(text, at)
    assert receipt.refused[0].code == "bad_mapping"
    (home / "mappings" / "own.yaml").write_text(MAPPING)
    again = receive(text, at)
    assert (again.arrival_id, len(again.imported), again.refused) == (receipt.arrival_id, 1, ())
    assert selectors.refusals() == []


def test_mappings_are_found_by_name_by_text_and_by_the_first_row(at: datetime, home: Path) -> None:
    (home / "mappings" / "a.yaml").write_text("columns: {other: lrn}")
    (home / "mappings" / "own.yaml").write_text(MAPPING)
    row = "ref,who,hs,mass\n{},X,8518,1\n"
    assert receive(row.format("A"), at).imported
    assert receive(row.format("B"), at, mapping="own").imported
    assert receive(row.format("C"), at, mapping=MAPPING).imported
    for wrong in ("none", "../own", "columns: {x: y}"):
        receipt = receive(row.format("D"), at, mapping=wrong)
        assert (receipt.imported, receipt.refused[0].code) == ((), "bad_mapping")


def test_a_zip_file_opens_and_names_its_members(at: datetime) -> None:
    files = {"good.xml": declaration(), "bad.xml": "<a>", "x.zip": zipped({"y": b"z"})}
    receipt = receive(zipped(files), at, name="z")
    assert [ref.reference for ref in receipt.imported] == ["XC-2026-000001"]
    assert selectors.record(receipt.imported[0].record_id).arrival.member == "good.xml"
    assert [(note.name, note.code) for note in receipt.refused] == [
        ("z!bad.xml", "not_well_formed"),
        ("z!x.zip", "bad_archive"),
    ]


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (b"", "unknown_type", "an empty file"),
        (b"  \n", "unknown_type", "an empty file"),
        (b"%PDF-1.7", "unknown_type", "a PDF document"),
        (b"UNB+UNOC:3", "unknown_type", "EDIFACT"),
        (b'{"lrn": 1}', "unknown_type", "JSON"),
        (gzip.compress(b"x", mtime=0), "unknown_type", "a gzip file"),
        (b"\x00\x01,\x02", "unknown_type", "unknown type"),
        (b"just words", "unknown_type", "unknown type"),
        (b"<html/>", "not_a_declaration", "html"),
        (zipped({"zeros": bytes(4 * 1024 * 1024)}), "bad_archive", "times its size"),
        (zipped({}), "bad_archive", "empty"),
    ],
)
def test_what_is_not_read_is_refused_clearly_and_kept(at: datetime, data: bytes, code: str, says: str) -> None:
    receipt = receive(data, at)
    (note,) = receipt.refused
    assert (note.code, note.line) == (code, 1)
    assert says in note.message
    assert selectors.raw_bytes(receipt.arrival_id) == data


def test_a_file_that_is_too_large_is_not_kept(at: datetime, settings: Settings) -> None:
    settings.COMITY_MAX_UPLOAD_BYTES = 100
    with pytest.raises(TooLargeError):
        receive(b"x" * 101, at)
    assert selectors.counts().arrivals == 0
    receive(b"x" * 100, at)
    assert selectors.counts().arrivals == 1


def test_a_zip_file_unpacks_to_four_times_the_limit_at_most(at: datetime, settings: Settings) -> None:
    settings.COMITY_MAX_UPLOAD_BYTES = 1000
    inside = {str(number): b" " * 1000 for number in range(4)}
    assert {note.code for note in receive(zipped(inside), at).refused} == {"unknown_type"}
    (note,) = receive(zipped({**inside, "4": b" "}), at).refused
    assert (note.code, "unpacks to" in note.message) == ("bad_archive", True)


def test_names_that_no_column_holds_are_made_to_fit(at: datetime) -> None:
    receipt = services.receive(SYSTEM, source="s\x00" * 300, name="n\udc80\x00" * 300, data=b"<a>", mapping=None, at=at)
    info = selectors.arrival(receipt.arrival_id)
    assert (len(info.source), len(info.name)) == (200, 255)


def test_all_of_a_file_or_nothing(at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_facts: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(services, "record_deed", broken)
    with pytest.raises(OSError, match="disk"):
        receive(declaration(), at)
    assert (Arrival.objects.count(), Record.objects.count(), RecordKey.objects.count()) == (0, 0, 0)


def test_a_race_for_the_same_reference_is_run_again(at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failures = services._known_versions, [services._TRIES - 1]

    def raced(arriving: object) -> object:
        if failures[0]:
            failures[0] -= 1
            raise IntegrityError("intake_ref_version")
        return real(arriving)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(services, "_known_versions", raced)
    assert len(receive(declaration(), at).imported) == 1
    failures[0] = services._TRIES
    with pytest.raises(IntegrityError):
        receive(declaration(lrn="L2"), at)


def test_many_records_take_few_questions(at: datetime, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    rows = "".join(f"R{number},X,8518,1\n" for number in range(1_200))
    with django_assert_max_num_queries(40):
        receipt = receive(f"ref,who,hs,mass\n{rows}", at, mapping=MAPPING)
    assert len(receipt.imported) == 1_200
    assert selectors.count_records() == 1_200


def test_lists_are_filtered(at: datetime) -> None:
    first = receive(declaration(), at)
    receive(manifest(), at + timedelta(hours=1))
    chosen = selectors.RecordFilter

    def found(chosen: selectors.RecordFilter) -> list[str]:
        return [record.reference for record in selectors.records(chosen)]

    assert [record.reference for record in selectors.records()] == ["XB-MAN-77", "XC-2026-000001"]
    assert [record.reference for record in selectors.records(limit=1, offset=1)] == ["XC-2026-000001"]
    assert found(chosen(kind=RecordKind.MANIFEST)) == ["XB-MAN-77"]
    assert found(chosen(source="test", text="2026-0000")) == ["XC-2026-000001"]
    assert found(chosen(text="Chipo trading")) == ["XB-MAN-77", "XC-2026-000001"]
    assert found(chosen(arrival_id=first.arrival_id)) == ["XC-2026-000001"]
    assert found(chosen(received_from=at + timedelta(minutes=1))) == ["XB-MAN-77"]
    assert found(chosen(received_until=at + timedelta(hours=1))) == ["XC-2026-000001"]
    assert found(chosen(received_from=at + timedelta(hours=1))) == ["XB-MAN-77"]
    assert found(chosen(source="elsewhere")) == []
    ids = [ref.record_id for ref in first.imported]
    assert set(selectors.records_by_id([*ids, uuid4()])) == set(ids)


def test_what_is_not_there_is_said(at: datetime) -> None:
    for unknown in (uuid4(), "no id at all"):
        with pytest.raises(RecordNotFoundError):
            selectors.record(unknown)
        with pytest.raises(ArrivalNotFoundError):
            selectors.raw_bytes(unknown)
        with pytest.raises(ArrivalNotFoundError):
            selectors.arrival(unknown)


def test_rows_name_themselves(at: datetime) -> None:
    receive(declaration(), at, name="one.xml")
    receive(b"<a>", at)
    assert str(Arrival.objects.get(name="one.xml")) == "one.xml"
    assert str(Record.objects.get()) == "declaration XC-2026-000001 v1"
    assert str(RecordKey.objects.get(kind="ucr")) == "ucr=6xa90010017"
    assert str(Refusal.objects.get()).endswith(":1 not_well_formed")


@pytest.mark.shared
def test_real_files_arrive(at: datetime, shared_data: Path) -> None:
    files = sorted((shared_data / "wco_dm_cds" / "samples").rglob("*.xml"))
    archive = zipped({str(path.relative_to(shared_data)): path.read_bytes() for path in files})
    receipt = receive(archive, at)
    assert len(receipt.imported) + receipt.duplicates == 152
    assert len(receipt.refused) == len(files) - 152
    for ref in receipt.imported:
        stored = selectors.record(ref.record_id, version=ref.version)
        assert isinstance(stored.content, Declaration)
