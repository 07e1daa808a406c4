"""Names matched: what counts as alike, what does not, and that each part is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.registers import EntryKind, Identifier, ListedName, WatchEntry
from comity.registers.matching import Screener, Subject, compare_names, plain_name
from comity.registers.matching.names import similarity, skeleton

pytestmark = pytest.mark.once


def entry(ref: str, *names: str, kind: EntryKind = EntryKind.PERSON, **more: object) -> WatchEntry:
    return WatchEntry(ref, kind, tuple(ListedName(name) for name in names), **more)  # type: ignore[arg-type]


LISTED = [
    entry("P1", "Orban Tavrosh Kelimdar", "اوربان تاوروش", birth_dates=("1971-05-28",), countries=("IR",)),
    entry("P2", "Mohammad Hussain Zarvani", identifiers=(Identifier("passport", "Q 7781234", "IR"),)),
    entry("C1", "Velmora Shipping Company Ltd (VSC)", kind=EntryKind.COMPANY),
    entry("C2", "Brintola Trading S.A. de C.V.", kind=EntryKind.COMPANY),
    entry("V1", "MV Gulden Mare", kind=EntryKind.VESSEL, identifiers=(Identifier("imo", "9321483"),)),
]


@pytest.fixture(scope="module")
def screener() -> Screener:
    return Screener(LISTED)


@pytest.mark.parametrize(
    ("text", "tokens", "forms"),
    [
        ("Brintola Trading, S.A. de C.V.", ("brintola", "trading"), {"corp"}),
        ("Acme Sp. z o.o.", ("acme",), {"llc"}),
        ("Dr. Saif al-Tikriti", ("saif", "tikriti"), set()),
        ("В. В. Орлов", ("v", "v", "orlov"), set()),
        ("Limited", ("limited",), set()),
        ("Bilal Sheikh", ("bilal", "sheikh"), set()),
        ("Sheikh Bilal", ("bilal",), set()),
        ("BILAL, Sheikh", ("bilal",), set()),
        ("Sons & Brothers Corporatoin", ("sons", "brothers"), {"inc"}),
        ("…", (), set()),
    ],
)
def test_plain_names(text, tokens, forms):
    plain = plain_name(text)
    assert plain.tokens == tokens
    assert plain.forms == forms


@pytest.mark.parametrize(
    ("ours", "theirs", "least", "most"),
    [
        ("mohammed", "muhammad", 0.8, 0.99),
        ("gaddafi", "qadhafi", 0.75, 0.99),
        ("kelimdar", "kelmidar", 0.8, 0.99),
        ("ahmad", "ahmadi", 0.0, 0.85),
        ("salma", "salim", 0.0, 0.65),
        ("shaheen", "susan", 0.0, 0.0),
        ("fatma", "fatimah", 0.8, 0.99),
        ("becker", "bukhoriy", 0.0, 0.8),
        ("2024", "2025", 0.0, 0.0),
        ("o", "orban", 0.8, 0.8),
        ("yun", "chi", 0.0, 0.0),
    ],
)
def test_words(ours, theirs, least, most):
    assert least <= similarity(ours, theirs) <= most


def test_skeletons_agree_across_ways_of_writing():
    assert skeleton("schukow") == skeleton("zhukov") == skeleton("joukov".replace("j", "zh"))


@pytest.mark.parametrize(
    ("name", "ref"),
    [
        ("ORBAN TAVROSH KELIMDAR", "P1"),
        ("Kelimdar, Orban Tavrosh", "P1"),
        ("Orban Tavrsh Kelimdar", "P1"),
        ("Orban Kelimdar", "P1"),
        ("O. Tavrosh Kelimdar", "P1"),
        ("تاوروش اوربان", "P1"),
        ("Орбан Таврош Келимдар", "P1"),
        ("Muhammed Husain Zarwani", "P2"),
        ("Velmora Shipping Co., Limited", "C1"),
        ("Vel Mora Shipping", "C1"),
        ("Brintola Trading SA de CV", "C2"),
    ],
)
def test_what_is_found(screener, name, ref):
    assert [match.entry.ref for match in screener.screen(Subject(name))] == [ref]


@pytest.mark.parametrize(
    "name", ["Mohammad Hussain", "Nordic Shipping Company Ltd", "Trading S.A.", "Gulden Mare", "Anna Smith", "", "—"]
)
def test_what_is_not_found(screener, name):
    assert screener.screen(Subject(name)) == []


def test_a_ship_is_found_by_name_or_number(screener):
    by_name = screener.screen(Subject("M/V GULDEN MARE", EntryKind.VESSEL))
    by_number = screener.screen(Subject("", EntryKind.VESSEL, identifiers=(Identifier("imo", "IMO 9321483"),)))
    assert [match.entry.ref for match in (*by_name, *by_number)] == ["V1", "V1"]
    assert by_number[0].agrees("identifier")


def test_what_stands_beside_the_name_moves_the_score(screener):
    def score(**beside: object) -> float:
        return screener.screen(Subject("Orban Tavrsh Kelimdar", **beside), threshold=0.3)[0].score  # type: ignore[arg-type]

    bare = score()
    assert score(birth_date="1971-05-28") >= score(country="IR") > bare
    assert score(birth_date="1940-01-01") < bare
    assert score(birth_date="1971-28-05") > bare, "day and month swapped is near"


def test_two_known_names_of_one_root_are_two_names():
    screener = Screener([entry("A", "Ali Ahmad"), entry("B", "Bilal")])
    assert screener.screen(Subject("Ali Ahmadi")) == []
    assert screener.screen(Subject("Bilal Sheikh")) == []
    assert [match.entry.ref for match in screener.screen(Subject("Aly Ahmad"))] == ["A"]


def test_a_lower_threshold_finds_the_same_and_more(screener):
    for name in ("Orban Tavrsh", "Muhammed Zarwani", "Velmora Ships", "Brintola Trade"):
        for subject in (Subject(name), Subject(name, country="IR", birth_date="1971-05-28")):
            every = screener.screen(subject, threshold=0.0)
            for threshold in (0.6, 0.7, 0.8, 0.9):
                assert screener.screen(subject, threshold=threshold) == [m for m in every if m.score >= threshold]


def test_a_number_agrees_whatever_the_name(screener):
    (match,) = screener.screen(Subject("Somebody Else", identifiers=(Identifier("trader", "IRQ7781234"),)))
    assert match.agrees("identifier")
    assert any(part.feature == "name" and part.verdict == "differs" for part in match.parts)


def test_each_part_is_told(screener):
    (match,) = screener.screen(Subject("Kelimdar Orban Tavrsh", country="IR"))
    assert [(part.feature, part.verdict) for part in match.parts] == [
        ("name", "near"),
        ("word order", "near"),
        ("country", "agrees"),
    ]
    assert match.score == pytest.approx(min(1.0, sum(part.effect for part in match.parts)), abs=0.001)


@given(st.text(max_size=60), st.text(max_size=60))
def test_comparing_is_bounded_and_even(ours, theirs):
    score = compare_names(plain_name(ours), plain_name(theirs), is_person=False)
    assert 0.0 <= score <= 1.0
    assert compare_names(plain_name(ours), plain_name(ours)) in {0.0, 1.0} or not plain_name(ours).tokens
