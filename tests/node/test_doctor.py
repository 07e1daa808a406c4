"""`comity doctor` on real nodes: one that answers, one that is dead; without a server too; a backup by passphrase."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from comity.cli.demo.nodes import DemoNode, command, serving
from comity.cli.demo.settling import settle
from tests.exchange.ports import free_ports

pytestmark = pytest.mark.slow


@pytest.fixture
def nodes(tmp_path: Path) -> list[DemoNode]:
    made = []
    for code in ("XA", "XB", "XC"):
        console, partners = free_ports(2)
        made.append(DemoNode(code, f"Customs of {code}", tmp_path / code.lower(), console, partners))
    settle(made)
    return made


def doctor(node: DemoNode, *words: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "comity", "doctor", "--json", *words],
        env=node.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.stdout, done.stderr
    return done.returncode, {each["title"]: each for each in json.loads(done.stdout)["checks"]}


@pytest.mark.long
def test_a_probe_goes_the_whole_road_and_a_dead_partner_is_named(nodes: list[DemoNode], tmp_path: Path) -> None:
    xa, xb, _ = nodes
    with serving([xb]):
        code, checks = doctor(xa)
        assert code == 1
        assert checks["ports"]["state"] == "attention"
        assert "receipt after" in checks["probe XB"]["detail"], "delivered by the command itself"
        assert checks["probe XB"]["state"] == "waiting"
        assert checks["file permissions"]["state"] == "ok"
        assert checks["integrity"]["state"] == "ok"
        with serving([xa]):
            code, checks = doctor(xa, "--wait", "60")
            assert code == 1, "XC is away"
            assert checks["ports"]["state"] == "ok"
            assert checks["probe XB"]["state"] == "ok", checks["probe XB"]
            assert "1 agreements" in checks["probe XB"]["detail"]
            assert checks["clock of XB"]["state"] == "ok"
            assert checks["certificate of XB"]["state"] in {"ok", "waiting"}
            assert checks["partner XC"]["state"] == "attention"
            assert "start its node" in checks["partner XC"]["remedy"]
            with urllib.request.urlopen(f"{xa.console_url}/metrics") as answer:
                families = {each.name: each for each in text_string_to_metric_families(answer.read().decode())}
            failures = {each.labels["partner"]: each.value for each in families["comity_partner_failures"].samples}
            assert failures["XB"] == 0
            assert failures["XC"] > 0
            assert families["comity_job_runs"].samples
            secret = tmp_path / "secret"
            secret.write_text("a passphrase of some length\n")
            file = tmp_path / "xa.age"
            command(xa, "backup", str(file), "--passphrase-file", str(secret))
            assert doctor(xa, "--no-probe")[1]["backup"]["state"] == "ok"
    (new,) = [DemoNode("XA", "", tmp_path / "new", xa.console_port, xa.partners_port)]
    new.home.mkdir()
    printed = command(new, "restore", str(file), "--passphrase-file", str(secret), "--new-log")
    assert "goes on under a new name" in printed
    assert "is sound" in printed
    assert command(new, "ledger", "verify")
    again = subprocess.run(
        [sys.executable, "-m", "comity", "restore", str(file), "--passphrase-file", str(secret)],
        env=new.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 1
    assert "not empty" in again.stderr
