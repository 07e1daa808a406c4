"""`comity privacy`: the access log, questions of persons, statistics, the record of processing."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from uuid import UUID

import click
from django.conf import settings

from comity.cli.custody import MOMENT
from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.common import show_instant
from comity.insight.access import AccessFilter, accesses, export_accesses
from comity.insight.mentions import read_anew, read_mentions
from comity.insight.naming import Asked
from comity.insight.privacy_papers import answer_page, record_json, record_page
from comity.insight.processing import record_of
from comity.insight.requests import (
    Report,
    answer_request,
    choose_candidates,
    open_request,
    requests,
    view_request,
)
from comity.insight.statistics import figures, quarter_of, read_quarter
from comity.insight.suppression import Table

_LANGUAGE = click.option(
    "--language", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="In which language."
)
_OUT = click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")


@click.group("privacy")
def privacy_group() -> None:
    """Who saw what for which purpose; what is held about a person; figures that name nobody; the record of processing.

    \b
      comity privacy access --officer ana --since 2026-03-01T00:00:00Z
      comity privacy subject --name "Larkfield Trading" --id XA12345 --reference "Letter 17"
      comity privacy statistics --quarter 2026-Q1
      comity privacy record AGREEMENT --out record.html
    """
    require_home()


@privacy_group.command("access")
@click.option("--officer", default="", metavar="NAME", help="User name, token or node.")
@click.option("--about", default="", help="A message, record or question, by its id or a part of it.")
@click.option("--purpose", default="", help="Stated purpose.")
@click.option("--since", type=MOMENT, help="From when.")
@click.option("--until", type=MOMENT, help="Until when.")
@click.option("--refused", is_flag=True, help="Refused looks only.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--csv", "out", type=click.Path(dir_okay=False, path_type=Path), help="Write all of it to this file.")
def show_access(
    *,
    officer: str,
    about: str,
    purpose: str,
    since: datetime | None,
    until: datetime | None,
    refused: bool,
    limit: int,
    out: Path | None,
) -> None:
    """The access log: looks at partners' data, consignments, files and reports, the newest first."""
    wanted = AccessFilter(officer, about, purpose, since=since, until=until, is_refused=refused)
    actor = terminal_actor()
    if out is not None:
        out.write_text(export_accesses(actor, wanted, at=now()), encoding="utf-8")
        click.echo(f"Written: {out}")
        return
    rows = [
        (show_instant(each.at), each.actor, each.deed, each.subject, each.purpose)
        for each in accesses(actor, wanted, limit=limit)
    ]
    say_table(("when", "who", "deed", "about", "purpose"), rows)


@privacy_group.command("index")
@click.option("--anew", is_flag=True, help="Forget the index first, as after a change of the node's secret.")
def index(*, anew: bool) -> None:
    """Read messages and steps for whom they name, until all are read; `comity serve` does it by itself."""
    reading = read_anew() if anew else read_mentions()
    total = reading.read
    while reading.left and reading.read:
        reading = read_mentions()
        total += reading.read
    click.echo(f"{total} read, {reading.left} left")


@privacy_group.command("subject")
@click.option("--name", default="", help="Name of the person or company.")
@click.option("--id", "ids", multiple=True, help="EORI, TIN or national number; several times for several.")
@click.option("--birth-date", type=click.DateTime(["%Y-%m-%d"]), help="No record carries one; kept with the question.")
@click.option("--reference", required=True, help="Of the letter or file.")
def subject(*, name: str, ids: tuple[str, ...], birth_date: datetime | None, reference: str) -> None:
    """Open a person's question and show who may be meant."""
    asked = Asked(name, ids, birth_date.date() if birth_date else None)
    opened = open_request(terminal_actor(), reference=reference, asked=asked, at=now())
    click.echo(f"Question {opened.request_id}")
    _say(view_request(terminal_actor(), request_id=opened.request_id, at=now()))


@privacy_group.command("questions")
def list_questions() -> None:
    """Questions of persons, the newest first."""
    rows = [
        (str(each.request_id), each.reference, each.opened_by, str(each.opened_at.date()), _day(each.answered_at))
        for each in requests()
    ]
    say_table(("question", "reference", "opened by", "opened", "answered"), rows)


@privacy_group.command("confirm")
@click.argument("question", type=click.UUID)
@click.argument("numbers", type=int, nargs=-1)
def confirm(question: UUID, numbers: tuple[int, ...]) -> None:
    """Say which of the listed candidates, by their NUMBERS, are the one who asks; none: nobody is."""
    actor, at = terminal_actor(), now()
    found = view_request(actor, request_id=question, at=at).candidates
    spellings = [each.spelling for number, each in enumerate(found, start=1) if number in numbers]
    choose_candidates(actor, request_id=question, spellings=spellings, at=at)
    _say(view_request(actor, request_id=question, at=at))


@privacy_group.command("answer")
@click.argument("question", type=click.UUID)
@_OUT
@_LANGUAGE
def answer(question: UUID, *, out: Path | None, language: str) -> None:
    """The answer for the person, as a page to print. Refused while a part waits for a decision: an officer with the
    right makes it, in the console or with a token; a terminal is no second person.
    """
    at = now()
    report, told = answer_request(terminal_actor(), request_id=question, at=at)
    controller = (str(settings.COMITY_ADMINISTRATION), str(settings.COMITY_NAME))
    text = answer_page(told, controller=controller, reference=report.line.reference, at=at, language=language)
    _give(text, out)


@privacy_group.command("statistics")
@click.option("--quarter", default="", metavar="2026-Q1", help="Default: the present one, which is provisional.")
@_OUT
def statistics(*, quarter: str, out: Path | None) -> None:
    """Counts of one quarter, suppressed so that nobody can be read off. With --out: as JSON."""
    at = now()
    made = figures(terminal_actor(), quarter=read_quarter(quarter) if quarter else quarter_of(at), at=at)
    if out is not None:
        form = {
            "form": "comity-statistics/1",
            "administration": made.administration,
            "quarter": made.quarter.name,
            "provisional": made.is_provisional,
            "threshold": made.threshold,
            "tables": [_form(each) for each in made.tables],
        }
        _give(json.dumps(form, indent=2, ensure_ascii=False) + "\n", out)
        return
    click.echo(
        f"{made.quarter.name}{' (provisional)' if made.is_provisional else ''}; counts below {made.threshold}: .."
    )
    for table in made.tables:
        click.echo(f"\n{table.name}")
        if table.rows:
            say_table(("", *table.columns, "all"), _lines(table))
        else:
            click.echo(f"Fewer than {made.threshold}: nothing is told.")


@privacy_group.command("record")
@click.argument("agreement")
@click.option("--json", "is_json", is_flag=True, help="For programs.")
@_OUT
@_LANGUAGE
def record(agreement: str, *, is_json: bool, out: Path | None, language: str) -> None:
    """The record of processing under AGREEMENT (GDPR Art. 30, Convention 108+), as a page to print or as JSON."""
    made = record_of(terminal_actor(), agreement_id=agreement, at=now())
    _give(record_json(made) if is_json else record_page(made, language), out)


def _say(report: Report) -> None:
    for number, each in enumerate(report.candidates, start=1):
        mark = "*" if each.spelling in report.line.chosen else " "
        click.echo(f"{mark} {number}. {each.spelling} ({each.in_how_many})")
    if not report.candidates:
        click.echo("Nobody of these names or numbers is found.")
    rows = [
        (
            part.item.ref,
            part.item.what,
            part.item.handling.word,
            str(part.item.since.date()),
            "waits" if part.is_open else "",
        )
        for part in report.parts
    ]
    if rows:
        say_table(("item", "what", "handling", "since", "decision"), rows)
    if report.is_cut:
        click.echo("There is more than was read: ask with a number instead of a name.", err=True)
    if report.unread:
        click.echo(f"At most {report.unread} messages are not in the index: run `comity privacy index`.", err=True)


def _give(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    click.echo(f"Written: {out}")


def _lines(table: Table) -> list[tuple[str, ...]]:
    lines = [
        (name, *(".." if cell is None else str(cell) for cell in cells), str(total))
        for name, cells, total in zip(table.rows, table.cells, table.row_totals, strict=True)
    ]
    return [*lines, ("all", *map(str, table.column_totals), str(table.total))]


def _form(table: Table) -> dict[str, object]:
    return {
        "name": table.name,
        "rows": list(table.rows),
        "columns": list(table.columns),
        "cells": [list(row) for row in table.cells],
        "row_totals": list(table.row_totals),
        "column_totals": list(table.column_totals),
    }


def _day(at: datetime | None) -> str:
    return str(at.date()) if at else ""
