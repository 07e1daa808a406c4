"""Backup of a running node into one sealed file, and making a node of it again.

What a backup is worth shows after it: docs/guide/backup.md says what the restored node does about what came later.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from django.db import connection

from comity import __version__
from comity.common import Actor, ActorKind, show_instant
from comity.exchange.resuming import hold_partners
from comity.ledger.continuing import Continued, continue_log
from comity.ledger.guarding import hold_appends
from comity.ledger.selectors import latest_checkpoint
from comity.ledger.verifying import LogReport, verify_log
from comity.node.archive import BackupError, unpack, writing
from comity.node.backups import NAME as LAST_BACKUP_NAME
from comity.node.backups import note_backup
from comity.node.birth import hosts_of, migrate_database
from comity.node.home import SETTINGS_NAME, Home
from comity.node.keys import load_keyring, replace_keyring
from comity.node.recovering import NAME as RECOVERY_NAME
from comity.node.recovering import Recovery, write_recovery
from comity.node.snapshot import put_back, take_snapshot
from comity.staff import Role
from comity.trust import Keyring, LogSigner, renew_keyring, sign_key_document

FORMAT = "comity/backup/1"
_DATABASE, _HOME = "database", "home"
_LEFT_OUT = (RECOVERY_NAME, LAST_BACKUP_NAME, "node.log")
_SINCE = re.compile(r"/since-\d{8}T\d{6}Z$", re.ASCII)
# Above every renewal that may have been made after the backup: versions need only rise.
_VERSIONS_AHEAD = 16


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written. size_bytes: of the sealed file. log_size: entries of our log in it."""

    path: Path
    size_bytes: int
    members: int
    log_size: int
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Move:
    """What is other on the new machine; empty and 0 leave what the backup says."""

    host: str = ""
    console_port: int = 0
    partners_port: int = 0
    console_url: str = ""
    partners_url: str = ""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was made of a backup. continued: the log under its new name, None where it goes on under the old one."""

    administration: str
    made_at: str
    log: LogReport
    fingerprint: str
    held: tuple[str, ...]
    continued: Continued | None


def make_backup(home: Home, target: Path, recipients: Sequence[str], *, at: datetime) -> Backup:
    """Write everything that a node is into one file, sealed to these age recipients, while the node runs.

    What waits in the watched folder is read first, then the database, then files that only ever come: so nothing is
    missing that the database speaks of, and what comes in twice is known. Raises: BackupError.
    """
    home.read_settings()
    with _beside(home.root) as scratch, writing(target, recipients) as archive:
        waiting = list(_files(home.root, home.inbox))
        for path in waiting:
            archive.add_file(_name(home, path), path)
        snapshot = take_snapshot(scratch / _DATABASE)
        archive.add_file(_DATABASE, scratch / _DATABASE)
        for path in _files(home.root, home.root):
            name = _name(home, path)
            if name not in archive.digests and path not in {target, target.with_name(target.name + ".part")}:
                archive.add_file(name, path)
        archive.finish(
            {
                "format": FORMAT,
                "version": __version__,
                "administration": home.read_settings().administration,
                "at": show_instant(at),
                "engine": snapshot.engine,
                "log_size": snapshot.log_size,
                "checkpoint": snapshot.checkpoint,
            }
        )
        members = len(archive.digests)
    size = target.stat().st_size
    note_backup(home, at=at, size_bytes=size)
    return Backup(target, size, members, snapshot.log_size, snapshot.checkpoint)


def restore(
    home: Home, source: Path, identities: Sequence[str], *, move: Move, has_new_log: bool, at: datetime
) -> Restored:
    """Make a node of a backup in an empty home. Nothing goes to a partner before it was asked what it has.

    has_new_log: the log goes on under a new name, for where something was logged after the backup.
    Raises: BackupError, HomeError, LogDamagedError; then the home is as empty as it was.
    """
    if home.root.exists() and any(home.root.iterdir()):
        raise BackupError("The home is not empty", where=str(home.root), remedy="Give an empty folder with --home.")
    home.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    is_done = False
    try:
        with _beside(home.root) as scratch:
            facts = unpack(source, identities, scratch)
            _check_facts(facts, source)
            for path in sorted((scratch / _HOME).iterdir()):
                shutil.move(path, home.root / path.name)
            put_back(scratch / _DATABASE, str(facts["engine"]))
        restored = _bring_up(home, facts, move, has_new_log=has_new_log, at=at)
        is_done = True
    finally:
        if not is_done:
            connection.close()
            _empty(home.root)
    return restored


def _bring_up(home: Home, facts: dict[str, object], move: Move, *, has_new_log: bool, at: datetime) -> Restored:
    for folder in (home.evidence, home.inbox, home.mappings):
        folder.mkdir(exist_ok=True)
    migrate_database()
    former = load_keyring(home)
    report = verify_log(former.log.verifier)
    report.require_sound()
    if latest_checkpoint().partition("\n\n")[0] != str(facts["checkpoint"]).partition("\n\n")[0]:
        raise BackupError("The log is not the one that the manifest names", where=f"size {report.size}")
    _move(home, move)
    wishes = home.read_settings()
    hosts = hosts_of(wishes.partners.url, wishes.partners.host)
    keyring = _renewed(former, wishes.partners.url, hosts, at, has_new_log=has_new_log)
    continued = None
    if has_new_log:
        continued = continue_log(former=former.log.verifier, signer=keyring.log, at=at)
    else:
        hold_appends("restored from a backup", at=at)
    shutil.rmtree(replace_keyring(home, keyring))
    actor = Actor(ActorKind.SYSTEM, "restore", former.administration, frozenset(role.value for role in Role))
    held = hold_partners(actor, reason=f"restored from the backup of {facts['at']}", at=at)
    write_recovery(home, Recovery(at, has_new_log=has_new_log, waiting=held))
    return Restored(
        administration=former.administration,
        made_at=str(facts["at"]),
        log=report,
        fingerprint=keyring.key_document.fingerprint,
        held=held,
        continued=continued,
    )


def _renewed(former: Keyring, url: str, hosts: Sequence[str], at: datetime, *, has_new_log: bool) -> Keyring:
    """The same keys under a new key document: a new certificate, the present address, and the log's new name."""
    renewed = renew_keyring(former, hosts, at)
    document = replace(renewed.key_document, version=former.key_document.version + _VERSIONS_AHEAD, endpoint_url=url)
    if not has_new_log:
        return replace(renewed, key_document=document, key_statement=sign_key_document(document, renewed.signing))
    log = LogSigner(f"{_SINCE.sub('', former.log.name)}/since-{at:%Y%m%dT%H%M%SZ}", former.log.key)
    document = replace(document, log_origin=log.name, log_vkey=log.vkey)
    statement = sign_key_document(document, renewed.signing)
    return replace(renewed, log=log, key_document=document, key_statement=statement)


def _move(home: Home, move: Move) -> None:
    """Write what is other into comity.toml, line by line, so that everything else in it stays."""
    text = home.settings_path.read_text()
    for table, name, value in (
        ("console", "host", move.host),
        ("partners", "host", move.host),
        ("console", "port", move.console_port),
        ("partners", "port", move.partners_port),
        ("console", "url", move.console_url),
        ("partners", "url", move.partners_url),
    ):
        if value:
            shown = str(value) if isinstance(value, int) else f'"{value}"'
            pattern = rf"(?ms)(^\[{table}\].*?^{name} *= *)[^\n#]*"
            text, count = re.subn(pattern, lambda found, shown=shown: found[1] + shown, text, count=1)  # type: ignore[misc]  # bound at once
            if not count:
                raise BackupError("The settings have no such line", where=f"[{table}] {name} in {SETTINGS_NAME}")
    home.settings_path.write_text(text)


def _check_facts(facts: dict[str, object], source: Path) -> None:
    if facts.get("format") != FORMAT:
        raise BackupError(
            f"This is a backup of the form {facts.get('format')}",
            where=str(source),
            remedy=f"This version reads {FORMAT}; take the version that made it: {facts.get('version')}.",
        )


def _files(root: Path, start: Path) -> Iterator[Path]:
    """Plain files below `start`, without the database, what is half written, and what belongs to this machine."""
    for parent, folders, names in os.walk(start):
        folders[:] = sorted(each for each in folders if not each.startswith((".", "keys.before-", "keys.next")))
        for name in sorted(names):
            path = Path(parent, name)
            is_database = path.parent == root and name.startswith("comity.sqlite3")
            is_ours = path.parent == root and name in _LEFT_OUT
            if not (is_database or is_ours or name.startswith(".") or path.suffix == ".part"):
                yield path


def _name(home: Home, path: Path) -> str:
    return f"{_HOME}/{path.relative_to(home.root)}"


@contextmanager
def _beside(root: Path) -> Iterator[Path]:
    """A folder for the node's user alone, on the same file system, that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=root) as folder:
        yield Path(folder)


def _empty(root: Path) -> None:
    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
