"""Profiles given to partners, and what became of ours, at the terminal."""

from __future__ import annotations

import click

from comity.cli.giving import AT_LEVEL, FOR_PURPOSE, TO_PARTNERS, say_shared
from comity.cli.risk import profiles, risk
from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.journeys.share import Wish
from comity.journeys.teach import share_profile
from comity.risk.reporting import our_reliability_at, reports_by
from comity.trade import Handling


@profiles.command("share")
@click.argument("ref")
@TO_PARTNERS
@FOR_PURPOSE
@AT_LEVEL
def share_profile_command(ref: str, partners: tuple[str, ...], *, purpose: str, handling: str) -> None:
    """Give the profile REF to partners. It runs there, unchanged, once they tried and approved it."""
    level = Handling.from_word(handling)
    say_shared(share_profile(terminal_actor(), ref=ref, wish=Wish(partners, purpose), handling=level, at=now()))


@risk.command("reports")
@click.argument("partner")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
def reports_command(partner: str, *, limit: int) -> None:
    """Print what PARTNER told of what came of our alerts and profiles."""
    require_home()
    rows: list[tuple[str, ...]] = [
        (
            each.told.value,
            each.ref,
            "-" if each.fired is None else str(each.fired),
            str(each.examined),
            str(each.found),
            ", ".join(f"{kind.risk_type.value} {kind.found}" for kind in each.kinds) or "-",
            "ended" if each.is_closed else "-",
        )
        for each in reports_by(partner, limit=limit)
    ]
    say_table(("KIND", "REF", "FIRED", "EXAMINED", "IRREGULAR", "IN WHICH WAY", "NOTE"), rows)
    click.echo(f"Reliability of ours there: {our_reliability_at(partner)}")
