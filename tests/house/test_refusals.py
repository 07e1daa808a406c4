"""Every code with which the code base refuses stands in the guide, with what to do; and the guide invents none."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.refusals import refusal_codes

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "refusals.md"
ROW = re.compile(r"^\| `([a-z_]+)` \| ([a-z, ]+) \| (.+) \| (.+) \|$", re.MULTILINE)


def test_every_code_is_explained_once() -> None:
    rows = ROW.findall(GUIDE.read_text())
    assert [code for code, *_ in rows] == sorted(refusal_codes())
    for code, of, meaning, remedy in rows:
        assert set(of.split(", ")) <= {"envelope", "message", "news of keys", "posting"}, code
        assert len(meaning) > 20, code
        assert len(remedy) > 20, code
