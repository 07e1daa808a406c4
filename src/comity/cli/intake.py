"""`comity import`: files and folders taken in from the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from django.conf import settings

from comity.cli.support import now, terminal_actor
from comity.common import Actor, ComityError
from comity.intake import Receipt
from comity.journeys.arrive import arrive


@dataclass(slots=True)
class _Totals:
    """What the command came to so far. lost: files that could not be read or kept."""

    imported: int = 0
    warned: int = 0
    refused: int = 0
    known: int = 0
    lost: int = 0


@click.command("import")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--mapping", default=None, help="Column mapping for CSV: a YAML file, or the name of one in mappings/.")
@click.option("--source", default="terminal", show_default=True, help="Where the files come from; kept with them.")
def import_command(paths: tuple[Path, ...], *, mapping: str | None, source: str) -> None:
    """Take in declarations and manifests from files, or from every file in a folder and below.

    WCO Data Model XML, CSV with a column mapping, and zip files of them are recognised by their content. Each record
    that is refused is named with its file, line and field; its bytes are kept all the same. The last line says how
    many records were imported, how many of these with warnings, and how many were refused. The exit status is 0 when
    nothing was lost, and 1 when a file could not be read or kept.
    """
    actor, chosen, totals = terminal_actor(), _mapping_of(mapping), _Totals()
    for path, name in _files(paths):
        _import_file(actor, path, name, (source, chosen), totals)
    if totals.known:
        click.echo(f"{totals.known} were known already")
    click.echo(f"{totals.imported} imported, {totals.warned} warned, {totals.refused} refused")
    if totals.lost:
        sys.exit(1)


def _import_file(actor: Actor, path: Path, name: str, how: tuple[str, str | None], totals: _Totals) -> None:
    source, mapping = how
    try:
        if path.stat().st_size > settings.COMITY_MAX_UPLOAD_BYTES:
            raise ComityError(
                f"larger than the {settings.COMITY_MAX_UPLOAD_BYTES} bytes that this node accepts",
                remedy="Send it in parts.",
            )
        receipt = arrive(actor, source=source, name=name, data=path.read_bytes(), mapping=mapping, at=now())
    except (OSError, ComityError) as error:
        totals.lost += 1
        click.echo(f"not kept: {name}: {error}", err=True)
        return
    _count(receipt, totals)


def _count(receipt: Receipt, totals: _Totals) -> None:
    totals.imported += len(receipt.imported)
    totals.warned += receipt.warned
    totals.refused += len(receipt.refused)
    totals.known += receipt.duplicates
    for note in receipt.refused:
        click.echo(f"refused: {note}")


def _files(paths: tuple[Path, ...]) -> Iterator[tuple[Path, str]]:
    """Each file and the name that it is kept under; hidden files are passed over."""
    for given in paths:
        if not given.is_dir():
            yield given, given.name
            continue
        for path in sorted(given.rglob("*")):
            inside = path.relative_to(given)
            if path.is_file() and not any(part.startswith(".") for part in inside.parts):
                yield path, str(inside)


def _mapping_of(mapping: str | None) -> str | None:
    """The text of a mapping file, or the name of a mapping as it was given."""
    if mapping is None or not Path(mapping).is_file():
        return mapping
    try:
        return Path(mapping).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ComityError("The column mapping cannot be read", where=f"{mapping}: {error}") from error
