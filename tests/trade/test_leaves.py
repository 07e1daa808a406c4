"""Values of one field at their bounds: masses, counts, quantities, money, moments."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from comity.trade import Money, Quantity
from comity.trade.formats.leaves import (
    LeafError,
    count_of,
    mass_kg_of,
    moment_of,
    money_of,
    number_of,
    quantity_of,
    show_moment,
    text_of,
)


def refusal(convert: object, *text: str) -> str:
    assert callable(convert)
    with pytest.raises(LeafError) as caught:
        convert(*text)
    return caught.value.code


@pytest.mark.parametrize(
    ("text", "unit", "kilograms"),
    [
        ("12.50", "", "12.50"),
        ("12.50", "KGM", "12.50"),
        ("12.50", "kg", "12.50"),
        ("1.2", "TNE", "1200.0"),
        ("2500", "GRM", "2.500"),
        ("0", "KGM", "0"),
        ("9" * 20, "TNE", "9" * 20 + "000"),
    ],
)
def test_masses_are_in_kilograms_to_the_last_digit(text: str, unit: str, kilograms: str) -> None:
    assert str(mass_kg_of(text, unit)) == kilograms


def test_masses_that_are_none() -> None:
    assert refusal(mass_kg_of, "-0.001", "KGM") == "negative_mass"
    assert refusal(mass_kg_of, "1", "LBR") == "unknown_unit"
    assert refusal(mass_kg_of, "1,5", "KGM") == "not_a_number"
    assert refusal(mass_kg_of, "9" * 21, "KGM") == "not_a_number"


def test_counts_are_whole_and_below_what_others_would_round() -> None:
    assert (count_of("0"), count_of("12.00"), count_of(str(2**53))) == (0, 12, 2**53)
    assert refusal(count_of, str(2**53 + 1)) == "not_a_number"
    assert refusal(count_of, "12.5") == "not_a_number"
    assert refusal(count_of, "-1") == "negative_count"


def test_quantities_and_money_keep_their_digits() -> None:
    assert quantity_of("0.10", "NAR") == Quantity(Decimal("0.10"), "NAR")
    assert refusal(quantity_of, "-0.1", "NAR") == "negative_quantity"
    assert str(money_of("1234567890123456.78", "EUR").amount) == "1234567890123456.78"
    assert money_of("-5.00", "EUR") == Money(Decimal("-5.00"), "EUR")


@pytest.mark.parametrize("text", ["", " ", "1e3", "NaN", "Infinity", "0x10", "1_000", "--1", ".", "١٢"])
def test_what_is_no_number(text: str) -> None:
    assert refusal(number_of, text) == "not_a_number"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20260302", datetime(2026, 3, 2, tzinfo=UTC)),
        ("202603020930", datetime(2026, 3, 2, 9, 30, tzinfo=UTC)),
        ("20260302093015", datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)),
        ("20260302093015Z", datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)),
        ("20260302093015+02", datetime(2026, 3, 2, 7, 30, 15, tzinfo=UTC)),
        ("20260302093015-0530", datetime(2026, 3, 2, 15, 0, 15, tzinfo=UTC)),
        ("20260302-11:00", datetime(2026, 3, 2, 11, tzinfo=UTC)),
        ("20240229", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2026-03-02T09:30:00-05:00", datetime(2026, 3, 2, 14, 30, tzinfo=UTC)),
    ],
)
def test_moments_are_in_utc(text: str, moment: datetime) -> None:
    assert moment_of(text) == moment
    assert moment_of(show_moment(moment)[0]) == moment


@pytest.mark.parametrize("text", ["20260229", "20260301250000", "20260301+25", "00000101", "0001-01-01T00:00:00+01:00"])
def test_moments_that_no_calendar_has(text: str) -> None:
    assert refusal(moment_of, text) == "impossible_date"


def test_texts_are_bounded() -> None:
    assert len(text_of("x" * 20_000)) == 20_000
    assert refusal(text_of, "x" * 20_001) == "too_long"
    assert refusal(text_of, "a\x00b") == "bad_character"
