"""The log at the terminal: verify it, prove an entry, hand out and check bundles."""

from __future__ import annotations

from pathlib import Path

import click
from django.conf import settings

from comity.cli.support import now, require_home, terminal_actor
from comity.exchange.bundles import bundle_of
from comity.ledger import Step, selectors, verify_bundle
from comity.ledger.verifying import LogReport, verify_log
from comity.staff import Permission, require

_readable = click.Path(exists=True, dir_okay=False, path_type=Path)
_writable = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.group()
def ledger() -> None:
    """Verify the tamper-evident log, prove its entries, check exchanges.

    Every release and every receipt of this node is an entry of its log: a salted commitment, never the content.
    The log signs a checkpoint with each append, and partners cosign checkpoints, so nobody, not even this node,
    can change or drop an entry unseen.

    \b
      comity ledger verify                          is the whole log what was signed?
      comity ledger prove 17                        proof of entry 17, for anyone
      comity ledger bundle MESSAGE_ID --out FILE    all that proves one exchange
      comity ledger verify-bundle FILE              check such a file, anywhere, offline
    """


@ledger.command("verify")
def verify() -> None:
    """Compute the whole log again from its entries and compare it with what was signed.

    Prints the number of entries of each kind, the root, the checkpoint, who cosigned it, and every problem.
    Exit status: 0 when all is sound, 1 when anything is not.
    """
    require_home()
    require(terminal_actor(), Permission.VERIFY_LEDGER)
    report = verify_log(settings.COMITY_KEYRING.log.verifier)
    _say_report(report)
    if not report.is_sound:
        raise SystemExit(1)


@ledger.command("prove")
@click.argument("index", type=click.IntRange(min=0))
@click.option("--out", type=_writable, help="Write the proof to this file instead of the terminal.")
def prove(index: int, *, out: Path | None) -> None:
    """Prove that entry INDEX stands in the log, against the newest checkpoint.

    The proof is text in the form c2sp.org/tlog-proof@v1. The entry itself is printed first as a comment on standard
    error; whoever checks the proof needs it, and the log's verifier key.
    """
    require_home()
    proof = selectors.tlog_proof(index)
    entry = selectors.entry(index)
    click.echo(f"entry {index}: {entry.decode(errors='replace')}", err=True)
    click.echo(f"verifier key: {settings.COMITY_KEYRING.log.vkey}", err=True)
    if out is None:
        click.echo(proof, nl=False)
    else:
        out.write_text(proof, encoding="utf-8")
        click.echo(f"Proof written to {out}")


@ledger.command("bundle")
@click.argument("message_id")
@click.option("--out", type=_writable, required=True, help="The file to write.")
def bundle(message_id: str, *, out: Path) -> None:
    """Write everything that proves the exchange of MESSAGE_ID into one file.

    The file holds the message itself: hand it only to those who may read it. Anyone can check it offline with
    `comity ledger verify-bundle`.
    """
    require_home()
    data = bundle_of(message_id, keyring=settings.COMITY_KEYRING, at=now()).to_bytes()
    out.write_bytes(data)
    click.echo(f"{len(data):,} bytes written to {out}; check it with: comity ledger verify-bundle {out}")


@ledger.command("verify-bundle")
@click.argument("file", type=_readable)
@click.option(
    "--fingerprint",
    "fingerprints",
    multiple=True,
    help="A key document's fingerprint, as its owner read it out; give it once for each party. "
    "Without it the fingerprints are printed, for you to compare.",
)
def verify_bundle_file(file: Path, *, fingerprints: tuple[str, ...]) -> None:
    """Check the bundle in FILE: who signed what, when, under which agreement, and that both logs hold it.

    Needs no node, no database and no network. Prints each step with a mark.
    Exit status: 0 when every step holds, 1 when one does not.
    """
    steps = verify_bundle(file.read_bytes(), fingerprints=fingerprints)
    for step in steps:
        _say_step(step)
    failed = sum(not step.is_ok for step in steps)
    if failed:
        click.echo(f"{failed} of {len(steps)} steps failed: this file does not prove the exchange.", err=True)
        raise SystemExit(1)
    click.echo(f"All {len(steps)} steps hold.")


def _say_step(step: Step) -> None:
    mark = click.style("✓", fg="green") if step.is_ok else click.style("✗", fg="red")
    click.echo(f"{mark} {_printable(step.title)}\n    {_printable(step.detail)}")


def _printable(text: str) -> str:
    """Text from a file of unknown origin must not steer the terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)


def _say_report(report: LogReport) -> None:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in report.kinds.items())
    click.echo(f"log          {report.origin}")
    click.echo(f"entries      {report.size:,}{f' ({kinds})' if kinds else ''} in {report.batches:,} appends")
    click.echo(f"root         {report.root.hex()}")
    click.echo(f"cosigned     {report.cosignatures:,} times")
    for name, size in report.cosigned.items():
        click.echo(f"             {name}: last at size {size:,}")
    for problem in report.problems:
        click.echo(f"PROBLEM      {problem}")
    if report.is_sound:
        click.echo("sound        every entry, hash, checkpoint and cosignature is what was signed")
    else:
        click.echo("Not sound. Restore a backup, and compare with the checkpoints that partners cosigned.", err=True)
