"""`comity doctor`: what works, what is about to fail, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from threading import Event

import click
from django.conf import settings
from django.db import connection

from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.common import show_instant
from comity.exchange.delivery import deliver_due
from comity.journeys.probe import ProbeResult, probe_partners, probe_results
from comity.node.checks import Check
from comity.node.checkup import examine, examine_probes, is_serving
from comity.node.home import Home, current_home

_LOOK_SECONDS = 0.2


@click.command()
@click.option("--probe/--no-probe", default=True, help="Whether to send a signed probe to each partner.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")
@click.option("--wait", default=20.0, show_default=True, metavar="SECONDS", help="How long to wait for answers.")
def doctor(*, probe: bool, as_json: bool, wait: float) -> None:
    """Say what works, what will soon not, and what to do. Exit 1 where a person must act.

    \b
    A signed probe goes the real road to each partner: outbox, envelope, receipt, journey, answer. The node that serves
    here delivers it; where none serves, this command does, and the answer comes when one serves again.
    Beside it: clocks, disks, database, certificates and key documents, lines, journeys, retention, logs, agreements,
    file permissions, ports, the age of the last backup.

    \b
      comity doctor                  everything, one line a check
      comity doctor --no-probe       sends nothing
      comity doctor --json           for monitoring
    """
    require_home()
    home = current_home()
    results = _probe(home, wait) if probe else probe_results()
    at = now()
    checks = examine(home, at)
    checks += examine_probes([each for each in results if probe or each.asked_at], is_serving=is_serving(home))
    _say_json(checks) if as_json else _say(checks)
    if any(each.needs_attention for each in checks):
        raise click.exceptions.Exit(1)


def _probe(home: Home, wait: float) -> tuple[ProbeResult, ...]:
    """Probe, and wait until every partner has answered or the time is up."""
    wanted = probe_partners(terminal_actor(), at=now())
    if not is_serving(home):
        deliver_due(settings.COMITY_KEYRING, now())
        return probe_results(list(wanted)) if wanted else ()
    pause, waited = Event(), 0.0
    while not _is_done(wanted) and waited < wait:
        pause.wait(_LOOK_SECONDS)
        waited += _LOOK_SECONDS
        connection.close_if_unusable_or_obsolete()
    return probe_results(list(wanted)) if wanted else ()


def _is_done(wanted: Mapping[str, str]) -> bool:
    return all(each.is_answered or each.state == "refused" for each in probe_results(list(wanted)) if wanted)


def _say(checks: list[Check]) -> None:
    say_table(
        ("check", "state", "detail", "what to do"),
        [(each.title, each.state, each.detail, each.remedy) for each in checks],
    )


def _say_json(checks: list[Check]) -> None:
    said = {
        "administration": settings.COMITY_ADMINISTRATION,
        "at": show_instant(now()),
        "needs_attention": any(each.needs_attention for each in checks),
        "checks": [asdict(each) for each in checks],
    }
    click.echo(json.dumps(said, indent=1, ensure_ascii=False))
