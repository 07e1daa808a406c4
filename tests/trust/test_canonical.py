"""One form for one value."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.trust import CanonicalFormError, canonical_json, sha256_hex
from tests.trust.strategies import json_values


def test_form() -> None:
    value = {"b": [1, True, None], "a": {"é": "x\n\u2028"}, "": ()}
    assert canonical_json(value) == '{"":[],"a":{"é":"x\\n\u2028"},"b":[1,true,null]}'.encode()


def test_any_mapping_will_do() -> None:
    assert canonical_json(MappingProxyType({"z": 1, "a": 2})) == b'{"a":2,"z":1}'


def test_hash() -> None:
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@given(json_values)
def test_reads_back_as_the_same_value(value: object) -> None:
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-9, 9)))
def test_order_of_members_does_not_matter(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))
    assert hashlib.sha256(canonical_json(value)).digest() == hashlib.sha256(canonical_json(turned)).digest()


@given(json_values)
def test_canonical_form_of_the_read_form_is_itself(value: object) -> None:
    first = canonical_json(value)
    assert canonical_json(json.loads(first)) == first


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"price": 1.5}, "$.price"),
        ([float("nan")], "$[0]"),
        ({"a": [{"b": Decimal(1)}]}, "$.a[0].b"),
        (b"bytes", "$"),
        ({"n": 2**53}, "$.n"),
        ({"n": -(2**53)}, "$.n"),
        ({1: "x"}, "$"),
        ({"half": "\ud800"}, "character"),
    ],
)
def test_refuses_what_has_no_one_form(value: object, place: str) -> None:
    with pytest.raises(CanonicalFormError) as refusal:
        canonical_json(value)
    assert place in refusal.value.where
    assert refusal.value.remedy


def test_refuses_endless_nesting() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(CanonicalFormError, match="64 levels"):
        canonical_json(value)


@pytest.mark.parametrize(("levels", "is_taken"), [(64, True), (65, False)])
def test_the_last_level_that_is_taken(levels: int, is_taken: bool) -> None:
    value: object = []
    for _ in range(levels - 1):
        value = [value]
    if is_taken:
        assert canonical_json(value) == b"[" * levels + b"]" * levels
    else:
        with pytest.raises(CanonicalFormError, match="64 levels"):
            canonical_json(value)
