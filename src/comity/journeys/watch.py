"""The watched folder: what is dropped there is imported as if it had been sent, and then put aside.

A file whose name begins with a dot or ends in .part is still being written. An imported file goes to `done/`, one of
which nothing came in to `refused/`; what was refused stands in a file of reasons beside it. Nothing is ever deleted.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from comity.common import ComityError
from comity.journeys.actors import this_node
from comity.journeys.arrive import arrive

log = logging.getLogger("comity.inbox")

SETTLED_SECONDS = 1.0
_DONE, _REFUSED = "done", "refused"
_AT_ONCE = 20


def import_inbox(folder: Path, *, at: datetime) -> int:
    """Import the files that have settled, oldest first, at most twenty a turn. Returns how many were imported.

    A file in a folder named after a column mapping, such as inbox/national/x.csv, is read with that mapping.
    """
    waiting = [path for path in _files(folder) if at.timestamp() - path.stat().st_mtime >= SETTLED_SECONDS]
    oldest = sorted(waiting, key=lambda path: path.stat().st_mtime)[:_AT_ONCE]
    return sum(_import(folder, path, at) for path in oldest)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = []
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        is_aside = inside[0] in {_DONE, _REFUSED}
        is_unfinished = path.name.startswith(".") or path.suffix == ".part"
        if path.is_file() and not path.is_symlink() and not is_aside and not is_unfinished:
            found.append(path)
    return found


def _import(folder: Path, path: Path, at: datetime) -> bool:
    inside = path.relative_to(folder)
    mapping = inside.parts[0] if len(inside.parts) > 1 else None
    try:
        receipt = arrive(this_node(), source="folder", name=str(inside), data=path.read_bytes(), mapping=mapping, at=at)
    except ComityError as error:
        _put_aside(folder, path, at, where=_REFUSED, reasons=[str(error)])
        return False
    is_in = bool(receipt.imported or receipt.duplicates or not receipt.refused)
    reasons = [str(note) for note in receipt.refused]
    _put_aside(folder, path, at, where=_DONE if is_in else _REFUSED, reasons=reasons)
    return is_in


def _put_aside(folder: Path, path: Path, at: datetime, *, where: str, reasons: Sequence[str]) -> None:
    for reason in reasons:
        log.warning("refused: %s", reason)
    target = folder / where / f"{at:%Y%m%dT%H%M%S%f}-{path.name}"
    target.parent.mkdir(exist_ok=True)
    if reasons:
        target.with_name(target.name + ".reasons.txt").write_text("\n".join(reasons) + "\n")
    path.rename(target)
