"""The node's own forecast at the terminal."""

from __future__ import annotations

import csv
from pathlib import Path

import click

from comity.cli.support import now, require_home, say_table
from comity.risk import outlook_views as views
from comity.risk.outlook_making import forecasts_turn, make_forecasts
from comity.risk.outlook_views import ForecastView, OutlookView
from comity.trade import RiskType

# The words of the benchmark's form for what the node forecasts.
KINDS_SHORT = {"IP": RiskType.COUNTERFEIT, "UV": RiskType.UNDERVALUATION}
_SHOWN, _MOST = 20, 1_000
_HEADINGS = (
    "heading",
    "origin",
    "departure",
    "declared",
    "controlled",
    "found",
    "expected",
    "low",
    "high",
    "all_expected",
    "all_low",
    "all_high",
)


def say_own(kind: RiskType, out: Path | None) -> None:
    """Print the forecast of the coming weeks, or write it; made first where it is due."""
    require_home()
    forecasts_turn(now())
    shown = views.forecast(kind)
    if shown is None or shown.silence:
        make_forecasts(now())
        shown = views.forecast(kind)
    if shown is None or shown.silence:
        why = shown.silence.value.replace("_", " ") if shown else "no records"
        click.echo(f"nothing can be foretold yet: {why}")
        return
    total, rows = views.outlooks_of(shown, limit=_MOST)
    lines = [_line(each) for each in rows]
    if out is not None:
        with out.open("w", encoding="utf-8", newline="") as target:
            csv.writer(target, lineterminator="\n").writerows([_HEADINGS, *lines])
    else:
        say_table(tuple(name.upper() for name in _HEADINGS), lines[:_SHOWN])
    _say_basis(shown, total, out)


def _say_basis(shown: ForecastView, total: int, out: Path | None) -> None:
    place = f" into {out}" if out else f", the first {min(total, _SHOWN)} shown"
    click.echo(f"{shown.first_day} to {shown.last_day}: {total} headings and routes{place}")
    click.echo(
        f"made from {shown.declared} declarations since {shown.past_from}, {shown.controlled} controlled"
        f" ({shown.by_chance} by chance), {shown.found} found"
    )
    for is_later, when in ((False, "made in time"), (True, "made afterwards")):
        held = views.held(shown.kind, is_later=is_later)
        if held.worth:
            click.echo(f"{when}: {held.held} of {held.worth} intervals held ({held.promised:.1%} promised)")


def _line(one: OutlookView) -> tuple[str, ...]:
    whole = (one.all_expected, one.all_low, one.all_high)
    return (
        one.heading,
        one.origin,
        one.departure,
        str(one.declared),
        str(one.controlled),
        str(one.found),
        f"{one.expected:.2f}",
        str(one.low),
        str(one.high),
        *("" if each is None else f"{each:.2f}" if isinstance(each, float) else str(each) for each in whole),
    )
