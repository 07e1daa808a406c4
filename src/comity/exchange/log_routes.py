"""What partners may read of our log on their port (docs/protocol.md §11): its head, its tiles, and the heads of other
logs that we cosigned, so that nobody can show one history here and another there."""

from __future__ import annotations

from functools import partial

from comity.exchange.transports.https.routes import Asked, Page, Route, json_page, problem
from comity.exchange.witnesses import quorum_for
from comity.ledger import NoCheckpointError
from comity.ledger.selectors import cosigned_checkpoint, latest_checkpoint, partner_heads, tile_at
from comity.trust import Keyring, TileError, add_signatures

CHECKPOINT_PATH = "/log/checkpoint"
QUORUM_PATH = "/log/quorum"
HEADS_PATH = "/exchange/v1/heads"
NOTE_MEDIA_TYPE = "text/plain; charset=utf-8"


def log_routes(keyring: Keyring) -> tuple[Route, ...]:
    """The routes of this room's log."""
    return (
        Route("GET", CHECKPOINT_PATH, serve_checkpoint),
        Route("GET", QUORUM_PATH + "/{agreement}", partial(serve_quorum, keyring)),
        Route("GET", "/log/tile/{path:path}", serve_tile),
        Route("GET", HEADS_PATH, serve_heads),
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


def _note_page(note: str) -> Page:
    return Page(200, NOTE_MEDIA_TYPE, note.encode())
