"""What the harness, the nodes under torture and those who look into their databases share."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EFFECTS = "torture_effect"
DUPLICATES_FILE = "duplicates.txt"
RUN_FILE = "run.json"


def node_environment(home: Path, url: str, more: dict[str, str]) -> dict[str, str]:
    """What a process of a node sees: its own home and database, this checkout, and nothing of whoever started us."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("COMITY_", "DJANGO_"))}
    return {
        **kept,
        "COMITY_HOME": str(home),
        "COMITY_DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "comity.node.settings",
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        **more,
    }
