"""Assess a whole table of declarations at the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import click

from comity.cli.support import require_home
from comity.common import ComityError
from comity.registers import RegisterKind
from comity.registers.selectors import in_force, watch_entries
from comity.risk.bulk import BATCH_ROWS, Engine, Order, Progress, Summary, UsedList, UsedModel
from comity.risk.bulk.libraries import load
from comity.risk.bulk.lists import list_from, named_apart
from comity.risk.bulk.rules_file import read_rules
from comity.trade.facts import FACT_TYPES

_MAX_NAMED = 10
_NODE = "node"
# On no terminal so many names are a line.
_NAMES_TOLD = 10_000


@click.command()
@click.option(
    "--declarations",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="Facts in Parquet, one row a goods item: a file, or a folder of *.parquet.",
)
@click.option(
    "--rules",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Profiles in YAML: ref, expression, weight, lane.",
)
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="A new folder for the result."
)
@click.option(
    "--lists",
    multiple=True,
    help="Watch lists to screen against: un=FILE, ofac=FILE,FILE,FILE, eu=FILE, ftm=FILE; node: those in force here.",
)
@click.option("--model", type=click.Path(path_type=Path), help="A trained model to score every row with.")
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    help="What was known before, for the model: a node's histories.npz, or a folder of the benchmark's form.",
)
@click.option("--key", "keys", multiple=True, help="A column that names a row in the result. Default: lrn.")
@click.option(
    "--engine",
    type=click.Choice([engine.value for engine in Engine]),
    default=Engine.LOCAL.value,
    show_default=True,
    help="In this process, or on Spark or Sail.",
)
@click.option("--remote", default="", help="The Spark Connect server, sc://host:port. Default: a Sail of our own.")
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped; its finished parts are kept.")
@click.option("--batch-rows", type=click.IntRange(1, 10_000_000), default=BATCH_ROWS, show_default=True)
def assess(declarations: Path, rules: Path, out: Path, keys: tuple[str, ...], **options: object) -> None:
    """Run rules over a table of declarations, screen whom it names, score it with a model; without a node.

    Writes the folder OUT: part-*.parquet with a row for each hit of a rule (the keys and the rule),
    screened-*.parquet with a row for each hit of the screening (the keys, who, the entry, the score, the parts that
    agree), scored-*.parquet with chance and expected revenue of every row, summary.json, and manifest.json, which
    binds the run to its rules, lists, model and declarations.
    """
    order = Order(
        declarations=declarations,
        rules=read_rules(rules, FACT_TYPES),
        out=out,
        keys=keys or ("lrn",),
        engine=Engine(str(options["engine"])),
        is_resumed=bool(options["resume"]),
        batch_rows=int(str(options["batch_rows"])),
        remote=str(options["remote"]),
        lists=_lists(cast("tuple[str, ...]", options["lists"])),
        model=_model(cast("Path | None", options["model"]), cast("Path | None", options["history"])),
    )
    summary: Summary = load("comity.risk.bulk.running").run(order, tell=_Line().tell)
    _say(summary)


def _model(folder: Path | None, history: Path | None) -> UsedModel | None:
    if (folder is None) != (history is None):
        raise click.UsageError("--model and --history go together: a model is asked by what was known before.")
    return UsedModel(folder, history) if folder and history else None


def _lists(words: tuple[str, ...]) -> tuple[UsedList, ...]:
    """The lists that are named; those of the node as it has them in force."""
    found: list[UsedList] = []
    for word in words:
        found += _of_node() if word == _NODE else [list_from(word)]
    for used in found:
        if used.left_out:
            more = f" and {len(used.left_out) - 1} more" if len(used.left_out) > 1 else ""
            click.echo(f"{used.code}: left out {used.left_out[0]}{more}", err=True)
    return named_apart(found)


def _of_node() -> list[UsedList]:
    require_home()
    lists = [version for version in in_force() if version.kind is RegisterKind.WATCH_LIST]
    if not lists:
        raise ComityError("No watch list is in force", remedy="Load one with `comity registers load`.")
    return [
        UsedList(each.code, each.sha256, tuple(entry for entry, _ in watch_entries(each.version_id))) for each in lists
    ]


class _Line:
    """One line on standard error that grows; on no terminal a line for each part, and for each bucket of names."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty()
        self._told: tuple[int, int] = (-1, -1)

    def tell(self, progress: Progress) -> None:
        """Say how far the run is."""
        is_at_names = progress.names < progress.of_names
        text = _names_line(progress) if is_at_names else _rows_line(progress)
        told = (progress.names // _NAMES_TOLD, progress.part)
        if self._is_live:
            click.echo(f"\r{text:<78}", nl=not is_at_names and progress.part == progress.parts, err=True)
        elif told != self._told:
            self._told = told
            click.echo(text, err=True)


def _names_line(progress: Progress) -> str:
    share = progress.names / progress.of_names
    return f"{progress.names:,} of {progress.of_names:,} distinct names screened ({share:.0%})"


def _rows_line(progress: Progress) -> str:
    share = progress.rows / progress.of if progress.of else 1.0
    return (
        f"{progress.rows:,} of {progress.of:,} rows ({share:.0%}), {progress.hits:,} hits, "
        f"part {progress.part} of {progress.parts}"
    )


def _say(summary: Summary) -> None:
    fired = len(summary.hits_by_rule) - len(summary.never_fired)
    click.echo(f"{summary.rows:,} rows, {summary.hits:,} hits of {fired:,} of {len(summary.hits_by_rule):,} rules")
    if summary.never_fired:
        named = ", ".join(summary.never_fired[:_MAX_NAMED])
        more = f" and {len(summary.never_fired) - _MAX_NAMED} more" if len(summary.never_fired) > _MAX_NAMED else ""
        click.echo(f"never fired: {named}{more}")
    if summary.hits_by_list:
        hits = ", ".join(f"{count:,} hits of {code}" for code, count in summary.hits_by_list.items())
        click.echo(f"{summary.names:,} distinct names screened: {hits}")
    if summary.scored:
        click.echo(f"{summary.scored:,} rows scored by the model")
