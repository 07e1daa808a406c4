"""A node in a process of its own that watches logs, driven by JSON lines as tests/exchange/child.py is.

It has its own home, keys and database, the real partner port with the routes of the log, and the node's own journeys.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import django
from django.core.management import call_command

from tests.exchange.child import HOME


def main() -> None:
    """Answer commands until the input ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comity.node.settings")
    django.setup()
    from tests.journeys.watcher_node import WatcherNode

    node = WatcherNode(HOME)
    commands: dict[str, Callable[..., object]] = {
        "migrate": lambda: call_command("migrate", verbosity=0),
        "meet": node.meet,
        "move": node.move,
        "adopt": node.adopt,
        "serve": node.serve,
        "deliver": node.deliver,
        "rest": node.rest,
        "post": node.post,
        "append": node.append,
        "monitor": node.monitor,
        "first_look": node.first_look,
        "log": node.log,
        "await_answers": node.await_answers,
        "await_arrivals": node.await_arrivals,
        "counts": node.counts,
        "process": node.process,
        "quorums": node.quorums,
        "begin_traffic": node.begin_traffic,
        "bundle": node.bundle,
        "end_traffic": node.end_traffic,
        "hold": node.hold,
    }
    for line in sys.stdin:
        words: dict[str, Any] = json.loads(line)
        try:
            result = commands[words.pop("do")](**words)
        except Exception as error:  # the test asks what was refused
            result = {"error": type(error).__name__, "text": str(error)}
        sys.stdout.write(json.dumps(result) + "\n")
        sys.stdout.flush()
    node.rest()


if __name__ == "__main__":
    main()
