"""`comity agreement`: check, sign and adopt agreements, run their cases, and ask why something may be shared or not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from pathlib import Path
from typing import cast

import click
from django.conf import settings

from comity.agreements import (
    CATEGORIES,
    HANDLINGS,
    KINDS,
    PURPOSES,
    RISK_TYPES,
    Agreement,
    AgreementFormError,
    Article,
    Engine,
    Explanation,
    Gravity,
    NearMiss,
    Onward,
    SharingRequest,
    answer_of,
    fields_of_kind,
    look_over,
    parse_agreement,
    quorum_words,
    selectors,
    services,
    witness_policy,
)
from comity.cli import agreement_library, agreement_life
from comity.cli.agreement_library import shipped_cases
from comity.cli.case_runs import run_files, run_read, shipped_files
from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.common import show_instant
from comity.exchange.selectors import partners
from comity.trade import Handling
from comity.trust import Keyring, VerifyKey

_ONWARD = {
    Onward.NONE: "not allowed",
    Onward.WITH_CONSENT: "only with the consent of the sender",
    Onward.PARTIES: "to the other parties of the agreement",
}
_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def agreement() -> None:
    """Agreements: what may be shared, with whom and for what.

    \b
    From a draft to an agreement in force:
      comity agreement check draft.yaml                  look it over
      comity agreement cases cases.yaml                  does it answer as it should?
      comity agreement sign draft.yaml --out xa.json     sign it; send the file to the other parties
      comity agreement adopt xa.json xb.json xc.json     bring it into force, once all have signed
    """


@agreement.command()
@click.argument("file", type=_file)
def check(file: Path) -> None:
    """Look over the agreement in FILE: is it well formed, and can each of its articles do its work?

    Needs no node. Exit 1 where there is an error; warnings and notes do not fail.
    """
    found = _read(file)
    remarks = look_over(found)
    click.echo(f"{found.title.in_('en')}, version {found.version}")
    click.echo(f"id {found.id}")
    click.echo(f"parties {', '.join(found.parties)}; {len(found.articles)} articles")
    if policy := witness_policy(found):
        click.echo(f"witnesses {quorum_words(policy)}")
    for remark in remarks:
        place = f"article {remark.article_id}" if remark.article_id else "parties"
        click.echo(f"{remark.gravity.value}: {place}: {remark.text}")
    count = {gravity: sum(remark.gravity is gravity for remark in remarks) for gravity in Gravity}
    click.echo(", ".join(f"{number} {gravity.value}{'' if number == 1 else 's'}" for gravity, number in count.items()))
    if count[Gravity.ERROR]:
        click.get_current_context().exit(1)


@agreement.command()
@click.argument("files", type=_file, nargs=-1)
def cases(files: tuple[Path, ...]) -> None:
    """Put the questions of each of FILES to the agreement or procedure that the file names, and compare the answers.

    Without FILES, everything that ships is run: the cases of the clause library, of the demo's agreement and of every
    procedure. Needs no node. Ends with "N cases, N failed"; exit 1 where one failed.
    """
    outcomes = list(run_files(files or shipped_files()))
    if not files:
        outcomes += [each for read in shipped_cases() for each in run_read(read.path, read.file, read.agreement)]
    failed = [each for each in outcomes if each.faults]
    for each in failed:
        click.echo(f"{each.file}, line {each.line}: {each.name}")
        for fault in each.faults:
            click.echo(f"  {fault}")
    click.echo(f"{len(outcomes)} cases, {len(failed)} failed")
    if failed:
        click.get_current_context().exit(1)


@agreement.command()
@click.argument("file", type=_file)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where to write it.")
def sign(file: Path, out: Path) -> None:
    """Sign the agreement in FILE for this administration and write the signed form.

    FILE is the YAML, or what another party has signed: its signature is then kept beside ours where it verifies.
    """
    actor, at, data = terminal_actor(), now(), file.read_bytes()
    if _is_signed(data):
        stored = services.merge_signatures(actor, signed=data, verify_keys=_verify_keys(at), at=at)
    else:
        stored = services.import_agreement(actor, data=data, at=at)
    _keyring().key_document.require_current(at)  # past its date it binds us to nothing new
    signed = services.sign_agreement(actor, agreement_id=stored.id, key=_keyring().signing, at=at)
    out.write_bytes(signed.statement)
    click.echo(f"{out}: agreement {signed.agreement.short_id}, signed by {', '.join(signed.signed_by)}")


@agreement.command()
@click.argument("files", type=_file, nargs=-1, required=True)
def adopt(files: tuple[Path, ...]) -> None:
    """Bring an agreement into force here, once FILES hold a valid signature of each of its parties."""
    actor, at = terminal_actor(), now()
    signed = [file.read_bytes() for file in files]
    stored = services.adopt(actor, signed=signed, verify_keys=_verify_keys(at), at=at)
    click.echo(f"agreement {stored.agreement.short_id} {stored.state.value}, signed by {', '.join(stored.signed_by)}")


@agreement.command()
@click.argument("agreement_id", required=False)
@click.option("--language", default="en", show_default=True, help="The language of the articles.")
def show(agreement_id: str | None, language: str) -> None:
    """Print the agreements of this node, or the articles of the one with AGREEMENT_ID (its first 12 digits will do)."""
    require_home()
    if agreement_id:
        _say_agreement(selectors.agreement(agreement_id, at=now()), language)
        return
    rows: list[tuple[str, ...]] = [
        (
            each.agreement.short_id,
            each.state.value,
            each.agreement.version,
            ", ".join(each.signed_by),
            each.agreement.title.in_(language),
        )
        for each in selectors.agreements(at=now())
    ]
    say_table(("ID", "STATE", "VERSION", "SIGNED BY", "TITLE"), rows)


@agreement.command()
@click.option("--agreement", "files", type=_file, multiple=True, help="YAML to ask. Default: what this node adopted.")
@click.option("--sender", required=True, help="Who wants to share, such as XC.")
@click.option("--recipient", required=True, help="With whom, such as XA.")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What.")
@click.option("--purpose", type=click.Choice(PURPOSES), required=True, help="For what.")
@click.option("--handling", type=click.Choice(HANDLINGS), required=True, help="How sensitive it is.")
@click.option("--hs", multiple=True, help="HS code of the goods; several times for several codes.")
@click.option("--origin", default="", help="Country of origin.")
@click.option("--category", type=click.Choice(CATEGORIES), help="Category of the alert.")
@click.option("--risk-type", type=click.Choice(RISK_TYPES), help="The irregularity.")
@click.option("--size", type=click.IntRange(min=1), help="Bytes of the file that is offered.")
@click.option("--information-of", default="", help="Whose information it is, where it is not the sender's own.")
@click.option("--field", "fields", multiple=True, help="A field that it holds. Default: every field of the kind.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="On which day. Default: today.")
@click.option("--language", default="en", show_default=True, help="The language of the article.")
def explain(files: tuple[Path, ...], day: datetime | None, language: str, **asked: object) -> None:
    """Say whether something may be shared: under which article, which fields, or why not and what would be needed.

    Needs no node where --agreement names a file. Exit 0 whatever the answer.
    """
    at = datetime.combine(day.date(), time(12), UTC) if day else now()
    if files:
        engine = Engine(_read(file) for file in files)
    else:
        require_home()
        engine = selectors.engine(now())
    request = _request(asked, at)
    _say_explanation(request, engine.explain(request), engine, language)


def _read(file: Path) -> Agreement:
    try:
        return parse_agreement(file.read_bytes())
    except AgreementFormError as error:
        raise _in_file(error, file) from error


def _in_file(error: AgreementFormError, file: Path) -> AgreementFormError:
    return AgreementFormError(error.what, where=f"{file}, {error.where}", remedy=error.remedy)


def _is_signed(data: bytes) -> bool:
    return data.lstrip()[:1] == b"{" and b'"payloadType"' in data


def _keyring() -> Keyring:
    return settings.COMITY_KEYRING


def _verify_keys(at: datetime) -> dict[str, tuple[VerifyKey, ...]]:
    keys = {partner.administration: partner.keys.active_signing_keys(at) for partner in partners()}
    return keys | {settings.COMITY_ADMINISTRATION: _keyring().key_document.active_signing_keys(at)}


def _request(asked: dict[str, object], at: datetime) -> SharingRequest:
    kind = str(asked["kind"])
    fields = _texts(asked["fields"]) or _leaves(kind)
    attributes = {name: str(word) for name in ("category", "risk_type") if (word := asked[name])}
    return SharingRequest(
        sender=str(asked["sender"]),
        receiver=str(asked["recipient"]),
        kind=kind,
        purpose=str(asked["purpose"]),
        handling=Handling.from_word(str(asked["handling"])),
        at=at,
        hs_codes=_texts(asked["hs"]),
        origin=str(asked["origin"]),
        fields=frozenset(fields),
        onward_from=str(asked["information_of"]) or None,
        size_bytes=cast(int | None, asked["size"]),
        attributes=attributes,
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in cast(Iterable[object], value))


def _leaves(kind: str) -> tuple[str, ...]:
    """Every field of a kind that has no parts; those of a list with roles only by role."""
    known = fields_of_kind(kind)
    by_role = {path.partition("[")[0] for path in known if "[" in path}
    return tuple(
        path
        for path in known
        if not any(other.startswith((f"{path}.", f"{path}[")) for other in known)
        and ("[" in path or path.partition(".")[0] not in by_role)
    )


def _say_explanation(request: SharingRequest, explanation: Explanation, engine: Engine, language: str) -> None:
    decision, answer = explanation.decision, answer_of(explanation)
    if answer == "refused":
        click.echo(f"REFUSED: {decision.reasons[0].text}")
    else:
        found, article = _article_of(engine, decision.agreement_id, decision.article_id)
        click.echo(f"{answer.upper()} by article {article.id}, {article.title.in_(language)}")
        click.echo(f"  of: {found.title.in_(language)}, version {found.version} ({found.short_id})")
        click.echo(f"  source: {article.source or 'none named'}; {_standing(article)}")
    if answer == "permitted":
        _say_terms(request, explanation)
        return
    if answer == "prohibited":
        for reason in decision.reasons[1:]:
            click.echo(f"  {reason.text}")
    _say_near_misses(explanation.near_misses)


def _say_terms(request: SharingRequest, explanation: Explanation) -> None:
    decision = explanation.decision
    until = decision.valid_until(request.at)
    _say_paths("released", decision.fields_released)
    _say_paths("withheld", decision.fields_withheld)
    click.echo(f"  to be deleted by: {show_instant(until) if until else 'no date is set'}")
    click.echo(f"  handing on: {_ONWARD[decision.onward]}")
    if decision.use_limits:
        click.echo(f"  duties: {', '.join(limit.replace('_', ' ') for limit in decision.use_limits)}")
    for agreement_id, article_id in explanation.also:
        click.echo(f"  article {article_id} of {agreement_id[:12]} permits it too")
    if explanation.also:
        click.echo(f"  the strictest of their rules on handing on: {_ONWARD[explanation.strictest_onward]}")


def _say_paths(name: str, paths: tuple[str, ...]) -> None:
    text = f"{name}: {', '.join(paths) or 'nothing'}"
    click.echo(click.wrap_text(text, width=110, initial_indent="  ", subsequent_indent=" " * 12))


def _say_near_misses(misses: Iterable[NearMiss]) -> None:
    for miss in misses:
        click.echo(f"  article {miss.article_id} would permit it, but:")
        for reason in miss.failed:
            click.echo(f"    {reason.text}")


def _article_of(engine: Engine, agreement_id: str, article_id: str) -> tuple[Agreement, Article]:
    return next(
        (found, article)
        for found in engine.agreements
        for article in found.articles
        if (found.id, article.id) == (agreement_id, article_id)
    )


def _standing(article: Article) -> str:
    return f"{'compared' if article.is_verified else 'not yet compared'} with its source (tag {article.tag})"


def _say_agreement(stored: selectors.StoredAgreement, language: str) -> None:
    found = stored.agreement
    click.echo(f"{found.title.in_(language)}, version {found.version}")
    click.echo(f"id {found.id}")
    click.echo(f"{stored.state.value}; signed by {', '.join(stored.signed_by) or 'nobody'}")
    click.echo(f"in force from {found.in_force.first} until {found.in_force.last or 'it is ended'}")
    if policy := witness_policy(found):
        click.echo(f"witnesses: {quorum_words(policy)}; nobody is a witness of his own log")
    for article in found.articles:
        click.echo(f"\nArticle {article.id}. {article.title.in_(language)} ({article.effect.value})")
        for paragraph in article.text.in_(language).split("\n\n"):
            click.echo(click.wrap_text(paragraph, width=100, initial_indent="  ", subsequent_indent="  "))
        if article.fields:
            click.echo(f"  fields: {', '.join(article.fields)}")
        if article.size_at_most is not None:
            click.echo(f"  files: at most {article.size_at_most:,} bytes each")
        click.echo(f"  source: {article.source or 'none named'}; {_standing(article)}")


for _command in (*agreement_life.COMMANDS, *agreement_library.COMMANDS):
    agreement.add_command(_command)
