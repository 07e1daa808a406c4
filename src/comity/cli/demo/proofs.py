"""At the end anyone verifies: every log, and one exchange from a file, without a node, a database or a network."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from comity.cli.demo.federation import Federation
from comity.cli.demo.nodes import DemoError, command


def verify_logs(federation: Federation) -> list[tuple[str, str]]:
    """Each node's whole log, by its own command. Returns (administration, last line) pairs."""
    results = []
    for code, node in federation.nodes.items():
        lines = command(node, "ledger", "verify").strip().splitlines()
        results.append((code, lines[-1] if lines else ""))
    return results


def verify_bundle(federation: Federation, message_id: str, target: Path) -> str:
    """Take the bundle of one exchange from XC's API and verify it where no node lives. Returns the last line.

    Raises: DemoError where it does not verify, or where a bundle with one changed byte does.
    """
    target.write_bytes(federation.officer("XC").download(f"/messages/{message_id}/bundle", purpose="evidence"))
    code, printed = _offline(target)
    if code:
        raise DemoError("The bundle does not verify", where=printed)
    forged = target.with_suffix(".forged")
    forged.write_bytes(target.read_bytes().replace(b'"proof":"c2sp', b'"proof":"c2sq', 1))
    if forged.read_bytes() == target.read_bytes() or not _offline(forged)[0]:
        raise DemoError("A changed bundle verifies", where=str(forged))
    forged.unlink()
    return printed.strip().splitlines()[-1]


def _offline(bundle: Path) -> tuple[int, str]:
    with tempfile.TemporaryDirectory() as nowhere:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("COMITY_")}
        result = subprocess.run(
            [sys.executable, "-m", "comity", "ledger", "verify-bundle", str(bundle)],
            cwd=nowhere,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    return result.returncode, result.stdout + result.stderr
