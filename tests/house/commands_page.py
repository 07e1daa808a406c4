"""docs/guide/commands.md is written from the commands' own help: `python -m tests.house.commands_page`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from comity.node.command_table import COMMANDS
from comity.node.main import comity

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "commands.md"
_WIDTH = 100
_BEGINNING = """# Commands

Every command with its own help, as `comity COMMAND --help` prints it. Written by `python -m tests.house.commands_page`;
a test sees that it is current.

"""


def page() -> str:
    """The whole page."""
    parts = [f"## comity\n\n```text\n{_help(comity, 'comity', None)}\n```\n"]
    root = click.Context(comity, info_name="comity")
    for name in sorted(COMMANDS):
        command = comity.get_command(root, name)
        if command is not None:
            parts.extend(_sections(command, f"comity {name}", root, name))
    return _BEGINNING + "\n".join(parts)


def _sections(command: click.Command, title: str, parent: click.Context, name: str) -> Iterator[str]:
    yield f"## {title}\n\n```text\n{_help(command, name, parent)}\n```\n"
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name, parent=parent)
        for inner, each in sorted(command.commands.items()):
            yield f"### {title} {inner}\n\n```text\n{_help(each, inner, context)}\n```\n"


def _help(command: click.Command, name: str, parent: click.Context | None) -> str:
    context = click.Context(
        command, info_name=name, parent=parent, terminal_width=_WIDTH, help_option_names=["-h", "--help"]
    )
    return command.get_help(context)


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    PAGE.write_text(page())
