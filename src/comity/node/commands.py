"""The commands of the node itself: init, migrate, status; `serve` stands apart, since it loads what runs."""

from __future__ import annotations

import click
from django.conf import settings

from comity.cli.support import now, require_home, say_table
from comity.node.birth import BirthWishes, create_node, migrate_database
from comity.node.home import current_home
from comity.node.standing import standing_of_node
from comity.node.token import PIN_VARIABLE


@click.command()
@click.option("--administration", required=True, metavar="XX", help="ISO 3166-1 alpha-2 code; XA to XZ are for trials.")
@click.option("--name", default="", help="What the administration is called. Default: Customs of XX.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--console-port", default=8100, show_default=True, help="Port for officers and programs.")
@click.option("--partners-port", default=8200, show_default=True, help="Port for partner nodes, with mutual TLS.")
@click.option("--console-url", default="", help="How officers reach the console. Default: from host and port.")
@click.option("--partners-url", default="", help="How partners reach this node. Default: from host and port.")
@click.option("--time-zone", default="UTC", show_default=True, help="Zone shown beside UTC, such as Africa/Lagos.")
@click.option("--pkcs11-module", default="", help="Make the signing and log keys in a token: its PKCS#11 library.")
@click.option("--pkcs11-token", default="", help="The token's label.")
@click.option("--pin-file", default="", help=f"A file with its PIN. Default: the environment variable {PIN_VARIABLE}.")
def init(**wishes: str | int) -> None:
    """Make a node in the home folder: settings, keys, certificates, database.

    The home is --home, else COMITY_HOME, else the present folder; it must be without a node. Private keys are written
    to keys/, readable by their owner only: back this folder up, it is the node's identity. With a token the signing key
    and those of the log are made in it and never leave it.
    """
    code = str(wishes["administration"]).upper()
    chosen = {**wishes, "administration": code, "name": wishes["name"] or f"Customs of {code}"}
    keyring = create_node(current_home(), BirthWishes(**chosen), at=now())  # type: ignore[arg-type]  # click checked
    click.echo(f"A node for {keyring.administration} ({keyring.name}) lives in {current_home().root}")
    click.echo(f"Key fingerprint, to read aloud to partners:\n  {keyring.key_document.fingerprint}")
    click.echo("Next: `comity officer add NAME --role administrator`, then `comity serve`.")


@click.command()
def migrate() -> None:
    """Bring the tables to what this version needs. Safe to repeat; do it after an update, before `comity serve`."""
    require_home()
    migrate_database()
    click.echo("The tables are as this version needs them.")


@click.command()
def status() -> None:
    """Say how the node stands: what waits, what is due, partners, the log. Exit 1 where something needs attention."""
    require_home()
    click.echo(f"{settings.COMITY_ADMINISTRATION} · {settings.COMITY_NAME} · {settings.COMITY_HOME}")
    standing = standing_of_node(at=now())
    say_table(("what", "state", "detail"), [(line.title, line.state, line.detail) for line in standing])
    if any(line.needs_attention for line in standing):
        raise click.exceptions.Exit(1)
