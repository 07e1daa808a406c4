"""What the harness, the nodes under torture and those who look into their databases share."""

from __future__ import annotations

EFFECTS = "torture_effect"
DUPLICATES_FILE = "duplicates.txt"
RUN_FILE = "run.json"
