"""Files for a partner without a line: chunks as parts of the same file that carries its envelopes.

A part is an address and a chunk (parts.py). What came is told back as marks, so that the next file goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from comity.exchange.evidence.errors import ChunkRefusedError, NoRoomError
from comity.exchange.evidence.folder import Folder
from comity.exchange.evidence.parts import Addressed, read_addressed, read_chunk
from comity.exchange.evidence.serving import carried
from comity.exchange.evidence.storing import Intake
from comity.exchange.evidence.taking import expect_waiting
from comity.exchange.models import EvidenceIn, EvidenceOut

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the chunks of a file. known: they were here before. unknown: no message offered them yet."""

    taken: int = 0
    known: int = 0
    refused: int = 0
    unknown: int = 0


def export_chunks(folder: Folder, partner: str, *, most_bytes: int | None = None) -> Iterator[bytes]:
    """The chunks that the partner has not said that it has, oldest offer first; one at a time in memory.

    most_bytes: what fits on the stick; None: everything. Raises: EvidenceError, ChunkError where a file was changed.
    """
    rows = EvidenceOut.objects.defer("leaves").filter(
        partner__administration=partner, withdrawn_at=None, sent_chunks__lt=F("chunks")
    )
    left = most_bytes
    for row in rows.order_by("id"):
        for number in range(row.sent_chunks, row.chunks):
            data = Addressed(row.root, number, carried(folder, row, number).to_bytes()).to_bytes()
            if left is not None and len(data) > left:
                return
            left = None if left is None else left - len(data)
            yield data


def import_chunks(folder: Folder, sender: str, parts: Iterable[bytes], at: datetime) -> Imported:
    """Take chunks of a partner's files, in the order in which they lie in the file. Import the envelopes first.

    Raises: NoRoomError; what was taken before is kept.
    """
    expect_waiting(sender)
    taken = known = refused = unknown = 0
    intake: Intake | None = None
    try:
        for data in parts:
            part = read_addressed(data)
            if intake is None or intake.row.root != part.root:
                _save(intake, at)
                intake = _intake_of(folder, sender, part.root)
            if intake is None or part.number > intake.row.have_chunks + intake.unsaved:
                unknown += 1
            elif intake.row.state != EvidenceIn.State.COMING or part.number < intake.row.have_chunks + intake.unsaved:
                known += 1
            else:
                is_taken = _take(intake, part, at)
                taken, refused = taken + is_taken, refused + (not is_taken)
    finally:
        _save(intake, at)
    return Imported(taken, known, refused, unknown)


def export_marks(partner: str) -> tuple[bytes, ...]:
    """How far each file of a partner has come here, for the file that goes back to it."""
    rows = EvidenceIn.objects.filter(partner__administration=partner).exclude(have_chunks=0)
    return tuple(Addressed(row.root, row.have_chunks).to_bytes() for row in rows.order_by("id"))


def import_marks(partner: str, parts: Iterable[bytes]) -> int:
    """Remember how far our files have come at the partner. Returns for how many that is news."""
    news = 0
    for data in parts:
        mark = read_addressed(data)
        news += EvidenceOut.objects.filter(
            partner__administration=partner, root=mark.root, sent_chunks__lt=mark.number, chunks__gte=mark.number
        ).update(sent_chunks=mark.number)
    return news


def _intake_of(folder: Folder, sender: str, root: str) -> Intake | None:
    row = EvidenceIn.objects.filter(partner__administration=sender, root=root).order_by("id").first()
    if row is None:
        return None
    intake = Intake(folder, row)
    if row.state == EvidenceIn.State.COMING:
        intake.resume()
    return intake


def _take(intake: Intake, part: Addressed, at: datetime) -> bool:
    try:
        intake.take(part.number, read_chunk(part.rest))
    except ChunkRefusedError as error:
        logger.warning("A chunk on the way by file is refused: %s", error)
        intake.count_wrong(error, at)
        return False
    except NoRoomError as error:
        intake.wait_for_room(error, at)
        raise
    if intake.row.have_chunks + intake.unsaved >= intake.shape.chunks:
        intake.save(at)
    return True


def _save(intake: Intake | None, at: datetime) -> None:
    if intake is not None and intake.unsaved:
        intake.save(at)
