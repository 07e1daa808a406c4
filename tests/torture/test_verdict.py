"""The verdict can fail: each thing that might go wrong, done to the databases of a good run, turns it red."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.nest import ROOT
from tests.torture.mutants import MUTANTS
from tests.torture.trial import Trial, show_figures
from tests.torture.verdict import Verdict, judge

pytestmark = pytest.mark.slow


def test_a_good_run_is_called_good(small_run: tuple[Trial, Verdict]) -> None:
    trial, verdict = small_run
    assert verdict.is_good, verdict.problems
    assert show_figures(trial, verdict, "sqlite").startswith("torture: GOOD")
    assert judge(trial.root).is_good, "a second look says the same"


@pytest.mark.parametrize("mutant", sorted(MUTANTS))
def test_each_mutant_turns_it_red(small_run: tuple[Trial, Verdict], tmp_path: Path, mutant: str) -> None:
    trial, _ = small_run
    root = tmp_path / "mutant"
    shutil.copytree(trial.root, root)
    change, fault = MUTANTS[mutant]
    change(root / "XB")
    verdict = judge(root)
    assert fault in verdict.faults, verdict.faults
    assert not verdict.is_good
    assert f"BAD ({', '.join(f'{count} {name}' for name, count in verdict.faults.items())})" in show_figures(
        trial, verdict, "sqlite"
    )


def test_a_run_in_which_nothing_was_sent_is_not_good() -> None:
    assert not Verdict().is_good


@pytest.mark.long
def test_the_command_ends_with_the_figures(tmp_path: Path) -> None:
    words = ["--messages", "200", "--kills", "1", "--partitions", "1", "--nodes", "3", "--keep", str(tmp_path / "kept")]
    result = subprocess.run(
        [sys.executable, "-m", "tests.torture", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.strip().splitlines()[-1].startswith("torture: GOOD · 200 messages among 3 nodes on sqlite")
    again = subprocess.run(
        [sys.executable, "-m", "tests.torture.verdict", str(tmp_path / "kept")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0
    assert '"good": true' in again.stdout
