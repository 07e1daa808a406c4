"""`comity agreement clauses` and `compose`: the clause library, and drafts of agreements that are made of it."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import click

from comity.agreements import look_over, parse_agreement
from comity.agreements.library import (
    Clause,
    Composition,
    Parameter,
    ReadCases,
    Template,
    clause_of,
    compose,
    read_case_file,
    shipped_library,
    template_of,
    text_of,
    values_by_default,
)
from comity.agreements.library import shipped_cases as library_cases
from comity.cli.support import say_table

# Parties that stand in the text of a clause until it is put into an agreement.
_ANY_PARTIES = ("XA", "XB")
_WIDTH = 100
_language = click.option(
    "--language",
    type=click.Choice(["en", "fr"]),
    default="en",
    show_default=True,
    help="The language of titles and text.",
)


def shipped_cases() -> tuple[ReadCases, ...]:
    """Every file of decision cases that ships, with its agreement: the library's and those of the demo's agreement."""
    demo = Path(str(resources.files("comity.training") / "agreement" / "cases.yaml"))
    return (read_case_file(demo), *library_cases())


@click.command("clauses")
@click.argument("clause_id", required=False)
@click.option("--instrument", default="", help="Only the clauses of this instrument, such as tfa12.")
@_language
def clauses(clause_id: str | None, instrument: str, language: str) -> None:
    """List the ready articles of the library, or show the one with CLAUSE_ID: its text, source and parameters.

    Needs no node. TAG: S the source was seen, P a paraphrase of it, M general knowledge. VERIFIED: whether the clause
    has been compared with the official text.
    """
    library = shipped_library()
    if clause_id:
        _say_clause(clause_of(library, clause_id), language)
        return
    shown = [each for each in library.instruments if instrument in ("", each.id)]
    if not shown:
        known = ", ".join(each.id for each in library.instruments)
        raise click.BadParameter(f"There is no instrument {instrument!r}. Known are: {known}.")
    for each in shown:
        click.echo(f"{each.id}: {each.title.in_(language)}")
        click.echo(_wrapped(each.standing.in_(language), "  "))
    click.echo()
    rows = [
        (clause.id, clause.tag.value, _yes(clause.is_verified), _effect(clause), clause.title.in_(language))
        for each in shown
        for clause in each.clauses
    ]
    say_table(("CLAUSE", "TAG", "VERIFIED", "EFFECT", "TITLE"), rows)
    click.echo(f"{len(rows)} clauses, {sum(row[2] == 'yes' for row in rows)} verified")


@click.command("compose")
@click.argument("template_id", metavar="[TEMPLATE]", required=False)
@click.option("--set", "settings", multiple=True, help="A parameter as NAME=VALUE; 4.NAME=VALUE for article 4 alone.")
@click.option("--party", "parties", multiple=True, help="A party as CODE, or as ROLE=CODE.")
@click.option("--without", multiple=True, help="An article to leave out.")
@click.option("--reserve", multiple=True, help="A reservation as CODE=ARTICLE,ARTICLE.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write it. Default: print it.")
def compose_command(template_id: str | None, out: Path | None, **chosen: tuple[str, ...]) -> None:
    """Write a draft of an agreement from TEMPLATE; without TEMPLATE, list the templates with roles and parameters.

    \b
    comity agreement compose bilateral-mou --party XA --party XB --set from=2026-01-01 --out draft.yaml
    comity agreement check draft.yaml

    Needs no node. The draft names the clause behind each article and that nobody has compared it with the official
    text yet.
    """
    library = shipped_library()
    if template_id is None:
        for template in library.templates:
            _say_template(template)
        return
    template_of(library, template_id)
    composition = Composition(
        template=template_id,
        parties=_parties(chosen["parties"]),
        settings=dict(_pair(text, "--set") for text in chosen["settings"]),
        without=chosen["without"],
        reservations={
            code: tuple(words.split(",")) for code, words in (_pair(t, "--reserve") for t in chosen["reserve"])
        },
    )
    text = compose(library, composition)
    draft = parse_agreement(text.encode())
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    unverified = sum(not article.is_verified for article in draft.articles)
    click.echo(f"{out}: {len(draft.articles)} articles, {unverified} of them verified: false; id {draft.id}")
    for remark in look_over(draft):
        if remark.code != "not_verified":
            click.echo(f"{remark.gravity.value}: article {remark.article_id or '-'}: {remark.text}")


def _parties(given: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for text in given:
        role, _, code = text.rpartition("=")
        found[role] = (*found.get(role, ()), code)
    return found


def _pair(text: str, option: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise click.BadParameter(f"{option} {text!r} has no =. Write NAME=VALUE.")
    return name, value


def _say_clause(clause: Clause, language: str) -> None:
    click.echo(f"{clause.id}: {clause.title.in_(language)} ({_effect(clause)})")
    click.echo(f"  source: {clause.source}; tag {clause.tag.value}; verified: {_yes(clause.is_verified)}")
    if clause.note.texts:
        click.echo(f"  note: {clause.note.in_(language)}")
    text = text_of(clause, values_by_default(clause, _ANY_PARTIES), language)
    for paragraph in text.split("\n\n"):
        click.echo(f"\n{_wrapped(paragraph, '  ')}")
    click.echo("\nParameters:" if clause.parameters else "\nNo parameters.")
    for each in clause.parameters:
        _say_parameter(each, language)
    for owed in clause.obligations:
        click.echo(f"Brings the obligation {owed['id']}: {owed['what']}")
    for named in clause.procedures:
        click.echo(f"Brings the procedure {named['procedure']}")


def _say_template(template: Template) -> None:
    click.echo(f"{template.id}: {template.title.in_('en')}")
    click.echo(_wrapped(template.summary.in_("en"), "  "))
    for role in template.roles:
        click.echo(f"  --party {role.name}=…  {role.help.in_('en')} ({_bounds(role)})")
    for each in template.parameters:
        _say_parameter(each, "en")
    placed = ", ".join(f"{each.article_id} {each.clause}" for each in template.articles)
    click.echo(f"{_wrapped(f'articles: {placed}', '  ')}\n")


def _say_parameter(parameter: Parameter, language: str) -> None:
    click.echo(f"  {parameter.name} ({_bounds(parameter)}): {parameter.help.in_(language)}")


def _bounds(parameter: Parameter) -> str:
    parts = [parameter.type.value.replace("_", " ")]
    default = parameter.default
    if default:
        parts.append(f"default {default if isinstance(default, str) else ', '.join(default)}")
    if parameter.least:
        parts.append(f"at least {parameter.least}")
    if parameter.most:
        parts.append(f"at most {parameter.most}")
    if parameter.among:
        parts.append(f"among {', '.join(parameter.among)}")
    return "; ".join(parts)


def _wrapped(text: str, indent: str) -> str:
    return click.wrap_text(text, width=_WIDTH, initial_indent=indent, subsequent_indent=indent)


def _effect(clause: Clause) -> str:
    return str(clause.form["effect"])


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


COMMANDS: tuple[click.Command, ...] = (clauses, compose_command)
