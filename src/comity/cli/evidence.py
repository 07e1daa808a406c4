"""`comity evidence`: files that belong to messages, ours to partners and theirs to us."""

from __future__ import annotations

import os
from pathlib import Path

import click
from django.conf import settings

from comity.agreements import HANDLINGS, PURPOSES
from comity.cli.support import now, require_home, say_table, terminal_actor
from comity.exchange.evidence import EvidenceState, EvidenceView, evidence_files, read_stick, withdraw, write_stick
from comity.journeys.evidence import FileWish, evidence_of, open_evidence, share_evidence
from comity.journeys.files import evidence_folder
from comity.trade import Handling

_SHOWN = 50


@click.group()
def evidence() -> None:
    """Evidence files: photos, scans and X-ray images, offered with a message and fetched chunk by chunk."""


@evidence.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "recipients", multiple=True, required=True, help="With whom, such as XA; several times for more.")
@click.option("--purpose", type=click.Choice(PURPOSES), required=True, help="For what.")
@click.option("--about", default="", help="The id of the message that it belongs to.")
@click.option("--handling", type=click.Choice(HANDLINGS), default="official", show_default=True, help="How sensitive.")
@click.option("--description", default="", help="What is to be seen on it.")
@click.option("--media-type", default="", help="Such as image/jpeg.")
@click.option("--agreement", "agreement_id", default="", help="Under this agreement alone.")
def share(path: Path, recipients: tuple[str, ...], purpose: str, handling: str, **words: str) -> None:
    """Share the file at PATH with partners, as far as an agreement permits its kind and its size.

    It is taken into the evidence folder. From the level restricted upwards a second officer has to approve.
    """
    wish = FileWish(
        path=path,
        about=words["about"],
        handling=Handling.from_word(handling),
        description=words["description"],
        media_type=words["media_type"],
    )
    result = share_evidence(
        terminal_actor(),
        file=wish,
        recipients=recipients,
        purpose=purpose,
        agreement_id=words["agreement_id"] or None,
        at=now(),
    )
    for recipient, message_id in result.posted:
        click.echo(f"{recipient}: offered with message {message_id}")
    if result.proposal_id is not None:
        click.echo(f"waits for a second officer: proposal {result.proposal_id}")


@evidence.command("list")
@click.option("--message", "message_id", default="", help="The files of this message. Default: the newest of all.")
@click.option("--partner", default="", help="Of this partner only.")
def list_files(message_id: str, partner: str) -> None:
    """Print files: whether each is here, coming (n of m chunks), refused, purged, or was never offered."""
    require_home()
    if message_id:
        views = evidence_of(message_id, partner=partner)
    else:
        views = evidence_files(evidence_folder(), partner=partner, limit=_SHOWN)
    rows: list[tuple[str, ...]] = [
        (view.sha256[:12], view.name[:40], f"{view.size_bytes:,}", view.partner, _standing(view), view.message_id)
        for view in views
    ]
    say_table(("SHA-256", "NAME", "BYTES", "PARTNER", "STATE", "MESSAGE"), rows)
    for view in views:
        if view.error:
            click.echo(f"{view.sha256[:12]}: {view.error}")


@evidence.command()
@click.argument("message_id")
@click.argument("sha256")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--partner", default="", help="Whose message it is, where two partners used the same id.")
def save(message_id: str, sha256: str, out: Path, partner: str) -> None:
    """Write the file with SHA256 (its first digits will do) of the message MESSAGE_ID to OUT, proved by its digest."""
    actor = terminal_actor()
    whole = next((each.sha256 for each in evidence_of(message_id, partner=partner) if _is(each, sha256)), sha256)
    opened = open_evidence(actor, message_id=message_id, sha256=whole, partner=partner, at=now())
    beside = out.with_name(f".{out.name}.new")
    try:
        with beside.open("xb") as file:
            for block in opened.blocks:
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    click.echo(f"{out}: {opened.name}, {opened.size_bytes:,} bytes, SHA-256 {opened.sha256}")


@evidence.command("export")
@click.argument("partner")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--megabytes", type=click.IntRange(min=1), help="What fits on the stick. Default: everything.")
def export_files(partner: str, file: Path, megabytes: int | None) -> None:
    """Write the chunks of files that PARTNER has not got yet to FILE, to be carried by a person.

    The messages that offer them go with `comity exchange export`; carry both files together.
    """
    written = write_stick(
        terminal_actor(),
        folder=evidence_folder(),
        keyring=settings.COMITY_KEYRING,
        partner=partner,
        target=file,
        at=now(),
        most_bytes=(megabytes or 0) * 1_000_000,
    )
    click.echo(f"{file}: {written.chunks} chunks for {partner}, {written.size_bytes:,} bytes")


@evidence.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def import_files(file: Path) -> None:
    """Take the chunks that a partner wrote to FILE. Import its envelopes first, with `comity exchange import`."""
    read = read_stick(
        terminal_actor(), folder=evidence_folder(), keyring=settings.COMITY_KEYRING, source=file, at=now()
    )
    came = read.chunks
    click.echo(f"from {read.sender}: {came.taken} chunks taken, {came.known} known, {came.refused} refused")
    if came.unknown:
        click.echo(f"{came.unknown} chunks cannot be placed yet: import the envelopes, then this file again")
    if read.news:
        click.echo(f"{read.sender} has more of {read.news} of our files")


@evidence.command("withdraw")
@click.argument("message_id")
def withdraw_file(message_id: str) -> None:
    """Let nobody fetch any more what the message MESSAGE_ID offered. To have it purged, recall the message."""
    withdraw(terminal_actor(), message_id=message_id, at=now())
    click.echo(f"{message_id}: withdrawn")


def _is(view: EvidenceView, digits: str) -> bool:
    return view.sha256.startswith(digits.lower()) and len(digits) >= 8


def _standing(view: EvidenceView) -> str:
    if view.state in (EvidenceState.COMING, EvidenceState.OFFERED):
        return f"{view.state.value}, {view.have_chunks} of {view.chunks} chunks"
    return view.state.value.replace("_", " ")
