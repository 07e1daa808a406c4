"""Learning at the terminal: the benchmark's protocol. The libraries are loaded when a command is called."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import click

from comity.cli.risk import risk
from comity.cli.support import say_table
from comity.common import ComityError


class LearningLibraryError(ComityError):
    """A library that learning needs is not installed, or the system lacks what it needs."""

    code = "no_learning_library"


def _learning(module: str) -> ModuleType:
    try:
        return importlib.import_module(f"comity.risk.prediction.{module}")
    except ImportError as error:
        raise LearningLibraryError(
            "A library that learning needs is not installed",
            where=error.name or str(error),
            remedy="Run `pip install 'comity[learning]'`.",
        ) from error
    except OSError as error:
        raise LearningLibraryError(
            "LightGBM cannot be loaded",
            where=str(error),
            remedy="It needs the system library libgomp1: `apt-get install libgomp1`.",
        ) from error


def _tell(text: str) -> None:
    click.echo(text, err=True)


@risk.command()
@click.option("--world", type=click.Path(path_type=Path), required=True, help="A folder of the benchmark's form.")
@click.option("--task", type=click.Choice(["T2", "T3"]), required=True, help="T2 ranking, T3 inspection policy.")
@click.option("--variant", type=click.Choice(["local", "exchange"]), required=True, help="With partners' data or not.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The CSV file to write.")
@click.option("--budget", type=click.Choice(["2", "5"]), default="5", show_default=True, help="T3: percent inspected.")
@click.option("--seed", type=click.IntRange(0, 999_999), default=1, show_default=True, help="Of trees and of chance.")
def benchmark(world: Path, task: str, variant: str, out: Path, **options: str) -> None:
    """Run the benchmark's protocol on a folder with imports.parquet, exports.parquet and tariff.csv.

    \b
    T2 writes declaration_id,score for weeks 52 to 77, fitted on weeks 0 to 51.
    T3 writes declaration_id,week of everything inspected, where only inspected outcomes are seen.
    """
    running = _learning("benchmark")
    chosen = _learning("features").Variant(variant)
    seed = int(options["seed"])
    if task == "T2":
        growth = _learning("heads").Growth(seed=seed)
        lines = running.run_ranking(world, chosen, out=out, growth=growth, tell=_tell)
    else:
        lines = running.run_policy(world, chosen, out=out, seed=seed, budget=float(options["budget"]), tell=_tell)
    say_table(lines[0], lines[1:])
