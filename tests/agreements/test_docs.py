"""docs/agreements.md: its example works, and every word of the closed vocabularies stands in it."""

from __future__ import annotations

import re
from pathlib import Path

from comity.agreements import Engine, look_over, parse_agreement, read_cases, run_case
from comity.agreements.cases import CONDITIONS
from comity.agreements.values import Article
from comity.agreements.vocabulary import HANDLINGS, KINDS, PURPOSES, UseLimit
from tests.agreements.cast import demo

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "agreements.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def test_the_example_of_an_agreement_is_sound() -> None:
    remarks = look_over(parse_agreement(EXAMPLES[0].encode()))
    assert [remark.code for remark in remarks] == ["not_verified"]


def test_the_example_of_a_case_passes() -> None:
    (case,) = read_cases(EXAMPLES[1].encode()).cases
    assert run_case(Engine([demo()]), case).faults == ()


def test_every_word_is_documented() -> None:
    for word in (*KINDS, *PURPOSES, *HANDLINGS, *UseLimit, *CONDITIONS):
        assert f"`{word}`" in TEXT, word
    for field in Article.__slots__:
        assert f"`{field.removeprefix('is_')}`" in TEXT, field


def test_every_code_is_documented() -> None:
    room = Path(__file__).resolve().parents[2] / "src" / "comity" / "agreements"
    codes = set(re.findall(r'Reason\(\s*"([a-z_]+)"', "".join(path.read_text() for path in room.glob("*.py"))))
    codes |= set(re.findall(r'(?:article\.id|""), "([a-z_]+)"', (room / "lint.py").read_text()))
    assert len(codes) >= 10
    for code in codes - {"permitted"}:
        assert f"`{code}`" in TEXT, code
