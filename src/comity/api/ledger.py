"""The log as C2SP tlog-tiles serves it: checkpoint, tiles, bundles of entries. Public: it holds commitments only."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from comity.ledger import NoCheckpointError, selectors
from comity.trust import TileError

# tlog-tiles: tiles never change; the checkpoint must not be cached beyond a few seconds.
_FOR_EVER = "public, max-age=31536000, immutable"
_FOR_NOW = "no-cache"


@require_safe
def checkpoint(_request: HttpRequest) -> HttpResponse:
    """The newest checkpoint with the log's signature and the partners' cosignatures of it."""
    return _checkpoint(selectors.latest_checkpoint)


@require_safe
def cosigned(_request: HttpRequest) -> HttpResponse:
    """The newest checkpoint that at least one partner cosigned."""
    return _checkpoint(selectors.cosigned_checkpoint)


@gzip_page
@require_safe
def tile(_request: HttpRequest, path: str) -> HttpResponse:
    """A tile or a bundle of entries; a partial one is the beginning of what is stored."""
    try:
        content = selectors.tile_at(f"tile/{path}")
    except TileError as error:
        raise Http404(str(error)) from error
    if content is None:
        raise Http404("The log has no such tile yet")
    return HttpResponse(content, content_type="application/octet-stream", headers={"Cache-Control": _FOR_EVER})


def _checkpoint(read: Callable[[], str]) -> HttpResponse:
    try:
        note = read()
    except NoCheckpointError as error:
        raise Http404(str(error)) from error
    return HttpResponse(note, content_type="text/plain; charset=utf-8", headers={"Cache-Control": _FOR_NOW})
