"""What an address asks for, typed by anybody."""

from __future__ import annotations

from uuid import UUID

import pytest

from comity.console.asked import number_of, page_number, uuid_of, uuids_of

SOME = UUID("0192c0de-0000-7000-8000-000000000001")


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3), ("00002", 2), ("0", 0), ("", None), ("-1", None), ("1.5", None), ("٣", None), ("9" * 5000, None)],
)
def test_a_number_is_a_few_plain_digits(text: str, number: int | None) -> None:
    assert number_of(text) == number
    assert page_number(text) == (number or 1)


def test_what_is_no_id_names_nothing() -> None:
    assert uuid_of(str(SOME)) == SOME
    assert uuid_of("../etc") is None
    assert uuids_of(["x", str(SOME), ""]) == [SOME]
