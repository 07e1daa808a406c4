"""Watch lists and registers at the terminal: load, list, look up, screen a name, decide on hits."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.common import ComityError
from comity.registers import Identifier, ListFormat, ListSource, RegisterKind, TooManyBrokenError
from comity.registers import selectors as reads
from comity.registers.matching import Subject
from comity.registers.screeners import screener_in_force
from comity.registers.services import load_list, withdraw_list
from comity.registers.sources.reading import MAX_BYTES
from comity.risk.hits import decide_hit, hit, open_hits
from comity.risk.screening import Verdict
from comity.trade.knowledge import HitGround

_KINDS = [kind.value for kind in RegisterKind]
_FORMS = [form.value for form in ListFormat]


@click.group()
def registers() -> None:
    """Load and show watch lists and registers, screen a name, decide on hits."""


@registers.command()
@click.argument("code")
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--format", "form", type=click.Choice(_FORMS), required=True, help="The form of the files.")
@click.option("--kind", type=click.Choice(_KINDS), default="watch_list", show_default=True)
@click.option("--publisher", required=True, help="Whose list it is.")
@click.option("--published-on", type=click.DateTime(["%Y-%m-%d"]), help="Default: the date in the file, else today.")
@click.option("--allow-smaller", is_flag=True, help="Take a list that lost more than half of its entries.")
def load(code: str, paths: tuple[Path, ...], **given: object) -> None:
    """Put the files in force as the list CODE, such as un, in the place of the version before.

    Formats: un (consolidated XML), ofac (sdn.csv with add.csv and alt.csv, or a zip file of them), eu (XML), ftm
    (FollowTheMoney, JSON lines), csv (registers). Up to 2 rows in 100 that cannot be read are left out and named;
    with more of them nothing is taken.
    """
    day = given["published_on"]
    source = ListSource(
        code=code,
        format=ListFormat(str(given["form"])),
        publisher=str(given["publisher"]),
        files=tuple((path.name, _bytes(path)) for path in paths),
        published_on=date(day.year, day.month, day.day) if isinstance(day, date) else None,
        kind=RegisterKind(str(given["kind"])),
    )
    try:
        made = load_list(terminal_actor(), source=source, allow_smaller=bool(given["allow_smaller"]), at=now())
    except TooManyBrokenError as error:
        for row in error.broken[:20]:
            click.echo(f"broken: {row}", err=True)
        raise
    for row in made.broken:
        click.echo(f"left out: {row}")
    click.echo(
        f"{made.label}: {made.entries} entries in force, {made.broken_count} rows left out, {made.ignored} ignored"
    )


@registers.command("list")
def list_registers() -> None:
    """Print what is in force: each list with its date, its publisher and how many entries it has."""
    require_home()
    rows: list[tuple[str, ...]] = [
        (each.code, each.kind.value, str(each.published_on), str(each.entries), str(each.broken_count), each.publisher)
        for each in reads.in_force()
    ]
    say_table(("CODE", "KIND", "DATE", "ENTRIES", "LEFT OUT", "PUBLISHER"), rows)


@registers.command()
@click.argument("code")
@click.option("--find", "text", default="", help="Print the entries that have this in their name or reference.")
def show(code: str, *, text: str) -> None:
    """Print the versions of the list CODE, what was left out of the one in force, and entries."""
    require_home()
    for each in reads.history(code):
        state = "in force" if each.is_current else "replaced"
        click.echo(f"{each.label}  {state}  {each.entries} entries  sha256 {each.sha256}  loaded by {each.loaded_by}")
    for row in reads.version(code).broken:
        click.echo(f"left out: {row}")
    if text:
        say_table(("REFERENCE", "NAME"), reads.search_entries(code, text))


@registers.command()
@click.argument("code")
@click.option("--reason", required=True, help="Why, in one sentence.")
def withdraw(code: str, *, reason: str) -> None:
    """Take the list CODE out of force until it is loaded again."""
    withdraw_list(terminal_actor(), code=code, reason=reason, at=now())
    click.echo(f"{code} is out of force")


@registers.command()
@click.argument("name")
@click.option("--born", default="", help="Such as 1971-05-28 or 1971.")
@click.option("--country", default="", help="ISO 3166 code.")
@click.option("--number", default="", help="A passport, tax, registration or IMO number.")
def screen(name: str, *, born: str, country: str, number: str) -> None:
    """Screen NAME against the watch lists in force and print which parts agree."""
    require_home()
    screener = screener_in_force()
    if screener is None:
        raise ComityError("No watch list is in force", remedy="Load one with `comity registers load`.")
    numbers = (Identifier("number", number),) if number else ()
    matches = screener.screen(Subject(name, None, born, country.upper(), numbers))
    for match in matches:
        version = screener.list_of(match)
        click.echo(f"{match.score:.3f}  {version.label}  {match.entry.ref}  {match.entry.name}")
        for part in match.parts:
            sides = f"{part.ours} / {part.theirs}" if part.ours or part.theirs else ""
            click.echo(f"       {part.feature} {part.verdict} {part.effect:+.3f}  {sides}".rstrip())
    click.echo(f"{len(matches)} found")


@registers.command()
def hits() -> None:
    """Print the hits that wait for a decision, the heaviest first."""
    require_home()
    page = open_hits()
    rows: list[tuple[str, ...]] = [
        (row.ref, f"{row.weight:g}", row.score, str(row.records), row.ours, row.theirs) for row in page.rows
    ]
    say_table(("HIT", "WEIGHT", "SCORE", "RECORDS", "OURS", "LISTED"), rows)
    click.echo(f"{page.total} wait for a decision")


@registers.command()
@click.argument("ref")
@click.argument("verdict", type=click.Choice([verdict.value for verdict in Verdict]))
@click.option("--reason", required=True, help="What tells them apart, or one.")
@click.option(
    "--ground",
    type=click.Choice([ground.value for ground in HitGround]),
    default=HitGround.OTHER.value,
    show_default=True,
    help="The reason as a word, which partners may be told.",
)
def decide(ref: str, verdict: str, *, reason: str, ground: str) -> None:
    """Decide that both sides of the hit REF are the same, or are not. It holds for both from now on."""
    view = hit(ref)
    why = HitGround(ground)
    changed = decide_hit(terminal_actor(), ref=ref, verdict=Verdict(verdict), reason=reason, ground=why, at=now())
    click.echo(f"{view.row.ours} and {view.row.theirs}: {verdict}; {len(changed)} assessed again")


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > MAX_BYTES:
        raise ComityError(f"The file has more than {MAX_BYTES} bytes", where=str(path))
    try:
        return path.read_bytes()
    except OSError as error:
        raise ComityError(f"The file cannot be read: {error.strerror}", where=str(path)) from error
