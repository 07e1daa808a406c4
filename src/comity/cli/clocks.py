"""`comity obligations`, `comity reciprocity`, `comity clocks`: what is owed by when, and how it is counted."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import click
from django.conf import settings

from comity.agreements.clocks import (
    CalendarChoice,
    ClockSpec,
    Term,
    calendar_of,
    deadline,
    default_clock,
    default_clocks,
    explain,
    term_in_words,
    years_needed,
)
from comity.agreements.obligations import Level, Owed, counted
from comity.cli.custody import MOMENT
from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.exchange.selectors import partner as partner_of
from comity.insight import page_of, text_of
from comity.insight import selectors as insight
from comity.insight.services import acknowledge

_LANGUAGE = click.option(
    "--language", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="In which language."
)
_A_YEAR = timedelta(days=365)


@click.group("obligations", invoke_without_command=True)
@click.option("--partner", default="", metavar="XB", help="With this partner only.")
@click.option("--all", "is_all", is_flag=True, help="Also what was done.")
@click.pass_context
def obligations_group(context: click.Context, *, partner: str, is_all: bool) -> None:
    """What we owe partners and what they owe us, by when, and how far it has escalated.

    \b
    What agreements in force oblige the parties to: answers, outcome reports, statistics, training, contact points.
      comity obligations
      comity obligations reminders
      comity obligations seen 12
    """
    require_home()
    if context.invoked_subcommand is not None:
        return
    found = insight.obligations(at=now(), partner=partner, is_open=not is_all)
    headings = ("owed by", "to", "what", "about", "due", "state", "escalated", "agreement")
    say_table(headings, [_line(each) for each in found])
    click.echo(", ".join(f"{number} {state.value}" for state, number in counted(found).items() if number) or "Nothing.")
    for each in found:
        if each.problem:
            click.echo(f"{each.by} {each.obligation.id}: {each.problem}", err=True)


@obligations_group.command()
@click.option("--all", "is_all", is_flag=True, help="Also those that were seen or settled.")
def reminders(*, is_all: bool) -> None:
    """Reminders of what is due soon or overdue, what escalated furthest first."""
    require_home()
    rows = [
        (
            str(each.id),
            each.owed_by,
            each.owed_to,
            each.what,
            each.ref,
            str(each.due_at.date()),
            each.level.name.lower(),
            each.seen_by or ("settled" if each.settled_at else ""),
        )
        for each in insight.reminders(is_open=not is_all)
    ]
    say_table(("number", "owed by", "to", "what", "about", "due", "level", "seen"), rows)


@obligations_group.command()
@click.argument("number", type=int)
def seen(number: int) -> None:
    """Take note of the reminder NUMBER. The next level of escalation comes all the same."""
    found = acknowledge(terminal_actor(), reminder_id=number, at=now())
    click.echo(f"{found.seen_by} took note of what {found.owed_by} owes {found.owed_to}: {found.what}, {found.ref}.")


@click.command()
@click.option("--partner", required=True, metavar="XB", help="With which partner.")
@click.option("--since", type=MOMENT, help="From when. Default: a year ago.")
@click.option("--until", type=MOMENT, help="Until when. Default: now.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write a page to print to this file.")
@_LANGUAGE
def reciprocity(
    *, partner: str, since: datetime | None, until: datetime | None, out: Path | None, language: str
) -> None:
    """What we and a partner asked of each other and gave each other, counted by agreement.

    \b
    Requests, answers, median days, refusals by ground, alerts and findings sent:
      comity reciprocity --partner XB --out reciprocity.html
    """
    require_home()
    known = partner_of(partner)
    end = until or now()
    ledger = insight.ledger_with(known.administration, since=since or end - _A_YEAR, until=end)
    click.echo(text_of(ledger, language), nl=False)
    if out is not None:
        out.write_text(page_of(ledger, language), encoding="utf-8")
        click.echo(f"A page to print: {out}")


@click.group("clocks")
def clocks_group() -> None:
    """Legal clocks: the terms of common instruments, and how a deadline is counted.

    \b
      comity clocks list
      comity clocks count "10 working_days" --from 2026-12-17 --asked FR --asker AE
    """


@clocks_group.command("list")
@_LANGUAGE
def list_clocks(*, language: str) -> None:
    """The clocks that ship, each with its source and how well that was checked."""
    rows = [
        (
            each.spec.name,
            term_in_words(each.spec.term, language),
            each.spec.start.value,
            term_in_words(each.spec.extendable, language) if each.spec.extendable else "",
            f"{each.spec.tag}{' verified' if each.spec.is_verified else ''}",
            each.spec.source,
        )
        for each in default_clocks()
    ]
    say_table(("clock", "term", "from", "extendable by", "checked", "source"), rows)


@clocks_group.command("count")
@click.argument("term")
@click.option("--from", "start", required=True, help="A day as 2026-12-31, or an instant as 2026-12-31T09:30:00Z.")
@click.option("--asked", default="", metavar="FR", help="Country or administration that is asked.")
@click.option("--asker", default="", metavar="AE", help="The one that asks; with both, days count where both work.")
@_LANGUAGE
def count_clock(term: str, *, start: str, asked: str, asker: str, language: str) -> None:
    """When a TERM such as "10 working_days", or a clock that ships such as tfa12.answer, ends, and why.

    Without --asked, the working days of our own administration count.
    """
    spec = default_clock(term).spec if "." in term else ClockSpec("count", Term.parse(term))
    choice = CalendarChoice.BOTH if asker else CalendarChoice.ASKED
    spec = ClockSpec(spec.name, spec.term, spec.start, choice, spec.extendable, spec.source, warn=spec.warn)
    begun = _moment(start)
    years = years_needed(spec, started_at=begun)
    codes = {"asked": asked or str(settings.COMITY_ADMINISTRATION), **({"asker": asker} if asker else {})}
    calendars = {role: calendar_of(code, None, years=years) for role, code in codes.items()}
    limit = deadline(spec, started_at=begun, calendars=calendars)
    click.echo("\n".join(explain(limit, language)))
    click.echo(limit.digest)


def _moment(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time.min, UTC)
    except ValueError:
        return MOMENT.convert(text, None, None)


def _line(owed: Owed) -> tuple[str, ...]:
    return (
        owed.by,
        owed.to,
        owed.obligation.what.value,
        owed.ref,
        str(owed.due_at.date()) if owed.due_at else "not known",
        owed.state.value,
        owed.level.name.lower() if owed.level is not Level.NONE else "",
        owed.agreement_id[:12],
    )
