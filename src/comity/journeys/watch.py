"""The watched folder: what is dropped there is imported as if it had been sent, and then put aside.

A file whose name begins with a dot or ends in .part is still being written. An imported file goes to `done/`, one of
which nothing came in to `refused/`; what was refused stands in a file of reasons beside it. Nothing is ever deleted.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import OperationalError

from comity.common import ComityError
from comity.journeys.actors import this_node
from comity.journeys.arrive import arrive

log = logging.getLogger("comity.inbox")

SETTLED_SECONDS = 1.0
_DONE, _REFUSED = "done", "refused"
_AT_ONCE = 20
# A file name has at most 255 bytes on the usual file systems; the time and `.reasons.txt` come to it.
_NAME_BYTES = 200


class UnreadableFileError(ComityError):
    """A file in the watched folder is no plain file, is too large, or may not be read by this node."""

    code = "unreadable_file"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A file that has settled. changed: when, in nanoseconds."""

    changed: int
    path: Path


@dataclass(slots=True)
class Inbox:
    """The watched folder. stuck: files that could be neither imported nor put aside, left alone until they change."""

    folder: Path
    stuck: set[_Waiting] = field(default_factory=set)

    def turn(self, at: datetime) -> int:
        """Import the files that have settled, oldest first, at most twenty a turn. Returns how many were imported.

        A file in a folder named after a column mapping, such as inbox/national/x.csv, is read with that mapping.
        """
        settled = int((at.timestamp() - SETTLED_SECONDS) * 1e9)
        waiting = {each for each in _files(self.folder) if each.changed <= settled}
        self.stuck &= waiting
        count = 0
        for each in sorted(waiting - self.stuck, key=lambda one: one.changed)[:_AT_ONCE]:
            try:
                count += _import(self.folder, each.path, at)
            except OperationalError:
                raise  # the database is away: every file waits
            except Exception:  # the edge of a worker: one bad file must not stop the others
                log.exception("a file could be neither imported nor put aside; it is left alone until it changes")
                self.stuck.add(each)
        return count


def _files(folder: Path) -> Iterator[_Waiting]:
    """Plain files by their own status; what vanishes while it is listed was taken away by its owner."""
    for parent, folders, names in os.walk(folder):
        if Path(parent) == folder:
            folders[:] = [name for name in folders if name not in {_DONE, _REFUSED}]
        for name in names:
            path = Path(parent, name)
            if name.startswith(".") or path.suffix == ".part":
                continue
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode):
                yield _Waiting(status.st_mtime_ns, path)


def _import(folder: Path, path: Path, at: datetime) -> bool:
    inside = path.relative_to(folder)
    mapping = inside.parts[0] if len(inside.parts) > 1 else None
    name = os.fsencode(inside).decode(errors="replace")
    try:
        data = _read(path)
        receipt = arrive(this_node(), source="folder", name=name, data=data, mapping=mapping, at=at)
    except ComityError as error:
        _put_aside(folder, path, at, where=_REFUSED, reasons=[str(error)])
        return False
    except FileNotFoundError:
        return False
    is_in = bool(receipt.imported or receipt.duplicates or not receipt.refused)
    reasons = [str(note) for note in receipt.refused]
    _put_aside(folder, path, at, where=_DONE if is_in else _REFUSED, reasons=reasons)
    return is_in


def _read(path: Path) -> bytes:
    """The bytes of a plain file, no more than the node accepts; a link put in its place since is not followed."""
    limit = settings.COMITY_MAX_UPLOAD_BYTES
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as source:
            is_plain = stat.S_ISREG(os.fstat(descriptor).st_mode)
            data = source.read(limit + 1) if is_plain else b""
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableFileError(
            f"The file cannot be read: {error.strerror}", where=path.name, remedy="Let the node's user read it."
        ) from error
    if not is_plain or len(data) > limit:
        raise UnreadableFileError(
            f"The file is no plain file of at most {limit} bytes", where=path.name, remedy="Send it in parts."
        )
    return data


def _put_aside(folder: Path, path: Path, at: datetime, *, where: str, reasons: Sequence[str]) -> None:
    if reasons:  # not their words, which may quote the file: they stand in a file of reasons beside it
        log.warning("a file of the watched folder was refused in %d places; see %s/", len(reasons), where)
    kept = os.fsdecode(os.fsencode(path.name)[-_NAME_BYTES:])
    target = folder / where / f"{at:%Y%m%dT%H%M%S%f}-{kept}"
    target.parent.mkdir(exist_ok=True)
    if reasons:
        text = "\n".join(reasons) + "\n"
        target.with_name(target.name + ".reasons.txt").write_text(text, encoding="utf-8", errors="replace")
    path.rename(target)
