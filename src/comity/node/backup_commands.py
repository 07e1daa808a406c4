"""`comity backup` and `comity restore`: a node into one sealed file, and a node of it again."""

from __future__ import annotations

from pathlib import Path

import click

from comity.cli.support import now, require_home
from comity.exchange.position import Position
from comity.node.archive import BackupError, new_identity, open_words, seal_words
from comity.node.backup import Backup, Move, Restored, make_backup
from comity.node.backup import restore as restore_node
from comity.node.checks import show_bytes
from comity.node.home import current_home
from comity.node.recovering import read_recovery, recover_by_word

_SHORTEST_PASSPHRASE = 12
_File = click.Path(dir_okay=False, path_type=Path)
_Present = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_File)
@click.option("--recipient", "recipients", multiple=True, metavar="age1…", help="Who can open it; may be repeated.")
@click.option("--passphrase-file", type=_Present, help="Seal it under the first line of this file instead.")
def backup(file: Path, recipients: tuple[str, ...], passphrase_file: Path | None) -> None:
    """Write everything that this node is into FILE, sealed with age, while it runs.

    Database, keys, settings, evidence, mappings, the watched folder: as they are at one moment. Keep the identity that
    opens it in another place. With a passphrase a second file, FILE.key, holds the identity sealed under it.

    \b
      age-keygen -o backup.key                                    once; keep backup.key in a safe
      comity backup /mnt/backup/xa.age --recipient age1…          daily
    """
    require_home()
    if bool(recipients) == bool(passphrase_file):
        raise click.UsageError("Give either --recipient or --passphrase-file.")
    if passphrase_file is not None:
        identity, recipient = new_identity()
        recipients = (recipient,)
        _key_of(file).write_bytes(seal_words(identity, _passphrase(passphrase_file)))
        _key_of(file).chmod(0o600)
    made = make_backup(current_home(), file, recipients, at=now())
    _say_backup(made)


@click.command()
@click.argument("file", type=_Present)
@click.option("--identity", "identities", multiple=True, type=_Present, help="The age identity that opens FILE.")
@click.option("--passphrase-file", type=_Present, help="Its first line opens FILE.key, which opens FILE.")
@click.option("--new-log", is_flag=True, help="The log goes on under a new name: where anything happened since.")
@click.option("--host", default="", help="The address to listen on, where it is another now.")
@click.option("--console-port", default=0, help="Port for officers and programs, where it is another now.")
@click.option("--partners-port", default=0, help="Port for partner nodes, where it is another now.")
@click.option("--console-url", default="", help="How officers reach the console, where it is another now.")
@click.option("--partners-url", default="", help="How partners reach this node, where it is another now.")
def restore(
    file: Path,
    identities: tuple[Path, ...],
    passphrase_file: Path | None,
    *,
    new_log: bool,
    **changes: str | int,
) -> None:
    """Make the node of the backup FILE in an empty home, given by --home before the command.

    \b
      comity --home /srv/xa restore xa.age --identity backup.key
      comity --home /srv/xa serve

    Everything is checked before anything is kept. Nothing is sent to a partner before it has said what it has of us.
    Where a partner has more than the backup knows of, entries of our log are lost and nothing goes on under its name:
    restore again with --new-log, and have every partner compare the new fingerprint (docs/guide/backup.md).
    The old machine must never run again.
    """
    if bool(identities) == bool(passphrase_file):
        raise click.UsageError("Give either --identity or --passphrase-file.")
    home = current_home()
    words = [line for path in identities for line in _identity_lines(path)]
    if passphrase_file is not None:
        words = [open_words(_sealed_key(file), _passphrase(passphrase_file))]
    move = Move(**changes)  # type: ignore[arg-type]  # click checked
    _say_restored(restore_node(home, file, words, move=move, has_new_log=new_log, at=now()))
    left = read_recovery(home)
    if left is not None and left.waiting:
        click.echo(
            f"Next: `comity serve`. It first asks {', '.join(left.waiting)} what they have; see `comity doctor`."
        )


@click.command()
@click.argument("code")
@click.option("--received", required=True, type=click.IntRange(0), help="The highest message of ours that it has.")
def recover(code: str, received: int) -> None:
    """After a restore, go on with the partner CODE that cannot be asked from here: its officer says what it has.

    There, `comity partner show` of our code prints "received up to N": that is the number.
    """
    require_home()
    home, at = current_home(), now()
    left = read_recovery(home)
    if left is None or code.upper() not in left.waiting:
        raise BackupError("Nothing is left to recover with this partner", where=code.upper())
    if not left.has_new_log:
        raise BackupError(
            "Only what a partner proves tells that the old log may go on", remedy="Restore it again with --new-log."
        )
    recover_by_word(home, code.upper(), Position(received), at)
    click.echo(f"{code.upper()} goes on behind message {received}")


def _say_backup(made: Backup) -> None:
    click.echo(f"{made.path}: {show_bytes(made.size_bytes)}, {made.members} files, {made.log_size} entries of the log")


def _say_restored(made: Restored) -> None:
    click.echo(f"The node of {made.administration}, as of {made.made_at}; its log of {made.log.size} entries is sound")
    if made.continued is not None:
        click.echo(
            f"The log {made.continued.former} ends at {made.continued.former_size} and goes on under a new name."
        )
        click.echo("Give every partner the file of `comity partner invite FILE`; it must compare this fingerprint:")
    click.echo(f"fingerprint  {made.fingerprint}")


def _key_of(file: Path) -> Path:
    return file.with_name(file.name + ".key")


def _sealed_key(file: Path) -> bytes:
    try:
        return _key_of(file).read_bytes()
    except FileNotFoundError as error:
        raise BackupError(
            "The key file of this backup is not beside it",
            where=str(_key_of(file)),
            remedy="It was written with the backup; keep both together.",
        ) from error


def _passphrase(path: Path) -> str:
    lines = path.read_text().splitlines()
    if not lines or len(lines[0]) < _SHORTEST_PASSPHRASE:
        raise BackupError(f"The passphrase has fewer than {_SHORTEST_PASSPHRASE} characters", where=str(path))
    return lines[0]


def _identity_lines(path: Path) -> list[str]:
    """The identities in a file as age-keygen writes it: comments begin with #."""
    lines = [line.strip() for line in path.read_text().splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise BackupError("There is no identity in this file", where=str(path), remedy="See age-keygen(1).")
    return found
