"""Mirror checks at the terminal."""

from __future__ import annotations

import click

from comity.cli.risk import risk
from comity.cli.support import require_home, say_table
from comity.risk.mirror_views import mirror_counts, mirror_matches


@risk.command()
@click.option("--partner", default="", help="Only matches with this administration.")
@click.option("--differing", is_flag=True, help="Only matches in which something differs.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
def mirror(partner: str, limit: int, *, differing: bool) -> None:
    """Print what the mirror check came to with each partner, and the latest matches without figures."""
    require_home()
    counts = [
        (each.partner, *map(str, (each.told, each.refused, each.offered, each.matched, each.agreed, each.differing)))
        for each in mirror_counts()
        if partner in ("", each.partner)
    ]
    say_table(("PARTNER", "TOLD", "REFUSED", "OFFERED", "MATCHED", "AGREED", "DIFFERING"), counts)
    rows = [
        (each.reference, each.partner, each.joint, each.state, ", ".join(each.differing))
        for each in mirror_matches(partner=partner, only_differing=differing, limit=limit)
    ]
    if rows:
        click.echo()
        say_table(("DECLARATION", "PARTNER", "JOINED BY", "STATE", "DIFFERS IN"), rows)
