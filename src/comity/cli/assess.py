"""Assess a whole table of declarations at the terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from comity.risk.bulk import BATCH_ROWS, Engine, Order, Progress, Summary
from comity.risk.bulk.libraries import load
from comity.risk.bulk.rules_file import read_rules
from comity.trade.facts import FACT_TYPES

_MAX_NAMED = 10


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
    """Run rules over a table of declarations, without a node.

    Writes the folder OUT: part-*.parquet with a row for each hit (the keys and the rule), summary.json, and
    manifest.json, which binds the run to its rules and its declarations.
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
    )
    summary: Summary = load("comity.risk.bulk.running").run(order, tell=_Line().tell)
    _say(summary)


class _Line:
    """One line on standard error that grows; on no terminal a line for each part."""

    def __init__(self) -> None:
        self._is_live = sys.stderr.isatty()
        self._parts = -1

    def tell(self, progress: Progress) -> None:
        """Say how far the run is."""
        share = progress.rows / progress.of if progress.of else 1.0
        text = (
            f"{progress.rows:,} of {progress.of:,} rows ({share:.0%}), {progress.hits:,} hits, "
            f"part {progress.part} of {progress.parts}"
        )
        if self._is_live:
            click.echo(f"\r{text}", nl=progress.rows == progress.of, err=True)
        elif progress.part != self._parts:
            self._parts = progress.part
            click.echo(text, err=True)


def _say(summary: Summary) -> None:
    fired = len(summary.hits_by_rule) - len(summary.never_fired)
    click.echo(f"{summary.rows:,} rows, {summary.hits:,} hits of {fired:,} of {len(summary.hits_by_rule):,} rules")
    if summary.never_fired:
        named = ", ".join(summary.never_fired[:_MAX_NAMED])
        more = f" and {len(summary.never_fired) - _MAX_NAMED} more" if len(summary.never_fired) > _MAX_NAMED else ""
        click.echo(f"never fired: {named}{more}")
