"""A backup as a file: a tar stream sealed with age (age-encryption.org/v1), written and read without holding it whole.

Anyone with the identity can open it without Comity: `age -d -i IDENTITY FILE | tar x`. The last member names the
SHA-256 of every other one, so a stream that was cut is known by its missing end.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pyrage

from comity.common import ComityError

MANIFEST = "manifest.json"
_PIECE = 1024 * 1024
_LARGEST_MANIFEST = 256 * 1024 * 1024
_MOST_NAME_CHARS = 1000


class BackupError(ComityError):
    """A backup cannot be written, opened or believed."""

    code = "bad_backup"


@dataclass(slots=True)
class Archive:
    """A stream that is being written. digests: of each member so far."""

    tar: tarfile.TarFile
    digests: dict[str, str] = field(default_factory=dict)

    def add_bytes(self, name: str, content: bytes) -> None:
        """Add a member from memory."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o600
        self.tar.addfile(info, io.BytesIO(content))
        self.digests[name] = hashlib.sha256(content).hexdigest()

    def add_file(self, name: str, path: Path) -> bool:
        """Add a plain file; whether there was one: no link, and not gone. What is appended to it meanwhile is left out.

        Raises: BackupError where it becomes shorter while it is read.
        """
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                return False
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return False
        with os.fdopen(descriptor, "rb") as source:
            status = os.fstat(descriptor)
            info = tarfile.TarInfo(name)
            info.size, info.mode = status.st_size, 0o600
            reader = _Hashing(source, status.st_size)
            try:
                self.tar.addfile(info, reader)
            except OSError as error:
                raise BackupError(
                    f"A file changed while it was read: {error}", where=name, remedy="Make the backup again."
                ) from error
            self.digests[name] = reader.digest.hexdigest()
        return True

    def finish(self, facts: Mapping[str, object]) -> None:
        """Write the manifest, which is what makes it whole."""
        self.add_bytes(MANIFEST, json.dumps({**facts, "sha256": self.digests}, indent=1).encode())


class _Hashing:
    """The first `size` bytes of a stream, hashed on the way."""

    def __init__(self, source: BinaryIO, size: int) -> None:
        self.digest = hashlib.sha256()
        self._source = source
        self._left = size

    def read(self, count: int = -1) -> bytes:
        data = self._source.read(min(count, self._left) if count >= 0 else self._left)
        self._left -= len(data)
        self.digest.update(data)
        return data


@contextmanager
def writing(target: Path, recipients: Sequence[str]) -> Iterator[Archive]:
    """An archive that is sealed to these age recipients while it is written; it appears under its name when whole.

    Raises: BackupError where a recipient is none, or the file cannot be written.
    """
    keys = [read_recipient(each) for each in recipients]
    part = target.with_name(target.name + ".part")
    read_end, write_end = os.pipe()
    troubles: list[Exception] = []

    def seal() -> None:
        with os.fdopen(read_end, "rb") as source:
            try:
                with part.open("wb") as sealed:
                    os.fchmod(sealed.fileno(), 0o600)
                    pyrage.encrypt_io(source, sealed, keys)
                    sealed.flush()
                    os.fsync(sealed.fileno())
            except (OSError, ValueError, pyrage.EncryptError) as error:  # told to the writer, whose pipe breaks
                troubles.append(error)

    sealing = threading.Thread(target=seal, name="comity-backup")
    sealing.start()
    is_whole = False
    try:
        try:
            with os.fdopen(write_end, "wb") as sink, tarfile.open(fileobj=sink, mode="w|") as tar:
                yield Archive(tar)
        finally:
            sealing.join()
        if troubles:
            raise BackupError(f"The backup cannot be written: {troubles[0]}", where=str(target)) from troubles[0]
        is_whole = True
    except OSError as error:
        raise BackupError(f"The backup cannot be written: {_first(troubles, error)}", where=str(target)) from error
    finally:
        if not is_whole:
            part.unlink(missing_ok=True)
    part.rename(target)


def unpack(source: Path, identities: Sequence[str], folder: Path) -> dict[str, object]:
    """Open an archive into an empty folder and check every member against the manifest, which is returned.

    Raises: BackupError where no identity opens it, a byte was changed, or its end is missing.
    """
    keys = [read_identity(each) for each in identities]
    digests: dict[str, str] = {}
    manifest = b""
    try:
        for name, member in _members(source, keys):
            if name == MANIFEST:
                manifest = member.read(_LARGEST_MANIFEST)
                continue
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            digests[name] = _copy(member, target)
    except tarfile.TarError as error:  # in the middle of a member
        raise BackupError(f"The backup ends too early: {error}", where=str(source), remedy=_REMEDY) from error
    if not manifest:
        raise BackupError("The backup has no end: it was cut", where=str(source), remedy="Use another one.")
    facts: dict[str, object] = json.loads(manifest)
    if facts.get("sha256") != digests:
        raise BackupError("The backup does not hold what its manifest names", where=str(source))
    return facts


def read_recipient(text: str) -> pyrage.x25519.Recipient:
    """An age recipient.

    Raises: BackupError.
    """
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise BackupError(
            f"This is no age recipient: {error}",
            where=text[:80],
            remedy="It begins with age1; `age-keygen -o backup.key` makes an identity and prints its recipient.",
        ) from error


def read_identity(text: str) -> pyrage.x25519.Identity:
    """An age identity. Raises: BackupError."""
    try:
        return pyrage.x25519.Identity.from_str(text.strip())
    except pyrage.IdentityError as error:
        raise BackupError(f"This is no age identity: {error}", remedy="It begins with AGE-SECRET-KEY-1.") from error


def new_identity() -> tuple[str, str]:
    """A fresh age identity and its recipient."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def seal_words(text: str, passphrase: str) -> bytes:
    """A few words sealed under a passphrase, as `age -p` does."""
    sealed: bytes = pyrage.passphrase.encrypt(text.encode(), passphrase)
    return sealed


def open_words(data: bytes, passphrase: str) -> str:
    """What seal_words sealed.

    Raises: BackupError where the passphrase is another.
    """
    try:
        opened: bytes = pyrage.passphrase.decrypt(data, passphrase)
        return opened.decode()
    except (pyrage.DecryptError, UnicodeDecodeError) as error:
        raise BackupError(
            "The passphrase does not open it", remedy="Compare it with the one it was made with."
        ) from error


def _members(source: Path, keys: Sequence[object]) -> Iterator[tuple[str, BinaryIO]]:
    read_end, write_end = os.pipe()
    troubles: list[Exception] = []

    def open_seal() -> None:
        with os.fdopen(write_end, "wb") as sink:
            try:
                with source.open("rb") as sealed:
                    pyrage.decrypt_io(sealed, sink, keys)
            except (OSError, ValueError, pyrage.DecryptError) as error:  # told to the reader, which finds no end
                troubles.append(error)

    opening = threading.Thread(target=open_seal, name="comity-restore")
    opening.start()
    try:
        with os.fdopen(read_end, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for info in tar:
                member = tar.extractfile(info) if info.isreg() else None
                if member is None or not _is_safe(info.name):
                    raise BackupError("The backup holds what no backup of ours has", where=info.name[:80])
                yield info.name, member  # type: ignore[misc]  # a reader of bytes
            while stream.read(_PIECE):
                pass  # the padding after the last member
    except (tarfile.TarError, OSError) as error:
        opening.join()
        raise BackupError(_why(troubles, error), where=str(source), remedy=_REMEDY) from error
    finally:
        opening.join()
    if troubles:
        raise BackupError(_why(troubles, troubles[0]), where=str(source), remedy=_REMEDY) from troubles[0]


_REMEDY = "Give the identity that it was sealed to; where it is the right one, the file is damaged: use another backup."


def _why(troubles: Sequence[Exception], error: Exception) -> str:
    return f"The backup cannot be opened: {_first(troubles, error)}"


def _first(troubles: Sequence[Exception], error: Exception) -> Exception:
    return troubles[0] if troubles else error


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    return 0 < len(name) <= _MOST_NAME_CHARS and not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _copy(member: BinaryIO, target: Path) -> str:
    digest = hashlib.sha256()
    read: Callable[[int], bytes] = member.read
    with target.open("xb") as sink:
        while piece := read(_PIECE):
            digest.update(piece)
            sink.write(piece)
        sink.flush()
        os.fsync(sink.fileno())
    return digest.hexdigest()
