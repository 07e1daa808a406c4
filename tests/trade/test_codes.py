"""Code lists: what exists passes, what does not is told, nothing is copied from a data set."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.trade import codes
from comity.trade.codes import HSListError, load_hs_list
from tests.trade.nouns import patient


@pytest.mark.parametrize("code", ["FR", "XI", "XK", "EU", "XA", "XZ", "QM", "AA", "ZZ"])
def test_countries_in_use_pass(code: str) -> None:
    assert codes.check_country(code) is None


@pytest.mark.parametrize("code", ["", "fr", "UK", "QL", "FRA", "É"])
def test_other_countries_are_told(code: str) -> None:
    problem = codes.check_country(code)
    assert problem is not None
    assert problem.code == "unknown_country"


def test_countries_have_names_in_languages() -> None:
    assert codes.country_name("DE") == "Germany"
    assert codes.country_name("DE", "fr") == "Allemagne"
    assert codes.country_name("XK", "fr") == "Kosovo"
    assert codes.country_name("XA", "fr") == "XA"
    assert codes.country_name("DE", "xx") == "Germany"


def test_currencies() -> None:
    assert codes.check_currency("EUR") is None
    assert codes.check_currency("EURO") is not None


@pytest.mark.parametrize("code", ["85", "8518", "851830", "85183000", "8518300020"])
def test_hs_codes_that_may_exist_pass(code: str) -> None:
    assert codes.check_hs(code) is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("00", "hs_unknown"),
        ("77", "hs_unknown"),
        ("98", "hs_unknown"),
        ("8520", "hs_unknown"),
        ("8550", "hs_unknown"),
        ("8500", "hs_unknown"),
        ("8", "hs_form"),
        ("851", "hs_form"),
        ("", "hs_form"),
        ("85.18", "hs_form"),
        ("٨٥", "hs_form"),
        ("1" * 24, "hs_form"),
    ],
)
def test_other_hs_codes_are_told(code: str, kind: str) -> None:
    problem = codes.check_hs(code)
    assert problem is not None
    assert problem.code == kind


def test_headings_exist() -> None:
    assert codes.heading_exists("8518")
    assert not codes.heading_exists("9800")
    assert not codes.heading_exists("7701")
    assert (codes.heading_exists("7413"), codes.heading_exists("7414")) == (True, False)
    # HS 2022 has 1,228 headings.
    assert sum(codes.heading_exists(f"{number:04}") for number in range(10_000)) == 1_228


@pytest.mark.shared
def test_the_table_of_headings_agrees_with_a_published_list(shared_data: Path) -> None:
    path = shared_data / "refdata" / "harmonized-system" / "data" / "harmonized-system.csv"
    with path.open(newline="") as source:
        published = {row["hscode"] for row in csv.DictReader(source) if len(row["hscode"]) == 4}
    ours = {f"{number:04}" for number in range(10_000) if codes.heading_exists(f"{number:04}")}
    assert ours == published - {"9999"}


@pytest.mark.shared
def test_a_published_list_loads(shared_data: Path) -> None:
    path = shared_data / "refdata" / "harmonized-system" / "data" / "harmonized-system.csv"
    known = load_hs_list(path.read_bytes())
    assert len(known) > 5_500
    assert codes.check_hs("851830", known) is None
    assert codes.check_hs("851831", known) is not None


def test_a_list_of_ones_own() -> None:
    known = load_hs_list(b'\xef\xbb\xbfsection,hscode\nI,010121,"Horses"\n"0102.21";x\r\n8518 30\n8518\n')
    assert known.subheadings == {"010121", "010221", "851830"}
    assert len(known) == 3
    assert codes.check_hs("0101", known) is None
    assert codes.check_hs("010129", known) is not None


@pytest.mark.parametrize("data", [b"", b"hscode\n", b"8518\n", b"x" * (16 * 1024 * 1024 + 1)])
def test_a_list_without_codes_is_refused(data: bytes) -> None:
    with pytest.raises(HSListError):
        load_hs_list(data)


@pytest.mark.parametrize("number", ["CSQU3054383", "csqu 305438-3", "AB12345", "TRAILER 7", ""])
def test_containers_and_other_equipment_pass(number: str) -> None:
    assert codes.check_container(number) is None


@pytest.mark.parametrize("number", ["CSQU3054384", "CSQU305438"])
def test_containers_that_fail_their_check_are_told(number: str) -> None:
    assert codes.check_container(number) is not None


def test_vessels() -> None:
    assert codes.check_vessel("IMO 9074729") is None
    assert codes.check_vessel("BRAVO STAR") is None
    assert codes.check_vessel("IMO9074720") is not None


def test_traders() -> None:
    assert codes.check_trader("DE1234567") is None
    assert codes.check_trader("7JD1S2X") is None
    assert codes.check_trader("DE") is not None
    assert codes.check_trader("GB12 34") is not None


@patient
@given(st.text(max_size=30))
def test_any_text_gets_an_answer(text: str) -> None:
    for check in (
        codes.check_country,
        codes.check_currency,
        codes.check_hs,
        codes.check_container,
        codes.check_vessel,
        codes.check_trader,
    ):
        problem = check(text)
        assert problem is None or problem.message
