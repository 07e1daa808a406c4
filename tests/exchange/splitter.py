"""A splitter of TCP connections, as it stands before several processes of one node: it takes them in turn."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
    finally:
        target.close()


@contextmanager
def splitter(port: int, targets: Sequence[int]) -> Iterator[None]:
    """Passes connections to `port` on to the targets in turn; where one does not answer, the connection ends."""
    turns = itertools.cycle(targets)
    ready, over = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []
    pouring: set[asyncio.Task[None]] = set()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", next(turns))
        except OSError:
            writer.close()
            return
        for each in (_pour(reader, forth), _pour(back, writer)):
            task = asyncio.ensure_future(each)
            pouring.add(task)
            task.add_done_callback(pouring.discard)

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        try:
            server = await asyncio.start_server(connect, "127.0.0.1", port)
        finally:
            ready.set()
        async with server:
            await over.wait()
        for task in pouring:
            task.cancel()
        await asyncio.gather(*pouring, return_exceptions=True)

    thread = threading.Thread(target=asyncio.run, args=[serve()], name="splitter", daemon=True)
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        loops[0].call_soon_threadsafe(over.set)
        thread.join()
