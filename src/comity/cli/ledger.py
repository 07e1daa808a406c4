"""The log at the terminal: verify it, prove an entry, hand out and check bundles, watch the partners' logs."""

from __future__ import annotations

import threading
from pathlib import Path

import click
from django.conf import settings

from comity.cli.support import now, require_home, terminal_actor
from comity.common import show_instant
from comity.exchange.bundles import bundle_of
from comity.journeys.gossip import MonitorReport, Sighting, monitor_logs, release_held
from comity.ledger import Step, selectors, verify_bundle
from comity.ledger.verifying import LogReport, verify_log
from comity.staff import Permission, require
from comity.trust import Checkpoint, ForkProof, NoForkError, split_note, verify_fork

_ROUND_SECONDS = 60.0

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
      comity ledger monitor --once                  has any log shown two histories?
      comity ledger splits --out DIRECTORY          the evidence, one file each
      comity ledger verify-split FILE               check such a file, anywhere, offline
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
    for step in verify_bundle(data):
        if not step.is_ok:
            click.echo(f"It does not prove all: {_printable(step.title)}: {_printable(step.detail)}", err=True)


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


@ledger.command("monitor")
@click.option("--once", is_flag=True, help="Do one round and end; else a round a minute, until Ctrl-C.")
def monitor(*, once: bool) -> None:
    """Follow the partners' logs, compare with what others have seen of them, and tell who showed two histories.

    `comity serve` does so every minute by itself. A partner's checkpoint is cosigned where its tiles show that it
    continues what was seen before. What other partners hold of each log, ours too, is compared with what is known here.
    Exit status of a round: 0 when all is well or partners cannot be reached, 1 when a person must act.
    """
    require_home()
    require(terminal_actor(), Permission.VERIFY_LEDGER)
    pause = threading.Event()
    while True:
        report = monitor_logs(now())
        _say_round(report)
        if once:
            break
        pause.wait(_ROUND_SECONDS)
    if report.alarms:
        raise SystemExit(1)


@ledger.command("release")
@click.option("--reason", required=True, help="How those were asked that do not answer here.")
def release(*, reason: str) -> None:
    """Let the log go on that waits after a restore, although some partners could not be asked by this node.

    Ask their contact points first how many entries of this log they have seen: to go on behind that is to fork.
    """
    require_home()
    if release_held(terminal_actor(), reason=reason, at=now()):
        click.echo("The log goes on.")
    else:
        click.echo("The log was not held.")


@ledger.command("splits")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write each as a file into this folder.")
def splits(*, out: Path | None) -> None:
    """List the logs that showed two histories, with the evidence that is kept here.

    Each file can be checked by anyone with `comity ledger verify-split`.
    Exit status: 0 when there is none, 1 when there is any.
    """
    require_home()
    views = selectors.split_views()
    for view in views:
        standing = "proven" if view.is_proven else "not proven"
        by = f"told by {view.reported_by}" if view.reported_by else "found here"
        click.echo(
            f"{view.digest[:12]}  {_printable(view.origin)}  sizes {view.sizes[0]} and {view.sizes[1]}"
            f"  {standing}, {by} on {show_instant(view.found_at)}: {_printable(view.reason)}"
        )
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            file = out / f"split-{view.digest[:12]}.json"
            file.write_bytes(view.proof.to_bytes())
            click.echo(f"    {file}")
    if not views:
        click.echo("No log has shown two histories.")
    else:
        raise SystemExit(1)


@ledger.command("verify-split")
@click.argument("file", type=_readable)
@click.option("--vkey", default="", help="The log's verifier key as its owner handed it out; else it is printed.")
def verify_split(file: Path, *, vkey: str) -> None:
    """Check the evidence in FILE that a log showed two histories: both notes, both signatures, and the proof.

    Needs no node, no database and no network, and nobody's word.
    Exit status: 0 when two histories are proved, 1 when they are not.
    """
    proof = ForkProof.from_bytes(file.read_bytes())
    click.echo(f"log           {_printable(proof.origin)}")
    click.echo(f"verifier key  {_printable(proof.vkey)}")
    if vkey and vkey != proof.vkey:
        raise NoForkError("The evidence is about another log's key", where=_printable(proof.vkey)[:120])
    for number, note in enumerate((proof.seen_note, proof.shown_note), start=1):
        checkpoint = Checkpoint.parse(split_note(note)[0])
        signers = " and ".join(dict.fromkeys(each.name for each in split_note(note)[1]))
        click.echo(f"note {number}        {checkpoint.size} entries, root {checkpoint.root.hex()}")
        click.echo(f"              names as signers: {_printable(signers)}")
    said = verify_fork(proof)
    click.echo(f"PROVED        {said}")
    click.echo("              Its signature is on both, so the log's owner showed two histories, whoever found it.")
    if not vkey:
        click.echo("              Compare the verifier key with the one in the key document of the log's owner.")


def _say_round(report: MonitorReport) -> None:
    for each in report.sightings:
        _say_sighting(each)
    if report.told:
        click.echo(f"{report.told} partners are told of it, with the evidence.")
    if not report.sightings:
        click.echo("No partner to ask.")
    elif not report.alarms:
        click.echo("No log showed two histories.")
    else:
        click.echo("See `comity ledger splits`, and docs/guide/witnesses.md for what to do.", err=True)


def _say_sighting(each: Sighting) -> None:
    mark = click.style("✗", fg="red") if each.is_alarm else click.style("✓", fg="green")
    if each.state in ("unreachable", "apart"):
        mark = click.style("?", fg="yellow")
    click.echo(f"{mark} {each.administration}  {_printable(each.origin)}  {each.state}\n    {_printable(each.text)}")


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
