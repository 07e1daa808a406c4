"""`comity partner` and `comity exchange`: who we exchange with, and how it goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click
from django.conf import settings
from django.utils.module_loading import import_string

from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.common import show_instant
from comity.exchange import read_invitation, write_invitation
from comity.exchange.carrying import Exported, Imported, export_file, import_file
from comity.exchange.delivery import deliver_due
from comity.exchange.inbox import Receiver
from comity.exchange.judging import Validator
from comity.exchange.selectors import (
    PartnerView,
    inbox_status,
    outbox_status,
    partners,
    refusals,
    refusals_of_partner,
)
from comity.exchange.selectors import partner as partner_by_code
from comity.exchange.services import introduce_partner, resume_partner, set_partner_way, suspend_partner

_SHOWN_REFUSALS = 10


@click.group()
def partner() -> None:
    """Partners: invite, introduce, look at, suspend.

    \b
    Two administrations introduce each other once:
      comity partner invite xa.json                 write our invitation; send the file to the partner
      comity partner introduce xc.json              take the partner's invitation
    Compare the fingerprint over a telephone number that you know: the file proves nothing by itself.
    """


@partner.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--note", default="", help="A line for the people who read it, such as a contact point.")
def invite(file: Path, note: str) -> None:
    """Write our invitation into FILE. It holds no secret; show the fingerprint to the partner by another way."""
    require_home()
    keyring = settings.COMITY_KEYRING
    file.write_bytes(write_invitation(keyring, note=note))
    click.echo(f"{file}: the invitation of {keyring.administration}, {keyring.name}")
    click.echo(f"endpoint     {keyring.key_document.endpoint_url}")
    click.echo(f"fingerprint  {keyring.key_document.fingerprint}")


@partner.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--fingerprint", default="", help="As the partner read it out; compared instead of asking.")
@click.option("--endpoint", default="", help="Use this address instead of that in the invitation.")
@click.option("--yes", is_flag=True, help="Do not ask; for partners whose file came by a way that is safe.")
def introduce(file: Path, fingerprint: str, endpoint: str, *, yes: bool) -> None:
    """Take the partner whose invitation is in FILE, or its newer key document."""
    actor, data = terminal_actor(), file.read_bytes()
    invitation = read_invitation(data, at=now())
    keys = invitation.keys
    click.echo(f"{keys.administration}, {keys.name}, key document version {keys.version}")
    click.echo(f"endpoint     {endpoint or keys.endpoint_url}")
    click.echo(f"fingerprint  {keys.fingerprint}")
    if invitation.note:
        click.echo(f"note         {invitation.note}")
    if not fingerprint and not yes:
        click.confirm("Did the partner read out this fingerprint over a way that you trust?", abort=True)
    introduce_partner(actor, key_statement=data, fingerprint=fingerprint, endpoint=endpoint, at=now())
    click.echo(f"introduced   {keys.administration}")


@partner.command("list")
def list_partners() -> None:
    """Every partner, its state, the way to it, and what waits for it."""
    require_home()
    rows = [
        (
            each.administration,
            each.name,
            each.state,
            _way(each),
            str(each.waiting),
            show_instant(each.last_answer_at) if each.last_answer_at else "never",
            each.last_error,
        )
        for each in partners()
    ]
    say_table(("code", "name", "state", "way", "waiting", "last answer", "last error"), rows)


@partner.command()
@click.argument("code")
def show(code: str) -> None:
    """Everything that is known about the partner CODE, such as XC."""
    require_home()
    view = partner_by_code(code.upper())
    facts = (
        ("code", view.administration),
        ("name", view.name),
        ("state", view.state),
        ("note", view.note),
        ("endpoint", view.endpoint),
        ("way", _way(view)),
        ("collected", _collected(view)),
        ("fingerprint", view.fingerprint),
        ("key document", f"version {view.keys.version}, until {show_instant(view.keys.expires_at)}"),
        ("introduced", show_instant(view.introduced_at)),
        ("sent to it", f"{view.next_sequence - 1} messages, {view.waiting} not answered yet"),
        ("received", f"up to {view.received.contiguous}; missing {_ranges(view.received.missing)}"),
        ("our log, cosigned", f"{view.cosigned_size} entries"),
        ("its log, followed", f"{view.followed_size} entries"),
        ("failures", f"{view.failures} in a row; next attempt {_when(view.next_attempt_at)}"),
        ("last error", view.last_error),
    )
    for name, value in facts:
        if value:
            click.echo(f"{name:18} {value}")
    for warning in view.keys.warnings(now()):
        click.echo(f"warning: {warning.text}")


@partner.command()
@click.argument("code")
@click.option("--reason", required=True, help="Why; kept in the audit.")
def suspend(code: str, reason: str) -> None:
    """Send nothing to CODE and take nothing from it. What waits stays, and nothing is lost."""
    suspend_partner(terminal_actor(), administration=code.upper(), reason=reason, at=now())
    click.echo(f"{code.upper()} is suspended; `comity partner resume {code.upper()}` takes it up again")


@partner.command()
@click.argument("code")
def resume(code: str) -> None:
    """Take up the exchange with CODE again."""
    resume_partner(terminal_actor(), administration=code.upper(), at=now())
    click.echo(f"{code.upper()} is active")


@partner.command()
@click.argument("code")
@click.argument("way", type=click.Choice(["push", "collect", "file"]))
@click.option(
    "--collect-from/--no-collect-from",
    "is_collected",
    default=None,
    help="Whether this node also fetches what CODE has for it, since CODE cannot reach it.",
)
def way(code: str, way: str, *, is_collected: bool | None) -> None:
    """Say how envelopes reach the partner CODE: push, collect or file.

    \b
      push      this node sends them to the partner's port (from the start)
      collect   the partner fetches them from this node's port, because it is behind a firewall
      file      a person carries them: `comity exchange export`, `comity exchange import`
    A node behind a firewall says `comity partner way CODE push --collect-from` for each partner that it can reach; the
    partner says `collect` for it. What is on its way goes by the new way, and nothing is lost or doubled.
    """
    set_partner_way(terminal_actor(), administration=code.upper(), way=way, is_collected=is_collected, at=now())
    view = partner_by_code(code.upper())
    click.echo(f"{view.administration}: {_way(view)}")


@click.group()
def exchange() -> None:
    """The exchange: what is on its way, what arrived, what was refused."""


@exchange.command()
def status() -> None:
    """How much is on its way to each partner and from it, and the last envelopes that were refused."""
    require_home()
    rows = []
    for each in partners():
        sent, received = outbox_status(each.administration), inbox_status(each.administration)
        counts = (sent.waiting + sent.sent, sent.delivered, sent.refused)
        arrived = (received.accepted, received.refused, received.due, received.failing)
        rows.append((each.administration, *(str(count) for count in (*counts, *arrived)), each.last_error))
    headings = ("partner", "on its way", "delivered", "refused", "received", "refused", "due", "failing", "last error")
    say_table(headings, rows)
    for refusal in refusals(limit=_SHOWN_REFUSALS):
        click.echo(f"{show_instant(refusal.at)} refused {refusal.sender or 'unknown'}: {refusal.code}: {refusal.what}")


@exchange.command("refusals")
@click.option("--partner", "code", default="", help="Of this partner alone.")
@click.option("--limit", default=_SHOWN_REFUSALS, show_default=True, type=click.IntRange(1, 1000))
def partner_refusals(code: str, limit: int) -> None:
    """What partners refused of ours: code, clause, field, and what to do. See docs/guide/refusals.md."""
    require_home()
    found = refusals_of_partner(code.upper(), limit=limit)
    for each in found:
        what = f"{each.kind} {each.message}" if each.message else "a whole envelope"
        click.echo(f"{_when(each.at)} {each.partner} refused {what}: {each.code}")
        facts = (("why", each.text), ("clause", each.clause), ("field", each.field), ("what to do", each.remedy))
        for name, value in facts:
            if value:
                click.echo(f"  {name:10} {value}")
    if not found:
        click.echo("Nothing is refused.")


@exchange.command()
def deliver() -> None:
    """Deliver what is due now and wait for the answers. `comity serve` does this by itself.

    Exit 1 where something is still on its way.
    """
    require_home()
    count = deliver_due(settings.COMITY_KEYRING, now())
    left = outbox_status()
    click.echo(f"{count} envelopes sent; {left.delivered} messages delivered, {left.refused} refused in all")
    if left.waiting + left.sent:
        click.echo(f"{left.waiting + left.sent} messages are still on their way; see `comity partner list`")
        click.get_current_context().exit(1)


@exchange.command("export")
@click.argument("partner_code", metavar="PARTNER")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(partner_code: str, file: Path) -> None:
    """Write what waits for PARTNER into FILE, to be carried: sealed envelopes, and answers that go back.

    Carry FILE to the partner, who runs `comity exchange import`. What is not answered yet goes into every file again,
    so that a lost one loses nothing. FILE must be new; it is sealed to the partner and readable by you alone.
    """
    actor = terminal_actor()
    written = export_file(
        actor, keyring=settings.COMITY_KEYRING, administration=partner_code.upper(), target=file, at=now()
    )
    _say_exported(file, written)


@exchange.command("import")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--answers",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what goes back to the partner into this new file, as `comity exchange export` does.",
)
def import_(file: Path, answers: Path | None) -> None:
    """Take FILE, which a partner wrote with `comity exchange export`. To import it twice does no harm.

    Its envelopes are checked like those that come over a line, and its answers settle what was sent. Exit 1 where an
    envelope or an answer in it was refused.
    """
    actor = terminal_actor()
    validators: Mapping[str, Validator] = import_string(settings.COMITY_VALIDATORS)
    receiver = Receiver(settings.COMITY_KEYRING, validators)
    taken = import_file(actor, receiver=receiver, source=file, at=now())
    _say_imported(file, taken)
    if answers is not None:
        keyring = settings.COMITY_KEYRING
        _say_exported(
            answers, export_file(actor, keyring=keyring, administration=taken.sender, target=answers, at=now())
        )
    elif taken.to_carry:
        click.echo(f"{taken.to_carry} answers wait for the way back: comity exchange export {taken.sender} FILE")
    if taken.refused or taken.answers.refused:
        click.get_current_context().exit(1)


def _say_exported(file: Path, written: Exported) -> None:
    click.echo(f"{file}: for {written.recipient}, {written.size_bytes} bytes, file {written.file}")
    click.echo(f"{written.envelopes} envelopes, {written.answers} answers")
    if written.waiting:
        click.echo(f"{written.waiting} messages did not fit and wait: export another file")


def _say_imported(file: Path, taken: Imported) -> None:
    click.echo(f"{file}: from {taken.sender}, file {taken.file}")
    click.echo(f"{taken.envelopes} envelopes taken, {len(taken.refused)} refused")
    click.echo(f"{taken.answers.recorded} answers recorded, {taken.answers.known} known before")
    if taken.sent_again:
        click.echo(f"{taken.sent_again} messages were lost at {taken.sender} and go again")
    for reason in (*taken.refused, *taken.answers.refused):
        click.echo(f"refused: {reason}")


def _way(view: PartnerView) -> str:
    return f"{view.way}, we collect" if view.is_collected else view.way


def _collected(view: PartnerView) -> str:
    if not view.is_collected:
        return ""
    well = f"last {show_instant(view.collected_at)}" if view.collected_at else "never yet"
    return f"{well}; {view.collect_error}" if view.collect_error else well


def _ranges(ranges: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in ranges[:5]) or "nothing"


def _when(moment: datetime | None) -> str:
    return show_instant(moment) if moment else "at once"
