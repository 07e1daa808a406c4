"""A node of a benchmark's own: a new home that goes with the process. Set it up before importing any room's tables."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import django


def set_up(database_url: str = "") -> None:
    """A home for this process, with the node's own settings. database_url: of an empty database; empty for SQLite."""
    home = Path(tempfile.mkdtemp(prefix="comity-bench-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ |= {"COMITY_HOME": str(home), "DJANGO_SETTINGS_MODULE": "comity.node.settings"}
    os.environ["COMITY_DATABASE_URL"] = database_url
    django.setup()


def cpu(action: Callable[[], object]) -> tuple[float, float]:
    """CPU and wall seconds of one call."""
    wall, start = time.perf_counter(), time.process_time()
    action()
    return time.process_time() - start, time.perf_counter() - wall
