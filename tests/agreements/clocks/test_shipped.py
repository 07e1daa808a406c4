"""The clocks that ship are whole, and none claims more than was seen."""

from __future__ import annotations

import pytest
import yaml

from comity.agreements.clocks import ClockFormError, default_clock, default_clocks, read_clocks
from comity.agreements.clocks.shipped import FILE, MOST_BYTES

GOOD = {
    "name": "made.up",
    "title": {"en": "A clock", "fr": "Un délai"},
    "term": "5 working_days",
    "start": "request",
    "calendar": "asked",
    "source": "Nowhere",
    "tag": "M",
    "verified": False,
}


def written(*clocks: object) -> bytes:
    """The YAML of these clocks."""
    return yaml.safe_dump({"clocks": list(clocks)}).encode()


def test_every_instrument_has_its_clocks() -> None:
    """The terms of the instruments, as they are written there."""
    found: dict[str, list[str]] = {}
    for each in default_clocks():
        found.setdefault(each.spec.name.partition(".")[0], []).append(each.spec.term.text)
    assert {name: sorted(terms) for name, terms in found.items()} == {
        "aeo": ["24 hours"],
        "eu608": sorted(
            ["1 working_days"] * 3
            + ["10 working_days"] * 3
            + ["3 working_days", "4 working_days", "30 working_days", "1 years"]
        ),
        "origin": ["15 calendar_days", "30 calendar_days", "90 calendar_days"],
        "surveillance": ["5 hours"],
        "tfa12": ["90 calendar_days"],
        "trips50": ["20 working_days", "31 calendar_days"],
        "trips55": ["10 working_days"],
        "us1499": ["30 calendar_days", "5 calendar_days", "5 working_days"],
    }


def test_only_what_was_seen_is_verified() -> None:
    """Paraphrases and general knowledge ship as not verified; each has a source and two titles."""
    for each in default_clocks():
        assert each.spec.tag == "S" or not each.spec.is_verified
        assert each.spec.source
        assert each.title_in("en") != each.title_in("fr")
    assert default_clock("trips55.proceedings").spec.extendable == default_clock("trips55.proceedings").spec.term


def test_a_clock_that_does_not_ship() -> None:
    """The near one is named."""
    with pytest.raises(ClockFormError) as caught:
        default_clock("tfa12.anwser")
    assert caught.value.remedy == "Did you mean 'tfa12.answer'?"
    with pytest.raises(ClockFormError, match="zzz"):
        default_clock("zzz")


def test_clocks_are_sorted_and_whole() -> None:
    """A good file is read; the one that ships is far below the limit."""
    assert [each.spec.name for each in read_clocks(written(GOOD | {"name": "z.a"}, GOOD))] == ["made.up", "z.a"]
    assert FILE.stat().st_size < MOST_BYTES // 4


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"clocks: [", "no YAML"),
        (b"\xff", "no YAML"),
        (b"clocks: []", "must be a list"),
        (b"- 1", "must be a list"),
        (b" " * (MOST_BYTES + 1), "longer than"),
        (written(5), "has no name"),
        (written(GOOD | {"name": "Made Up"}), "has no name"),
        (written({key: value for key, value in GOOD.items() if key != "tag"}), "has no 'tag'"),
        (written(GOOD | {"colour": "red"}), "'colour' that nobody reads"),
        (written(GOOD | {"verified": "no"}), "verified is 'no'"),
        (written(GOOD | {"verified": True}), "verified but its tag is M"),
        (written(GOOD | {"term": 5}), "term is 5"),
        (written(GOOD | {"term": "5 weeks"}), "is no term"),
        (written(GOOD | {"start": "sometime"}), "start is 'sometime'"),
        (written(GOOD | {"title": {"en": "A clock"}}), "title is not in"),
        (written(GOOD | {"title": {"en": "A clock", "fr": ""}}), "not a text"),
        (written(GOOD, GOOD), "stands twice"),
    ],
)
def test_a_damaged_file_is_refused(data: bytes, words: str) -> None:
    """Each fault names the clock and the key."""
    with pytest.raises(ClockFormError, match=words):
        read_clocks(data)
