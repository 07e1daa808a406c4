"""The wires between nodes: one TCP proxy for each direction of each pair, which can be cut, silenced or slowed.

Real sockets, one event loop in a thread of its own. A node is told the proxy's address as the endpoint of its partner.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

_PIECE = 64 * 1024


class Wire(StrEnum):
    """How a link is. Cut: connections break and none is made. Silent: nothing passes, and nobody is told."""

    OPEN = "open"
    CUT = "cut"
    SILENT = "silent"


@dataclass(eq=False)
class Link:
    """One direction between two nodes: what `source` opens towards `target`."""

    source: str
    target: str
    target_port: int
    port: int = 0
    wire: Wire = Wire.OPEN
    delay_seconds: float = 0.0
    carried_bytes: int = 0
    connections: set[asyncio.StreamWriter] = field(default_factory=set)
    passing: asyncio.Event = field(default_factory=asyncio.Event)


class Links:
    """All links of a federation. Its methods may be called from any thread."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._links = {
            (source, target): Link(source, target, port)
            for source in ports
            for target, port in ports.items()
            if source != target
        }
        self._loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, name="links", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(20)

    def endpoint(self, source: str, target: str) -> str:
        """The address under which `source` shall find `target`."""
        return f"https://127.0.0.1:{self._links[source, target].port}"

    @property
    def carried_bytes(self) -> int:
        """What all links carried so far, both ways."""
        return sum(link.carried_bytes for link in self._links.values())

    def set_wire(self, pairs: Iterable[tuple[str, str]], wire: Wire) -> None:
        """Cut, silence or open these directed links. Opening a silent one breaks what hung on it, as time would."""
        self._call(self._set_wire, [self._links[pair] for pair in pairs], wire)

    def set_delay(self, pairs: Iterable[tuple[str, str]], seconds: float) -> None:
        """Let each piece of bytes on these links wait so long."""
        self._call(self._set_delay, [self._links[pair] for pair in pairs], seconds)

    def close(self) -> None:
        """Break everything off and end the thread."""
        self._call(self._stop)
        self._thread.join(20)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        done = threading.Event()

        def run() -> None:
            try:
                function(*arguments)
            finally:
                done.set()

        self._loop.call_soon_threadsafe(run)
        if not done.wait(20):
            raise TimeoutError("the links do not answer")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    async def _open(self) -> None:
        for link in self._links.values():
            link.passing.set()
            server = await asyncio.start_server(partial(self._accept, link), "127.0.0.1", 0)
            link.port = server.sockets[0].getsockname()[1]
            self._servers.append(server)

    def _stop(self) -> None:
        for server in self._servers:
            server.close()
        for link in self._links.values():
            _break(link)
        for task in self._tasks:
            task.cancel()
        self._loop.stop()

    def _set_wire(self, links: list[Link], wire: Wire) -> None:
        for link in links:
            if wire is Wire.CUT or (wire is Wire.OPEN and link.wire is Wire.SILENT):
                _break(link)
            link.wire = wire
            (link.passing.clear if wire is Wire.SILENT else link.passing.set)()

    def _set_delay(self, links: list[Link], seconds: float) -> None:
        for link in links:
            link.delay_seconds = seconds

    def _accept(self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = self._loop.create_task(self._carry(link, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, link: Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if link.wire is Wire.CUT:
            writer.transport.abort()
            return
        link.connections.add(writer)
        try:
            await link.passing.wait()
            there_reader, there = await asyncio.open_connection("127.0.0.1", link.target_port)
            link.connections.add(there)
            try:
                await asyncio.gather(self._pour(link, reader, there), self._pour(link, there_reader, writer))
            finally:
                link.connections.discard(there)
                there.transport.abort()
        except OSError:
            pass  # the node is down: the caller sees its connection break
        finally:
            link.connections.discard(writer)
            writer.transport.abort()

    async def _pour(self, link: Link, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(_PIECE):
                if link.delay_seconds:
                    await asyncio.sleep(link.delay_seconds)
                await link.passing.wait()
                target.write(piece)
                await target.drain()
                link.carried_bytes += len(piece)
        target.transport.abort()


def _break(link: Link) -> None:
    for writer in list(link.connections):
        writer.transport.abort()
