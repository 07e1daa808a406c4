"""The threads that carry files beside everything else: one for each partner, so that no slow one holds up another."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from django.db import close_old_connections, connections

from comity.common import Clock
from comity.exchange.bell import arrived, posted
from comity.exchange.evidence.fetching import FETCH_RULES, Fetcher, FetchRules, due_to_fetch
from comity.exchange.evidence.folder import Folder
from comity.exchange.evidence.purging import sweep
from comity.exchange.evidence.sending import Pusher, due_to_push
from comity.trust import Keyring

logger = logging.getLogger(__name__)

_MOST_PARTNERS = 8


@dataclass(slots=True)
class EvidenceWorker:
    """Fetches and pushes files until it is stopped."""

    keyring: Keyring
    folder: Folder
    clock: Clock
    rules: FetchRules = FETCH_RULES
    poll_seconds: float = 1.0
    _stopping: threading.Event = field(default_factory=threading.Event)
    _waking: threading.Event = field(default_factory=threading.Event)
    _busy: dict[str, Future[None]] = field(default_factory=dict)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; returns at once."""
        arrived.subscribe(self._waking.set)
        posted.subscribe(self._waking.set)
        self._thread = threading.Thread(target=self._work, name="comity-evidence", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the chunks that are under way."""
        arrived.unsubscribe(self._waking.set)
        posted.unsubscribe(self._waking.set)
        self._stopping.set()
        self._waking.set()
        if self._thread is not None:
            self._thread.join(60.0)

    def _work(self) -> None:
        fetcher = Fetcher(self.keyring, self.folder, self.clock, self.rules, self._stopping)
        pusher = Pusher(self.keyring, self.folder, self.clock, self.rules, self._stopping)
        self._sweep()
        try:
            with ThreadPoolExecutor(_MOST_PARTNERS, thread_name_prefix="comity-files") as pool:
                while not self._stopping.is_set():
                    self._hand_out(pool, fetcher, pusher)
                    self._waking.wait(self.poll_seconds)
                    self._waking.clear()
        finally:
            connections.close_all()

    def _sweep(self) -> None:
        try:
            sweep(self.folder)
        except Exception:  # the edge of a worker: the database may be away for a while
            logger.exception("What a purge left behind could not be deleted; the next start tries again")

    def _hand_out(self, pool: ThreadPoolExecutor, fetcher: Fetcher, pusher: Pusher) -> None:
        for partner in self._due():
            if partner not in self._busy or self._busy[partner].done():
                self._busy[partner] = pool.submit(self._carry, partner, fetcher, pusher)

    def _due(self) -> set[str]:
        close_old_connections()
        try:
            names = set(due_to_fetch(self.clock()).values_list("partner__administration", flat=True))
            return names | set(due_to_push().values_list("partner__administration", flat=True))
        except Exception:  # the edge of a worker: the database may be away for a while
            logger.exception("Which files are due could not be read")
            return set()

    def _carry(self, partner: str, fetcher: Fetcher, pusher: Pusher) -> None:
        moved = 0
        try:
            moved = fetcher.fetch_due(self.clock(), partner=partner) + pusher.push_due(self.clock(), partner=partner)
        except Exception:  # the edge of a worker: the next turn must come whatever this one met
            logger.exception("Files of %s could not be carried; it is tried again", partner)
        finally:
            connections.close_all()
        if moved:  # what moved may have more to move: only an idle turn waits
            self._waking.set()
