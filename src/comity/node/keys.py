"""The keys of a home: made once, written to files that only the owner may read, read when first needed."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
from pathlib import Path

from django.utils.functional import LazyObject

from comity.common import ComityError
from comity.node.home import Home, HomeError
from comity.node.token import TOKEN_FILE, held_keys, token_text
from comity.trust import Keyring, keyring_files, keyring_from_files

log = logging.getLogger("comity.node")

_SESSION_KEY = "session.key"
_SHORTEST_SECRET = 32
_NEXT = "keys.next"
_KEYS = ("signing", "encryption", "log", "cosigner", "hybrid", "second", "tls", "authority", "authority-next")
_KEYRING_NAMES = frozenset(
    {*(f"{name}.key" for name in _KEYS), "tls.crt", "authority.crt", "node.keydoc.json", TOKEN_FILE}
)


def load_secret(home: Home) -> str:
    """The key for Django's own signatures; a fixed word where no node lives, for commands that sign nothing.

    Raises: HomeError where a node lives and its key is missing: with a known word anybody could sign a session.
    """
    if not home.is_initialised:
        return "no-node-lives-here"
    if not (home.keys / "node.keydoc.json").is_file():
        return secrets.token_urlsafe(48)  # the keys are lost and nothing serves: only `comity keys recover` goes on
    path = home.keys / _SESSION_KEY
    try:
        secret = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _no_session_key(path, type(error).__name__) from error
    if len(secret) < _SHORTEST_SECRET:
        raise _no_session_key(path, f"{len(secret)} characters")
    return secret


def load_keyring(home: Home) -> Keyring:
    """Every key of the node, from its files and, where token.toml names one, from its token.

    Raises: HomeError where the folder is missing; TrustError where a file cannot be read as what its name says.
    """
    fresh = home.root / _NEXT
    if not home.keys.is_dir() and fresh.is_dir():
        fresh.rename(home.keys)  # a renewal ended between its two renames: what was whole then takes its place now
    if not home.keys.is_dir():
        raise HomeError(
            "The node has no keys",
            where=str(home.keys),
            remedy="Run `comity init`, restore the folder from a backup, or see `comity keys recover --help`.",
        )
    return keyring_from_files(read_key_files(home.keys), held=held_keys(home.keys / TOKEN_FILE))


def read_key_files(folder: Path) -> dict[str, bytes]:
    """The contents of every file in a folder of keys, by name; none where there is no such folder."""
    if not folder.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


class LiveKeyring(LazyObject):  # type: ignore[type-arg]  # no generic when it runs
    """The keyring as the folder of keys has it: read when first needed, and again when the folder has changed.

    Whoever holds it sees the new keys at the next use, so that a renewal needs no restart.
    """

    def __init__(self, home: Home) -> None:
        super().__init__()
        self.__dict__["_home"], self.__dict__["_mark"] = home, None

    def _setup(self) -> None:
        home: Home = self.__dict__["_home"]
        mark = _mark_of(home)
        self._wrapped = load_keyring(home)
        self.__dict__["_mark"] = mark

    @property
    def present(self) -> Keyring:
        """The keyring itself, as it is now."""
        if self.__dict__["_mark"] is None:
            self._setup()
        keyring: Keyring = self._wrapped
        return keyring

    def take_changes(self) -> bool:
        """Read the folder again where it has changed since; whether it had. What cannot be read leaves the old keys."""
        mark = _mark_of(self.__dict__["_home"])
        if mark is None or mark == self.__dict__["_mark"]:
            return False
        try:
            self._setup()
        except (ComityError, OSError) as error:
            # Perhaps it is being written just now: the next look tells. Until then the keys in memory serve.
            log.warning("the keys have changed and cannot be read; those in memory stay in use: %s", error)
            return False
        log.info("the keys were read anew: key document version %d", self._wrapped.key_document.version)
        return True


def write_keyring(home: Home, keyring: Keyring) -> None:
    """Write every key, and a fresh session key, into an empty keys folder.

    Raises: HomeError where there are keys already: keys are rotated, never overwritten.
    """
    if home.keys.exists() and any(home.keys.iterdir()):
        raise HomeError("This home has keys already", where=str(home.keys), remedy="Choose an empty folder.")
    home.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in _files_of(keyring).items():
        _write_private(home.keys / name, content)
    _write_private(home.keys / _SESSION_KEY, secrets.token_urlsafe(48).encode())


def replace_keyring(home: Home, keyring: Keyring, *, is_kept: bool = True) -> Path:
    """Put a renewed keyring in the place of the present one; sessions stay signed as they were.

    The folder is written beside and changed by renaming, so that no half of it is ever read. is_kept: else the former
    folder is removed, where nothing in it is gone from the new one. Returns where the former one lies.
    Raises: HomeError where a former renewal was left half done.
    """
    fresh = home.root / _NEXT
    if fresh.exists():
        raise HomeError(
            "A renewal was begun before and left its folder",
            where=f"{fresh.name} in {home.root}",
            remedy="See that keys/ is whole (`comity keys show`), then move this folder away.",
        )
    former = _free_name(home.root / f"keys.before-{keyring.key_document.version}")
    present, files = read_key_files(home.keys), _files_of(keyring)
    # What is not ours to make anew goes along: the session key, what a person put there.
    others = {name: content for name, content in present.items() if not _is_of_keyring(name)}
    others |= {_SESSION_KEY: others.get(_SESSION_KEY) or secrets.token_urlsafe(48).encode()}
    fresh.mkdir(mode=0o700)
    for name, content in (others | files).items():
        _write_private(fresh / name, content)
    if home.keys.exists():
        home.keys.rename(former)
    fresh.rename(home.keys)
    if not is_kept:
        shutil.rmtree(former)
    return former


def _files_of(keyring: Keyring) -> dict[str, bytes]:
    token = token_text(keyring)
    return keyring_files(keyring) | ({TOKEN_FILE: token} if token else {})


def _free_name(wanted: Path) -> Path:
    number, name = 1, wanted
    while name.exists():
        number += 1
        name = wanted.with_name(f"{wanted.name}-{number}")
    return name


def _is_of_keyring(name: str) -> bool:
    return name in _KEYRING_NAMES or name.startswith("former-")


def _mark_of(home: Home) -> tuple[int, ...] | None:
    """Another one when the folder, its key document or its certificate was replaced; None while there is none."""
    try:
        return tuple(
            number
            for path in (home.keys, home.keys / "node.keydoc.json", home.keys / "tls.crt")
            for number in (path.stat().st_ino, path.stat().st_mtime_ns)
        )
    except OSError:
        return None


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
