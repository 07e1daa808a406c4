"""One process, two ports: officers and programs on one, partner nodes on the other; the workers beside them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import uvicorn
import uvloop

log = logging.getLogger("comity.node")


class Worker(Protocol):
    """Something that works in threads of its own beside the two ports."""

    def start(self) -> None:
        """Begin; returns at once."""

    def stop(self) -> None:
        """Finish what is under way and end."""


def run_until_stopped(servers: Sequence[uvicorn.Server], workers: Sequence[Worker], *, with_parent: bool) -> None:
    """Serve until SIGINT or SIGTERM; with_parent: also until standard input closes, that is until its owner ends."""
    for worker in workers:
        worker.start()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(servers, with_parent=with_parent))
    finally:
        for worker in workers:
            worker.stop()


async def _serve(servers: Sequence[uvicorn.Server], *, with_parent: bool) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    serving = [asyncio.ensure_future(server.serve()) for server in servers]
    # Each server takes the signals for itself when it begins, and the last would have them alone: so after them.
    await asyncio.sleep(0)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    if with_parent:
        threading.Thread(target=_wait_for_parent, args=(loop, stop), name="parent", daemon=True).start()
    await asyncio.gather(*serving)


def _wait_for_parent(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    sys.stdin.buffer.read()
    log.info("the process that started this node has ended; so does the node")
    with contextlib.suppress(RuntimeError):  # the loop has ended before its owner
        loop.call_soon_threadsafe(stop)
