"""Learning at the terminal: the benchmark's protocol. The libraries are loaded when a command is called."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import click

from comity.cli.risk import risk
from comity.cli.risk_forecasts import KINDS_SHORT, say_own
from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.common import ComityError
from comity.risk.modelling.retraining import train_now
from comity.risk.outlook_rules import WEEKS_AHEAD


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


@risk.group()
def model() -> None:
    """Train models on tables of declarations, score and explain with them."""


@model.command("train")
@click.option("--table", type=click.Path(path_type=Path), help="A folder of the benchmark's form.")
@click.option("--own", is_flag=True, help="This node's own history instead; the model is put into the node.")
@click.option("--administration", default="", help="Of a table: whose declarations, as in the column dest.")
@click.option("--variant", type=click.Choice(["local", "exchange"]), default="local", show_default=True)
@click.option("--live", is_flag=True, help="As declarations arrive, not by whole weeks: so that a node can use it.")
@click.option("--out", type=click.Path(path_type=Path), help="Of a table: the folder to make.")
@click.option("--seed", type=click.IntRange(0, 999_999), default=1, show_default=True)
def train_command(table: Path | None, out: Path | None, *, own: bool, live: bool, **options: str) -> None:
    """Learn the chance of a find and the revenue to expect; write the model with its card and checksums.

    \b
      comity risk model train --own                                     from what this node holds
      comity risk model train --table DIR --administration XA --out DIR  from a table
    """
    if own:
        require_home()
        model_id = train_now(
            terminal_actor(), at=now(), seed=int(options["seed"]), tell=_tell, variant=options["variant"]
        )
        click.echo(f"{model_id} waits for approval by another officer")
        return
    if table is None or out is None or not options["administration"]:
        raise click.UsageError("Name --table, --administration and --out, or --own for this node's own history.")
    scored = _learning("scored")
    plan = scored.plan_of(options["administration"], options["variant"], int(options["seed"]), whole_weeks=not live)
    digest, card = scored.train_model(table, plan, out=out, tell=_tell)
    click.echo(card)
    click.echo(f"{out}: manifest {digest}")


@model.command("score")
@click.option("--table", type=click.Path(path_type=Path), required=True, help="A folder of the benchmark's form.")
@click.option("--model", "model_folder", type=click.Path(path_type=Path), required=True, help="A trained model.")
@click.option("--week", type=int, required=True, help="The week to score; its outcomes are not looked at.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The CSV file to write.")
def score_command(table: Path, model_folder: Path, *, week: int, out: Path) -> None:
    """Write chance, expected revenue and three reasons for each declaration of a week."""
    count = _learning("scored").score_week(table, model_folder, week=week, out=out, tell=_tell)
    click.echo(f"{count} declarations scored into {out}")


@risk.command()
@click.option("--table", type=click.Path(path_type=Path), help="A folder of the benchmark's form.")
@click.option(
    "--own", is_flag=True, help="This node's own forecast of the coming weeks instead; made now if it is due."
)
@click.option("--administration", default="", help="Of a table: whose declarations, as in the column dest.")
@click.option("--finding", required=True, help="UV, MC, OR, QT, IP, PR or ERR; --own: UV or IP.")
@click.option("--weeks", type=click.IntRange(1, 26), default=4, show_default=True, help="How many weeks ahead.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The CSV file to write.")
def forecast(table: Path | None, out: Path | None, *, own: bool, weeks: int, **options: str) -> None:
    """Write what to expect by heading and route in the coming weeks, with 90 % intervals.

    \b
      comity risk forecast --own --finding IP [--out FILE]          from what this node holds; libraries are not needed
      comity risk forecast --table DIR --administration XA \\
                           --finding IP --out FILE                  for the weeks after a table's last
    """
    if own:
        if weeks != WEEKS_AHEAD or options["finding"] not in KINDS_SHORT:
            raise click.UsageError(f"The node forecasts {WEEKS_AHEAD} weeks, of {' or '.join(KINDS_SHORT)}.")
        say_own(KINDS_SHORT[options["finding"]], out)
        return
    if table is None or out is None or not options["administration"]:
        raise click.UsageError("Name --table, --administration and --out, or --own for this node's own records.")
    count, held = _learning("scored").forecast(
        table, options["administration"], options["finding"], weeks=weeks, out=out
    )
    tried = f"{held.held:.1%} of {held.count} intervals held ({held.promised:.1%} promised)"
    tried = f"tried on the last {weeks} weeks, {tried if held.count else 'none expects enough to be judged'}"
    click.echo(f"{count} headings and routes into {out}; {tried}")
