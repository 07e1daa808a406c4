"""Steps E6 and E7: each chunk is proved before it is written, the whole before it gets its name."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from comity.exchange.evidence.errors import ChunkRefusedError, EvidenceError, NoRoomError
from comity.exchange.evidence.folder import Folder
from comity.exchange.evidence.parts import CarriedChunk
from comity.exchange.models import EvidenceIn
from comity.trust import ChunkError, FileShape, open_chunk, verify_chunk

logger = logging.getLogger(__name__)

# A sender whose chunk is wrong so often does not have what it offered.
MOST_WRONG = 3
ROOM_SECONDS = 60.0


def coming_name(row: EvidenceIn) -> str:
    """What its first chunks are called on disk. Not by the root alone: two partners may name the same one."""
    return f"{row.pk}-{row.root[:16]}"


@dataclass(slots=True)
class Intake:
    """A file that is coming: takes its chunks in order. Durable, with its row, after `save`.

    Whoever else works on the same row writes the same bytes to the same places; the row only ever goes forward.
    """

    folder: Folder
    row: EvidenceIn
    shape: FileShape = field(init=False)
    name: str = field(init=False)
    unsaved: int = 0

    def __post_init__(self) -> None:
        self.shape = FileShape(self.row.sha256, self.row.size_bytes, self.row.chunk_bytes)
        self.name = coming_name(self.row)

    def resume(self) -> int:
        """The number of the next chunk. A row that says more than there is on disk is set right."""
        on_disk = self.folder.coming_chunks(self.name, self.shape)
        if on_disk < self.row.have_chunks:
            self.row.have_chunks = on_disk
            EvidenceIn.objects.filter(pk=self.row.pk).update(have_chunks=on_disk)
        return self.row.have_chunks

    def prove(self, number: int, chunk: CarriedChunk) -> bytes:
        """The opened bytes of a chunk that is the one under the root, and opens with the key of the message.

        Raises: ChunkRefusedError.
        """
        try:
            root = bytes.fromhex(self.row.root)
            verify_chunk(chunk.sealed, number, shape=self.shape, path=chunk.path, root=root)
            return open_chunk(chunk.sealed, number, shape=self.shape, key=bytes(self.row.key))
        except ChunkError as error:
            raise ChunkRefusedError(error.what, where=error.where, remedy=error.remedy) from error

    def take(self, number: int, chunk: CarriedChunk) -> None:
        """Step E6: prove the next chunk and write it.

        Raises: ChunkRefusedError, NoRoomError.
        """
        self.write(number, self.prove(number, chunk))

    def write(self, number: int, data: bytes) -> None:
        """Write the next chunk, which was proved.

        Raises: NoRoomError.
        """
        self.folder.write_chunk(self.name, self.shape, number, data)
        self.unsaved += 1

    def save(self, at: datetime, *, next_attempt_at: datetime | None = None) -> bool:
        """Make what was written durable, then say so in the row. After the last chunk: step E7.

        False: nothing of what came is kept; it was purged meanwhile, say, and is awaited no more.
        """
        if self.unsaved:
            try:
                self.folder.flush(self.name)
            except FileNotFoundError:  # a purge deleted it, or a restore
                self.unsaved = 0
                self._restart(at)
                return False
            self.row.have_chunks, self.unsaved = self.row.have_chunks + self.unsaved, 0
        if self.row.have_chunks >= self.shape.chunks:
            self.finish(at)
            return True
        is_awaited = EvidenceIn.objects.filter(pk=self.row.pk, state=EvidenceIn.State.COMING).update(
            have_chunks=self.row.have_chunks, failures=0, last_error="", next_attempt_at=next_attempt_at
        )
        if not is_awaited:  # purged, or completed by another process, while it came
            self.folder.drop_coming(self.name)
        return bool(is_awaited)

    def finish(self, at: datetime) -> None:
        """Step E7: prove the whole, give it its name, say so. Again after a kill -9, wherever it struck."""
        try:
            # What came is proved even where the content is here: it may be other bytes under the same digest.
            if self.folder.is_coming(self.name) or not self.folder.has_whole(self.shape):
                self.folder.prove_coming(self.name, self.shape)
            self._settle(at)
        except FileNotFoundError:
            self._restart(at)
        except EvidenceError as error:
            self.refuse(error, at)

    @transaction.atomic
    def _settle(self, at: datetime) -> None:
        """Under the lock that purging takes too: what is purged meanwhile never gets its name."""
        row = EvidenceIn.objects.select_for_update().filter(pk=self.row.pk, state=EvidenceIn.State.COMING).first()
        if row is not None:
            self.folder.settle(self.name, self.shape)
            row.state, row.have_chunks, row.completed_at = EvidenceIn.State.COMPLETE, self.shape.chunks, at
            row.failures, row.last_error, row.next_attempt_at = 0, "", None
            row.save()
            self.row = row
        self.folder.drop_coming(self.name)

    def refuse(self, error: EvidenceError, at: datetime) -> None:
        """The sender does not have what it offered: nothing of it is kept, and the reason is shown."""
        logger.warning("File %s of message %s refused: %s", self.row.sha256, self.row.message_id, error)
        self.folder.drop_coming(self.name)
        self.row.state = EvidenceIn.State.REFUSED
        EvidenceIn.objects.filter(pk=self.row.pk, state=EvidenceIn.State.COMING).update(
            state=EvidenceIn.State.REFUSED,
            have_chunks=0,
            last_error=str(error)[:500],
            completed_at=at,
            next_attempt_at=None,
        )

    def count_wrong(self, error: ChunkRefusedError, at: datetime) -> None:
        """A wrong chunk: once may be a broken disk of the sender, again and again is no file."""
        with transaction.atomic():
            row = EvidenceIn.objects.select_for_update().get(pk=self.row.pk)
            if row.failures + 1 < MOST_WRONG:
                EvidenceIn.objects.filter(pk=row.pk).update(failures=row.failures + 1, last_error=str(error)[:500])
                return
        self.refuse(error, at)

    def wait_for_room(self, error: NoRoomError, at: datetime) -> None:
        """The disk is full: what came is kept, and it is looked again in a minute."""
        logger.error("File %s of message %s waits: %s", self.row.sha256, self.row.message_id, error)
        self.unsaved = 0
        EvidenceIn.objects.filter(pk=self.row.pk, state=EvidenceIn.State.COMING).update(
            have_chunks=self.row.have_chunks,
            last_error=str(error)[:500],
            next_attempt_at=at + timedelta(seconds=ROOM_SECONDS),
        )

    def _restart(self, at: datetime) -> None:
        """The chunks are gone from the disk, after a restore say: all of them are asked for again."""
        self.row.have_chunks = 0
        EvidenceIn.objects.filter(pk=self.row.pk, state=EvidenceIn.State.COMING).update(
            have_chunks=0, next_attempt_at=at
        )
