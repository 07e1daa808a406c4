"""`comity custody`: who holds what was shared, taking it back, keeping it on a ground, handing it on."""

from __future__ import annotations

from datetime import datetime

import click
from django.conf import settings

from comity.agreements import PURPOSES
from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.common import parse_instant, show_instant
from comity.custody import RECALL_GROUNDS, RETAIN_GROUNDS, Mode, SuccessorState
from comity.custody import selectors as custody
from comity.custody import successors as succeeding
from comity.journeys import forget, forward, succeed
from comity.trade import Handling

_GROUNDS = click.Choice(sorted(RECALL_GROUNDS))


class Moment(click.ParamType[datetime]):
    """An instant with its zone."""

    name = "instant"

    def convert(self, value: object, _param: click.Parameter | None, _context: click.Context | None) -> datetime:
        """The instant of a text. Raises: InstantError."""
        return value if isinstance(value, datetime) else parse_instant(str(value))


MOMENT = Moment()


@click.group("custody")
def custody_group() -> None:
    """Custody: who holds what was shared, and what becomes of it.

    \b
    Take back what was shared, and see who has answered:
      comity custody recall MESSAGE --ground information_wrong
      comity custody holders MESSAGE
    """


@custody_group.command()
@click.argument("message")
def holders(message: str) -> None:
    """Who holds MESSAGE, or held it: by the id of its origin or of any copy."""
    require_home()
    rows = [
        (
            each.holder,
            each.status.value,
            each.ground,
            each.via,
            each.handling,
            _shown(each.keep_until),
            _shown(each.answered_at),
            "signed" if each.is_proved else "",
        )
        for each in custody.holders_of(message)
    ]
    headings = ("holder", "status", "ground", "from", "handling", "keep until", "answered", "proof")
    say_table(headings, rows)


@custody_group.command()
@click.argument("messages", nargs=-1, required=True)
@click.option("--ground", type=_GROUNDS, required=True, help="Why; every holder reads it.")
@click.option("--mode", type=click.Choice([each.value for each in Mode]), default=Mode.RECALL.value, show_default=True)
@click.option("--replaced", "replaced", multiple=True, metavar="OLD=NEW", help="With mode correct: the new message.")
@click.option("--keep-until", type=MOMENT, help="With mode tighten: an earlier end, such as 2026-06-01T00:00:00Z.")
@click.option(
    "--handling", default="", help=f"With mode tighten: a higher level: {', '.join(e.word for e in Handling)}."
)
@click.option(
    "--let-on", is_flag=True, help="With mode correct: who handed the old one on may hand on the new one, to the same."
)
def recall(
    messages: tuple[str, ...],
    *,
    ground: str,
    mode: str,
    replaced: tuple[str, ...],
    keep_until: datetime | None,
    handling: str,
    let_on: bool,
) -> None:
    """Take MESSAGES back from everyone who holds them, correct them, or tighten their limits."""
    actor = terminal_actor()
    pairs = tuple((old, new) for old, _, new in (each.partition("=") for each in replaced))
    wish = forget.Wish(Mode(mode), ground, pairs, keep_until, handling, is_let_on=let_on)
    for view in forget.recall(actor, message_ids=messages, wish=wish, at=now()):
        click.echo(
            f"{view.recall_id}  {view.mode.value} of {len(view.messages)} to {', '.join(view.sent_to) or 'nobody'}"
        )
        click.echo(f"answers are due by {show_instant(view.due_at)}; see `comity custody holders MESSAGE`")


@custody_group.command()
@click.option("--received", is_flag=True, help="Those that came from partners.")
def recalls(*, received: bool) -> None:
    """Recalls by this administration, or those that came from partners, and how many have not answered."""
    require_home()
    us = settings.COMITY_ADMINISTRATION
    views = custody.received_recalls(us) if received else custody.recalls(origin=us)
    rows = [
        (
            show_instant(each.made_at),
            each.origin,
            each.mode.value,
            each.ground,
            str(len(each.messages)),
            str(each.count_open),
            each.recall_id,
        )
        for each in views
    ]
    say_table(("made", "origin", "mode", "ground", "messages", "not answered", "recall"), rows)


@custody_group.command()
def overdue() -> None:
    """Holders that have not answered in time. Exit 1 where there are any."""
    require_home()
    late = custody.overdue()
    rows = [(each.holder, each.message_id, each.via, _shown(each.due_at)) for each in late]
    say_table(("holder", "message", "from", "was due"), rows)
    if late:
        click.get_current_context().exit(1)


@custody_group.command()
@click.argument("message")
@click.option("--ground", type=click.Choice(sorted(RETAIN_GROUNDS)), required=True, help="The law it rests on.")
@click.option("--until", type=MOMENT, help="The last moment; left out: until it is let go.")
def retain(message: str, ground: str, until: datetime | None) -> None:
    """Keep our copy of a partner's MESSAGE on a legal ground, whatever is recalled or runs out."""
    held = forget.retain(terminal_actor(), message_id=message, ground=ground, until=until, at=now())
    click.echo(f"{held.message_id} of {held.origin} is kept: {RETAIN_GROUNDS[ground].lower()}")


@custody_group.command("let-go")
@click.argument("message")
def let_go(message: str) -> None:
    """Take the objection back: what should have gone goes."""
    held = forget.let_go(terminal_actor(), message_id=message, at=now())
    click.echo(f"{held.message_id} of {held.origin} goes when it is due")


@custody_group.command("forward")
@click.argument("message")
@click.option("--to", "recipients", multiple=True, required=True, help="A partner; may be given again.")
@click.option("--purpose", type=click.Choice(PURPOSES), required=True)
@click.option("--agreement", default=None, help="Only this agreement shall answer.")
def forward_command(message: str, recipients: tuple[str, ...], purpose: str, agreement: str | None) -> None:
    """Hand a partner's MESSAGE on as it is, with the proof of its origin."""
    to = forward.HandingOn(tuple(each.upper() for each in recipients), purpose, agreement)
    for recipient, copy in forward.forward(terminal_actor(), message_id=message, to=to, at=now()):
        click.echo(f"{recipient}  {copy}")


@custody_group.command("successors")
@click.option("--all", "is_all", is_flag=True, help="Also those that were handed on, put aside or taken back.")
def list_successors(*, is_all: bool) -> None:
    """What partners corrected after we handed it on: whoever got the old message from us is to get the new one.

    \b
    The last column says what comes next:
      hand_on  comity custody forward NEW --to PARTNER
      ask      comity custody consent ask NEW --to PARTNER
      answer   its origin was asked, and has not answered yet
      arrival  the new message has not come yet
      never    its article does not let it be handed on: ask its origin to share it, or put it aside
    """
    require_home()
    views = succeeding.successors() if is_all else succeeding.due()
    rows = [
        (
            show_instant(each.since),
            each.origin,
            each.recipient,
            each.handed.message_id,
            each.message_id,
            succeed.reminder_of(each, now()).step.value if each.state is SuccessorState.DUE else each.state.value,
        )
        for each in views
    ]
    say_table(("corrected", "origin", "to", "old", "new", "next"), rows)


@custody_group.command("put-aside")
@click.argument("message")
@click.option("--to", "recipient", required=True, help="The partner that had the old message from us.")
@click.option("--reason", required=True, help="Why it does not get the new one; the audit keeps it.")
def put_aside(message: str, recipient: str, reason: str) -> None:
    """Do not hand the new MESSAGE on to who had the old one from us, and say why; nobody is reminded of it again."""
    view = succeeding.put_aside(terminal_actor(), message_id=message, recipient=recipient.upper(), why=reason, at=now())
    click.echo(f"{view.message_id} of {view.origin} is not handed on to {view.recipient}: {view.why}")


@custody_group.group()
def consent() -> None:
    """Consents to hand a message on: ask the owner, answer who asks us."""


@consent.command("list")
def list_consents() -> None:
    """Consents that were asked, given or refused, the newest first."""
    require_home()
    rows = [
        (each.consent_id, each.state.value, each.asker, each.owner, ", ".join(each.recipients), each.message_id)
        for each in custody.consents()
    ]
    say_table(("consent", "state", "asked by", "owner", "to", "message"), rows)


@consent.command("ask")
@click.argument("message")
@click.option("--to", "recipients", multiple=True, required=True, help="A partner; may be given again.")
@click.option("--reason", required=True, help="Why; the owner's officer reads it.")
def ask_consent(message: str, recipients: tuple[str, ...], reason: str) -> None:
    """Ask the owner of MESSAGE whether it may be handed on."""
    asked = tuple(each.upper() for each in recipients)
    view = forward.ask_consent(terminal_actor(), message_id=message, recipients=asked, reason=reason, at=now())
    click.echo(f"{view.consent_id}  {view.owner} is asked; see `comity custody consent list`")


@consent.command("give")
@click.argument("consent")
@click.option("--until", type=MOMENT, required=True, help="The last moment of handing on.")
@click.option("--to", "recipients", multiple=True, help="Fewer than were asked for; left out: all of them.")
def give_consent(consent: str, until: datetime, recipients: tuple[str, ...]) -> None:
    """Give the CONSENT that a partner asked for."""
    view = forward.give_consent(terminal_actor(), consent_id=consent, until=until, recipients=recipients, at=now())
    click.echo(f"{view.asker} may hand {view.message_id} on to {', '.join(view.recipients)}")


@consent.command("refuse")
@click.argument("consent")
def refuse_consent(consent: str) -> None:
    """Refuse the CONSENT that a partner asked for."""
    view = forward.refuse_consent(terminal_actor(), consent_id=consent, at=now())
    click.echo(f"{view.asker} may not hand {view.message_id} on")


def _shown(moment: datetime | None) -> str:
    return show_instant(moment) if moment else ""
