"""Zip files, opened within bounds: number of members, size, ratio; no nesting, no encryption, nothing on disk."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from comity.intake.errors import ArchiveError

MAX_MEMBERS = 10_000
MAX_RATIO = 200
RATIO_FREE_BYTES = 1024 * 1024
_CENTRAL_ENTRY = b"PK\x01\x02"
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
# All that zipfile lets through where a directory or a member is damaged.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside a zip file: its bytes, or why they could not be had."""

    name: str
    data: bytes
    refusal: ArchiveError | None = None


def read_archive(data: bytes, *, limit_bytes: int) -> Iterator[Member]:
    """The members of a zip file one by one; limit_bytes bounds all of them together, unpacked.

    Raises: ArchiveError before the first member where the file as a whole breaks a bound. A member that cannot be
    read comes with its refusal, and the others still come.
    """
    # Counted before the directory is parsed: each entry costs memory.
    if data.count(_CENTRAL_ENTRY) > MAX_MEMBERS:
        raise ArchiveError(f"More than {MAX_MEMBERS} files in one zip file", remedy="Send it in parts.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except _BROKEN as error:
        raise ArchiveError("The zip file cannot be opened", where=str(error), remedy="Send it again.") from error
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    _check_bounds(entries, len(data), limit_bytes)
    return (_member_of(archive, entry) for entry in entries)


def _check_bounds(entries: list[zipfile.ZipInfo], packed_bytes: int, limit_bytes: int) -> None:
    total = sum(entry.file_size for entry in entries)
    if total > limit_bytes:
        raise ArchiveError(
            f"The zip file unpacks to {total} bytes, more than {limit_bytes}", remedy="Send it in parts."
        )
    if total > RATIO_FREE_BYTES and total > MAX_RATIO * packed_bytes:
        raise ArchiveError(
            f"The zip file unpacks to more than {MAX_RATIO} times its size", remedy="Send the files unpacked."
        )


def _member_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Member:
    name = entry.filename
    if entry.flag_bits & _ENCRYPTED:
        return Member(name, b"", ArchiveError("The file is encrypted", where=name, remedy="Send it unencrypted."))
    if entry.compress_type not in _METHODS:
        return Member(name, b"", ArchiveError("Packed by an unusual method", where=name, remedy="Use deflate."))
    try:
        # zipfile reads no more than the declared size, which the bounds have checked.
        data = archive.read(entry)
    except _BROKEN as error:
        return Member(name, b"", ArchiveError("The packed file is damaged", where=f"{name}: {error}"))
    if data.startswith(b"PK\x03\x04"):
        refusal = ArchiveError("A zip file within a zip file", where=name, remedy="Send it on its own.")
        return Member(name, data, refusal)
    return Member(name, data)
