"""The evidence folder: bytes under their own SHA-256, on disk before any row speaks of them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from comity.enforcement.errors import ExhibitError
from comity.enforcement.rules import Upload, check_upload, media_type_of, safe_name
from comity.trade import Exhibit


def keep(upload: Upload, *, root: Path, limit_bytes: int) -> Exhibit:
    """Store an upload durably; the same bytes again are stored once.

    Raises: ExhibitError where it is empty or too large.
    """
    sha256 = check_upload(upload, limit_bytes=limit_bytes)
    target = path_of(root, sha256)
    if not target.is_file():
        _write_durably(target, upload.data)
    return Exhibit(safe_name(upload.name), sha256, media_type_of(upload.data), len(upload.data))


def path_of(root: Path, sha256: str) -> Path:
    """Where the bytes of an exhibit lie."""
    return root / sha256[:2] / sha256


def read(root: Path, sha256: str) -> bytes:
    """The bytes of an exhibit, proved against their own name.

    Raises: ExhibitError where they are missing or were changed.
    """
    try:
        data = path_of(root, sha256).read_bytes()
    except OSError as error:
        raise ExhibitError(
            "The exhibit's file is missing", where=sha256, remedy="Restore the evidence folder from its backup."
        ) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ExhibitError(
            "The exhibit's file was changed", where=sha256, remedy="Restore the evidence folder from its backup."
        )
    return data


def _write_durably(target: Path, data: bytes) -> None:
    """Write beside, flush to disk, then rename: under the final name there is the whole file or nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
    for folder in (target.parent, target.parent.parent):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
