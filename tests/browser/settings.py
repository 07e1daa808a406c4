"""The settings of the node that the browser visits: a database file of its own in COMITY_HOME."""

from __future__ import annotations

import os
from pathlib import Path

from comity.node.database import database_settings
from tests.settings import *  # noqa: F403

_HOME = Path(os.environ["COMITY_HOME"])
DATABASES = {"default": database_settings("", default=_HOME / "browser.sqlite3")}
COMITY_EVIDENCE = _HOME / "evidence"
