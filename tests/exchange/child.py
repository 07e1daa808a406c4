"""A node in a process of its own, driven by JSON lines: {"do": "post", "count": 10} -> {"ids": [...]}.

It has its own home, keys and database with the node's settings, the real partner port and the real delivery worker.
Tests and benchmarks start it as `python -m tests.exchange.child HOME`; nothing in it is simulated.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.node.settings")
HOME = Path(os.environ.get("COMITY_HOME", "."))


def main() -> None:
    """Answer commands until the input ends."""
    django.setup()
    from comity.node.running import spare_collection
    from tests.exchange.child_node import ChildNode

    spare_collection()
    from tests.exchange.child_ways import ChildWays
    from tests.exchange.evidence.child_files import ChildFiles

    node = ChildNode(HOME)
    ways = ChildWays(node)
    files = ChildFiles(node, HOME)
    commands: dict[str, Callable[..., object]] = {
        "migrate": lambda: call_command("migrate", verbosity=0),
        "meet": node.meet,
        "serve": node.serve,
        "deliver": node.deliver,
        "rest": node.rest,
        "stop_delivering": node.stop_delivering,
        "post": node.post,
        "make": node.make,
        "accept": node.accept,
        "await_answers": node.await_answers,
        "await_arrivals": node.await_arrivals,
        "counts": node.counts,
        "latencies": node.latencies,
        "waits": node.waits,
        "delivered": node.delivered,
        "pause": node.pause,
        "claims": node.claims,
        "process": node.process,
        "cpu_seconds": cpu_seconds,
        **ways.commands(),
        **files.commands(),
    }
    for line in sys.stdin:
        words: dict[str, Any] = json.loads(line)
        result = commands[words.pop("do")](**words)
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
    ways.stop_collecting()
    files.stop_files()
    node.rest()


def decode(text: str) -> bytes:
    """Bytes of a JSON text."""
    return base64.b64decode(text)


def encode(data: bytes) -> str:
    """Bytes as a JSON text."""
    return base64.b64encode(data).decode()


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def cpu_seconds() -> dict[str, float]:
    """CPU seconds that each thread has used, by its name; Linux only."""
    ticks = os.sysconf("SC_CLK_TCK")
    used: dict[str, float] = {}
    for thread in threading.enumerate():
        fields = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rpartition(")")[2].split()
        used[thread.name] = used.get(thread.name, 0.0) + (int(fields[11]) + int(fields[12])) / ticks
    return used


if __name__ == "__main__":
    threading.current_thread().name = "child"
    main()
