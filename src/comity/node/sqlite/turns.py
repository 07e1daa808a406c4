"""A lock that is handed on in the order in which it was asked for."""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """Who asks first is served first. SQLite lets its writers race: beside a few busy ones, one may wait for ever.

    Thread-safe. Not reentrant.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._is_taken = False

    def take(self, seconds: float) -> bool:
        """Whether it was our turn within so many seconds; then `give_back` must follow."""
        with self._mutex:
            if not self._is_taken:
                self._is_taken = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=seconds):
            return True
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        return True  # it came in the very moment when we gave up

    def give_back(self) -> None:
        """Let the next one have it."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False
