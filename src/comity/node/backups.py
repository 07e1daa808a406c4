"""When the last backup of this home was made: a line in the home, for the doctor and for metrics."""

from __future__ import annotations

import json
from datetime import datetime

from comity.common import ComityError, parse_instant, show_instant
from comity.node.home import Home

NAME = "last-backup.json"


def last_backup_at(home: Home) -> datetime | None:
    """When it was made; None where none was, or where nobody can read it."""
    try:
        return parse_instant(json.loads((home.root / NAME).read_text())["at"])
    except (OSError, ValueError, KeyError, TypeError, ComityError):
        return None


def note_backup(home: Home, *, at: datetime, size_bytes: int) -> None:
    """Remember that one was made."""
    (home.root / NAME).write_text(json.dumps({"at": show_instant(at), "bytes": size_bytes}) + "\n")
