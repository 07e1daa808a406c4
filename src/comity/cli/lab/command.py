"""`comity lab`: stage, play, verdict."""

from __future__ import annotations

import random
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import click

from comity.cli.lab.play import Line, Player
from comity.cli.lab.scenario import MOST_NODES, Scenario, ScenarioError, read_scenario
from comity.cli.lab.stage import staged
from comity.cli.support import say_table

_SHIPPED = resources.files("comity.cli.lab") / "scenarios"


@click.command()
@click.option("--scenario", "name", default="quiet-day", show_default=True, help="A YAML file, or a name of --list.")
@click.option(
    "--nodes", type=click.IntRange(2, MOST_NODES), help="How many nodes. Default: what the scenario asks for."
)
@click.option("--list", "is_listing", is_flag=True, help="Say which scenarios come with Comity, and end.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Leave the homes of the nodes here.")
@click.option("--seed", default=1, show_default=True, help="Of what is drawn by lot.")
def lab(name: str, nodes: int | None, keep: Path | None, seed: int, *, is_listing: bool) -> None:
    """Start several real nodes on this machine and play a scenario on them: partitions, crashes, wrong clocks, lies.

    \b
      comity lab --list                              what there is to play
      comity lab --scenario three-day-partition      one of them
      comity lab --nodes 5 --scenario mine.yaml      your own; docs/guide/lab.md says how to write it

    Every node is a process of its own with its own home, database, keys, clock and ports; the links between them go
    through a proxy that can cut them. Nothing is simulated. Every process that was started ends with the command.

    \b
    Exit status: 0 when everything was as the scenario expects, 1 when something was not.
    """
    if is_listing:
        say_table(("name", "what is played"), [(each, _shipped(each).title) for each in _names()])
        return
    scenario = _load(name)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with _root(keep) as root:
        count = max(nodes or 0, scenario.nodes)
        click.echo(f"{scenario.title}: making {count} nodes")
        with staged(root, count) as stage:
            lines = Player(stage, random.Random(seed), click.echo).play(scenario)  # noqa: S311  # who posts, no secret
    _say(scenario, lines)


def _say(scenario: Scenario, lines: list[Line]) -> None:
    click.echo()
    rows = [(str(each.step.line), each.step.name, "ok" if each.is_ok else "WRONG", each.detail) for each in lines]
    say_table(("line", "step", "verdict", "seen"), rows)
    if all(each.is_ok for each in lines):
        click.echo(f"All {len(lines)} steps are as {scenario.title} expects.")
        return
    click.echo(f"{len(scenario.steps) - len(lines)} steps were not played.", err=True)
    raise click.exceptions.Exit(1)


def _load(name: str) -> Scenario:
    path = Path(name)
    if path.suffix in {".yaml", ".yml"}:
        try:
            return read_scenario(path.read_text(encoding="utf-8"), name=path.name)
        except (OSError, UnicodeDecodeError) as error:
            raise ScenarioError("The scenario cannot be read", where=f"{path}: {error}") from error
    if name not in _names():
        raise ScenarioError("There is no such scenario", where=name, remedy="Give a .yaml file or a name of --list.")
    return _shipped(name)


def _shipped(name: str) -> Scenario:
    return read_scenario((_SHIPPED / f"{name}.yaml").read_text(encoding="utf-8"), name=f"{name}.yaml")


def _names() -> list[str]:
    return sorted(each.name.removesuffix(".yaml") for each in _SHIPPED.iterdir() if each.name.endswith(".yaml"))


@contextmanager
def _root(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="comity-lab-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)
        return
    if keep.exists() and any(keep.iterdir()):
        raise ScenarioError("The folder is not empty", where=str(keep), remedy="Give an empty or a new one.")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep.resolve()
