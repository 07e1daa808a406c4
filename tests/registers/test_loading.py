"""Lists in the forms of their publishers: what is read, what is refused, and that nothing is half done."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, timedelta

import pytest

from comity.common import Actor, ActorKind
from comity.registers import (
    EntryKind,
    Identifier,
    ListFormat,
    ListFormError,
    ListSource,
    RegisterError,
    RegisterKind,
    ShrunkListError,
    TooManyBrokenError,
)
from comity.registers import selectors as reads
from comity.registers.screeners import _built, keep_ready, screener_in_force
from comity.registers.services import load_list, withdraw_list
from comity.registers.sources import read_list
from comity.registers.sources.words import country_code, date_text
from comity.registers.tables import read_table
from comity.staff import PermissionRefusedError
from comity.staff.models import AuditEntry
from tests.registers.lists import ADD, ALT, CONTROLS, EU, FTM, RIGHTS, ROUTES, SDN, SPECIES, TRADERS, UN

ANA = Actor(ActorKind.OFFICER, "ana", "XA", frozenset({"analyst"}))
BORIS = Actor(ActorKind.OFFICER, "boris", "XA", frozenset({"officer"}))


def source(form: ListFormat, data: bytes, code: str = "un") -> ListSource:
    return ListSource(code, form, "Publisher", ((f"{code}.x", data),))


def test_un():
    reading = read_list(ListFormat.UN, [("un.xml", UN)])
    person, firm = reading.entries
    assert (reading.dated, reading.broken) == (date(2026, 2, 27), ())
    assert [name.text for name in person.names] == [
        "ORBAN TAVROSH KELIMDAR",
        "اوربان تاوروش",
        "Orban Kelimdarov",
        "Tavrosh the Elder",
        "Zimbalo",
    ]
    assert [name.is_weak for name in person.names] == [False, False, False, False, True]
    assert person.birth_dates == ("1971-05-28", "1970", "1971", "1972")
    assert person.countries == ("IR",)
    assert person.identifiers == (Identifier("passport", "Q 7781234", "IR"),)
    assert (firm.kind, firm.countries) == (EntryKind.COMPANY, ("PA",))


def test_ofac():
    reading = read_list(ListFormat.OFAC, [("sdn.csv", SDN), ("ofac_alt.csv", ALT), ("add.csv", ADD), ("x.csv", b"?")])
    person, firm, ship = reading.entries
    assert [name.text for name in person.names] == ["KARZOVIN, Milan Petrushk", "KARZOVYN, Milan", "THE BAKER"]
    assert (person.birth_dates, person.countries) == (("1963-07-28",), ("RS",))
    assert person.program == "US TEST, OTHER"
    assert firm.identifiers == (Identifier("tax", "5567812345", "MX"),)
    assert firm.countries == ("MX",)
    assert ship.kind is EntryKind.VESSEL
    assert Identifier("imo", "9321483") in ship.identifiers


def test_ofac_in_a_zip():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("SDN.CSV", SDN)
        archive.writestr("ALT.CSV", ALT)
    assert len(read_list(ListFormat.OFAC, [("all.zip", packed.getvalue())]).entries) == 3


def test_eu():
    reading = read_list(ListFormat.EU, [("eu.xml", EU)])
    person, firm = reading.entries
    assert (reading.dated, person.name, firm.name) == (date(2026, 1, 15), "Dagmar Ostrelund", "Norvikstal AB")
    assert (person.kind, person.countries, person.birth_dates) == (EntryKind.PERSON, ("SE",), ("1980-02-03", "1980"))
    assert person.program == "EU TST 2026/1"


def test_followthemoney():
    reading = read_list(ListFormat.FTM, [("e.jsonl", FTM)])
    assert [entry.ref for entry in reading.entries] == ["q1", "q2"]
    assert reading.ignored == 1
    assert reading.entries[1].identifiers == (Identifier("imo", "9074729"),)


@pytest.mark.parametrize(
    ("form", "data"),
    [
        (ListFormat.UN, b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + UN[38:]),
        (ListFormat.UN, UN[:700]),
        (ListFormat.UN, EU),
        (ListFormat.EU, b""),
        (ListFormat.OFAC, b"\0\0\0"),
        (ListFormat.CSV, b"a,b"),
    ],
)
def test_another_file_is_refused(form, data):
    with pytest.raises(ListFormError):
        read_list(form, [("f", data)])


def test_broken_rows_are_told_with_line_and_reason():
    lines = [FTM.split(b"\n")[0], b"{not json", b'{"id":"z","schema":"Person","properties":{"name":["--"]}}', b"[]"]
    reading = read_list(ListFormat.FTM, [("e.jsonl", b"\n".join(lines))])
    assert [row.line for row in reading.broken] == [2, 4, 3] or [row.line for row in reading.broken] == [2, 3, 4]
    assert any("no letter" in row.reason for row in reading.broken)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("28 Jul 1963", "1963-07-28"),
        ("circa 1950", "1950"),
        ("May 1971", "1971-05"),
        ("1971-05-28T00:00Z", "1971-05-28"),
        ("soon", ""),
        ("12 Foo 1970", ""),
        ("1971-13", ""),
    ],
)
def test_dates(text, expected):
    assert date_text(text) == expected


def test_countries():
    assert [country_code(text) for text in ("Syrian Arab Republic", "iran", "DE", "Côte d’Ivoire", "Atlantis")] == [
        "SY",
        "IR",
        "DE",
        "CI",
        "",
    ]


@pytest.mark.parametrize(
    ("kind", "data", "refs"),
    [
        (RegisterKind.TRADERS, TRADERS, ["XA-4711", "XC-9000"]),
        (RegisterKind.CONTROLS, CONTROLS, ["C-1", "C-2"]),
        (RegisterKind.RIGHTS, RIGHTS, ["R-1"]),
        (RegisterKind.SPECIES, SPECIES, ["Panthera pardus 1", "Acipenser spp. 2"]),
        (RegisterKind.ROUTES, ROUTES, ["E-1", "E-2"]),
    ],
)
def test_registers_in_csv(kind, data, refs):
    table = read_table(kind, [("f.csv", data)])
    assert [row.ref for row in table.rows] == refs
    assert table.broken == ()


def test_a_missing_column_is_named():
    with pytest.raises(ListFormError, match="status, issuer"):
        read_table(RegisterKind.TRADERS, [("f.csv", b"number,name\n1,a\n")])


def test_a_broken_cell_is_told_with_its_line():
    table = read_table(
        RegisterKind.CONTROLS, [("f.csv", CONTROLS + b"C-3,64x,both,,licence,,T,Cl,,\nC-1,64,both,,licence,,T,C,,\n")]
    )
    assert [str(row) for row in table.broken] == [
        "line 4: '64x' is no HS code of 2, 4, 6, 8 or 10 digits",
        "line 5: its reference was used before in this file",
    ]


@pytest.mark.django_db
class TestLoad:
    def test_a_list_is_dated_and_in_force(self, at: datetime):
        made = load_list(ANA, source=source(ListFormat.UN, UN), at=at)
        assert (made.published_on, made.entries, made.is_current) == (date(2026, 2, 27), 2, True)
        assert reads.in_force() == [made]
        assert [entry.ref for entry, _ in reads.watch_entries(made.version_id)] == ["TSi.001", "TSe.001"]
        assert AuditEntry.objects.get(deed="load_register").subject == "register:un"

    def test_the_same_file_changes_nothing(self, at: datetime):
        first = load_list(ANA, source=source(ListFormat.UN, UN), at=at)
        assert load_list(ANA, source=source(ListFormat.UN, UN), at=at + timedelta(days=1)) == first
        assert AuditEntry.objects.filter(deed="load_register").count() == 1

    def test_a_new_version_takes_the_place_of_the_old(self, at: datetime):
        load_list(ANA, source=source(ListFormat.UN, UN), at=at)
        load_list(ANA, source=source(ListFormat.UN, UN.replace(b"ORBAN", b"URBAN")), at=at + timedelta(days=1))
        assert [version.is_current for version in reads.history("un")] == [True, False]
        assert reads.search_entries("un", "urban") == [("TSi.001", "URBAN TAVROSH KELIMDAR")]
        entry = reads.watch_entry("un", "TSi.001")
        assert entry is not None
        assert entry.name.startswith("URBAN")

    def test_a_file_with_many_broken_rows_is_refused_and_nothing_changes(self, at: datetime):
        before = load_list(ANA, source=source(ListFormat.FTM, FTM, "made"), at=at)
        with pytest.raises(TooManyBrokenError) as caught:
            load_list(ANA, source=source(ListFormat.FTM, FTM + b"\n{", "made"), at=at)
        assert caught.value.broken[0].startswith("line 4")
        assert reads.in_force() == [before]

    def test_few_broken_rows_are_left_out_and_kept_by_name(self, at: datetime):
        lines = b"\n".join(
            b'{"id":"n%d","schema":"Person","properties":{"name":["Person %d"]}}' % (n, n) for n in range(60)
        )
        made = load_list(ANA, source=source(ListFormat.FTM, lines + b"\n{", "made"), at=at)
        assert (made.entries, made.broken_count) == (60, 1)
        assert reads.version("made").broken[0].startswith("line 61")

    def test_a_list_cut_short_is_refused_unless_it_is_allowed(self, at: datetime):
        load_list(ANA, source=source(ListFormat.OFAC, SDN, "ofac"), at=at)
        short = source(ListFormat.OFAC, SDN.split(b"\r\n")[0], "ofac")
        with pytest.raises(ShrunkListError, match="--allow-smaller"):
            load_list(ANA, source=short, at=at)
        assert load_list(ANA, source=short, allow_smaller=True, at=at).entries == 1

    def test_a_code_stays_with_its_kind(self, at: datetime):
        load_list(ANA, source=source(ListFormat.UN, UN, "aeo"), at=at)
        other = ListSource("aeo", ListFormat.CSV, "P", (("a.csv", TRADERS),), kind=RegisterKind.TRADERS)
        with pytest.raises(RegisterError, match="another kind"):
            load_list(ANA, source=other, at=at)
        with pytest.raises(RegisterError, match="no code"):
            load_list(ANA, source=source(ListFormat.UN, UN, "No Code"), at=at)

    def test_only_who_manages_profiles_loads(self, at: datetime):
        with pytest.raises(PermissionRefusedError):
            load_list(BORIS, source=source(ListFormat.UN, UN), at=at)

    def test_a_list_is_withdrawn_with_a_reason(self, at: datetime):
        load_list(ANA, source=source(ListFormat.UN, UN), at=at)
        with pytest.raises(RegisterError, match="reason"):
            withdraw_list(ANA, code="un", reason=" ", at=at)
        withdraw_list(ANA, code="un", reason="The publisher took it back", at=at)
        assert reads.in_force() == []
        with pytest.raises(RegisterError, match="no such list"):
            reads.version("un")


@pytest.mark.django_db
def test_the_index_is_built_before_anything_is_screened(at: datetime) -> None:
    assert not keep_ready(at)
    load_list(ANA, source=source(ListFormat.UN, UN), at=at)
    _built.cache_clear()
    assert keep_ready(at)
    assert _built.cache_info().misses == 1
    assert screener_in_force() is not None
    assert _built.cache_info().misses == 1
    withdraw_list(ANA, code="un", reason="test", at=at)
    assert not keep_ready(at)
