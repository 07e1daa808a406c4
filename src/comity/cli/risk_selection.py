"""Selection at the terminal: budgets, policy, planner, lanes, release times, and the proof of a day's chance."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import click

from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.enforcement.checks import CheckFilter, check_counts, checks
from comity.intake.selectors import versions
from comity.journeys.override import change_lane
from comity.journeys.prove import prove_selection
from comity.risk import Lane, SelectionError
from comity.risk.budgets import budgets_on, policy_on, set_budget, set_policy, standings_on
from comity.risk.controls import WORKING_DAYS, Budget, ControlKind, Period, monday_of
from comity.risk.errors import SelectionProofError
from comity.risk.forecasting import forecast_for
from comity.risk.overriding import LaneChange, override_counts
from comity.risk.planning import Forecast, RevenueSilence, Share
from comity.risk.proving import MOST_CHARS, statement_from_json, statement_to_json, verify
from comity.risk.release_times import release_times
from comity.risk.selectors import plan
from comity.risk.services import DayPlan, set_plan
from comity.risk.today import local_day

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_SHARE = click.FloatRange(0, 1)
_WEIGHT = click.FloatRange(0, 100)
_SINCE = click.IntRange(1, 3650)


@click.group()
def selection() -> None:
    """State how inspections are spent, look ahead, and prove that chance was chance."""


@selection.command("show")
@click.option("--day", type=_DAY, help="Default: today.")
def show(day: datetime | None) -> None:
    """Print a day's plan, its budgets by office and kind of control, and the policy."""
    require_home()
    wanted = day.date() if day else _today()
    held, policy = plan(wanted), policy_on(wanted)
    click.echo(f"{wanted}: {held.used} of {held.capacity} inspections spent, {held.used_random} at random")
    click.echo(
        f"exploring: {held.random_share:.0%} by chance, {policy.share_learning:.0%} to learn,"
        f" {held.extra_share:.0%} more for measured drift (at most {policy.explore_at_most:.0%})"
    )
    click.echo(
        f"checks after release: {held.used_after} given, {policy.checks_at_most:.0%} of a day at most,"
        f" each due within {policy.check_due_days} days"
    )
    click.echo(f"goals: revenue {policy.revenue:g}, security {policy.security:g}, IPR {policy.ipr:g}")
    rows = [
        (
            each.budget.office or "all",
            each.budget.control.value if each.budget.control else "all",
            f"{each.budget.amount} a {each.budget.period}",
            str(each.used),
            str(each.left),
        )
        for each in standings_on(wanted)
    ]
    say_table(("OFFICE", "CONTROL", "BUDGET", "USED", "LEFT TODAY"), rows)


@selection.command("plan")
@click.argument("capacity", type=click.IntRange(0, 100_000))
@click.option("--day", type=_DAY, help="From which day on. Default: today.")
@click.option("--random", "random_share", type=_SHARE, default=0.1, show_default=True, help="Share by chance alone.")
@click.option("--threshold", type=click.FloatRange(0, 100), default=50.0, show_default=True)
@click.option("--arrivals", type=click.IntRange(1), help="Expected a day, so that chance lasts the whole of it.")
def state_plan(capacity: int, *, day: datetime | None, random_share: float, threshold: float, arrivals: int) -> None:
    """State that there are CAPACITY inspections a day, all offices and kinds together."""
    wanted = day.date() if day else _today()
    set_plan(terminal_actor(), day=wanted, plan=DayPlan(capacity, random_share, threshold, arrivals), at=now())
    click.echo(f"from {wanted}: {capacity} inspections a day, {random_share:.0%} at random")


@selection.command("budget")
@click.argument("amount", type=click.IntRange(0, 100_000))
@click.option("--office", default="", help="Default: all offices together.")
@click.option("--control", type=click.Choice([kind.value for kind in ControlKind]), help="Default: all kinds together.")
@click.option("--period", type=click.Choice([each.value for each in Period]), default="week", show_default=True)
@click.option("--open-days", default=WORKING_DAYS, show_default=True, help="Monday to Sunday, 1 where open.")
@click.option("--from", "valid_from", type=_DAY, help="A Monday for a week. Default: this week, or today.")
def state_budget(amount: int, **options: object) -> None:
    """State that there are AMOUNT controls of a kind at an office, by week or day."""
    period, given = Period(str(options["period"])), options["valid_from"]
    first = given.date() if isinstance(given, datetime) else _today()
    budget = Budget(
        amount=amount,
        period=period,
        office=str(options["office"]),
        control=ControlKind(str(options["control"])) if options["control"] else None,
        open_days=str(options["open_days"]),
        valid_from=monday_of(first) if period is Period.WEEK and given is None else first,
    )
    made = set_budget(terminal_actor(), budget=budget, at=now())
    click.echo(f"from {made.valid_from}: {made.amount} a {made.period}; {len(budgets_on(_today()))} budgets hold today")


@selection.command("policy")
@click.option("--day", type=_DAY, help="From which day on. Default: today.")
@click.option("--revenue", type=_WEIGHT, help="What revenue counts beside the other goals.")
@click.option("--security", type=_WEIGHT, help="What prohibited and dangerous goods count.")
@click.option("--ipr", type=_WEIGHT, help="What counterfeit goods count.")
@click.option("--share-critical", type=_SHARE, help="Share kept for goods that do harm in themselves.")
@click.option("--share-value", type=_SHARE, help="Share kept for what is dear; needs --currency.")
@click.option("--share-learning", type=_SHARE, help="Share kept for scores of which little is known.")
@click.option("--explore-at-most", type=_SHARE, help="To which share exploration may rise on measured drift.")
@click.option("--random-control", type=click.Choice([kind.value for kind in ControlKind]), help="Of random controls.")
@click.option("--currency", help="In which declared values are compared.")
@click.option("--green-leaves/--green-waits", default=None, help="Whether the node releases the green lane by itself.")
@click.option("--green-delay-minutes", type=click.IntRange(0, 10_080), help="How long green waits before it leaves.")
@click.option("--blue-after-days", type=click.IntRange(0, 365), help="When unread papers turn blue; 0: never.")
@click.option("--checks-at-most", type=_SHARE, help="Share of a day that may go to checks after release.")
@click.option("--check-due-days", type=click.IntRange(1, 1_095), help="Until when a check after release is to be made.")
def state_policy(*, day: datetime | None, **options: object) -> None:
    """Change the administration's policy of selection; what is not named stays as it is."""
    wanted = day.date() if day else _today()
    named = {name: figure for name, figure in options.items() if figure is not None}
    if "random_control" in named:
        named["random_control"] = ControlKind(str(named["random_control"]))
    policy = replace(policy_on(wanted), **named)  # type: ignore[arg-type]  # click checked each
    set_policy(terminal_actor(), day=wanted, policy=policy, at=now())
    click.echo(f"from {wanted}: {', '.join(named) or 'nothing'} changed")


@selection.command("prove")
@click.option("--day", type=_DAY, required=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output.")
def prove(day: datetime, *, out: Path | None) -> None:
    """Write what chance was asked on a day, its seeds and answers, so that anybody can compute them again."""
    statement = prove_selection(terminal_actor(), day=day.date(), at=now())
    text = json.dumps(statement_to_json(statement), indent=1, ensure_ascii=False)
    if out is None:
        click.echo(text)
        return
    out.write_text(text + "\n", encoding="utf-8")
    asked = sum(len(each.order) for each in statement.asked)
    click.echo(f"{out}: {asked} draws, {len(statement.checkpoints)} checkpoints")


@selection.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--vkey", default="", help="The log's verifier key as its administration handed it out.")
@click.option("--witness", "witnesses", multiple=True, help="A witness's verifier key; may be given several times.")
def verify_statement(file: Path, *, vkey: str, witnesses: tuple[str, ...]) -> None:
    """Compute the draws of a statement again, without the node; say in words what was found."""
    if file.stat().st_size > MOST_CHARS:
        raise SelectionProofError("The file is too large for a statement", where=str(file))
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise SelectionProofError("Not a statement on selection", where=f"{file}: {error}"[:200]) from error
    for line in verify(statement_from_json(content), vkey=vkey, witnesses=witnesses):
        click.echo(line)


@selection.command("planner")
@click.option("--inspections", type=click.IntRange(0, 100_000), help="How many. Default: today's capacity.")
def planner(inspections: int | None) -> None:
    """Say what so many inspections of what waits now are likely to find."""
    require_home()
    wanted = plan(_today()).capacity if inspections is None else inspections
    found = forecast_for(wanted, policy=policy_on(_today()), at=now())
    expected = found.expected
    click.echo(
        f"{expected.inspections} of {found.waiting} that wait: {expected.hits:.1f} irregular expected,"
        f" {expected.low:.1f} to {expected.high:.1f} (95 %); {expected.critical:.1f} of them prohibited,"
        " dangerous or counterfeit"
    )
    click.echo(f"It rests on {found.controls} past controls{': hardly more than a guess' if found.is_guess else ''}.")
    click.echo(_revenue_line(found))
    rows = [
        (part.office or "-", part.control, str(part.inspections), f"{part.hits:.1f}", _revenue_of(part))
        for part in found.parts
    ]
    say_table(("OFFICE", "CONTROL", "INSPECTIONS", "EXPECTED", "REVENUE (TOLD OF)"), rows)


def _revenue_line(found: Forecast) -> str:
    """What revenue is expected, of how many; or why none is."""
    expected, silence = found.expected, found.basis.silence
    if silence is not None:
        why = {
            RevenueSilence.NO_CHAMPION: "no model is champion",
            RevenueSilence.NO_AMOUNTS: "the champion learned too few amounts",
        }
        return f"Expected revenue is not told: {why[silence]}."
    if expected.revenue is None:
        return f"Expected revenue is told of none of the {expected.inspections}, of {found.with_revenue} that wait."
    return (
        f"Expected revenue {expected.revenue:,.0f} {found.basis.currency or '(currency not named)'}, told of"
        f" {expected.with_revenue} of the {expected.inspections}"
        f"{'; the others are not in it' if expected.with_revenue < expected.inspections else ''}."
    )


def _revenue_of(part: Share) -> str:
    return "-" if part.revenue is None else f"{part.revenue:,.0f} ({part.with_revenue})"


@selection.command("checks")
@click.option("--office", default="", help="Default: all offices.")
@click.option("--overdue", is_flag=True, help="Only those whose day is past.")
def list_checks(office: str, *, overdue: bool) -> None:
    """Print the open checks after release, those that are due first on top, and how many there are by office."""
    require_home()
    today = _today()
    found = checks(CheckFilter(office=office, due_before=today if overdue else None, page_size=200))
    for each in check_counts(today):
        if office in ("", each.office):
            click.echo(f"{each.office or 'all'}: {each.open} open, {each.overdue} overdue, {each.soon} due in 7 days")
    rows = [
        (each.reference, each.office or "-", str(each.due_on), _due(each.due_on, today), each.assigned_to or "nobody")
        for each in found.rows
    ]
    say_table(("CHECK", "OFFICE", "DUE", "LEFT", "WITH"), rows)
    if found.total > len(rows):
        click.echo(f"{found.total - len(rows)} more")


def _due(due_on: date | None, today: date) -> str:
    days = (due_on - today).days if due_on else 0
    return f"{days} days" if days >= 0 else f"{-days} days overdue"


@selection.command("lane")
@click.argument("record")
@click.argument("lane", type=click.Choice([lane.value for lane in Lane]))
@click.option("--reason", required=True, help="Why, in one sentence.")
def lane_command(record: str, lane: str, *, reason: str) -> None:
    """Put RECORD (its reference or number) into another LANE."""
    change = LaneChange(Lane(lane), reason)
    moved = change_lane(terminal_actor(), record_id=record_id_of(record), change=change, at=now())
    if moved.overridden is None:
        click.echo(f"The control is mandatory: a second officer must agree ({moved.proposal_id})")
    else:
        click.echo(f"{record}: {moved.overridden.from_lane} to {moved.overridden.to_lane}")


@selection.command("overrides")
@click.option("--days", type=_SINCE, default=365, show_default=True)
def overrides(days: int) -> None:
    """Count how often officers raised or lowered a lane, and what controls of those goods found."""
    require_home()
    counts = override_counts(now() - timedelta(days=days))
    rows = [
        ("raised" if each.is_raise else "lowered", str(each.changes), str(each.controlled), str(each.irregular))
        for each in counts
    ]
    say_table(("LANE", "CHANGES", "CONTROLLED", "IRREGULAR"), rows)


@click.command("release-times")
@click.option("--days", type=_SINCE, default=30, show_default=True)
def release_times_command(days: int) -> None:
    """Print how long goods waited from arrival to release: half of them, and nine in ten, not longer than this."""
    require_home()
    rows = [
        (each.lane.value, each.office or "all", str(each.released), say_span(each.median), say_span(each.p90))
        for each in release_times(now() - timedelta(days=days))
    ]
    say_table(("LANE", "OFFICE", "RELEASED", "MEDIAN", "NINE IN TEN"), rows)


def say_span(span: timedelta) -> str:
    """A time in the largest unit that keeps it above one: 40 s, 12 min, 3.5 h, 2.1 d."""
    seconds = span.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def record_id_of(text: str) -> UUID:
    """The record of a number or a reference.

    Raises: SelectionError where there is none.
    """
    try:
        return UUID(text)
    except ValueError:
        found = versions(text)
    if not found:
        raise SelectionError("No record has this reference", where=text)
    return found[0].record_id


def _today() -> date:
    return local_day(now())
