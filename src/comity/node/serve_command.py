"""The command that runs the node."""

from __future__ import annotations

import click

from comity.cli.support import require_home
from comity.node.running import run_node


@click.command()
@click.option("--with-parent", is_flag=True, help="End also when standard input closes.")
def serve(*, with_parent: bool) -> None:
    """Run the node until Ctrl-C: the console, the API and the log on one port, partner nodes on the other.

    \b
    One process does everything: it serves pages, takes envelopes, delivers what is posted, imports what is dropped into
    the inbox folder, and does what falls due. It refuses to start while tables are older than this version.
    """
    require_home()
    run_node(with_parent=with_parent)
