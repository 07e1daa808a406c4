"""Step E8 at the sender: where the partner cannot reach us, its chunks are pushed, several at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from comity.common import Clock
from comity.exchange.directory import load_peer
from comity.exchange.errors import ExchangeError, TransportError
from comity.exchange.evidence.errors import ChunkRefusedError, EvidenceGoneError
from comity.exchange.evidence.fetching import FETCH_RULES, FetchRules
from comity.exchange.evidence.folder import Folder
from comity.exchange.evidence.line import ChunkLine, Connect, Line
from comity.exchange.evidence.serving import carried
from comity.exchange.models import EvidenceOut, OutboxMessage, Partner
from comity.trust import ChunkError, Keyring

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Pause:
    """After a failure: how many there were, and when it is tried again. Forgotten when the node ends."""

    failures: int
    until: datetime


def due_to_push() -> QuerySet[EvidenceOut]:
    """Files for partners whom we can reach and who cannot reach us."""
    return (
        EvidenceOut.objects.defer("leaves")
        .select_related("partner")
        .filter(partner__is_collected=True, withdrawn_at=None, sent_chunks__lt=F("chunks"))
        .exclude(partner__state=Partner.State.SUSPENDED)
    )


@dataclass(slots=True)
class Pusher:
    """Pushes what is due. Used by one thread; `stop` may be set from any."""

    keyring: Keyring
    folder: Folder
    clock: Clock
    rules: FetchRules = FETCH_RULES
    stop: threading.Event = field(default_factory=threading.Event)
    pauses: dict[int, _Pause] = field(default_factory=dict)

    connect: Connect = Line

    def push_due(self, at: datetime, *, partner: str = "") -> int:
        """A slice of every file whose message has arrived at a partner that cannot fetch it. Returns chunks sent."""
        due = due_to_push().filter(Q(partner__administration=partner) if partner else Q())
        sent = 0
        for row in list(due.order_by(F("chunks") - F("sent_chunks"), "id")):
            pause = self.pauses.get(row.pk)
            if self.stop.is_set() or (pause is not None and at < pause.until) or not _has_arrived(row):
                continue
            sent += self._push(row)
        return sent

    def _push(self, row: EvidenceOut) -> int:
        line = self.connect(self.keyring, load_peer(row.partner.administration))
        begin = row.sent_chunks
        try:
            self._slice(row, line)
        except (EvidenceGoneError, ChunkRefusedError) as error:
            logger.error("%s does not take the file %s: %s", row.partner.administration, row.sha256, error)
            self._pause(row, self.rules.longest_retry_seconds)
        except (ExchangeError, ChunkError) as error:
            logger.warning("The file %s waits for %s: %s", row.sha256, row.partner.administration, error)
            self._pause(row, 0.0)
        else:
            self.pauses.pop(row.pk, None)
        return row.sent_chunks - begin

    def _slice(self, row: EvidenceOut, line: ChunkLine) -> None:
        """The first chunk alone, since the partner says where to go on; then several at once."""
        end = min(row.chunks, row.sent_chunks + self.rules.slice_chunks)
        pool = ThreadPoolExecutor(self.rules.in_flight, thread_name_prefix="comity-evidence")
        count, is_wanted = 1, True
        try:
            while row.sent_chunks < end and is_wanted and not self.stop.is_set():
                numbers = range(row.sent_chunks, min(end, row.sent_chunks + count))
                asked = [pool.submit(line.push, row.root, each, carried(self.folder, row, each)) for each in numbers]
                is_wanted = self._advance(row, [each.result() for each in asked])
                count = self.rules.in_flight
        finally:
            # Cut off what is still on its way, so that nobody waits for the silence of a dead line.
            line.close()
            pool.shutdown(wait=True, cancel_futures=True)

    def _advance(self, row: EvidenceOut, told: Sequence[int]) -> bool:
        """The partner says where to go on: it may have lost some, or taken them by another way.

        Returns whether the file is still to be sent. Raises: TransportError where the partner took nothing.
        """
        have = max(told)
        if have == row.sent_chunks or have > row.chunks:
            where = f"chunk {row.sent_chunks} of {row.chunks}"
            raise TransportError("The partner did not take the chunk", where=where)
        row.sent_chunks = have
        return bool(EvidenceOut.objects.filter(pk=row.pk, withdrawn_at=None).update(sent_chunks=have))

    def _pause(self, row: EvidenceOut, least_seconds: float) -> None:
        failures = self.pauses[row.pk].failures + 1 if row.pk in self.pauses else 0
        wait = min(self.rules.first_retry_seconds * 2 ** min(failures, 20), self.rules.longest_retry_seconds)
        self.pauses[row.pk] = _Pause(failures, self.clock() + timedelta(seconds=max(wait, least_seconds)))


def _has_arrived(row: EvidenceOut) -> bool:
    return OutboxMessage.objects.filter(message_id=row.message_id, state=OutboxMessage.State.DELIVERED).exists()
