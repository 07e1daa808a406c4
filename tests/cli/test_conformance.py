"""`comity conformance`: our own node keeps every step; a node that is wrong in one step is called wrong in that one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from comity.cli.demo.nodes import DemoNode, lay_out, wait_until_ready
from tests.cli.broken_node import MUTANTS
from tests.nest import ROOT, begin, outside, run_comity

pytestmark = pytest.mark.slow


@dataclass
class Foreign:
    """A node that is to be checked; wrong in one way where it is told so."""

    node: DemoNode
    folder: Path

    @property
    def words(self) -> list[str]:
        """What tells the command to check it."""
        url = f"https://127.0.0.1:{self.node.partners_port}"
        return ["conformance", url, "--invitation", str(self.folder / "theirs.json")]

    def check(self, mutant: str, *words: str) -> subprocess.CompletedProcess[str]:
        """One whole conversation, introduced as soon as the tester's invitation is there."""
        (self.node.home / "mutant").write_text("")
        ours = self.folder / "ours.json"
        ours.unlink(missing_ok=True)
        told = [*self.words, "--our-invitation", str(ours), "--wait", "60", *words]
        heard, said = os.pipe()
        with os.fdopen(heard) as asides:
            with os.fdopen(said, "wb") as errors:
                tester = begin("comity", *told, environment=outside(), errors=errors, folder=self.folder)
            assert tester.stdin is not None
            assert tester.stdout is not None
            try:
                fingerprint = [asides.readline() for _ in range(2)][1].strip()
                (self.node.home / "mutant").write_text(mutant)
                introduced = ("partner", "introduce", str(ours), "--fingerprint", fingerprint)
                run_comity(*introduced, folder=self.folder, environment=self.node.environment).check_returncode()
                with tester.stdin, tester.stdout as report:
                    out, err = report.read(), asides.read()
                return subprocess.CompletedProcess(told, tester.wait(120), out, err)
            finally:
                with suppress(ProcessLookupError):  # by now it has ended by itself, unless something went wrong
                    os.killpg(tester.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    folder = tmp_path_factory.mktemp("conformance")
    (node,) = lay_out(folder, [("XA", "Customs of Alfa")])
    ports = ("--console-port", str(node.console_port), "--partners-port", str(node.partners_port))
    for words in (("init", "--administration", "XA", *ports), ("partner", "invite", str(folder / "theirs.json"))):
        run_comity(*words, folder=folder, environment=node.environment).check_returncode()
    with node.log_path.open("wb") as trouble:
        serving = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.broken_node"],
            env={**node.environment, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stderr=trouble,
            start_new_session=True,
        )
    try:
        wait_until_ready(node, serving)
        yield Foreign(node, folder)
    finally:
        serving.communicate(timeout=30)


def test_our_own_node_keeps_every_step(foreign: Foreign) -> None:
    result = foreign.check("")
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["step", "what", "verdict", "seen"]
    assert lines[-1].startswith(f"{len(lines) - 2} checks, 0 wrong; ")
    assert "WRONG" not in result.stdout
    assert {line.split()[0] for line in lines[1:-1]} >= {"I1", "I2", "§6", *(f"R{number}" for number in range(1, 12))}


@pytest.mark.parametrize(
    ("number", "mutant"),
    [pytest.param(*each, marks=[] if each[0] < 2 else pytest.mark.long) for each in enumerate(sorted(MUTANTS))],
)
def test_each_mutant_turns_its_own_step_red(foreign: Foreign, number: int, mutant: str) -> None:
    code = f"Q{chr(ord('A') + number)}"  # each conversation is with a partner of its own
    result = foreign.check(mutant, "--json", "--as", code)
    assert result.returncode == 1, result.stdout + result.stderr
    said = json.loads(result.stdout)
    assert said["conforms"] is False
    wrong = [check for check in said["checks"] if not check["ok"]]
    assert {check["step"] for check in wrong} == {MUTANTS[mutant]}, wrong
    assert all(check["detail"] for check in said["checks"])


def test_a_node_that_never_lets_us_in_is_said(foreign: Foreign) -> None:
    result = run_comity(*foreign.words, "--as", "QY", "--wait", "0", folder=foreign.folder)
    assert result.returncode == 1
    assert "The node does not let us in" in result.stderr
