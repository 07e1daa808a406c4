"""Hits of the screening between partners, at the terminal: ask, tell, and what they decided."""

from __future__ import annotations

import click

from comity.cli.giving import AT_LEVEL, FOR_PURPOSE, TO_PARTNERS, say_shared
from comity.cli.registers import registers
from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.journeys.consult import ask_about_hit, tell_hit
from comity.journeys.share import Wish
from comity.risk.hit_advice import advice_on
from comity.risk.hits import hit
from comity.trade import Handling


@registers.command("ask")
@click.argument("ref")
@TO_PARTNERS
@FOR_PURPOSE
def ask_command(ref: str, partners: tuple[str, ...], *, purpose: str) -> None:
    """Ask partners what they decided of the hit REF. The party is not named."""
    say_shared(ask_about_hit(terminal_actor(), ref=ref, wish=Wish(partners, purpose), at=now()))


@registers.command("tell")
@click.argument("ref")
@TO_PARTNERS
@FOR_PURPOSE
@AT_LEVEL
def tell_command(ref: str, partners: tuple[str, ...], *, purpose: str, handling: str) -> None:
    """Tell partners the decision in force on the hit REF. The party is not named."""
    level = Handling.from_word(handling)
    say_shared(tell_hit(terminal_actor(), ref=ref, wish=Wish(partners, purpose), handling=level, at=now()))


@registers.command("advice")
@click.argument("ref")
def advice_command(ref: str) -> None:
    """Print what partners decided of the hit REF. It is advice."""
    require_home()
    rows: list[tuple[str, ...]] = [
        (each.issuer, f"{each.decided_at:%Y-%m-%d}", each.verdict.value, each.ground.value, each.by.value, each.reason)
        for each in advice_on(hit(ref))
    ]
    say_table(("PARTNER", "DECIDED", "VERDICT", "GROUND", "RECOGNISED BY", "REASON"), rows)
