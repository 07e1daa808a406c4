"""`comity risk forecast --own`: says what is missing, prints the forecast, writes it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from comity.cli import risk_forecasts, risk_learning
from comity.risk.outlook_rules import monday_before
from tests.risk.outlook_world import WEEKS, keep, past

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    answer = CliRunner().invoke(risk_learning.forecast, words, catch_exceptions=False)
    return answer.output


def test_the_node_s_own_forecast_is_printed_and_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(risk_forecasts, "require_home", lambda: None)
    assert run("--own", "--finding", "IP") == "nothing can be foretold yet: no records\n"
    monday = monday_before(risk_forecasts.now().date())
    known = past()
    keep(type(known)(monday - timedelta(weeks=WEEKS), known.weeks, known.routes))
    printed = run("--own", "--finding", "UV")
    assert printed.startswith("HEADING")
    assert "made afterwards:" in printed
    out = tmp_path / "forecast.csv"
    assert f"headings and routes into {out}" in run("--own", "--finding", "IP", "--out", str(out))
    lines = out.read_text().splitlines()
    assert lines[0].startswith("heading,origin,departure,declared,controlled,found,expected,low,high,all_expected")
    assert any(line.startswith("4202,CN,HK,") for line in lines)


def test_what_does_not_go_together_is_said() -> None:
    assert "The node forecasts 4 weeks, of IP or UV." in run("--own", "--finding", "MC")
    assert "Name --table, --administration and --out" in run("--finding", "IP")
