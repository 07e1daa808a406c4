"""Files that belong to messages."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router, Schema

from comity.api.fields import Instant, PurposeQuery
from comity.api.guard import actor_of, needs
from comity.api.openapi import raw_answer
from comity.common import utc_now
from comity.exchange.evidence import EvidenceState, EvidenceView
from comity.journeys.evidence import evidence_of
from comity.journeys.look import note_look, open_file, openable
from comity.staff import Permission

router = Router(tags=["exchange"])

_BYTES = "application/octet-stream"


class FileOut(Schema):
    """A file of a message. offered_by: the message that offered it; empty where none did. is_here: it can be read now.

    have_chunks: how many of `chunks` have come, or of this administration's own have gone. error: why it is refused, or
    why it does not come on.
    """

    sha256: str
    name: str
    media_type: str
    size_bytes: int
    state: EvidenceState
    is_here: bool
    partner: str
    offered_by: str
    have_chunks: int
    chunks: int
    error: str
    offered_at: Instant | None = None
    completed_at: Instant | None = None


class Files(Schema):
    """The files of a message, by name."""

    items: list[FileOut]


@router.get(
    "/messages/{uuid:message_id}/evidence",
    response=Files,
    summary="The files of a message: here, coming, refused or never offered",
    **needs(Permission.VIEW_MESSAGES),
)
def list_evidence(request: HttpRequest, message_id: UUID, query: Query[PurposeQuery]) -> Files:
    """Every file that the message names as an exhibit, that it offers, or that another message offered for it. Names of
    files are content: a purpose is asked for as for the message itself.
    """
    actor, at = actor_of(request), utc_now()
    view = openable(actor, message_id=str(message_id), purpose=query.purpose, at=at)
    note_look(actor, view, purpose=query.purpose, at=at, deed="list_files")
    return Files(items=[_file_of(view) for view in evidence_of(str(message_id))])


@router.get(
    "/messages/{uuid:message_id}/evidence/{str:sha256}",
    summary="The bytes of one file of a message",
    **needs(Permission.VIEW_MESSAGES, raw_answer(_BYTES, "The file; broken off before its end where it was changed")),
)
def read_evidence(
    request: HttpRequest, message_id: UUID, sha256: str, query: Query[PurposeQuery]
) -> StreamingHttpResponse:
    """Streamed, and proved by its digest: the last block is sent only if the whole is what its name says. To be saved,
    never to be run; who read it is audited, with the purpose. 409 where it is not here.
    """
    opened = open_file(
        actor_of(request), message_id=str(message_id), sha256=sha256, purpose=query.purpose, at=utc_now()
    )
    response = StreamingHttpResponse(opened.blocks, content_type=_BYTES)
    response["Content-Length"] = str(opened.size_bytes)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(opened.name, safe='')}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _file_of(view: EvidenceView) -> FileOut:
    return FileOut(
        sha256=view.sha256,
        name=view.name,
        media_type=view.media_type,
        size_bytes=view.size_bytes,
        state=view.state,
        is_here=view.is_here,
        partner=view.partner,
        offered_by=view.message_id,
        have_chunks=view.have_chunks,
        chunks=view.chunks,
        error=view.error,
        offered_at=view.offered_at,
        completed_at=view.completed_at,
    )
