"""Steps E4 to E7: files that partners offered are fetched chunk by chunk, and go on where they were.

A file is worked on in slices, so that a large one does not hold up a small one. What is due stands in the table: after
a cut, kill -9 or 30 days a slice begins at the first chunk that is missing.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from comity.common import Clock
from comity.exchange.directory import load_peer
from comity.exchange.errors import ExchangeError
from comity.exchange.evidence.errors import ChunkRefusedError, EvidenceGoneError, NoRoomError
from comity.exchange.evidence.folder import Folder
from comity.exchange.evidence.line import ChunkLine, Connect, Line
from comity.exchange.evidence.storing import MOST_WRONG, Intake
from comity.exchange.models import EvidenceIn, EvidenceOut, Partner
from comity.trust import Keyring

logger = logging.getLogger(__name__)

_LONGEST_POWER = 20


@dataclass(frozen=True, slots=True)
class FetchRules:
    """in_flight: chunks asked for at once, and held in memory. slice_chunks: of one file before the next has its turn.

    save_chunks, save_seconds: how much, and how long, before it is made durable. lease_seconds: nobody else fetches the
    file before. spare_bytes: left free on the disk, since the database needs room too.
    """

    in_flight: int = 4
    slice_chunks: int = 256
    save_chunks: int = 32
    save_seconds: float = 5.0
    lease_seconds: float = 60.0
    first_retry_seconds: float = 1.0
    longest_retry_seconds: float = 1800.0
    spare_bytes: int = 256 * 1024 * 1024


FETCH_RULES = FetchRules()


def due_to_fetch(at: datetime) -> QuerySet[EvidenceIn]:
    """What is to be fetched now: from partners whom we can reach, and who are not suspended."""
    return EvidenceIn.objects.filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=at),
        state=EvidenceIn.State.COMING,
        partner__way=Partner.Way.PUSH,
    ).exclude(partner__state=Partner.State.SUSPENDED)


@dataclass(slots=True)
class Fetcher:
    """Fetches what is due. Used by one thread; `stop` may be set from any."""

    keyring: Keyring
    folder: Folder
    clock: Clock
    rules: FetchRules = FETCH_RULES
    stop: threading.Event = field(default_factory=threading.Event)
    connect: Connect = Line

    def fetch_due(self, at: datetime, *, partner: str = "") -> int:
        """A slice of every file that is due, of one partner or of all. Returns how many chunks came."""
        due = due_to_fetch(at).filter(Q(partner__administration=partner) if partner else Q())
        # The smallest remainder first: a photo does not wait for an X-ray image.
        keys = list(due.order_by(F("chunks") - F("have_chunks"), "id").values_list("id", flat=True))
        came = 0
        for key in keys:
            if self.stop.is_set():
                break
            came += self._fetch(key)
        return came

    def _fetch(self, key: int) -> int:
        row = self._claim(key, self.clock())
        if row is None:
            return 0
        intake = Intake(self.folder, row)
        try:
            is_known = self._is_known(intake)
            if intake.resume() >= intake.shape.chunks or is_known:
                intake.finish(self.clock())
                return 0
            self._check_room(intake)
            return self._slice(intake)
        except NoRoomError as error:
            intake.wait_for_room(error, self.clock())
        except (ChunkRefusedError, EvidenceGoneError) as error:
            intake.refuse(error, self.clock())
        except ExchangeError as error:
            self._postpone(intake, error)
        return 0

    def _is_known(self, intake: Intake) -> bool:
        """Whether the content is here, and from this very partner or offered to it. Else it is fetched all the same:
        who only guesses a digest must not hear from our silence that we hold it."""
        row = intake.row
        theirs = {"partner_id": row.partner_id, "sha256": row.sha256}
        is_theirs = (
            EvidenceOut.objects.filter(**theirs).exists()
            or EvidenceIn.objects.filter(**theirs, state=EvidenceIn.State.COMPLETE).exists()
            # All of it came and got its name, and then the node died.
            or (row.have_chunks > 0 and not self.folder.is_coming(intake.name))
        )
        return is_theirs and self.folder.has_whole(intake.shape)

    def _claim(self, key: int, at: datetime) -> EvidenceIn | None:
        """The row, for nobody else until its lease ends."""
        claimed = EvidenceIn.objects.filter(
            Q(next_attempt_at=None) | Q(next_attempt_at__lte=at), pk=key, state=EvidenceIn.State.COMING
        ).update(next_attempt_at=self._lease(at))
        return EvidenceIn.objects.select_related("partner").get(pk=key) if claimed else None

    def _lease(self, at: datetime) -> datetime:
        return at + timedelta(seconds=self.rules.lease_seconds)

    def _check_room(self, intake: Intake) -> None:
        """Said before it hurts: a disk that runs full would stop the whole node."""
        missing = intake.shape.size_bytes - intake.row.have_chunks * intake.shape.chunk_bytes
        free = self.folder.free_bytes() - self.rules.spare_bytes
        if missing > free and free < self.rules.in_flight * intake.shape.chunk_bytes:
            raise NoRoomError(
                f"The disk has no room: {missing:,} bytes are still to come",
                where=str(self.folder.received),
                remedy="Make room; what has come is kept and the rest is fetched by itself.",
            )

    def _slice(self, intake: Intake) -> int:
        line = self.connect(self.keyring, load_peer(intake.row.partner.administration))
        begin = intake.row.have_chunks
        end = min(intake.shape.chunks, begin + self.rules.slice_chunks)
        pool = ThreadPoolExecutor(self.rules.in_flight, thread_name_prefix="comity-evidence")
        try:
            self._carry(intake, begin, end, lambda number: pool.submit(self._proved, intake, line, number))
        finally:
            # Cut off what is still being asked, so that nobody waits for the silence of a dead line.
            line.close()
            pool.shutdown(wait=True, cancel_futures=True)
        return intake.row.have_chunks - begin

    def _carry(self, intake: Intake, begin: int, end: int, ask: Callable[[int], Future[bytes]]) -> None:
        """Ask for several at once, write them in order, and save what came whatever ends it."""
        asked: deque[Future[bytes]] = deque()
        following, saved_at = begin, self.clock()
        try:
            for number in range(begin, end):
                while following < end and len(asked) < self.rules.in_flight:
                    asked.append(ask(following))
                    following += 1
                intake.write(number, asked.popleft().result())
                at = self.clock()
                is_late = (at - saved_at).total_seconds() >= self.rules.save_seconds
                if number + 1 < end and (intake.unsaved >= self.rules.save_chunks or is_late):
                    if not intake.save(at, next_attempt_at=self._lease(at)):
                        return  # its message was recalled, or another process has the whole
                    saved_at = at
                if self.stop.is_set():
                    break
        except ExchangeError:
            if intake.unsaved:
                intake.save(self.clock(), next_attempt_at=self._lease(self.clock()))
            raise
        intake.save(self.clock())

    def _proved(self, intake: Intake, line: ChunkLine, number: int) -> bytes:
        """Step E6, first half. A wrong chunk is asked for again, so often and no more."""
        for _ in range(MOST_WRONG - 1):
            try:
                return intake.prove(number, line.fetch(intake.row.root, number))
            except ChunkRefusedError as error:
                logger.warning("It is asked for again: %s", error)
        return intake.prove(number, line.fetch(intake.row.root, number))

    def _postpone(self, intake: Intake, error: ExchangeError) -> None:
        """The line is dead, or the partner cannot: later each time, without end; officers see why."""
        row = intake.row
        power = min(row.failures, _LONGEST_POWER)
        wait = min(self.rules.first_retry_seconds * 2**power, self.rules.longest_retry_seconds)
        EvidenceIn.objects.filter(pk=row.pk, state=EvidenceIn.State.COMING).update(
            failures=F("failures") + 1,
            last_error=str(error)[:500],
            next_attempt_at=self.clock() + timedelta(seconds=wait),
        )
