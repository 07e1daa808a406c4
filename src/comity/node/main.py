"""The `comity` command: its subcommands are loaded when they are called."""

from __future__ import annotations

import importlib
import os
import shlex
import sys
from pathlib import Path
from typing import TextIO

import click
import django
from django.db import DatabaseError

from comity import __version__
from comity.common import ComityError
from comity.node.command_table import COMMANDS, FURTHER


class Commands(click.Group):
    """Loads a subcommand after Django is set up, since the rooms' tables need it."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Every subcommand, in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """The subcommand of that name, or None."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].where.partition(":")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.node.settings")
        django.setup()
        command: click.Command = getattr(importlib.import_module(module), attribute)
        for further in FURTHER.get(name, ()):
            importlib.import_module(further)
        return command

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of subcommands, without loading any."""
        room = formatter.width - max(map(len, COMMANDS)) - 6
        rows = [
            (name, click.Command(name, help=COMMANDS[name].help).get_short_help_str(room)) for name in sorted(COMMANDS)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, context: click.Context) -> object:
        """Run the subcommand; an error that Comity raises on purpose is one line on standard error and exit 1."""
        try:
            return super().invoke(context)
        except ComityError as error:
            click.echo(f"comity: {error}", err=True)
            context.exit(1)
        except DatabaseError as error:
            click.echo(f"comity: The database refused: {error}. Nothing of this step was stored.", err=True)
            context.exit(1)


def _choose_home(_context: click.Context, _option: click.Parameter, home: Path | None) -> None:
    """Before the subcommand is loaded, since its settings are read from the home."""
    if home is not None:
        os.environ["COMITY_HOME"] = str(home.resolve())


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="comity")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    callback=_choose_home,
    expose_value=False,
    help="The node's folder. Default: the environment variable COMITY_HOME, else the present folder.",
)
def comity() -> None:
    """Run and use a Comity node.

    A node takes in declarations and intelligence, finds the consignments worth a look, shares what an agreement
    permits with the partners that it permits, acts on what they send, and can prove it later.

    \b
    To begin:
      comity init --administration XA     make a node in this folder
      comity officer add                  make an officer who can sign in
      comity serve                        run the node until Ctrl-C

    \b
    ENVIRONMENT
      COMITY_HOME           the node's folder
      COMITY_DATABASE_URL   postgresql://user:password@host:5432/name; default: SQLite in the home
      COMITY_TOKEN_PIN      the PIN of the token that holds keys, where no file has it
      COMITY_DEBUG          1 shows errors in full; never where others can reach the node

    \b
    EXIT STATUS
      0 done · 1 refused or failed, with one line that says what, where and what to do · 2 wrong usage
    """


@click.command()
@click.argument("file", type=click.File("r"), default="-")
def batch(file: TextIO) -> None:
    """Run several commands in one process, one a line, from FILE or standard input.

    Lines are split as a shell would; empty lines and lines that begin with # are passed over. Stops at the first
    command that fails, with its line number.
    """
    for number, line in enumerate(file, start=1):
        words = shlex.split(line, comments=True)
        if not words:
            continue
        code = comity.main(words, prog_name="comity", standalone_mode=False)
        if isinstance(code, int) and code:
            raise ComityError("A command of the batch failed", where=f"line {number}: {line.strip()}")


def main() -> None:
    """The console script. What it writes (database, evidence, bundles) is for the node's own user alone."""
    os.umask(0o077)
    sys.exit(comity.main(prog_name="comity", standalone_mode=True))


if __name__ == "__main__":
    main()
