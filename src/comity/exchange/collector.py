"""A node behind a firewall fetches what its partners have for it: one long poll after the other to each of them.

The step numbers are those of docs/protocol.md §8. Nothing is kept here but the answers of the last round: who dies
before they are brought gets the same envelopes again when their leases run out, and answers with the same bytes.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import DatabaseError, close_old_connections, connections

from comity.common import Clock, ComityError
from comity.exchange.collecting import answered
from comity.exchange.directory import Peer, load_peers
from comity.exchange.errors import TransportError
from comity.exchange.inbox import Receiver
from comity.exchange.models import Reception
from comity.exchange.parts import Answered, PartList, read_parts
from comity.exchange.selectors import reception_of
from comity.exchange.transports.https.client import HTTPSTransport, Request
from comity.exchange.transports.https.connection import Response
from comity.exchange.transports.https.paths import COLLECT_PATH, PARTS_MEDIA_TYPE

logger = logging.getLogger(__name__)

# What a partner hands out at once is about 8 MiB; one envelope alone may be larger than what it stays below.
_MOST_BYTES = 24 * 1024 * 1024
# How often it is written down that fetching goes well.
_TELL_EVERY = timedelta(seconds=10)
# Our answers of one round go back in one request, which the partner takes up to 8 MiB.
_REPLIES_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CollectRules:
    """Seconds. partners: how often the table of partners is read. The retry figures are as for delivery."""

    partners_seconds: float = 1.0
    first_retry_seconds: float = 1.0
    longest_retry_seconds: float = 300.0


@dataclass(slots=True)
class _Line:
    """How fetching from one partner goes. replies: what is to be brought. is_asking: a request is under way.

    tells_position: at the start and after a silence the partner is told how far its sequence has arrived (S12).
    told_at: when the officers were told last that it goes well.
    """

    replies: list[Answered] = field(default_factory=list)
    is_asking: bool = False
    tells_position: bool = True
    failures: int = 0
    next_at: datetime | None = None
    told_at: datetime | None = None


_Event = tuple[Peer, Response | TransportError]


class CollectWorker:
    """Fetches in a thread of its own until it is stopped, from every partner for which that was set."""

    def __init__(
        self,
        receiver: Receiver,
        *,
        clock: Clock,
        transport: HTTPSTransport | None = None,
        rules: CollectRules = CollectRules(),
    ) -> None:
        self._receiver, self._clock, self._rules = receiver, clock, rules
        self._transport = transport or HTTPSTransport(receiver.keyring)
        self._lines: dict[int, _Line] = {}
        self._events: queue.SimpleQueue[_Event | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._jitter = random.Random()  # noqa: S311  # so that nodes that failed together do not come back together
        self._thread = threading.Thread(target=self._run, name="comity-collect", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End. What is under way is handed out again to the next worker."""
        self._stopping.set()
        self._events.put(None)
        self._thread.join()
        self._transport.close()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._ask_due()
                event = self._next()
                if event is not None:
                    self._hear(*event)
        finally:
            connections.close_all()

    def _next(self) -> _Event | None:
        try:
            return self._events.get(timeout=self._rules.partners_seconds)
        except queue.Empty:
            return None

    def _ask_due(self) -> None:
        """Step C1 for everybody whom nobody asks now."""
        try:
            at = self._clock()
            for peer in load_peers().values():
                line = self._lines.setdefault(peer.id, _Line())
                is_time = line.next_at is None or line.next_at <= at
                if peer.is_collected and not peer.is_suspended and not line.is_asking and is_time:
                    self._ask(peer, line)
        except Exception:  # the edge of a worker: the database may be away for a while
            logger.exception("The partners could not be read")
            close_old_connections()

    def _ask(self, peer: Peer, line: _Line) -> None:
        position = reception_of(peer.administration) if line.tells_position else None
        body = PartList(answers=tuple(line.replies), position=position).to_bytes()
        line.is_asking = True
        request = Request("POST", COLLECT_PATH, body, PARTS_MEDIA_TYPE, _MOST_BYTES)
        self._transport.ask(peer, request, lambda answer: self._events.put((peer, answer)))

    def _hear(self, peer: Peer, answer: Response | TransportError) -> None:
        line = self._lines[peer.id]
        line.is_asking = False
        try:
            if isinstance(answer, TransportError):
                raise answer
            self._take(line, answer)
            self._succeed(peer, line)
        except ComityError as error:
            self._fail(peer, line, str(error))
        except Exception:  # the edge of a worker: the envelopes come again
            logger.exception("What %s handed out could not be taken", peer.administration)
            close_old_connections()
            self._fail(peer, line, "see above")

    def _take(self, line: _Line, answer: Response) -> None:
        """Step C4: the answers that were brought have arrived; what came is answered like what is pushed to us."""
        if answer.status not in (200, 204):
            raise TransportError(f"The partner's node answered {answer.status}", where=_detail(answer))
        line.replies, line.tells_position = [], False
        if answer.status == 200:
            envelopes = read_parts(answer.body).envelopes
            replies = self._receiver.answer(envelopes, self._clock())
            line.replies = _within(answered(envelopes, replies))

    def _succeed(self, peer: Peer, line: _Line) -> None:
        at = self._clock()
        if line.failures or line.told_at is None or not timedelta() <= at - line.told_at < _TELL_EVERY:
            _tell(peer, collected_at=at, collect_error="")
            line.told_at = at
        line.failures, line.next_at = 0, None

    def _fail(self, peer: Peer, line: _Line, reason: str) -> None:
        line.failures += 1
        line.tells_position = True
        longest = self._rules.first_retry_seconds * 2.0 ** min(line.failures - 1, 30)
        wait = min(longest, self._rules.longest_retry_seconds) * (0.5 + self._jitter.random() / 2)
        line.next_at = self._clock() + timedelta(seconds=wait)
        logger.warning("Nothing could be fetched from %s: %s", peer.administration, reason)
        _tell(peer, collect_error=reason[:500])


def _tell(peer: Peer, **facts: object) -> None:
    """What the officers see of it; no reason to stop fetching where it cannot be written."""
    try:
        Reception.objects.filter(partner_id=peer.id).update(**facts)
    except DatabaseError:
        logger.exception("How fetching from %s goes could not be written down", peer.administration)
        close_old_connections()


def _within(replies: list[Answered]) -> list[Answered]:
    """What fits into one request; what does not is answered again when its envelope comes again."""
    kept: list[Answered] = []
    size = 0
    for each in replies:
        size += len(each.body) + 64
        if kept and size > _REPLIES_BYTES:
            break
        kept.append(each)
    return kept


def _detail(answer: Response) -> str:
    return answer.body[:200].decode("utf-8", "replace")
