"""What must be documented is: commands, settings, message kinds, routes, decisions; and what documents say is there."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from comity.node.birth import BirthWishes, _settings_text
from comity.node.command_table import COMMANDS
from comity.node.main import comity
from comity.node.wiring import JOURNEYS, VALIDATORS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
EVERY_DOCUMENT = [path for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")] if path.is_file()]
ALL_TEXT = "\n".join(path.read_text() for path in EVERY_DOCUMENT)
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)]*)?\)")
COMMAND_LINE = re.compile(r"^(?:\$ )?(comity(?: [^\s`]+)+)", re.MULTILINE)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_documented_and_explains_itself(name: str) -> None:
    command = comity.get_command(click.Context(comity), name)
    assert command is not None
    assert command.help, f"comity {name} says nothing about itself"
    assert COMMANDS[name].help == command.get_short_help_str(limit=len(command.help)), f"`comity --help` on {name}"
    assert f"comity {name}" in ALL_TEXT, f"comity {name} stands in no document"
    for inner in getattr(command, "commands", {}).values():
        assert inner.help, f"comity {name} {inner.name} says nothing about itself"


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", *sorted((DOCS / "guide").glob("*.md"))], ids=lambda path: path.name
)
def test_every_command_line_in_the_guides_can_be_parsed(path: Path) -> None:
    for block in re.findall(r"```(?:sh|bash|console|text)?\n(.*?)```", path.read_text(), re.DOTALL):
        for line in COMMAND_LINE.findall(block.replace("\\\n", " ")):
            words = shlex.split(line.split(" #")[0].split(" <")[0].split(" >")[0].split(" |")[0], comments=True)[1:]
            _parse(words)


def test_the_index_names_every_guide() -> None:
    guides = {path.name for path in (DOCS / "guide").glob("*.md")} - {"README.md"}
    rows = re.findall(r"^\| \[(.+)\]\(\1\) \| \S", (DOCS / "guide" / "README.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(guides)


def _parse(words: list[str]) -> None:
    """Find the command that the words name and see that it has the options that they use."""
    command: click.Command = comity
    context = click.Context(comity)
    while isinstance(command, click.Group):
        while words and words[0].startswith("-"):
            if words[0] in {"-h", "--help"}:
                return
            assert any(words[0] in option.opts for option in command.params), words
            words = words[1 if words[0] == "--version" else 2 :]
        if not words:
            return
        inner = command.get_command(context, words[0])
        assert inner is not None, f"there is no command {words[0]}"
        command, words = inner, words[1:]
    known = {name for option in command.params for name in [*option.opts, *option.secondary_opts]} | {"-h", "--help"}
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in known, f"{command.name} has no option {word}"


def test_every_setting_is_documented() -> None:
    settings = (DOCS / "guide" / "settings.md").read_text()
    table = tomllib.loads(_settings_text(BirthWishes("XA", "Customs of Alfa"), "https://127.0.0.1:8200"))
    for name, value in table.items():
        assert f"`{name}`" in settings or f"[{name}]" in settings
        for inner in value if isinstance(value, dict) else ():
            assert inner in settings
    for name in ("COMITY_HOME", "COMITY_DATABASE_URL", "COMITY_DEBUG"):
        assert name in settings


def test_every_message_kind_has_a_journey_a_validator_and_a_schema() -> None:
    assert set(JOURNEYS) == set(VALIDATORS)
    published = {path.stem.removesuffix(".schema").replace("-", "/") for path in (DOCS / "schemas").glob("*.json")}
    assert set(JOURNEYS) <= published
    for kind in JOURNEYS:
        assert kind in ALL_TEXT


def test_every_route_says_what_it_is_for() -> None:
    schema = json.loads((DOCS / "openapi.json").read_text())
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), f"{method} {path}"


def test_decisions_are_numbered_once_and_without_holes() -> None:
    numbers = sorted(int(path.name[:4]) for path in (DOCS / "decisions").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("path", EVERY_DOCUMENT, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_inside_the_project_lead_somewhere(path: Path) -> None:
    for target, _ in LINK.findall(path.read_text()):
        if "://" not in target and not target.startswith("mailto:"):
            assert (path.parent / target).exists(), target


def test_publiccode_is_yaml_with_the_version_of_the_package() -> None:
    described = yaml.safe_load((ROOT / "publiccode.yml").read_text())
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert described["softwareVersion"] == package["version"]
    assert described["legal"]["license"] == package["license"]


def test_no_registry_host_and_no_machine_path_stands_in_a_file() -> None:
    names = [*ROOT.glob("requirements*.txt"), *ROOT.glob("*.toml"), ROOT / "Makefile", ROOT / ".ci" / "run"]
    for path in names:
        text = path.read_text()
        assert "index-url" not in text.replace("--no-emit-index-url", "")
        assert "pypi.org" not in text
        assert "pythonhosted" not in text
