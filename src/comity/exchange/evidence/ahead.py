"""Pushed chunks that are proved and came before their turn: kept in memory until the ones before them are here.

The sender has several on their way at once, and they overtake each other. What is forgotten here is sent again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

MOST_AHEAD = 8
MOST_BYTES = 64 * 1024 * 1024
_LOCKS = 16


@dataclass(slots=True)
class Ahead:
    """By file: the chunks that wait, with their numbers. Used by several threads; most_bytes: of all files together.

    Where there is no room, the file that was looked at longest ago loses what waits.
    """

    most_bytes: int = MOST_BYTES
    _files: OrderedDict[int, dict[int, bytes]] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _locks: tuple[threading.Lock, ...] = field(default_factory=lambda: tuple(threading.Lock() for _ in range(_LOCKS)))

    def lock(self, file: int) -> threading.Lock:
        """Hold it while chunks of this file are put in their places: one thread at a time for each file."""
        return self._locks[file % _LOCKS]

    def hold(self, file: int, number: int, data: bytes) -> None:
        """Keep a chunk until its turn comes, unless it is larger than everything that may wait."""
        with self._guard:
            waiting = self._files.setdefault(file, {})
            self._files.move_to_end(file)
            self._bytes += len(data) - len(waiting.get(number, b""))
            waiting[number] = data
            while self._bytes > self.most_bytes:
                self._forget(next(iter(self._files)))

    def take(self, file: int, number: int) -> bytes | None:
        """The chunk of this number, which waits no longer; None where it is not here."""
        with self._guard:
            waiting = self._files.get(file, {})
            data = waiting.pop(number, None)
            self._bytes -= len(data or b"")
            if not waiting:
                self._files.pop(file, None)
            return data

    def drop(self, file: int) -> None:
        """Forget what waits of a file."""
        with self._guard:
            self._forget(file)

    def _forget(self, file: int) -> None:
        self._bytes -= sum(len(data) for data in self._files.pop(file, {}).values())
