"""Step E8 at the sender: where the partner cannot reach us, its chunks are pushed, one after the other."""

from __future__ import annotations

import logging
import threading
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
        finally:
            line.close()
        return row.sent_chunks - begin

    def _slice(self, row: EvidenceOut, line: ChunkLine) -> None:
        for _ in range(self.rules.slice_chunks):
            if row.sent_chunks >= row.chunks or self.stop.is_set():
                return
            number = row.sent_chunks
            have = line.push(row.root, number, carried(self.folder, row, number))
            # The partner says where to go on: it may have lost some, or taken them by another way.
            if have == number or have > row.chunks:
                raise TransportError("The partner did not take the chunk", where=f"chunk {number} of {row.chunks}")
            row.sent_chunks = have
            EvidenceOut.objects.filter(pk=row.pk).update(sent_chunks=have)

    def _pause(self, row: EvidenceOut, least_seconds: float) -> None:
        failures = self.pauses[row.pk].failures + 1 if row.pk in self.pauses else 0
        wait = min(self.rules.first_retry_seconds * 2 ** min(failures, 20), self.rules.longest_retry_seconds)
        self.pauses[row.pk] = _Pause(failures, self.clock() + timedelta(seconds=max(wait, least_seconds)))


def _has_arrived(row: EvidenceOut) -> bool:
    return OutboxMessage.objects.filter(message_id=row.message_id, state=OutboxMessage.State.DELIVERED).exists()
