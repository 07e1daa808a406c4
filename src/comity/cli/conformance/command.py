"""`comity conformance URL`."""

from __future__ import annotations

import http.client
import json
import threading
from pathlib import Path
from time import monotonic

import click

from comity.cli.conformance.steps import Result, run_checks
from comity.cli.conformance.tester import NotConformingError, Tester
from comity.cli.support import now, say_table
from comity.exchange.invitation import read_invitation, write_invitation
from comity.trust import make_keyring

_PAUSE_SECONDS = 0.5


@click.command()
@click.argument("url")
@click.option(
    "--invitation",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The invitation of the node that is to be checked.",
)
@click.option(
    "--our-invitation",
    type=click.Path(dir_okay=False, path_type=Path),
    default="conformance.json",
    show_default=True,
    help="Where to write ours: the node has to introduce it.",
)
@click.option("--as", "code", default="QZ", show_default=True, help="The administration that the tester plays.")
@click.option("--wait", default=600.0, show_default=True, help="Seconds to wait until the node has introduced us.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def conformance(url: str, invitation: Path, our_invitation: Path, code: str, wait: float, *, as_json: bool) -> None:
    """Check the node at URL against docs/protocol.md, step by step, from outside.

    \b
    The tester is a partner with fresh keys, which live as long as the command:
      1. it writes its own invitation; introduce it at the node (`comity partner introduce FILE`)
      2. once it is let in, it sends about sixty small envelopes, most of them wrong in one thing
      3. it prints each step with what the node answered
    It leaves there: a partner QZ, some answers to probes that nobody sent, refusals. Suspend the partner afterwards.
    URL is where the node takes envelopes, such as https://partners.customs.example:8200.

    \b
    Exit status: 0 when every step holds, 1 when one does not.
    """
    foreign = read_invitation(invitation.read_bytes(), at=now()).keys
    keyring = make_keyring(code, "Conformance tester", "https://conformance.invalid:1", ["localhost"], now())
    our_invitation.write_bytes(write_invitation(keyring, note="comity conformance"))
    click.echo(f"Introduce {our_invitation} at the node of {foreign.administration}; its fingerprint is", err=True)
    click.echo(f"  {keyring.key_document.fingerprint}", err=True)
    tester = Tester(keyring, foreign, url.rstrip("/"), now, invitation.read_bytes())
    _await_introduction(tester, wait)
    results = list(run_checks(tester))
    if as_json:
        click.echo(json.dumps(_to_mapping(tester, results), indent=1, ensure_ascii=False))
    else:
        _say(tester, results)
    if not all(each.is_ok for each in results):
        raise click.exceptions.Exit(1)


def _await_introduction(tester: Tester, seconds: float) -> None:
    deadline, trouble = monotonic() + seconds, ""
    while True:
        try:
            tester.next_sequence = tester.position().highest + 1
            return
        except (OSError, http.client.HTTPException, NotConformingError) as error:
            trouble = f"{type(error).__name__}: {error}"
        if monotonic() > deadline:
            raise NotConformingError(
                "The node does not let us in", where=trouble, remedy="Introduce our invitation there, and check URL."
            )
        threading.Event().wait(_PAUSE_SECONDS)


def _say(tester: Tester, results: list[Result]) -> None:
    rows = [(each.check.step, each.check.title, "ok" if each.is_ok else "WRONG", each.detail) for each in results]
    say_table(("step", "what", "verdict", "seen"), rows)
    wrong = sum(not each.is_ok for each in results)
    click.echo(f"{len(results)} checks, {wrong} wrong; {tester.sent} envelopes were sent to {tester.url}")


def _to_mapping(tester: Tester, results: list[Result]) -> dict[str, object]:
    return {
        "administration": tester.keys.administration,
        "url": tester.url,
        "conforms": all(each.is_ok for each in results),
        "checks": [
            {
                "name": each.check.name,
                "step": each.check.step,
                "title": each.check.title,
                "ok": each.is_ok,
                "detail": each.detail,
            }
            for each in results
        ],
    }
