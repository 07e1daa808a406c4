"""`comity agreement to-cedar`: an agreement as policies for a second engine. Needs no node."""

from __future__ import annotations

from pathlib import Path

import click

from comity.agreements import parse_agreement
from comity.agreements.cedar import to_cedar
from comity.cli.agreements import agreement


@agreement.command("to-cedar")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file, not to the screen.")
def to_cedar_command(file: Path, out: Path | None) -> None:
    """Write the agreement in FILE as policies of the Cedar language, one for each article.

    Cedar answers allow or deny; near misses, which permit answers and the duties of the receiver stay behind. Needs no
    node.
    """
    policies = to_cedar(parse_agreement(file.read_bytes()))
    if out is None:
        click.echo(policies, nl=False)
    else:
        out.write_text(policies, encoding="utf-8")
