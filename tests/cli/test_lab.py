"""`comity lab`: scenarios are read with errors that say the line and the remedy; shipped ones are played."""

from __future__ import annotations

from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest

from comity.cli.lab.play import _DEEDS
from comity.cli.lab.scenario import STEPS, ScenarioError, read_length, read_scenario
from tests.nest import run_comity

SHIPPED = sorted(
    each for each in (resources.files("comity.cli.lab") / "scenarios").iterdir() if each.name[-5:] == ".yaml"
)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.name)
def test_every_shipped_scenario_can_be_read(file: Path) -> None:
    scenario = read_scenario(file.read_text(encoding="utf-8"), name=file.name)
    assert scenario.title
    assert scenario.about
    assert any(step.name.startswith("expect") or step.name == "use_stolen_key" for step in scenario.steps)
    lines = file.read_text(encoding="utf-8").splitlines()
    for step in scenario.steps:
        assert step.name in lines[step.line - 1], "each step knows its line"


def test_the_seven_scenarios_are_there() -> None:
    assert [each.name for each in SHIPPED] == [
        "crash.yaml",
        "full-disk.yaml",
        "lying-partner.yaml",
        "quiet-day.yaml",
        "skewed-clock.yaml",
        "stolen-key.yaml",
        "three-day-partition.yaml",
    ]


def test_every_step_can_be_played_and_is_described() -> None:
    guide = (Path(__file__).resolve().parents[2] / "docs" / "guide" / "lab.md").read_text()
    assert set(_DEEDS) == set(STEPS)
    for name, words in STEPS.items():
        form = f"`{name}: {{{', '.join(words)}}}`" if words else f"`{name}`"
        assert form in guide, f"docs/guide/lab.md lacks {form}"


BEGIN = "title: T\nnodes: 3\nsteps:\n  - post: {from: XA, to: XB}\n"


@pytest.mark.parametrize(
    ("text", "line", "what", "remedy"),
    [
        ("title: [", 1, "This is no YAML", "Check indents"),
        ("just words", 1, "Here must stand names with values", "Write title, about, nodes and steps."),
        ("title: T\n", 1, "has no list of steps", "Write steps:"),
        ("title: T\nspeed: 3\nsteps: []\n", 2, "speed is no part", "Write title, about, nodes or steps."),
        ("title: T\nnodes: 40\nsteps: []\n", 2, "nodes is no number that fits", "Write 2 to 9."),
        (BEGIN + "  - explode: {node: XA}\n", 5, "There is no step explode", "Known are: post, partition"),
        (BEGIN + "  - post: {from: XA}\n", 5, "post lacks to", "`- post: {from: code, to: code, count: number}`"),
        (BEGIN + "  - kill: {node: XA, how: hard}\n", 5, "kill knows no how", "`- kill: {node: code}`"),
        (BEGIN + "  - kill: {node: XZ}\n", 5, "XZ is no node here", "Write one of XA, XB, XC."),
        (BEGIN + "  - wait: {seconds: long}\n", 5, "'long' is no number", "Write digits"),
        (BEGIN + "  - wait: {seconds: -1}\n", 5, "-1 is no number", "Write digits"),
        (BEGIN + "  - advance_clock: {by: soon}\n", 5, "'soon' is no length of time", "Write it as 3 days"),
        (BEGIN + "  - partition: {between: XA, and: XB, silent: 3}\n", 5, "3 is neither true nor false", "Write true"),
        (BEGIN + "  - kill: {node: XA}\n    heal:\n", 5, "A step is one thing, here are 2", "Begin each with a dash."),
        (BEGIN + "  - kill: {node: XA, node: XB}\n", 5, "node stands here twice", "Leave one of them out."),
        (BEGIN + "  - kill: XA\n", 5, "Here must stand names with values", "`- kill: {node: code}`"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_a_remedy(text: str, line: int, what: str, remedy: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(text, name="mine.yaml")
    assert caught.value.where == f"mine.yaml, line {line}"
    assert what in caught.value.what
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("3 days", timedelta(days=3)),
        ("-2 h", timedelta(hours=-2)),
        ("90 s", timedelta(seconds=90)),
        ("1.5 hours", timedelta(hours=1.5)),
        ("10min", timedelta(minutes=10)),
    ],
)
def test_lengths_of_time(text: str, length: timedelta) -> None:
    assert read_length(text) == length


def test_the_list_and_a_scenario_that_is_not_there(tmp_path: Path) -> None:
    listed = run_comity("lab", "--list", folder=tmp_path)
    assert listed.returncode == 0
    assert "three-day-partition" in listed.stdout
    missing = run_comity("lab", "--scenario", "doomsday", folder=tmp_path)
    assert missing.returncode == 1
    assert "There is no such scenario (doomsday)" in missing.stderr


@pytest.mark.long
@pytest.mark.slow
def test_a_scenario_that_does_not_come_true_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "nodes: 2\nsteps:\n  - post: {from: XA, to: XB, count: 2}\n  - expect_delivered\n  - expect_consistent\n"
        "  - expect_split_view: {at: XA, of: XB, within: 0}\n  - heal\n"
    )
    result = run_comity("lab", "--scenario", "mine.yaml", folder=tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "XA knows of no split view of XB" in result.stdout
    assert "2 messages, each where it belongs; 2 logs verify" in result.stdout
    assert "1 steps were not played" in result.stderr


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", [each.name.removesuffix(".yaml") for each in SHIPPED])
def test_the_shipped_scenarios_come_true(tmp_path: Path, name: str) -> None:
    result = run_comity("lab", "--scenario", name, folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
