"""The guide and the glossary are true: routes, codes, settings and examples are those of the code."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from comity.agreements import parse_agreement
from comity.api.problems import STATUS_OF_CODE
from comity.api.sharing import ShareIn, alert_of
from comity.api.urls import api
from comity.exchange import LoadLimits
from comity.node.home import HomeSettings, Listener
from comity.trade import Declaration
from comity.trade.formats.delimited import read_csv, read_mapping

DOCS = Path(__file__).parents[2] / "docs"
API = (DOCS / "guide" / "api.md").read_text()
SETTINGS = (DOCS / "guide" / "settings.md").read_text()
FIRST_EXCHANGE = (DOCS / "guide" / "first-exchange.md").read_text()


def block(text: str, language: str, number: int = 0) -> str:
    """A fenced block of a page."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)[number]


def test_the_api_page_names_every_call_with_its_permission() -> None:
    for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items():
        for method, operation in methods.items():
            row = f"| `{method.upper()} {path}` | {operation['summary']} |"
            assert row in API, row
            permission = operation.get("x-comity-permission", "no token")
            stated = API.split(row)[1].splitlines()[0].replace("`", "")
            assert permission.replace("any valid token", "any token") in stated


def test_the_api_page_names_every_code_beside_its_status() -> None:
    for code, status in STATUS_OF_CODE.items():
        if status != 400:
            (row,) = [line for line in API.splitlines() if line.startswith(f"| {status} |")]
            assert f"`{code}`" in row, code


def test_the_settings_page_names_every_setting() -> None:
    example = tomllib.loads(block(SETTINGS, "toml"))
    assert set(example) == set(HomeSettings.__slots__) - {"load"}
    for limit in LoadLimits.__slots__:
        assert f"| `partners.{limit}` |" in SETTINGS
    assert set(example["console"]) == set(example["partners"]) == set(Listener.__slots__)
    for name in ("COMITY_HOME", "COMITY_DATABASE_URL", "COMITY_DEBUG", *(f"`{key}`" for key in ("name", "time_zone"))):
        assert name in SETTINGS


def test_the_agreement_of_the_first_exchange_is_one() -> None:
    agreement = parse_agreement(block(FIRST_EXCHANGE, "yaml").encode())
    assert agreement.parties == ("XA", "XC")


def test_the_table_of_the_first_exchange_imports() -> None:
    mapping = read_mapping(block(FIRST_EXCHANGE, "yaml", 1).encode())
    readings = list(read_csv(block(FIRST_EXCHANGE, "csv").encode(), mapping))
    assert [len(reading.problems) for reading in readings] == [0, 0]
    first = readings[0].record
    assert isinstance(first, Declaration)
    assert first.exporter is not None
    assert first.exporter.id == "XA190000001"


def test_the_alert_of_the_first_exchange_is_one() -> None:
    wish = ShareIn.model_validate(json.loads(block(FIRST_EXCHANGE, "json")))
    assert alert_of(wish.alert).subjects[0].id == "XA190000001"


@pytest.mark.parametrize("page", sorted((DOCS / "guide").glob("*.md")), ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).is_file(), target


def test_each_word_has_one_meaning() -> None:
    rows = re.findall(r"^\| ([^|]+?) \| [^|]+ \| [^|]+ \|$", (DOCS / "words.md").read_text(), re.MULTILINE)
    words = [word.strip() for row in rows if row not in {"word", "---"} for word in row.split(",")]
    assert len(words) > 80
    assert [word for word, count in Counter(words).items() if count > 1] == []
