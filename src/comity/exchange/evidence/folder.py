"""The evidence folder: files by their SHA-256, and those that are still coming by their row.

What a partner sent lies in `received/`, apart from our own exhibits: purging the one can never take away the other.
Under its final name a file is whole or not there. `received/coming/` holds the first chunks of what is on its way.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from comity.exchange.evidence.errors import EvidenceError, NoRoomError
from comity.trust import CHUNK_BYTES, ChunkError, FileShape, measure

# Left free on the disk, whichever way a partner's file comes: the database needs room too.
SPARE_BYTES = 256 * 1024 * 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Folder:
    """The evidence of this node on disk. spare_bytes: what partners' files leave free."""

    root: Path
    spare_bytes: int = SPARE_BYTES

    @property
    def received(self) -> Path:
        """What partners sent."""
        return self.root / "received"

    def find(self, sha256: str) -> Path | None:
        """Where a whole file of this content lies: our own first, else a partner's."""
        return next((path for path in (self._own(sha256), self._received(sha256)) if path.is_file()), None)

    def has_received(self, sha256: str) -> bool:
        """Whether the whole file came from a partner and is still here."""
        return self._received(sha256).is_file()

    def keep(self, source: Path) -> FileShape:
        """Take a file of ours in, durably; the same content again is stored once.

        Raises: ChunkError where it is empty or too large to be cut, NoRoomError, EvidenceError where it cannot be read.
        """
        try:
            with source.open("rb") as file:
                shape = measure(file)
        except OSError as error:
            raise EvidenceError(f"The file cannot be read: {error.strerror}", where=str(source)) from error
        if self.find(shape.sha256) is None:
            with _room(self.root):
                _copy_durably(source, self._own(shape.sha256))
        return self.shape_of(shape.sha256)

    def shape_of(self, sha256: str) -> FileShape:
        """The shape of a stored file, proved against its own name.

        Raises: EvidenceError where it is missing or was changed.
        """
        with self.open(sha256) as file:
            shape = measure(file)
        if shape.sha256 != sha256:
            raise _changed(sha256)
        return shape

    def open(self, sha256: str) -> BinaryIO:
        """A stored file, to be read.

        Raises: EvidenceError where it is missing.
        """
        path = self.find(sha256)
        if path is None:
            raise EvidenceError("The file is not here", where=sha256, remedy="See `comity evidence list`.")
        return path.open("rb")

    def read_proved(self, sha256: str) -> Iterator[bytes]:
        """The bytes of a stored file in blocks. The last one comes only if the whole is what its name says.

        Raises: EvidenceError where it is missing or was changed.
        """
        digest = hashlib.sha256()
        with self.open(sha256) as file:
            block = file.read(CHUNK_BYTES)
            while following := file.read(CHUNK_BYTES):
                digest.update(block)
                yield block
                block = following
        digest.update(block)
        if digest.hexdigest() != sha256:
            raise _changed(sha256)
        yield block

    def read_chunk(self, shape: FileShape, number: int) -> bytes:
        """The bytes of one chunk, not sealed.

        Raises: EvidenceError where the file is missing, ChunkError where there is no such chunk.
        """
        length = shape.length_of(number)
        with self.open(shape.sha256) as file:
            file.seek(number * shape.chunk_bytes)
            return file.read(length)

    def coming_chunks(self, name: str, shape: FileShape) -> int:
        """How many whole chunks of a coming file are on disk, whatever the table says."""
        try:
            return self._coming(name).stat().st_size // shape.chunk_bytes
        except FileNotFoundError:
            return 0

    def write_chunk(self, name: str, shape: FileShape, number: int, data: bytes) -> None:
        """Put an opened chunk in its place; durable after `flush`.

        Raises: NoRoomError, also where no more than the spare bytes would be left.
        """
        path = self._coming(name)
        with _room(self.received):
            path.parent.mkdir(parents=True, exist_ok=True)
            if self.free_bytes() - self.spare_bytes < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                _write_whole(handle, data, number * shape.chunk_bytes)
            finally:
                os.close(handle)

    def flush(self, name: str) -> None:
        """Make what was written of a coming file durable.

        Raises: NoRoomError.
        """
        with _room(self.received):
            _sync(self._coming(name))
            _sync(self._coming(name).parent)

    def prove_coming(self, name: str, shape: FileShape) -> None:
        """Check that a file that came is what its message said.

        Raises: EvidenceError where it is not, FileNotFoundError where nothing came.
        """
        with self._coming(name).open("rb") as file:
            found = measure(file)
        if (found.sha256, found.size_bytes) != (shape.sha256, shape.size_bytes):
            raise EvidenceError(
                "The file that came is not the one that its message names",
                where=f"SHA-256 {found.sha256[:16]} instead of {shape.sha256[:16]}",
                remedy="Ask the sender to share it anew.",
            )

    def has_whole(self, shape: FileShape) -> bool:
        """Whether this very content is here already, proved by reading it."""
        try:
            return self.shape_of(shape.sha256).size_bytes == shape.size_bytes
        except (EvidenceError, ChunkError):
            return False

    def settle(self, name: str, shape: FileShape) -> None:
        """Give a file that was proved its final name. Content that is ours too is a second name of the same bytes.

        Raises: FileNotFoundError where it is not here, NoRoomError.
        """
        own, target = self._own(shape.sha256), self._received(shape.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        if self._coming(name).is_file():
            self._coming(name).replace(target)  # proved just now, which a copy of before may not be
        elif target.is_file():
            return
        else:
            _link(own, target)
        _sync(target.parent)
        _sync(self.received)

    def is_coming(self, name: str) -> bool:
        """Whether anything of it has come and not got its name."""
        return self._coming(name).is_file()

    def drop_coming(self, name: str) -> None:
        """Delete what came so far."""
        self._coming(name).unlink(missing_ok=True)

    def drop_received(self, sha256: str) -> None:
        """Delete a file that a partner sent. An exhibit of ours of the same content stays."""
        self._received(sha256).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """How much room the disk has."""
        self.received.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.received).free

    def _own(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256

    def _received(self, sha256: str) -> Path:
        return self.received / sha256[:2] / sha256

    def _coming(self, name: str) -> Path:
        return self.received / "coming" / name


@contextmanager
def _room(place: Path) -> Iterator[None]:
    """A disk without room is a state that passes, not a fault of the file."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise NoRoomError(
            f"The disk has no room: {os.strerror(error.errno)}",
            where=str(place),
            remedy="Make room; what has come is kept and the rest is fetched by itself.",
        ) from error


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without hard links
        with _room(target):
            _copy_durably(source, target)


def _write_whole(handle: int, data: bytes, offset: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(handle, left, offset)
        left, offset = left[written:], offset + written


def _copy_durably(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    try:
        with source.open("rb") as given, os.fdopen(handle, "wb") as file:
            shutil.copyfileobj(given, file, CHUNK_BYTES)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
    _sync(target.parent)
    _sync(target.parent.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _changed(sha256: str) -> EvidenceError:
    return EvidenceError(
        "The file was changed on disk", where=sha256, remedy="Restore the evidence folder from its backup."
    )
