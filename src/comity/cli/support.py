"""What every command shares: who stands at the terminal, and that a node must live here."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click
from django.conf import settings

from comity.common import Actor, ActorKind, ComityError, utc_now
from comity.staff.rules import Role

NO_HOME = "ZZ"


class NoHomeError(ComityError):
    """A command that needs a node was called where none lives."""

    code = "no_home"


def require_home() -> Path:
    """The home of the node that the command works on.

    Raises: NoHomeError where `comity init` has not been.
    """
    if settings.COMITY_ADMINISTRATION == NO_HOME:
        raise NoHomeError(
            "No node lives here",
            where=str(settings.COMITY_HOME),
            remedy="Run `comity init --administration XX` first, or set COMITY_HOME to the node's folder.",
        )
    return Path(settings.COMITY_HOME)


def terminal_actor() -> Actor:
    """Whoever has the machine's terminal has every role; the audit names the user of the machine."""
    require_home()
    return Actor(
        kind=ActorKind.SYSTEM,
        id=f"terminal:{getpass.getuser()}",
        administration=settings.COMITY_ADMINISTRATION,
        roles=frozenset(role.value for role in Role),
    )


def now() -> datetime:
    """The time of the command."""
    return utc_now()


def say_table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print columns as wide as their widest cell."""
    widths = [max(len(row[column]) for row in [headings, *rows]) for column in range(len(headings))]
    for row in [headings, *rows]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
