"""The keys of a home: made once, written to files that only the owner may read, read when first needed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from comity.node.home import Home, HomeError
from comity.trust import Keyring, keyring_files, keyring_from_files

_SESSION_KEY = "session.key"
_SHORTEST_SECRET = 32


def load_secret(home: Home) -> str:
    """The key for Django's own signatures; a fixed word where no node lives, for commands that sign nothing.

    Raises: HomeError where a node lives and its key is missing: with a known word anybody could sign a session.
    """
    if not home.is_initialised:
        return "no-node-lives-here"
    path = home.keys / _SESSION_KEY
    try:
        secret = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _no_session_key(path, type(error).__name__) from error
    if len(secret) < _SHORTEST_SECRET:
        raise _no_session_key(path, f"{len(secret)} characters")
    return secret


def load_keyring(home: Home) -> Keyring:
    """Every key of the node.

    Raises: HomeError where the folder is missing; TrustError where a file cannot be read as what its name says.
    """
    if not home.keys.is_dir():
        raise HomeError(
            "The node has no keys",
            where=str(home.keys),
            remedy="Run `comity init`, or restore the folder from a backup.",
        )
    return keyring_from_files({path.name: path.read_bytes() for path in home.keys.iterdir() if path.is_file()})


def write_keyring(home: Home, keyring: Keyring) -> None:
    """Write every key, and a fresh session key, into an empty keys folder.

    Raises: HomeError where there are keys already: keys are rotated, never overwritten.
    """
    if home.keys.exists() and any(home.keys.iterdir()):
        raise HomeError("This home has keys already", where=str(home.keys), remedy="Choose an empty folder.")
    home.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in keyring_files(keyring).items():
        _write_private(home.keys / name, content)
    _write_private(home.keys / _SESSION_KEY, secrets.token_urlsafe(48).encode())


def replace_keyring(home: Home, keyring: Keyring) -> Path:
    """Put a renewed keyring in the place of the present one; sessions stay signed as they were.

    The folder is written beside and changed by renaming, so that no half of it is ever read. Returns where the former
    one lies. Raises: HomeError where a former renewal of the same version was left half done.
    """
    former = home.root / f"keys.before-{keyring.key_document.version}"
    fresh = home.root / "keys.next"
    if former.exists() or fresh.exists():
        raise HomeError(
            "A renewal was begun before and left its folders",
            where=f"{former.name}, {fresh.name} in {home.root}",
            remedy="See that keys/ is whole (`comity keys show`), then move these folders away.",
        )
    fresh.mkdir(mode=0o700)
    for name, content in keyring_files(keyring).items():
        _write_private(fresh / name, content)
    _write_private(fresh / _SESSION_KEY, load_secret(home).encode())
    home.keys.rename(former)
    fresh.rename(home.keys)
    return former


def _no_session_key(path: Path, why: str) -> HomeError:
    return HomeError(
        "The key that signs sessions cannot be used",
        where=f"{path}: {why}",
        remedy="Restore it from a backup, or write 64 random characters into it, readable by its owner only.",
    )


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
