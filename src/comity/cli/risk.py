"""Profiles, selection and explanations at the terminal."""

from __future__ import annotations

from datetime import timedelta

import click

from comity.cli.risk_selection import record_id_of, release_times_command, selection
from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.common import parse_instant, show_instant
from comity.journeys.select import select_today
from comity.risk import Explanation, Lane, Profile, RuleError, parse_rule, services
from comity.risk import selectors as reads
from comity.trade import RiskType
from comity.trade.facts import FACT_TYPES


@click.group()
def risk() -> None:
    """Write rule profiles, select goods for inspection, explain why."""


risk.add_command(selection)
risk.add_command(release_times_command)


@risk.group()
def profiles() -> None:
    """List, add, back-test, approve and retire rule profiles, and try a rule out."""


@profiles.command("list")
def list_profiles() -> None:
    """Print every profile with its state, its hits and how many controls confirmed it."""
    require_home()
    rows: list[tuple[str, ...]] = [
        (
            found.ref,
            found.state.value,
            found.lane.value,
            str(found.weight),
            str(found.hits),
            _precision(found),
            _note(found),
            found.title,
        )
        for found in reads.profiles(now())
    ]
    say_table(("REF", "STATE", "LANE", "WEIGHT", "HITS", "CONFIRMED", "NOTE", "TITLE"), rows)


@profiles.command("add")
@click.argument("ref")
@click.argument("expression")
@click.option("--title", required=True, help="What the profile looks for, in a few words.")
@click.option("--owner", required=True, help="The unit that answers for it.")
@click.option("--legal-basis", required=True, help="The law or order that allows the control.")
@click.option("--weight", type=click.IntRange(1, 100), default=30, show_default=True)
@click.option("--risk-type", type=click.Choice([word.value for word in RiskType]), default="other", show_default=True)
@click.option(
    "--lane",
    type=click.Choice([lane.value for lane in Lane]),
    default="yellow",
    show_default=True,
    help="Where it sends the goods; red selects always.",
)
@click.option("--priority", type=click.IntRange(1, 9), default=5, show_default=True, help="1 first, 9 last.")
@click.option("--expected-hit-rate", type=click.FloatRange(0, 1), help="On which share of records it should fire.")
@click.option("--valid-from", help="Such as 2026-03-01T00:00:00Z. Default: now.")
@click.option("--days", type=click.IntRange(1, 3650), help="How many days it is valid. Default: until it is retired.")
def add_profile(ref: str, expression: str, **options: str) -> None:
    """Draft the profile REF with the rule EXPRESSION. It does nothing until another officer approves it."""
    at = now()
    valid_from = parse_instant(options["valid_from"]) if options["valid_from"] else at
    _check(expression)
    made = services.draft_profile(
        terminal_actor(),
        draft=services.ProfileDraft(
            ref=ref,
            title=options["title"],
            owner=options["owner"],
            legal_basis=options["legal_basis"],
            expression=expression,
            weight=int(options["weight"]),
            risk_type=RiskType(options["risk_type"]),
            lane=Lane(options["lane"]),
            valid_from=valid_from,
            valid_until=valid_from + timedelta(days=int(options["days"])) if options["days"] else None,
            priority=int(options["priority"]),
            expected_hit_rate=float(options["expected_hit_rate"]) if options["expected_hit_rate"] else None,
        ),
        at=at,
    )
    click.echo(f"{made.ref} is a draft; try it on past records, then another officer must approve it")


@profiles.command("backtest")
@click.argument("ref")
@click.option("--days", type=click.IntRange(1, 1095), default=365, show_default=True, help="How far back to look.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=10_000, show_default=True, help="Records at most.")
def backtest(ref: str, *, days: int, limit: int) -> None:
    """Try the profile REF on the node's own past records, and keep the answer for its approval."""
    at = now()
    past = services.Past.before(at, timedelta(days=days), limit)
    found = services.backtest_profile(terminal_actor(), ref=ref, past=past, at=at)
    click.echo(f"{ref} would have fired on {found.fired:,} of {found.records:,} records ({found.hit_rate:.1%})")
    if not found.records:
        click.echo("There is no history to try it on; it can be approved without.")
    elif not found.controlled:
        click.echo("None of them was controlled: whether it would have been right is not known.")
    else:
        table = [("the rule fires", str(found.found), str(found.vain))]
        say_table(
            ("CONTROLLED", "IRREGULAR", "IN ORDER"), [*table, ("it is silent", str(found.missed), str(found.spared))]
        )


@profiles.command("approve")
@click.argument("ref")
@click.option("--legal-basis", default="", help="Of a partner's profile: the law of ours by which it runs here.")
def approve(ref: str, *, legal_basis: str) -> None:
    """Put the draft REF in force. Who drafted it may not approve it."""
    made = services.approve_profile(terminal_actor(), ref=ref, legal_basis=legal_basis, at=now())
    click.echo(f"{made.ref} is {made.state.value}")


@profiles.command("retire")
@click.argument("ref")
@click.option("--reason", required=True, help="Why, in one sentence.")
def retire(ref: str, *, reason: str) -> None:
    """Take the profile REF out of force for good."""
    services.retire_profile(terminal_actor(), ref=ref, reason=reason, at=now())
    click.echo(f"{ref} is retired")


@profiles.command("check")
@click.argument("expression")
def check(expression: str) -> None:
    """Read the rule EXPRESSION without keeping it; say what is wrong with it, and where."""
    columns = _check(expression)
    click.echo(f"The rule can be read. It looks at: {', '.join(columns) or 'nothing'}")


@risk.command()
def select() -> None:
    """Spend what is left of today's inspections on what waits: mandatory, then by score, then at random."""
    run = select_today(terminal_actor(), at=now())
    for chosen in run.chosen:
        row = reads.queue_row(chosen.record_id)
        click.echo(f"{row.reference if row else chosen.record_id}  {chosen.cause.value}")
    plan = run.plan
    click.echo(
        f"{len(run.chosen)} selected; {plan.day}: {plan.used} of {plan.capacity} inspections spent, "
        f"{plan.used_random} at random (share {plan.random_share:.0%}); seed {run.seed[:16]}"
    )


@risk.command()
@click.argument("record")
def explain(record: str) -> None:
    """Say why RECORD (its reference or number) stands where it stands."""
    require_home()
    told = reads.explanation(record_id_of(record))
    assessment = told.assessment
    click.echo(f"{record}: score {assessment.score:g}, lane {assessment.lane.value}, {told.state.value}")
    click.echo(f"{told.selection} Assessed {show_instant(assessment.at)}, version {assessment.version}.")
    _say_reasons(told)


def _say_reasons(told: Explanation) -> None:
    for reason in told.reasons:
        click.echo(f"\n{reason.source}  weight {reason.weight:g}  from {reason.administration}  {reason.clause}")
        click.echo(f"  {reason.title}")
        click.echo(f"  {reason.text}")
        for label, words in reason.facts:
            click.echo(f"  {label}: {words}")
    if told.reasons:
        click.echo(f"\nScore: {told.formula}")


def _check(expression: str) -> list[str]:
    try:
        return sorted(parse_rule(expression, FACT_TYPES).columns)
    except RuleError as error:
        raise click.ClickException(error.show()) from error


def _note(found: Profile) -> str:
    if found.shadowed_by:
        return f"hidden by {found.shadowed_by}"
    return "never fired" if found.is_silent else "-"


def _precision(found: Profile) -> str:
    controls = found.confirmed + found.unconfirmed
    return f"{found.confirmed}/{controls}" if controls else "-"
