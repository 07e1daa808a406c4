"""`comity procedure` and `comity case`: the procedures that ship, and the cases between administrations."""

from __future__ import annotations

from pathlib import Path

import click

from comity.agreements import HANDLINGS, PURPOSES
from comity.agreements.procedures import (
    GROUNDS,
    Event,
    GroundRule,
    Procedure,
    StateKind,
    mermaid,
    procedure,
    procedure_names,
    svg,
)
from comity.agreements.selectors import agreement as agreement_by_id
from comity.cli.approvals import say_waiting
from comity.cli.support import now, say_table, terminal_actor
from comity.common import show_instant
from comity.journeys import assist
from comity.operations import CaseView, Effect, Step, form_of, parties_of, selectors, value_of
from comity.operations.services import Opening
from comity.staff import SecondOfficerNeededError

_language = click.option("--language", type=click.Choice(["en", "fr"]), default="en", show_default=True)
_set = click.option("--set", "values", multiple=True, metavar="FIELD=VALUE", help="What a field says; several times.")


@click.group("procedure")
def procedure_group() -> None:
    """Procedures: who may do what when, as files say it. Needs no node."""


@procedure_group.command("list")
@_language
def list_procedures(language: str) -> None:
    """Print the procedures that ship."""
    found = [procedure(name) for name in procedure_names()]
    rows = [(each.name, each.edition, each.tag.value, each.source, each.title.in_(language)) for each in found]
    say_table(("NAME", "EDITION", "TAG", "SOURCE", "TITLE"), rows)


@procedure_group.command("show")
@click.argument("name")
@_language
def show_procedure(name: str, language: str) -> None:
    """Print the states, events, fields, clocks and grounds of the procedure NAME."""
    found = procedure(name)
    click.echo(f"{found.title.in_(language)} ({found.name}, edition {found.edition}); {found.source}; tag {found.tag}")
    click.echo(f"{found.text.in_(language)}\n")
    rows = [(each.name, each.kind.value, ", ".join(each.whose_turn), each.title.in_(language)) for each in found.states]
    say_table(("STATE", "KIND", "WHOSE TURN", "TITLE"), rows)
    click.echo()
    for event in found.events:
        _say_event(found, event, language)
    click.echo()
    for clock in found.clocks:
        click.echo(f"clock {clock.name}: {clock.term.text} from the {clock.start}; {clock.source}; tag {clock.tag}")
    for ground in found.grounds:
        law = " (name the law)" if ground.needs_law else ""
        click.echo(f"ground {ground.name}: {ground.label.in_(language)}{law}; {ground.source}")


@procedure_group.command("diagram")
@click.argument("name")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it here; .svg gives a picture.")
@_language
def diagram(name: str, out: Path | None, language: str) -> None:
    """Print the procedure NAME as a Mermaid diagram, or write it as text or SVG."""
    found = procedure(name)
    if out is None:
        click.echo(mermaid(found, language), nl=False)
        return
    out.write_text(svg(found, language) if out.suffix == ".svg" else mermaid(found, language), encoding="utf-8")
    click.echo(f"{out}: {found.title.in_(language)}")


@click.group("case")
def case_group() -> None:
    """Cases: procedures that run between this administration and its partners."""


@case_group.command("list")
@click.option("--kind", type=click.Choice([each.value for each in StateKind]), help="Only these.")
@click.option("--ours", is_flag=True, help="Only where it is our turn, what is due first on top.")
def list_cases(kind: str | None, *, ours: bool) -> None:
    """Print the cases of this node, the newest first."""
    actor = terminal_actor()
    lines = selectors.tasks_for(actor) if ours else selectors.cases_for(actor, wanted=selectors.Wanted(kind=kind or ""))
    rows = [
        (
            each.case_id,
            each.procedure,
            each.state,
            ", ".join(each.turn) or "-",
            show_instant(each.next_due) if each.next_due else "-",
            ", ".join(each.flags) or "-",
        )
        for each in lines
    ]
    say_table(("CASE", "PROCEDURE", "STATE", "TURN", "DUE", "FLAGS"), rows)


@case_group.command("show")
@click.argument("case_id")
@_language
def show_case(case_id: str, language: str) -> None:
    """Print the case with CASE_ID: where it stands, its clocks, what each party may do now, and how it came."""
    found = selectors.case_file_for(terminal_actor(), case_id, at=now())
    click.echo(f"case {found.line.case_id}; agreement {found.line.agreement[:12]}")
    _say_view(found.view, language)
    for each in found.sendings:
        if each.recall:
            click.echo(f"step {each.digest[:12]} at {each.recipient}: {each.recall.replace('_', ' ')}")
        if each.withheld:
            click.echo(f"withheld from {each.recipient} by article {each.article}: {', '.join(each.withheld)}")
    for digest, trouble in found.troubles:
        click.echo(f"step {digest[:12]}: {trouble}")


@case_group.command("open")
@click.argument("name")
@click.option("--agreement", "agreement_id", required=True, help="Its id; the first 12 digits will do.")
@click.option("--party", "parties", multiple=True, required=True, metavar="ROLE=CODE", help="Who plays which role.")
@click.option("--purpose", type=click.Choice(PURPOSES), required=True, help="For what.")
@click.option("--handling", type=click.Choice(HANDLINGS), default="official", show_default=True, help="How sensitive.")
@_set
def open_case(name: str, agreement_id: str, parties: tuple[str, ...], values: tuple[str, ...], **asked: str) -> None:
    """Open a case of the procedure NAME with its first step, and tell the other parties.

    From the level restricted upwards it waits for a second officer.
    """
    actor, at, kind = terminal_actor(), now(), procedure(name)
    roles: dict[str, tuple[str, ...]] = {}
    for text in parties:
        role, code = _pair(text, "--party")
        roles[role] = (*roles.get(role, ()), code)
    opening = Opening(
        procedure=name,
        agreement=agreement_by_id(agreement_id, at=at).id,
        parties=parties_of(roles),
        fields=_fields(kind, values),
        purpose=asked["purpose"],
        handling=asked["handling"],
    )
    try:
        _say_told(assist.open_case(actor, opening=opening, at=at))
    except SecondOfficerNeededError:
        say_waiting(assist.propose_opening(actor, opening=opening, at=at))


@case_group.command("step")
@click.argument("case_id")
@click.argument("event")
@click.option("--preview", is_flag=True, help="Only say who would see what.")
@_set
def step(case_id: str, event: str, values: tuple[str, ...], *, preview: bool) -> None:
    """Do EVENT in the case with CASE_ID, and tell the other parties.

    In a case that is restricted or confidential it waits for a second officer.
    """
    actor, at = terminal_actor(), now()
    fields = _fields(procedure(selectors.case_file(case_id, at=at).line.procedure), values)
    if preview:
        for each in assist.preview_step(actor, case_id=case_id, event=event, fields=fields, at=at):
            answer = "may be told" if each.decision.is_permitted else each.decision.reasons[0].text
            click.echo(f"{each.recipient}: {answer}; withheld: {', '.join(each.withheld) or 'nothing'}")
        return
    try:
        _say_told(assist.take_step(actor, case_id=case_id, event=event, fields=fields, at=at))
    except SecondOfficerNeededError:
        say_waiting(assist.propose_step(actor, case_id=case_id, event=event, fields=fields, at=at))


def _fields(kind: Procedure, values: tuple[str, ...]) -> dict[str, object]:
    known = {field.name: field for field in kind.fields}
    found: dict[str, object] = {}
    for text in values:
        name, value = _pair(text, "--set")
        if name == GROUNDS:
            found[name] = [each.strip() for each in value.split(",")]
        else:
            found[name] = value_of(known[name], value) if name in known else value
    return found


def _pair(text: str, option: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark:
        raise click.BadParameter(f"{text!r} is not written NAME=VALUE.", param_hint=option)
    return name.strip(), value


def _say_event(kind: Procedure, event: Event, language: str) -> None:
    who = f"clock {event.clock}" if event.is_of_time else ", ".join(event.by)
    click.echo(f"{event.name}: {event.title.in_(language)} ({who}; {', '.join(event.sources)} -> {event.to})")
    if event.when is not None:
        click.echo(f"  when {event.when.text}")
    for name in event.needs:
        click.echo(f"  needs {name}: {form_of(kind.field(name))}")
    for name in event.may:
        click.echo(f"  may say {name}: {form_of(kind.field(name))}")
    if event.grounds is not GroundRule.NONE:
        named = ", ".join(ground.name for ground in kind.grounds_of(event))
        click.echo(f"  names {event.grounds.value} of the grounds {named}")


def _say_view(view: CaseView, language: str) -> None:
    click.echo(f"{view.procedure.title.in_(language)}: {view.state.title.in_(language)} ({view.state.name})")
    click.echo(f"parties {', '.join(f'{each.administration} ({each.role})' for each in view.parties)}")
    click.echo(f"turn {', '.join(view.whose_turn) or 'nobody'}; flags {', '.join(view.flags) or 'none'}")
    for clock in view.clocks:
        click.echo(f"clock {clock.name}: {clock.standing}, ends {show_instant(clock.deadline.due_at)}")
    for party, events in view.may.items():
        click.echo(f"{party} may: {', '.join(event.name for event in events) or 'nothing now'}")
    for entry in view.history:
        who = entry.step.by if entry.step else "time"
        note = "" if entry.effect in (Effect.TAKEN, Effect.TIME) else f" [{entry.effect}]"
        note += f" [{_gone(entry.step)}]" if entry.step and entry.step.purged else ""
        click.echo(f"  {show_instant(entry.at)}  {who}  {entry.event}{note} -> {entry.state}")
    for name, value in view.fields.items():
        click.echo(f"  {name}: {value}")
    for name, article in view.withheld.items():
        click.echo(f"  {name}: withheld by article {article}")
    for name, step in view.purged.items():
        click.echo(f"  {name}: {_gone(step)}")
    if view.missing:
        click.echo(f"{len(view.missing)} steps that others have seen did not come yet")


def _gone(step: Step) -> str:
    """Why what a step said is not here any more."""
    ground = step.purged.ground.replace("_", " ") if step.purged else ""
    return f"purged ({ground}) under agreement {step.agreement[:12]}, article {step.article}"


def _say_told(done: assist.Assisted) -> None:
    told = ", ".join(recipient for recipient, _ in done.posted)
    click.echo(f"case {done.step.case}: {done.step.event}, now {done.view.state.name}; told {told}")
    for clock in done.view.clocks:
        click.echo(f"clock {clock.name} ends {show_instant(clock.deadline.due_at)}")
