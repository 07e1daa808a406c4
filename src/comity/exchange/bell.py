"""Bells that wake the workers of this process when something was posted or arrived."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Bell:
    """Rung after a commit. Whoever waits in another process finds the rows by looking, a little later."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call this on each ring, from the thread that rings."""
        with self._lock:
            self._listeners.append(listener)

    def unsubscribe(self, listener: Callable[[], None]) -> None:
        """Call it no more."""
        with self._lock:
            self._listeners = [each for each in self._listeners if each != listener]

    def ring(self) -> None:
        """Wake whoever listens."""
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()


posted = Bell()
arrived = Bell()
