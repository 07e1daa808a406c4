"""`comity agreement compare`, `conflicts`, `gaps`, `dry-run`, `text`: tools on the text. None of them needs a node."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from enum import Enum
from pathlib import Path

import click

from comity.agreements import (
    HANDLINGS,
    KINDS,
    PURPOSES,
    Agreement,
    AgreementFormError,
    Asking,
    Engine,
    Period,
    Wording,
    parse_agreement,
)
from comity.agreements.texts import (
    Column,
    Difference,
    Property,
    conflicts,
    difference,
    dry_run,
    gaps,
    prose,
    say_change,
    say_conflict,
    say_gap,
    say_request,
    say_seen,
    say_shadow,
    shadowed,
)
from comity.agreements.vocabulary import LANGUAGES
from comity.cli.agreements import agreement
from comity.cli.support import now, say_table
from comity.trade import Handling

MOST_BODY_BYTES = 1024 * 1024
_SHORT = 60
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_language = click.option(
    "--language", type=click.Choice(LANGUAGES), default="en", show_default=True, help="English where it has none yet."
)


@agreement.command()
@click.argument("old", type=_file)
@click.argument("new", type=_file)
@_language
@click.option("--may-widen", is_flag=True, help="Exit 0 also where more may be shared than before.")
def compare(old: Path, new: Path, language: str, *, may_widen: bool) -> None:
    """Say what changes from the agreement in OLD to the one in NEW: which requests are answered otherwise, exactly.

    Exit 0 where nothing is widened, 1 where something may be shared, seen, kept or handed on that could not be before.
    """
    found = difference(_read(old), _read(new))
    for name, each in (("old", found.old), ("new", found.new)):
        click.echo(f"{name}: {each.title.in_(language)}, version {each.version} ({each.short_id})")
    if found.is_empty:
        click.echo("Both are the same, word for word.")
        return
    _say_articles(found, language)
    for change in found.changes:
        for line in say_change(found, change, language):
            click.echo(f"- {line}")
    if not found.changes:
        click.echo("Every request is answered as before.")
    click.echo("widens: yes" if found.widens else "widens: no")
    if found.widens and not may_widen:
        click.get_current_context().exit(1)


@agreement.command(name="conflicts")
@click.argument("files", type=_file, nargs=-1, required=True)
@_language
def conflicts_command(files: tuple[Path, ...], language: str) -> None:
    """Find where the agreements in FILES cover the same data and differ, each time with an example.

    Shown are prohibitions, withheld fields, and other rules on purpose, handing on, retention and duties, with the most
    restrictive of them. Exit 0 where there is none, 1 where there is one.
    """
    if len(files) < 2:
        raise click.UsageError("Name two agreements or more.")
    agreements = [_read(file) for file in files]
    for file, each in zip(files, agreements, strict=True):
        click.echo(f"{each.short_id}  {file}: {each.title.in_(language)}, version {each.version}")
    found = conflicts(agreements)
    for conflict in found:
        click.echo(f"- {conflict.rule.value}: {say_conflict(conflict, language)}")
    click.echo(f"{len(found)} conflict{'' if len(found) == 1 else 's'}")
    if found:
        click.get_current_context().exit(1)


@agreement.command(name="gaps")
@click.argument("file", type=_file)
@_language
def gaps_command(file: Path, language: str) -> None:
    """Say what no article of the agreement in FILE covers, and which of its articles never answer.

    A gap is no error: it is shown so that it is meant. Exit 0 where every article answers, 1 where one never does.
    """
    found = _read(file)
    missing, shadows = gaps(found), shadowed(found)
    for gap in missing:
        click.echo(f"- {gap.what.value}: {say_gap(gap, language)}")
    for shadow in shadows:
        click.echo(f"- {shadow.what.value}: {say_shadow(shadow, language)}")
    count = f"{len(missing)} gap{'' if len(missing) == 1 else 's'}"
    click.echo(f"{count}, {len(shadows)} article{'' if len(shadows) == 1 else 's'} that never answer")
    if shadows:
        click.get_current_context().exit(1)


@agreement.command(name="dry-run")
@click.option("--agreement", "files", type=_file, multiple=True, required=True, help="YAML; several times for several.")
@click.option("--body", type=_file, required=True, help="The message as JSON, as the API takes it.")
@click.option("--sender", required=True, help="Who would share it, such as XC.")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What it is.")
@click.option("--purpose", type=click.Choice(PURPOSES), required=True, help="For what.")
@click.option("--handling", type=click.Choice(HANDLINGS), required=True, help="How sensitive it is.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="On which day. Default: today.")
@_language
def dry_run_command(files: tuple[Path, ...], body: Path, language: str, **asked: object) -> None:
    """Show who would see what of one message, and why not: a row for each field, a column for each party.

    Nothing is sent or stored. Exit 0 whatever the answer.
    """
    agreements = [_read(file) for file in files]
    day = asked["day"]
    asking = Asking(
        sender=str(asked["sender"]),
        receiver="",
        kind=str(asked["kind"]),
        purpose=str(asked["purpose"]),
        handling=Handling.from_word(str(asked["handling"])),
        at=datetime.combine(day.date(), time(12), UTC) if isinstance(day, datetime) else now(),
    )
    columns = dry_run(agreements, asking, _body(body))
    rows = [
        (seen[0].path, *(say_seen(each, language) for each in seen))
        for seen in zip(*(column.fields for column in columns), strict=True)
    ]
    say_table(("FIELD", *(column.party for column in columns)), rows)
    for column in columns:
        _say_verdict(column, Engine(agreements), language)


@agreement.command()
@click.argument("file", type=_file)
@_language
def text(file: Path, language: str) -> None:
    """Print the agreement in FILE as Markdown: each article's own text, and beneath it what the program does.

    What nobody has compared with the official text says so. Exit 0.
    """
    click.echo(prose(_read(file), language), nl=False)


def _read(file: Path) -> Agreement:
    try:
        return parse_agreement(file.read_bytes())
    except AgreementFormError as error:
        raise AgreementFormError(error.what, where=f"{file}, {error.where}", remedy=error.remedy) from error


def _body(file: Path) -> Mapping[str, object]:
    """The message in a file. Raises: AgreementFormError naming file and line."""
    data = file.read_bytes()
    if len(data) > MOST_BODY_BYTES:
        raise AgreementFormError("The message is larger than 1 MiB", where=str(file), remedy="Shorten it.")
    try:
        body = json.loads(data.decode("utf-8"))
    except json.JSONDecodeError as error:
        where = f"{file}, line {error.lineno}"
        raise AgreementFormError("The message is no JSON", where=where, remedy=f"{error.msg}.") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise AgreementFormError("The message is not UTF-8", where=f"{file}, line {line}") from error
    except RecursionError as error:
        raise AgreementFormError("The message is too deep", where=f"{file}, line 1") from error
    if not isinstance(body, dict):
        raise AgreementFormError(
            "The message is no object", where=f"{file}, line 1", remedy='Write {"ref": "…", "issuer": "…"}.'
        )
    return body


def _say_articles(found: Difference, language: str) -> None:
    for name, ids in (("added", found.added), ("removed", found.removed)):
        if ids:
            click.echo(f"articles {name}: {', '.join(ids)}")
    rows = [
        (each.article_id or "–", each.name, *_values(each, language))
        for each in found.properties
        if (each.article_id, each.name) != ("", "version")
    ]
    if rows:
        say_table(("ARTICLE", "PROPERTY", "OLD", "NEW"), rows)


def _values(changed: Property, language: str) -> tuple[str, str]:
    """Both values; of lists what is in one alone."""
    old, new = changed.old, changed.new
    if isinstance(old, tuple) and isinstance(new, tuple):
        return _shown([each for each in old if each not in new], language), _shown(
            [each for each in new if each not in old], language
        )
    return _shown(old, language), _shown(new, language)


def _shown(value: object, language: str) -> str:
    return click.unstyle(_text(value, language)) or "–"


def _text(value: object, language: str) -> str:
    match value:
        case None:
            return ""
        case Wording():
            words = value.in_(language)
            return words if len(words) <= _SHORT else f"{words[: _SHORT - 1]}…"
        case Handling():
            return value.word
        case Period():
            return f"{value.first or '…'} – {value.last or '…'}" if value != Period() else ""
        case Enum() | bool():
            return str(value.value if isinstance(value, Enum) else value).lower()
        case date():
            return value.isoformat()
        case list() | tuple():
            return ", ".join(text for each in value if (text := _text(each, language)))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return " ".join(_parts(value, language))
    return str(value)


def _parts(value: object, language: str) -> Iterator[str]:
    fields: Iterable[dataclasses.Field[object]] = getattr(value, "__dataclass_fields__", {}).values()
    return (text for each in fields if (text := _text(getattr(value, each.name), language)))


def _say_verdict(column: Column, engine: Engine, language: str) -> None:
    decision = column.decision
    if decision.is_permitted:
        found = next(each for each in engine.agreements if each.id == decision.agreement_id)
        click.echo(f"{column.party}: permitted by article {decision.article_id} of {found.title.in_(language)}")
        return
    click.echo(f"{column.party}: refused: {say_request(column.request, language)}")
    for reason in decision.reasons:
        click.echo(f"  {reason.text}")
