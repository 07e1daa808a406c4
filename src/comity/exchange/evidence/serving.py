"""Steps E5 and E8 at the partner port: chunks for the partner to whom a file was offered, and chunks pushed to us."""

from __future__ import annotations

import logging
from datetime import datetime

from comity.exchange.evidence.ahead import MOST_AHEAD, Ahead
from comity.exchange.evidence.errors import ChunkRefusedError, EvidenceError, NoRoomError
from comity.exchange.evidence.folder import Folder
from comity.exchange.evidence.offering import sealed_of_offer
from comity.exchange.evidence.parts import CHUNK_MEDIA_TYPE, MOST_BYTES, CarriedChunk, read_chunk
from comity.exchange.evidence.storing import Intake
from comity.exchange.models import EvidenceIn, EvidenceOut
from comity.exchange.transports.https.routes import Asked, Page, Route, json_page, problem
from comity.trust import ChunkError, seal_chunk

logger = logging.getLogger(__name__)

EVIDENCE_PATH = "/exchange/v1/evidence/{root}/{number}"
# How often it is written down how far a partner has come: enough for whoever looks, seldom enough to cost nothing.
_MARK_EVERY = 32
_ahead = Ahead()
_UNWANTED = (EvidenceIn.State.REFUSED, EvidenceIn.State.PURGED)


def evidence_routes(folder: Folder) -> tuple[Route, ...]:
    """What the partner port answers about files."""
    return (
        Route("GET", EVIDENCE_PATH, lambda asked: serve_chunk(folder, asked)),
        Route("PUT", EVIDENCE_PATH, lambda asked: take_chunk(folder, asked), body_bytes=MOST_BYTES),
    )


def serve_chunk(folder: Folder, asked: Asked) -> Page:
    """Step E5: a chunk with its path. Nobody else's file is there for who asks, and none that was withdrawn."""
    rows = EvidenceOut.objects.defer("leaves").filter(partner_id=asked.peer.id, root=asked.parts["root"])
    row, number = rows.first(), _number_of(asked)
    if row is None or number is None or number >= row.chunks:
        return problem(404, "unknown_evidence", "No such chunk was offered to you", remedy="Look at the message again.")
    if row.withdrawn_at is not None:
        return problem(410, "evidence_withdrawn", "The file was withdrawn", remedy="Ask the sender why.")
    try:
        data = carried(folder, row, number).to_bytes()
    except (EvidenceError, ChunkError, OSError) as error:
        # Not the partner's fault and not for its eyes: it comes back, and our officers read the log.
        logger.error("The file %s cannot be sent to %s: %s", row.sha256, asked.peer.administration, error)
        return problem(503, "evidence_missing", "The sender cannot read the file now", remedy="Ask again later.")
    if (number + 1) % _MARK_EVERY == 0 or number + 1 == row.chunks:
        EvidenceOut.objects.filter(pk=row.pk, sent_chunks__lt=number + 1).update(sent_chunks=number + 1)
    return Page(200, CHUNK_MEDIA_TYPE, data)


def take_chunk(folder: Folder, asked: Asked) -> Page:
    """Step E8: a chunk from a sender whom we cannot reach. Answers how many are here, so that it goes on from there.

    Several are on their way at once; one that comes a little before its turn is kept until then.
    """
    rows = EvidenceIn.objects.filter(partner_id=asked.peer.id, root=asked.parts["root"])
    row, number = rows.first(), _number_of(asked)
    if row is None or number is None or number >= row.chunks:
        return problem(404, "unknown_evidence", "No message of yours offered this", remedy="Send the message first.")
    if row.state in _UNWANTED:
        return _unwanted(row)
    if row.state == EvidenceIn.State.COMPLETE or not 0 <= number - row.have_chunks <= MOST_AHEAD:
        return _have(row.have_chunks)
    intake = Intake(folder, row)
    try:
        data = intake.prove(number, read_chunk(asked.body))
    except ChunkRefusedError as error:
        intake.count_wrong(error, asked.at)
        return problem(422, error.code, error.what, remedy=error.remedy)
    with _ahead.lock(row.pk):
        row.refresh_from_db()
        return _place(intake, number, data, asked.at)


def _place(intake: Intake, number: int, data: bytes, at: datetime) -> Page:
    """Write a proved chunk and those that waited for it, or let it wait for the ones before it."""
    row, following, due = intake.row, number, data if number == intake.row.have_chunks else None
    if row.state in _UNWANTED:
        _ahead.drop(row.pk)
        return _unwanted(row)
    if row.state == EvidenceIn.State.COMING and number > row.have_chunks:
        _ahead.hold(row.pk, number, data)
    if row.state != EvidenceIn.State.COMING or due is None:
        return _have(row.have_chunks)
    try:
        while due is not None:
            intake.write(following, due)
            following += 1
            due = _ahead.take(row.pk, following)
        is_awaited = intake.save(at)
    except NoRoomError as error:
        _ahead.drop(row.pk)
        intake.wait_for_room(error, at)
        return problem(507, error.code, "The receiver has no room for more now", remedy="It is tried again later.")
    if not is_awaited:
        row.refresh_from_db()
    return _unwanted(row) if row.state in _UNWANTED else _have(row.have_chunks)


def carried(folder: Folder, row: EvidenceOut, number: int) -> CarriedChunk:
    """A chunk of an offered file, sealed as it was when it was offered.

    Raises: EvidenceError where the file is missing, ChunkError where it was changed.
    """
    sealed = sealed_of_offer(row)
    data = folder.read_chunk(sealed.shape, number)
    return CarriedChunk(tuple(sealed.path(number)), seal_chunk(data, number, sealed=sealed, key=bytes(row.key)))


def _unwanted(row: EvidenceIn) -> Page:
    return problem(410, "evidence_refused", row.last_error or "The file is not wanted any more")


def _have(count: int) -> Page:
    return json_page({"have": count})


def _number_of(asked: Asked) -> int | None:
    text = asked.parts["number"]
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None
