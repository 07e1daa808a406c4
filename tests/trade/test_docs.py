"""The paper on formats names every field, and its example is a mapping."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from comity.trade.formats.delimited import read_mapping
from comity.trade.formats.delimited.fields import DECLARATION_FIELDS, MANIFEST_FIELDS

PAPER = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()


@pytest.mark.parametrize(
    "group", sorted({field.group for field in [*DECLARATION_FIELDS.values(), *MANIFEST_FIELDS.values()]})
)
def test_every_field_is_named(group: str) -> None:
    assert f"`{group}`" in PAPER


@pytest.mark.parametrize("key", sorted({field.key for field in DECLARATION_FIELDS.values() if field.key}))
def test_every_part_of_a_value_is_named(key: str) -> None:
    assert f"`{key}`" in PAPER


def test_the_example_is_a_mapping() -> None:
    match = re.search(r"```yaml\n(.*?)```", PAPER, re.DOTALL)
    assert match is not None
    assert read_mapping(match[1].encode()).name == "national"
