"""What partners may read of our log on their port (docs/protocol.md §11): its head, its tiles, and the heads of other
logs that we cosigned, so that nobody can show one history here and another there."""

from __future__ import annotations

import logging
from functools import partial

from comity.exchange.transports.https.routes import Asked, Page, Route, json_page, problem
from comity.exchange.witnesses import quorum_for, remember_followed
from comity.ledger import NoCheckpointError, SplitViewError, StaleHeadError
from comity.ledger.selectors import cosigned_checkpoint, latest_checkpoint, partner_heads, tile_at
from comity.ledger.services import witness
from comity.trust import Keyring, NoteError, TileError, add_signatures, open_checkpoint
from comity.trust.addcheckpoint import MOST_BYTES, SIZE_MEDIA_TYPE, read_add_checkpoint

logger = logging.getLogger(__name__)

CHECKPOINT_PATH = "/log/checkpoint"
QUORUM_PATH = "/log/quorum"
COSIGN_PATH = "/log/cosign"
HEADS_PATH = "/exchange/v1/heads"
NOTE_MEDIA_TYPE = "text/plain; charset=utf-8"


def log_routes(keyring: Keyring) -> tuple[Route, ...]:
    """The routes of this room's log."""
    return (
        Route("GET", CHECKPOINT_PATH, serve_checkpoint),
        Route("GET", QUORUM_PATH + "/{agreement}", partial(serve_quorum, keyring)),
        Route("GET", "/log/tile/{path:path}", serve_tile),
        Route("GET", HEADS_PATH, serve_heads),
        Route("POST", COSIGN_PATH, partial(cosign_head, keyring), body_bytes=MOST_BYTES),
    )


def serve_checkpoint(_asked: Asked) -> Page:
    """The newest checkpoint, with the cosignatures of exactly this one."""
    try:
        return _note_page(latest_checkpoint())
    except NoCheckpointError as error:
        return problem(404, error.code, error.what)


def serve_quorum(keyring: Keyring, asked: Asked) -> Page:
    """The newest checkpoint that the quorum of an agreement has cosigned."""
    quorum = quorum_for(asked.parts["agreement"], keyring)
    if quorum is None:
        return problem(404, "no_quorum_asked", "No agreement of this id asks for witnesses here")
    try:
        return _note_page(cosigned_checkpoint(quorum))
    except NoCheckpointError as error:
        return problem(404, error.code, error.what, remedy=error.remedy)


def serve_tile(asked: Asked) -> Page:
    """A tile or a bundle of entries (C2SP tlog-tiles)."""
    try:
        content = tile_at(f"tile/{asked.parts['path']}")
    except TileError as error:
        return problem(404, error.code, error.what)
    if content is None:
        return problem(404, "no_tile", "The log has no such tile yet")
    return Page(200, "application/octet-stream", content)


def serve_heads(_asked: Asked) -> Page:
    """The largest head seen of each partner's log, with our cosignature."""
    heads = [{"origin": head.origin, "note": add_signatures(head.note, [head.line])} for head in partner_heads()]
    return json_page({"heads": heads})


def cosign_head(keyring: Keyring, asked: Asked) -> Page:
    """Step W8 at the witness: our cosignature for a checkpoint of the asker's own log (C2SP tlog-witness).

    Statuses as there: 409 with the size known here, where the proof starts elsewhere; 422 where it proves none.
    """
    try:
        wanted = read_add_checkpoint(asked.body)
        checkpoint, _ = open_checkpoint(wanted.note, asked.peer.log)
    except NoteError as error:
        return problem(400, error.code, error.what, remedy="Ask for a checkpoint of your own log, signed by it.")
    if wanted.old_size > checkpoint.size:
        return problem(400, "bad_note", "The old size is larger than the checkpoint")
    known, cosigner, at = asked.peer.log, keyring.cosigner, asked.at
    try:
        line = witness(wanted.note, wanted.old_size, wanted.path, known=known, cosigner=cosigner, at=at)
    except StaleHeadError as error:
        return Page(409, SIZE_MEDIA_TYPE, f"{error.known_size}\n".encode())
    except (SplitViewError, NoteError) as error:
        logger.error("The log of %s asks for a cosignature that it cannot get: %s", asked.peer.administration, error)
        return problem(422, error.code, error.what, remedy="Compare both histories of your log.")
    remember_followed(asked.peer, size=checkpoint.size, note=add_signatures(wanted.note, [line]))
    return Page(200, NOTE_MEDIA_TYPE, line.encode())


def _note_page(note: str) -> Page:
    return Page(200, NOTE_MEDIA_TYPE, note.encode())
