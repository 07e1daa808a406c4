"""The demo as a person runs it: it serves until Ctrl-C, and nothing that it started outlives it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.long]

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 150.0


@contextmanager
def _demo(home: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A running demo that has printed its sign-ins, and the lines it printed."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("COMITY_", "DJANGO_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "comity", "demo", "--size", "4", "--home", str(home)],
        env={**kept, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process, _lines_until(process, "Ctrl-C ends")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()


def _lines_until(process: subprocess.Popen[str], words: str) -> list[str]:
    lines: list[str] = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line.rstrip())
        if words in line:
            return lines
    raise AssertionError("\n".join(lines))


def _nodes_of(home: Path) -> list[int]:
    """Processes whose environment names a home of this demo."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:
                continue
            if f"COMITY_HOME={home}/".encode() in environment:
                found.append(int(entry.name))
    return found


def _wait_until_gone(home: Path) -> None:
    deadline = time.monotonic() + 30
    while _nodes_of(home):
        assert time.monotonic() < deadline, f"strays: {_nodes_of(home)}"
        time.sleep(0.1)


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(signal.SIGINT, id="SIGINT"),
        pytest.param(signal.SIGTERM, id="SIGTERM"),
        pytest.param(signal.SIGKILL, id="SIGKILL"),
    ],
)
def test_every_process_ends_with_the_demo(tmp_path: Path, how: signal.Signals) -> None:
    with _demo(tmp_path / "demo") as (process, lines):
        consoles = re.findall(r"http://127\.0\.0\.1:\d+", "\n".join(lines))
        assert len(set(consoles)) == 3
        for console in set(consoles):
            assert httpx.get(console, follow_redirects=True, trust_env=False).status_code == 200
        assert len(_nodes_of(tmp_path / "demo")) == 3
        os.kill(process.pid, how)
        process.wait(60)
        _wait_until_gone(tmp_path / "demo")
        assert process.returncode == (-how.value if how is signal.SIGKILL else 0)
