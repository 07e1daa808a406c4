"""`comity agreement`, the life of an agreement: propose, answer, suspend, leave; and do all nodes hold the same?"""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path

import click

from comity.agreements import Agreement
from comity.agreements.life import MoveKind
from comity.agreements.moves import Wish
from comity.agreements.moving import PartnerStanding, lives
from comity.agreements.selectors import agreement as stored_agreement
from comity.agreements.texts import TooIntricateError, difference, say_change
from comity.cli.approvals import say_waiting
from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.common import show_instant
from comity.journeys import negotiate

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_reason = click.option("--reason", required=True, help="Why, in one sentence; the other parties read it.")
_from = click.option(
    "--from", "day", type=click.DateTime(["%Y-%m-%d"]), help="From the beginning of which day, UTC. Default: now."
)


@click.command()
@click.argument("file", type=_file)
def propose(file: Path) -> None:
    """Sign the agreement in FILE (YAML) and put it before its other parties; it is in force when all have accepted."""
    _say(negotiate.propose(terminal_actor(), data=file.read_bytes(), at=now()), "proposed")


@click.command()
@click.argument("agreement_id")
@click.argument("file", type=_file)
def counter(agreement_id: str, file: Path) -> None:
    """Answer the proposal AGREEMENT_ID with the version in FILE; what it changes is printed."""
    actor, at = terminal_actor(), now()
    former = stored_agreement(agreement_id, at=at).agreement
    made = negotiate.propose(actor, data=file.read_bytes(), at=at, counters=agreement_id)
    _say(made, f"proposed instead of {former.short_id}")
    _say_difference(former, made.agreement)


@click.command()
@click.argument("agreement_id")
@click.argument("file", type=_file)
def amend(agreement_id: str, file: Path) -> None:
    """Propose the version in FILE in the place of AGREEMENT_ID, which is in force; what it changes is printed."""
    actor, at = terminal_actor(), now()
    former = stored_agreement(agreement_id, at=at).agreement
    made = negotiate.propose(actor, data=file.read_bytes(), at=at, amends=agreement_id)
    _say(made, f"proposed as an amendment of {former.short_id}")
    _say_difference(former, made.agreement)


@click.command()
@click.argument("agreement_id")
def accept(agreement_id: str) -> None:
    """Sign the proposal AGREEMENT_ID and send the signature to its other parties."""
    _move(Wish(MoveKind.SIGN, agreement_id), "accepted")


@click.command()
@click.argument("agreement_id")
@_reason
def refuse(agreement_id: str, reason: str) -> None:
    """Refuse the proposal AGREEMENT_ID. Who has refused may still accept."""
    _move(Wish(MoveKind.REFUSE, agreement_id, reason=reason), "refused")


@click.command()
@click.argument("agreement_id")
@click.option("--reason", default="", help="Why, in one sentence.")
def withdraw(agreement_id: str, reason: str) -> None:
    """Take back our proposal AGREEMENT_ID. An acceptance by all that is on its way still binds."""
    _move(Wish(MoveKind.WITHDRAW, agreement_id, reason=reason), "withdrawn")


@click.command()
@click.argument("agreement_id")
@click.option("--article", "articles", multiple=True, help="This article alone; several times for several.")
@_reason
@_from
def suspend(agreement_id: str, articles: tuple[str, ...], reason: str, day: datetime | None) -> None:
    """Suspend AGREEMENT_ID, or articles of it, between this administration and the others. Duties still travel.

    It waits for a second officer.
    """
    wish = Wish(MoveKind.SUSPEND, agreement_id, articles=articles, reason=reason, effective_at=_instant(day))
    say_waiting(negotiate.propose_move(terminal_actor(), wish=wish, at=now()))


@click.command()
@click.argument("agreement_id")
@click.option("--article", "articles", multiple=True, help="This article alone; several times for several.")
@_from
def restore(agreement_id: str, articles: tuple[str, ...], day: datetime | None) -> None:
    """End our suspension of AGREEMENT_ID, or of articles of it."""
    wish = Wish(MoveKind.RESTORE, agreement_id, articles=articles, effective_at=_instant(day))
    _move(wish, "restored")


@click.command()
@click.argument("agreement_id")
@_reason
@_from
def leave(agreement_id: str, reason: str, day: datetime | None) -> None:
    """Leave AGREEMENT_ID. Among the others it goes on; what was shared stays under its duties.

    It waits for a second officer.
    """
    wish = Wish(MoveKind.LEAVE, agreement_id, reason=reason, effective_at=_instant(day))
    say_waiting(negotiate.propose_move(terminal_actor(), wish=wish, at=now()))


@click.command()
@click.argument("file", type=_file)
def accede(file: Path) -> None:
    """Join the agreement in FILE (YAML that names this administration); it binds when its depositary has accepted."""
    _say(negotiate.accede(terminal_actor(), data=file.read_bytes(), at=now()), "acceded to")


@click.command()
@click.argument("agreement_id", required=False)
@click.option("--ask", is_flag=True, help="Ask the partners first; their answers come later.")
def standing(agreement_id: str | None, ask: bool) -> None:
    """Say whether every partner holds the same of each agreement, or of AGREEMENT_ID, and where it differs.

    Exit 1 where a partner holds something else.
    """
    require_home()
    at = now()
    if ask:
        count = negotiate.ask_standings(terminal_actor(), at=at, agreement_id=agreement_id or "")
        click.echo(f"asked {count} times")
    found = negotiate.standings(at=at, agreement_id=agreement_id or "")
    if agreement_id:
        _say_history(stored_agreement(agreement_id, at=at).id)
    say_table(("AGREEMENT", "PARTNER", "OURS", "TOLD AT", "STANDING"), [_row(each) for each in found])
    if any(each.theirs is not None and not each.is_same for each in found):
        click.get_current_context().exit(1)


COMMANDS = (propose, counter, accept, refuse, withdraw, suspend, restore, leave, accede, amend, standing)


def _move(wish: Wish, word: str) -> None:
    _say(negotiate.make(terminal_actor(), wish=wish, at=now()), word)


def _say(made: negotiate.MoveMade, word: str) -> None:
    told = f"on its way to {', '.join(made.told)}" if made.told else "nobody can be told now"
    click.echo(f"agreement {made.agreement.short_id} {word}; {told}")
    if made.untold:
        click.echo(f"  not introduced here or suspended: {', '.join(made.untold)}; send them the signed file")


def _say_difference(former: Agreement, later: Agreement) -> None:
    """The exact sets of what changes; where they are too many to write down, the articles alone."""
    try:
        found = difference(former, later)
    except TooIntricateError:
        before = {article.id: article for article in former.articles}
        after = {article.id: article for article in later.articles}
        changed = [each for each in sorted(before | after) if before.get(each) != after.get(each)]
        click.echo(f"  changed articles: {', '.join(changed) or 'none'}")
        return
    for change in found.changes:
        for line in say_change(found, change):
            click.echo(f"  {line}")
    if not found.changes:
        click.echo("  every request is answered as before")


def _say_history(agreement_id: str) -> None:
    life = lives().get(agreement_id)
    for move in life.history if life else ():
        reason = f": {move.reason}" if move.reason else ""
        click.echo(f"{move.number:>4}  {show_instant(move.at)}  {move.by}  {move.kind.replace('_', ' ')}{reason}")


def _row(each: PartnerStanding) -> tuple[str, ...]:
    told = show_instant(each.told_at) if each.told_at else "never"
    return each.ours.agreement_id[:12], each.partner, each.ours.stage, told, each.text


def _instant(day: datetime | None) -> datetime | None:
    return datetime.combine(day.date(), time.min, UTC) if day else None
